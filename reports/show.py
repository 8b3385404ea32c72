"""Picks the writer of a report by the name of its format."""

from ..core.report import Report


def show_report(
    report: Report, format: str, *, width: int, colour: bool, command: str | None = None
) -> str:
    """Return the report in a format: ``table``, ``json`` or ``markdown``.

    Args:
        report: What `analyze` found.
        format: One of the three names.
        width: Columns of the page; for ``table``.
        colour: Whether to colour; for ``table``.
        command: The command that made the report, for what to run next.
    """
    if format == "json":
        from .json import to_json

        return to_json(report)
    if format == "markdown":
        from .markdown import to_markdown

        return to_markdown(report, command)
    from .terminal import render

    return render(report, width, colour, command)
