"""Picks the writer of a report by the name of its format."""

from ..core.report import Report
from ..core.samples import SampleSource


def show_report(
    report: Report,
    format: str,
    *,
    width: int,
    colour: bool,
    command: str | None = None,
    samples: SampleSource | None = None,
) -> str:
    """Return the report in a format: ``table``, ``json``, ``markdown`` or ``html``.

    Args:
        report: What `analyze` found.
        format: One of the four names.
        width: Columns of the page; for ``table``.
        colour: Whether to colour; for ``table``.
        command: The command that made the report, for what to run next.
        samples: Gives the answers to single rows; for ``html``.
    """
    if format == "json":
        from .json import to_json

        return to_json(report)
    if format == "markdown":
        from .markdown import to_markdown

        return to_markdown(report, command)
    if format == "html":
        from .html import to_html

        return to_html(report, command, samples)
    from .terminal import render

    return render(report, width, colour, command)
