"""``costopt usage`` as text: a table, Markdown, JSON."""

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
    """Return a report of request logs as ``table``, ``markdown`` or ``json``."""
    if format == "json":
        return to_json(report, advice)
    shown = to_markdown(report) if format == "markdown" else to_table(report, width)
    if advice is None:
        return shown
    # What finds and shows advice takes a while to import: it is not always wanted.
    from . import advice as shows

    more = (
        shows.advice_markdown(advice) if format == "markdown" else shows.advice_table(advice, width)
    )
    return f"{shown}\n{more}"
