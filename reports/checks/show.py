"""Picks the writer of a check by the name of its format."""

from ...core.checked import CheckReport


def show_check(
    check: CheckReport, format: str, *, width: int, colour: bool, command: str | None
) -> str:
    """Return the check in a format: table, json, markdown, junit, sarif or github.

    Args:
        check: What `check` found.
        format: One of the six names.
        width: Columns of the page; for ``table``.
        colour: Whether to colour; for ``table``.
        command: The command that made it, for how to reproduce it.
    """
    if format == "json":
        from .json import check_to_json

        return check_to_json(check)
    if format == "markdown":
        from .markdown import check_to_markdown

        return check_to_markdown(check, command)
    if format == "junit":
        from .junit import check_to_junit

        return check_to_junit(check)
    if format == "sarif":
        from .sarif import check_to_sarif

        return check_to_sarif(check)
    if format == "github":
        from .github import check_to_github

        return check_to_github(check)
    from .table import check_to_table

    return check_to_table(check, width, colour, command)
