"""``costopt usage`` as text: a table, Markdown, JSON, HTML."""

from typing import TYPE_CHECKING

from ...usage.report import UsageReport
from .json import to_json
from .markdown import to_markdown
from .table import to_table

if TYPE_CHECKING:
    from ...usage.advice import Advice


def show_usage(
    report: UsageReport, format: str, *, width: int = 80, advice: "Advice | None" = None
) -> str:
    """Return a report of request logs as ``table``, ``markdown``, ``json`` or ``html``."""
    if format == "json":
        return to_json(report, advice)
    if format == "html":
        from ..html.usage import usage_page

        return usage_page(report, advice)
    shown = to_markdown(report) if format == "markdown" else to_table(report, width)
    return shown if advice is None else f"{shown}\n{_advised(advice, format, width)}"


def _advised(found: "Advice", format: str, width: int) -> str:
    # What finds and shows advice takes a while to import: it is not always wanted.
    from .advice import advice_markdown, advice_table

    return advice_markdown(found) if format == "markdown" else advice_table(found, width)
