"""The report of request logs for a terminal."""

import textwrap
from collections.abc import Iterator

from ...usage.report import Group, UsageReport
from ..numbers import UNKNOWN, count, percent, seconds, usd
from ..safe import clean
from ..table import GAP, Column, fit, pad, widths
from . import facts


def to_table(report: UsageReport, width: int) -> str:
    """Return the report as text of at most ``width`` columns."""
    attribution = report.attribution
    said = [
        f"Cost by {', '.join(attribution.by)}: {facts.period_line(report)}",
        facts.total_line(report),
        facts.rows_line(report),
    ]
    lines = [*_wrapped(said, width), "", *_groups(report, width)]
    if attribution.left_out:
        lines.append(f"and {count(attribution.left_out)} more; --top N shows more")
    notes = list(_notes(report))
    if notes:
        lines += ["", *_wrapped(notes, width)]
    return "\n".join(lines) + "\n"


def _notes(report: UsageReport) -> Iterator[str]:
    for line in (
        facts.trend_line(report),
        facts.logged_line(report),
    ):
        if line is not None:
            yield line
    yield from facts.unpriced_lines(report)
    yield from (facts.problem_line(problem) for problem in report.reading.problems)
    for one in report.reading.skipped:
        yield f"not read: {one.path}: {one.reason}"
    yield from report.reading.notes
    yield from report.notes
    for line in report.prices:
        yield line


def _wrapped(lines: list[str], width: int) -> Iterator[str]:
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        first, later = " " * indent, " " * (indent + 2)
        yield from textwrap.wrap(
            clean(line), width, initial_indent=first, subsequent_indent=later
        ) or [""]


def _groups(report: UsageReport, width: int) -> list[str]:
    groups = report.attribution.groups
    if not groups:
        return ["No request is in this period."]
    columns = fit(_columns(report, groups), width)
    sizes = widths(columns, width)
    rows = [[column.header for column in columns]]
    rows += [[column.cells[i] for column in columns] for i in range(len(groups))]
    return [_line(row, columns, sizes) for row in rows]


def _line(cells: list[str], columns: list[Column], sizes: list[int]) -> str:
    padded = (
        pad(cell, size, right=column.right)
        for cell, column, size in zip(cells, columns, sizes, strict=True)
    )
    return (" " * GAP).join(padded).rstrip()


def _columns(report: UsageReport, groups: tuple[Group, ...]) -> list[Column]:
    def column(header: str, cells: Iterator[str], rank: int) -> Column:
        return Column(header=header, cells=tuple(cells), rank=rank)

    names = [
        Column(
            header=name,
            cells=tuple(clean(facts.label(group.by[name]), limit=60) for group in groups),
            right=False,
            shrinks=True,
            least=14,
        )
        for name in report.attribution.by
    ]
    return [
        *names,
        column("requests", (count(group.sums.requests) for group in groups), 0),
        column("failed", (_some(group.sums.errors) for group in groups), 4),
        column("input tok", (count(group.sums.input_tokens) for group in groups), 2),
        column("cached", (_share_cached(group) for group in groups), 3),
        column("output tok", (count(group.sums.output_tokens) for group in groups), 2),
        column("reasoning", (count(group.sums.reasoning_tokens) for group in groups), 8),
        column("in p50/p95", (_spread(group.input.p50, group.input.p95) for group in groups), 6),
        column("out p50/p95", (_spread(group.output.p50, group.output.p95) for group in groups), 7),
        column("p50/p95 s", (_latency(group) for group in groups), 5),
        column("$/request", (usd(group.sums.usd_per_request) for group in groups), 1),
        column("USD", (usd(group.sums.usd) for group in groups), 0),
        column("share", (percent(group.share) for group in groups), 1),
        column("trend", (facts.trend_words(group.trend) for group in groups), 1),
    ]


def _some(number: int) -> str:
    return count(number) if number else ""


def _share_cached(group: Group) -> str:
    read, given = group.sums.cache_read_tokens, group.sums.input_tokens
    return UNKNOWN if read is None or not given else percent(read / given)


def _spread(low: float | None, high: float | None) -> str:
    return UNKNOWN if low is None or high is None else f"{count(low)}/{count(high)}"


def _latency(group: Group) -> str:
    low, high = group.latency.p50, group.latency.p95
    return UNKNOWN if low is None or high is None else f"{seconds(low)}/{seconds(high)}"
