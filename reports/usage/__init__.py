"""``costopt usage`` as text: a table, Markdown, JSON."""

from ...usage.report import UsageReport
from .json import to_json
from .markdown import to_markdown
from .table import to_table


def show_usage(report: UsageReport, format: str, *, width: int = 80) -> str:
    """Return a report of request logs as ``table``, ``markdown`` or ``json``."""
    if format == "json":
        return to_json(report)
    return to_markdown(report) if format == "markdown" else to_table(report, width)
