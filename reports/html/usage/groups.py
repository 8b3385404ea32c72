"""Groups of requests, and what the two plots show, as tables that sort."""

from collections.abc import Iterator

from ....usage.report import Group, Sums, UsageReport
from ....usage.slots import OverTime, Slot
from ...numbers import UNKNOWN, count, percent, seconds, usd
from ...usage.facts import trend_words
from ..tables import Cell, Line, Table, headers, number, without_empty
from .bars import moment, slot_name
from .names import feature, name, others
from .treemap import model_name

_COLUMNS = (
    "USD", "Share", "Trend", "$/request", "Requests", "Failed", "Unpriced", "Input tok", "Cached",
    "Cached tok", "Cache write tok", "Output tok", "Reasoning tok", "In p50", "In p95", "Out p50",
    "Out p95", "p50 s", "p95 s", "USD in the log",
)  # fmt: skip


def group_table(report: UsageReport) -> Table:
    """Return all groups that the report has, the dearest first."""
    found = report.attribution
    return without_empty(
        Table(
            caption=f"Cost by {', '.join(found.by)}",
            headers=headers(*(one.capitalize() for one in found.by), *_COLUMNS,
                            left=[one.capitalize() for one in found.by]),
            lines=tuple(Line(cells=tuple(_cells(group))) for group in found.groups),
            sortable=True,
        )
    )  # fmt: skip


def _cells(group: Group) -> Iterator[Cell]:
    sums = group.sums
    for at, value in enumerate(group.by.values()):
        yield Cell(text=name(value), style="dimension" if at else "name")
    yield number(usd(sums.usd), sums.usd)
    yield number(percent(group.share), group.share)
    yield number(trend_words(group.trend), group.trend.usd if group.trend else None)
    yield number(usd(sums.usd_per_request), sums.usd_per_request)
    yield number(count(sums.requests), sums.requests)
    yield _some(sums.errors)
    yield _some(sums.unpriced)
    yield from _tokens(sums)
    for spread in (group.input, group.output):
        yield _count(spread.p50)
        yield _count(spread.p95)
    for value in (group.latency.p50, group.latency.p95):
        yield number(UNKNOWN if value is None else seconds(value), value)
    yield number(usd(sums.logged_usd), sums.logged_usd)


def _tokens(sums: Sums) -> Iterator[Cell]:
    read, given = sums.cache_read_tokens, sums.input_tokens
    cached = None if read is None or not given else read / given
    yield _count(given)
    yield number(percent(cached), cached)
    yield _count(read)
    yield _count(sums.cache_write_tokens)
    yield _count(sums.output_tokens)
    yield _count(sums.reasoning_tokens)


def _some(value: int) -> Cell:
    """Return a count of which there is mostly none."""
    return number(count(value) if value else "", value)


def _count(value: float | None) -> Cell:
    return number(count(value), value)


def time_table(found: OverTime) -> Table:
    """Return what the bars show, one row a slot."""
    names = [feature(one.feature, 40) for one in found.shown]
    rest = [others(found.other_features)] if found.other_features else []
    return Table(
        caption=f"Cost by {found.step} and feature, USD",
        headers=headers(
            found.step.capitalize(), "Requests", "Unpriced", "USD", *names, *rest,
            left=[found.step.capitalize()],
        ),
        lines=tuple(Line(cells=tuple(_slot_cells(found, slot))) for slot in found.slots),
        sortable=True,
    )  # fmt: skip


def _slot_cells(found: OverTime, slot: Slot) -> Iterator[Cell]:
    yield number(slot_name(slot, found.step), moment(slot.start))
    yield number(count(slot.requests), slot.requests)
    yield _some(slot.unpriced)
    yield number(usd(slot.total), slot.total)
    for amount in (*slot.usd, *([slot.others] if found.other_features else [])):
        yield number(usd(amount), amount)


def model_table(found: OverTime) -> Table:
    """Return what the tiles show, one row for a feature and a model."""
    lines = [
        Line(cells=(
            Cell(text=feature(one.feature), style="name"),
            Cell(text=model_name(model), style="dimension"),
            number(count(model.requests), model.requests),
            number(usd(model.usd), model.usd),
        ))
        for one in found.features
        for model in one.models
    ]  # fmt: skip
    if found.rest:
        lines.append(
            Line(cells=(
                Cell(text=others(found.rest.features), style="name"),
                Cell(text=""),
                number(count(found.rest.requests), found.rest.requests),
                number(usd(found.rest.usd), found.rest.usd),
            ))
        )  # fmt: skip
    return Table(
        caption="Cost by feature and model, USD",
        headers=headers("Feature", "Model", "Requests", "USD", left=["Model"]),
        lines=tuple(lines),
        sortable=True,
    )
