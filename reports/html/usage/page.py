"""The page: totals, the two plots, the groups, and what the log shows."""

from collections.abc import Iterator
from dataclasses import dataclass

from .... import __version__
from ....usage.advice import Advice
from ....usage.report import UsageReport
from ...numbers import count, percent, usd
from ...usage import facts
from ...usage.recommendations import money_range
from ..page import render
from ..tables import Table
from . import abnormal, levers
from .bars import TimePlot, time_plot
from .groups import group_table, model_table, time_table
from .levers import Advised
from .reading import ReadingView, reading_view
from .treemap import Treemap, treemap


@dataclass(frozen=True, kw_only=True)
class AdviceView:
    """What the log shows beyond its cost."""

    claim: str
    advised: tuple[Advised, ...]
    advised_more: str
    meanings: tuple[str, ...]
    anomalies: Table | None
    anomaly_lines: tuple[str, ...]
    budgets: Table | None
    levers: Table
    together: str
    curves: tuple[Table, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UsageView:
    """All of a page."""

    version: str
    period: str
    amount: str
    lines: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    times: TimePlot | None
    time_table: Table | None
    tiles: Treemap | None
    model_table: Table | None
    groups: Table | None
    left_out: str
    advice: AdviceView | None
    reading: ReadingView


def usage_page(report: UsageReport, advice: Advice | None) -> str:
    """Return what request logs cost as one page that loads nothing from anywhere.

    Args:
        report: What the logs cost.
        advice: What else they show; ``None`` where that was left out.
    """
    return render("usage.html", usage=usage_view(report, advice))


def usage_view(report: UsageReport, advice: Advice | None) -> UsageView:
    """Return what a page shows of logs."""
    found, total = report.over_time, report.attribution.total
    abnormal_ones = advice.anomalies.found[: abnormal.MOST] if advice else ()
    return UsageView(
        version=__version__,
        period=_period(report),
        amount="Cost unknown" if total.usd is None else usd(total.usd),
        lines=tuple(_lines(report)),
        figures=tuple(_figures(report)),
        times=time_plot(found, abnormal_ones) if found else None,
        time_table=time_table(found) if found and found.slots else None,
        tiles=treemap(found) if found else None,
        model_table=model_table(found) if found and found.features else None,
        groups=group_table(report) if report.attribution.groups else None,
        left_out=count(report.attribution.left_out) if report.attribution.left_out else "",
        advice=_advice(advice) if advice else None,
        reading=reading_view(report),
    )


def _period(report: UsageReport) -> str:
    if report.first is None or report.last is None:
        return "no request has a time"
    first, last = (time.strftime("%Y-%m-%d %H:%M") for time in (report.first, report.last))
    return f"{first} to {last} UTC"


def _lines(report: UsageReport) -> Iterator[str]:
    total = report.attribution.total
    if total.unpriced:
        many = count(total.unpriced)
        yield f"{many} requests have no price and are in no sum of money: this is a lower bound."
    trend = facts.trend_line(report)
    if trend:
        yield trend


def _figures(report: UsageReport) -> Iterator[tuple[str, str]]:
    total = report.attribution.total
    yield "requests", count(total.requests)
    yield "failed", count(total.errors)
    yield "USD a request", usd(total.usd_per_request)
    yield "input tokens", count(total.input_tokens)
    if total.cache_read_tokens is not None and total.input_tokens:
        share = percent(total.cache_read_tokens / total.input_tokens)
        yield "of these from a cache", f"{count(total.cache_read_tokens)} ({share})"
    yield "output tokens", count(total.output_tokens)
    if total.reasoning_tokens:
        yield "of these reasoning", count(total.reasoning_tokens)


def _advice(advice: Advice) -> AdviceView:
    shown = advice.recommendations[: levers.MOST]
    more = len(advice.recommendations) - len(shown)
    anomalies = advice.anomalies.found[: abnormal.MOST]
    return AdviceView(
        claim=_claim(advice),
        advised=tuple(levers.advised(rank, one) for rank, one in enumerate(shown, start=1)),
        advised_more=count(more) if more > 0 else "",
        meanings=levers.meanings(),
        anomalies=abnormal.anomaly_table(anomalies) if anomalies else None,
        anomaly_lines=tuple(_looked(advice)),
        budgets=abnormal.budget_table(advice.budgets) if advice.budgets else None,
        levers=levers.lever_table(advice.what_if),
        together=levers.together(advice.what_if),
        curves=tuple(levers.curves(advice.what_if)),
        notes=tuple(levers.lever_notes(advice.what_if)),
    )


def _claim(advice: Advice) -> str:
    month = advice.what_if.month
    if not month.usd:
        return ""
    return (
        f"All levers together would save {usd(month.usd)} a month "
        f"({money_range(month.low, month.high)})."
    )


def _looked(advice: Advice) -> Iterator[str]:
    found = advice.anomalies
    more = len(found.found) - abnormal.MOST
    if more > 0:
        yield f"and {count(more)} more (--format json)"
    if not found.found:
        yield "None was found." if found.looked_at else "No feature's log is long enough."
    if found.too_short:
        yield (
            f"{count(len(found.too_short))} features are too short to tell what is usual: it takes "
            "3 days with 20 requests an hour, or 14 days."
        )
