"""Monthly budgets of features: what is spent so far, and what the month will come to."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..core.student import student_quantile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Outcome = Literal["kept", "at risk", "over"]

_BACK_DAYS = 28
_LEAST_DAYS = 3
_LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A feature's month: the last one in the log.

    Attributes:
        feature: The feature.
        limit: USD a month that it may cost.
        month: Its first day.
        spent: What it cost up to the end of the log; a lower bound where requests are unpriced.
        expected: What the month will come to; ``None`` where the log is too short to tell.
        low: A one-sided 95 % lower bound of that.
        high: An upper bound likewise.
        outcome: ``over``: spent, or to be spent even at the lower bound. ``at risk``: the upper
            bound lies above the limit. Else ``kept``.
        unpriced: Requests of the month without a price.
        days: Whole days that the forecast rests on.
    """

    feature: str
    limit: Decimal
    month: date
    spent: Decimal
    expected: Decimal | None
    low: Decimal | None
    high: Decimal | None
    outcome: Outcome
    unpriced: int
    days: int


def budgets(connection: "DuckDBPyConnection", limits: Mapping[str, Decimal]) -> tuple[Budget, ...]:
    """Return how features keep their budgets in the last month of the relation ``requests``.

    What is left of the month is expected to cost per day what the last four weeks' whole days did,
    weekends and working days apart where there are enough of both. The range supposes that days
    differ as they did.

    Args:
        connection: A database with the relation.
        limits: USD a month by feature.
    """
    end = connection.execute('SELECT max("at") FROM requests').fetchone()
    if end is None or end[0] is None:
        return ()
    now: datetime = end[0]
    return tuple(_budget(connection, feature, limits[feature], now) for feature in sorted(limits))


def _budget(
    connection: "DuckDBPyConnection", feature: str, limit: Decimal, now: datetime
) -> Budget:
    month = now.date().replace(day=1)
    row = connection.execute(
        "SELECT coalesce(sum(usd), 0), count(*) - count(usd) FROM requests "
        'WHERE feature = ? AND "at" >= ? AND "at" <= ?',
        [feature, month, now],
    ).fetchone() or (0, 0)
    spent = Decimal(row[0])
    days = _days(connection, feature, now)
    left = _left(now)
    expected, spread = _rest(days, left) if len(days) >= _LEAST_DAYS else (None, None)
    low = high = total = None
    if expected is not None and spread is not None:
        total = spent + expected
        low, high = spent + max(expected - spread, Decimal(0)), total + spread
    over = spent > limit or (low is not None and low > limit)
    risky = high is not None and high > limit
    return Budget(
        feature=feature,
        limit=limit,
        month=month,
        spent=spent,
        expected=total,
        low=low,
        high=high,
        outcome="over" if over else "at risk" if risky else "kept",
        unpriced=int(row[1]),
        days=len(days),
    )


def _days(connection: "DuckDBPyConnection", feature: str, now: datetime) -> dict[date, float]:
    """Return what whole days cost, the last four weeks' at most; a day without requests cost 0."""
    row = connection.execute('SELECT min("at") FROM requests').fetchone()
    first: date = row[0].date() if row and row[0] else now.date()
    begin = max(first + timedelta(days=1), now.date() - timedelta(days=_BACK_DAYS))
    sums = dict(
        connection.execute(
            'SELECT "at"::DATE, sum(usd)::DOUBLE FROM requests WHERE feature = ? AND "at" >= ? '
            'AND "at" < ? AND usd IS NOT NULL GROUP BY ALL',
            [feature, begin, now.date()],
        ).fetchall()
    )
    count = (now.date() - begin).days
    return {day: sums.get(day, 0.0) for day in (begin + timedelta(days=i) for i in range(count))}


def _left(now: datetime) -> dict[bool, float]:
    """Return the days that are left of a month: working days and days of weekends."""
    last = calendar.monthrange(now.year, now.month)[1]
    passed = (now - datetime.combine(now.date(), datetime.min.time())) / timedelta(days=1)
    left = {False: 0.0, True: 0.0}
    left[now.weekday() >= 5] += 1 - passed
    for day in range(now.day + 1, last + 1):
        left[date(now.year, now.month, day).weekday() >= 5] += 1
    return left


def _rest(days: Mapping[date, float], left: Mapping[bool, float]) -> tuple[Decimal, Decimal]:
    """Return what the rest of a month costs, and half the width of its range."""
    kinds: dict[bool, list[float]] = {False: [], True: []}
    for day, cost in days.items():
        kinds[day.weekday() >= 5].append(cost)
    every = list(days.values())
    expected, variance, least = 0.0, 0.0, len(every)
    for weekend, number in left.items():
        own = kinds[weekend] if len(kinds[weekend]) >= _LEAST_DAYS else every
        spread = float(np.var(own, ddof=1))
        expected += number * float(np.mean(own))
        # The days to come differ, and so may their mean from the one that was seen.
        variance += number * spread + number**2 * spread / len(own)
        least = min(least, len(own)) if number else least
    width = student_quantile(_LEVEL, least - 1) * variance**0.5
    return Decimal(str(round(expected, 9))), Decimal(str(round(width, 9)))
