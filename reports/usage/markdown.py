"""The report of request logs as Markdown; all that comes from logs stands in code spans."""

from collections.abc import Iterator

from ...usage.report import Group, UsageReport
from ..numbers import UNKNOWN, count, percent, seconds, usd
from ..safe import code
from . import facts

_NUMBERS = (
    "requests",
    "failed",
    "input tok",
    "cached tok",
    "output tok",
    "reasoning tok",
    "in p50/p95",
    "out p50/p95",
    "p50/p95 s",
    "$/request",
    "USD",
    "share",
    "trend",
)


def to_markdown(report: UsageReport) -> str:
    """Return the report as GitHub-flavoured Markdown that holds nothing active."""
    by = report.attribution.by
    lines = [
        f"# Cost by {', '.join(by)}",
        "",
        f"- period: {facts.period_line(report)}",
        f"- **{facts.total_line(report)}**",
        f"- {facts.rows_line(report)}",
        "",
        "| " + " | ".join((*by, *_NUMBERS)) + " |",
        "|" + "---|" * len(by) + "--:|" * len(_NUMBERS),
        *(_row(group) for group in report.attribution.groups),
    ]
    if report.attribution.left_out:
        lines += ["", f"and {count(report.attribution.left_out)} more"]
    notes = [f"- {note}" for note in _notes(report)]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def _row(group: Group) -> str:
    sums = group.sums
    cells = (
        *(
            facts.NOT_SAID if value is None else code(value, table=True, limit=100)
            for value in group.by.values()
        ),
        count(sums.requests),
        count(sums.errors),
        count(sums.input_tokens),
        count(sums.cache_read_tokens),
        count(sums.output_tokens),
        count(sums.reasoning_tokens),
        _pair(group.input.p50, group.input.p95),
        _pair(group.output.p50, group.output.p95),
        _latency(group),
        usd(sums.usd_per_request),
        usd(sums.usd),
        percent(group.share),
        facts.trend_words(group.trend),
    )
    return "| " + " | ".join(cells) + " |"


def _pair(low: float | None, high: float | None) -> str:
    return UNKNOWN if low is None or high is None else f"{count(low)}/{count(high)}"


def _latency(group: Group) -> str:
    low, high = group.latency.p50, group.latency.p95
    return UNKNOWN if low is None or high is None else f"{seconds(low)}/{seconds(high)}"


def _notes(report: UsageReport) -> Iterator[str]:
    own = (facts.trend_line(report), facts.logged_line(report))
    yield from (line for line in own if line is not None)
    reading = report.reading
    said = [
        *facts.unpriced_lines(report),
        *(facts.problem_line(problem) for problem in reading.problems),
        *(f"not read: {one.path}: {one.reason}" for one in reading.skipped),
        *reading.notes,
        *report.notes,
        *report.prices,
    ]
    # Names of models and of files are in these.
    yield from (code(line, limit=300) for line in said)
