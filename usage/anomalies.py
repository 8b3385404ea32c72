"""What is abnormal in a log: when it began, what caused it, and what it costs.

The cost of a feature is requests, times tokens of each, times the price of the model, less what is
cached; and what failed or was asked again is paid as well. Each of these is looked at for itself,
so that the one that moved is the cause. Only what makes things dearer is an anomaly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from .baseline import Deviation, cells, of_counts, of_means, of_shares, turn
from .origin import Origin, find_origin, origins_relation
from .series import Floats, Series, read_series
from .whatif.rates import PriceOf, list_price

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Cause = Literal[
    "more requests",
    "longer prompts",
    "longer answers",
    "dearer model",
    "fewer cache hits",
    "more errors",
    "more retries",
]

_LEAST_BUCKETS = {3600: 72, 86400: 14}
_WINDOWS = {3600: (1, 3, 6, 24, 72), 86400: (1, 3, 7)}
_STRONG = {1: 8.0, 3: 7.0}
_USUALLY = 6.0
"""From how many usual deviations on; with thousands of buckets, 3 happen every day. Windows of few
buckets ask for more: means of few requests have long tails."""
_HEIGHT = 1.5
"""Buckets that lie no further away do not lengthen an anomaly."""
_READ_SAVES = 0.9
"""Of the price of an input token: reading costs a tenth at most models of the price table."""
_MOST = 50
"""Anomalies of one feature at most: where there are more, nothing is usual there."""


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """Something abnormal in a feature.

    Attributes:
        feature: The feature; ``None``: requests that name none.
        cause: What moved.
        start: When the first abnormal hour or day begins, UTC.
        end: When the last one ends; that of the log, where it goes on.
        goes_on: Whether it still does at the end of the log.
        usual: What is usual, in the cause's own unit: requests, tokens or USD a request, or a
            share.
        seen: What was seen instead.
        unit: That unit.
        usd: What it cost more than usual, estimated; ``None`` where nothing is priced.
        score: How many usual deviations it is away.
        also: Other causes that moved at the same time.
        origin: Where it began: the first request and the prompt's revision.
    """

    feature: str | None
    cause: Cause
    start: datetime
    end: datetime
    goes_on: bool
    usual: float
    seen: float
    unit: str
    usd: Decimal | None
    score: float
    also: tuple[Cause, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True, kw_only=True)
class Anomalies:
    """What is abnormal in a log, the dearest first, and which features are too short to tell."""

    found: tuple[Anomaly, ...]
    looked_at: tuple[str | None, ...]
    too_short: tuple[str | None, ...]


@dataclass(frozen=True)
class _Driver:
    """What may move, and from when on that is worth a word."""

    cause: Cause
    unit: str
    deviation: Deviation
    up: bool
    least: float
    """The least ratio to what is usual, or for shares the least difference."""
    share: bool = False
    logarithm: bool = False


@dataclass(frozen=True)
class _Stretch:
    """Buckets in which a driver is abnormal: ``[start, end)``."""

    driver: _Driver
    start: int
    end: int
    score: float


def find_anomalies(
    connection: "DuckDBPyConnection", *, price_of: PriceOf = list_price
) -> Anomalies:
    """Return what is abnormal in the relation ``requests``.

    Args:
        connection: A database with it.
        price_of: Returns the price of a model on a day.
    """
    found: list[tuple[Anomaly, timedelta]] = []
    looked: list[str | None] = []
    short: list[str | None] = []
    for series in read_series(connection, price_of):
        if len(series.all) < _LEAST_BUCKETS[series.seconds]:
            short.append(series.feature)
            continue
        looked.append(series.feature)
        bucket = timedelta(seconds=series.seconds)
        found += [(one, bucket) for one in _in_series(series)]
    found.sort(key=lambda one: (-(one[0].usd or Decimal(0)), one[0].start, one[0].feature or ""))
    told = _with_origins(connection, found)
    return Anomalies(found=told, looked_at=tuple(looked), too_short=tuple(short))


def _with_origins(
    connection: "DuckDBPyConnection", found: Sequence[tuple[Anomaly, timedelta]]
) -> tuple[Anomaly, ...]:
    relation = origins_relation(connection, len(found))
    return tuple(
        replace(
            one,
            origin=find_origin(
                connection, one.feature, one.cause, one.start, one.end, bucket, relation
            ),
        )
        for one, bucket in found
    )


def _in_series(series: Series) -> Iterator[Anomaly]:
    stretches = [s for driver in _drivers(series) for s in _stretches(driver, series.seconds)]
    groups = _overlapping(sorted(stretches, key=lambda one: one.start))
    for group in groups[:_MOST]:
        yield _anomaly(series, group)


def _drivers(series: Series) -> Iterator[_Driver]:
    seasons, week = cells(series), turn(series)
    yield _Driver("more requests", "requests", of_counts(series.asked, seasons, week), True, 1.5)
    longer: tuple[tuple[str, Cause], ...] = (
        ("input", "longer prompts"),
        ("output", "longer answers"),
    )
    for name, cause in longer:
        for key in (name, f"{name}_ln"):
            means = series.means[key]
            if means.n.sum():
                yield _Driver(
                    cause,
                    "tokens a request",
                    of_means(means, seasons, week),
                    True,
                    1.25,
                    logarithm=key != name,
                )
    if series.means["price_ln"].n.sum():
        deviation = of_means(series.means["price_ln"], seasons, week)
        yield _Driver("dearer model", "USD a request", deviation, True, 1.15, logarithm=True)
    if series.means["cached"].total.sum() > 0:
        deviation = of_means(series.means["cached"], seasons, week)
        yield _Driver("fewer cache hits", "of input", deviation, False, 0.1, share=True)
    if series.errors.sum():
        deviation = of_shares(series.errors, series.all)
        yield _Driver("more errors", "of requests", deviation, True, 0.05, share=True)
    if series.retries.sum():
        deviation = of_shares(series.retries, series.retries_known)
        yield _Driver("more retries", "of requests", deviation, True, 0.05, share=True)


def _stretches(driver: _Driver, seconds: int) -> Iterator[_Stretch]:
    """Yield where a driver is abnormal, looked at through windows of several lengths."""
    z = driver.deviation.z if driver.up else -driver.deviation.z
    flagged = np.zeros(len(z), dtype=bool)
    scores = np.zeros(len(z))
    for window in _WINDOWS[seconds]:
        if window > len(z) // 4:
            continue
        sums = np.convolve(z, np.ones(window), "valid") / np.sqrt(window)
        spread = 1.4826 * float(np.median(np.abs(sums - np.median(sums))))
        score = (sums - max(float(np.median(sums)), 0.0)) / max(1.0, spread)
        for start in np.flatnonzero(score >= _STRONG.get(window, _USUALLY)):
            if _large(driver, int(start), int(start) + window):
                flagged[start : start + window] = True
                inside = slice(start, start + window)
                scores[inside] = np.maximum(scores[inside], score[start])
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flagged.astype(np.int8), [0]))))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        low, high = _trimmed(z, int(start), int(end))
        if _large(driver, low, high):
            yield _Stretch(driver, low, high, float(scores[start:end].max()))


def _trimmed(z: Floats, start: int, end: int) -> tuple[int, int]:
    """Return the part of a stretch that is abnormal: where the sum above a height is largest.

    Windows reach over the ends of what they find.
    """
    values = z[start:end]
    height = min(_HEIGHT, float(values.mean()) / 2)
    sums = np.concatenate(([0.0], np.cumsum(values - height)))
    lowest = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - lowest))
    first = int(np.argmin(sums[: last + 1]))
    return start + first, start + max(last, first + 1)


def _levels(driver: _Driver, start: int, end: int) -> tuple[float, float]:
    """Return what is usual and what was seen in some buckets, a mean over their requests."""
    deviation, inside = driver.deviation, slice(start, end)
    weights = deviation.weight[inside]
    if not weights.sum():
        weights = np.ones(end - start)
    usual = float(np.average(deviation.expected[inside], weights=weights))
    seen = float(np.average(deviation.seen[inside], weights=weights))
    return (float(np.exp(usual)), float(np.exp(seen))) if driver.logarithm else (usual, seen)


def _large(driver: _Driver, start: int, end: int) -> bool:
    """Whether a deviation is worth a word, however sure it is."""
    usual, seen = _levels(driver, start, end)
    if driver.share:
        return (seen - usual if driver.up else usual - seen) >= driver.least
    return seen >= driver.least * usual and seen > 0


def _overlapping(stretches: Sequence[_Stretch]) -> list[list[_Stretch]]:
    """Return stretches in groups that lie in the same time, or directly one after the other."""
    groups: list[list[_Stretch]] = []
    end = -1
    for one in stretches:
        if groups and one.start <= end:
            groups[-1].append(one)
        else:
            groups.append([one])
        end = max(end, one.end)
    return groups


def _anomaly(series: Series, group: Sequence[_Stretch]) -> Anomaly:
    costs = [_more(series, one) for one in group]
    known = any(cost is not None for cost in costs)
    order = sorted(
        range(len(group)),
        key=lambda i: (-(costs[i] or 0.0) if known else 0.0, -group[i].score),
    )
    main = group[order[0]]
    same = [one for one in group if one.driver.cause == main.driver.cause]
    # Of the two ways to look at lengths, the one that is told is that of plain tokens.
    told = next((one for one in same if not one.driver.logarithm), main)
    start, end = min(one.start for one in same), max(one.end for one in same)
    usual, seen = _levels(told.driver, told.start, told.end)
    begins, ends = series.moment(start), series.moment(end)
    also: dict[Cause, None] = dict.fromkeys(
        g.driver.cause for g in group if g.driver.cause != main.driver.cause
    )
    return Anomaly(
        feature=series.feature,
        cause=main.driver.cause,
        start=begins,
        end=ends,
        goes_on=end >= len(series.all),
        usual=usual,
        seen=seen,
        unit=told.driver.unit,
        usd=_money(costs[order[0]]),
        score=max(one.score for one in same),
        also=tuple(also),
    )


def _money(amount: float | None) -> Decimal | None:
    return None if amount is None else Decimal(str(round(amount, 6)))


def _more(series: Series, one: _Stretch) -> float | None:
    """Return what a stretch cost more than usual, in USD, roughly; ``None`` without prices."""
    inside = slice(one.start, one.end)
    cost = float(series.usd[inside].sum())
    if not cost:
        return None
    usual, seen = _levels(one.driver, one.start, one.end)
    cause = one.driver.cause
    if cause in ("more errors", "more retries"):
        return cost * max(seen - usual, 0.0)
    if cause == "fewer cache hits":
        # What was not read was paid as input: the part of it that reading would have saved.
        lost = _READ_SAVES * max(usual - seen, 0.0) / (1 - _READ_SAVES * min(seen, 1.0))
        return cost * _part(series, 0, read=seen) * lost
    grown = max(1 - usual / seen, 0.0) if seen > 0 else 0.0
    parts = {"longer prompts": 0, "longer answers": 1}
    return cost * grown * (_part(series, parts[cause]) if cause in parts else 1.0)


def _part(series: Series, side: int, read: float | None = None) -> float:
    """Return which part of the cost is input (0) or output (1); half where prices are unknown.

    ``read`` is the share of input that is read from a cache; that of the whole log where left out.
    """
    if series.prices is None:
        return 0.5
    cached = series.means["cached"]
    if read is None:
        read = float(cached.total.sum()) / max(float(cached.n.sum()), 1.0)
    input_usd = series.prices[0] * series.sizes[0] * (1 - _READ_SAVES * read)
    costs = (input_usd, series.prices[1] * series.sizes[1])
    return costs[side] / sum(costs) if sum(costs) else 0.5
