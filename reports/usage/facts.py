"""What is said about request logs in words, the same in every output."""

from collections.abc import Iterator

from ...usage.facts import Problem
from ...usage.periods import shown
from ...usage.report import Sums, Trend, UnpricedModel, UsageReport
from ..numbers import UNKNOWN, count, percent, usd

NOT_SAID = "(not in log)"


def label(value: str | None) -> str:
    """Return a dimension's value; what the log does not say is said in words."""
    return NOT_SAID if value is None else value


def period_line(report: UsageReport) -> str:
    """Say which time is looked at."""
    if report.first is None or report.last is None:
        return "no request has a time"
    return f"{shown(report.first)} to {shown(report.last)}"


def total_line(report: UsageReport) -> str:
    """Say what it all cost."""
    total = report.attribution.total
    requests = f"{count(total.requests)} request{'' if total.requests == 1 else 's'}"
    cost = "cost unknown: nothing has a price" if total.usd is None else usd(total.usd)
    parts = [cost, f"{requests}, {count(total.errors)} failed"]
    if total.input_tokens is not None or total.output_tokens is not None:
        parts.append(tokens_words(total))
    return "; ".join(parts)


def tokens_words(sums: Sums) -> str:
    """Say how many tokens there were."""
    words = f"{count(sums.input_tokens)} input tokens"
    if sums.cache_read_tokens:
        words += f" ({count(sums.cache_read_tokens)} from the cache)"
    words += f", {count(sums.output_tokens)} output tokens"
    if sums.reasoning_tokens:
        words += f" ({count(sums.reasoning_tokens)} reasoning)"
    return words


def rows_line(report: UsageReport) -> str:
    """Say how many rows were read, and what became of those that do not count."""
    rows = report.reading.rows
    parts = [f"{count(rows.read)} rows read"]
    for number, word in (
        (rows.bad, "bad"),
        (rows.other, "no requests"),
        (rows.duplicate, "repeated"),
    ):
        if number:
            parts.append(f"{count(number)} {word}")
    outside = rows.requests - report.attribution.total.requests
    if outside > 0:
        parts.append(f"{count(outside)} outside of the period or without a time")
    return ", ".join(parts)


def problem_line(problem: Problem) -> str:
    """Say what is wrong, how often, and where first."""
    place = f" (first: {problem.first})" if problem.first else ""
    return f"{problem.what}: {count(problem.rows)}{place}"


def unpriced_lines(report: UsageReport) -> Iterator[str]:
    """Say which traffic has no price; it is in no sum of money."""
    total = report.attribution.total
    if total.unpriced:
        yield f"{count(total.unpriced)} requests have no price and are in no sum of money:"
        yield from (f"  {_model(model)}" for model in report.unpriced[:10])
        if len(report.unpriced) > 10:
            yield f"  and {len(report.unpriced) - 10} more models"
    if total.unbilled:
        yield (
            f"{count(total.unbilled)} failed requests have no token counts: what they cost is "
            "not in the log"
        )


def _model(model: UnpricedModel) -> str:
    name = ":".join(part for part in (model.provider, model.model) if part) or NOT_SAID
    return (
        f"{name}: {count(model.requests)} requests, {count(model.input_tokens)} input and "
        f"{count(model.output_tokens)} output tokens; {model.why}"
    )


def trend_words(trend: Trend | None) -> str:
    """Return the change of money."""
    if trend is None or trend.usd is None:
        return UNKNOWN
    return ("+" if trend.usd > 0 else "") + percent(trend.usd)


def trend_line(report: UsageReport) -> str | None:
    """Say what trends are against; ``None`` where there are none."""
    basis = report.attribution.basis
    if basis is None:
        return None
    against = (
        "of the second half of this time against the first"
        if basis == "halves"
        else "of this time against the one before it of the same length"
    )
    trend = report.attribution.trend
    if trend is None or trend.usd is None:
        return f"trend: {against.removeprefix('of ')}; the money of one of them is unknown"
    return f"trend: money {against}; in all {trend_words(trend)}"


def logged_line(report: UsageReport) -> str | None:
    """Say what the log itself says it cost, where it does."""
    total = report.attribution.total
    if total.logged_usd is None:
        return None
    return f"the log itself says {usd(total.logged_usd)}; the money here is by the prices named"
