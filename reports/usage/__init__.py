"""``costopt usage`` as text: a table, Markdown, JSON, HTML."""

from ...usage.advice import Advice
from ...usage.report import UsageReport
from .advice import advice_markdown, advice_table
from .json import to_json
from .markdown import to_markdown
from .table import to_table


def show_usage(
    report: UsageReport, format: str, *, width: int = 80, advice: Advice | None = None
) -> str:
    """Return a report of request logs as ``table``, ``markdown``, ``json`` or ``html``."""
    if format == "json":
        return to_json(report, advice)
    if format == "html":
        from ..html.usage import usage_page

        return usage_page(report, advice)
    if format == "markdown":
        return "\n".join([to_markdown(report), *([advice_markdown(advice)] if advice else [])])
    return "\n".join([to_table(report, width), *([advice_table(advice, width)] if advice else [])])
