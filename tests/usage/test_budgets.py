"""Budgets: what is spent, what the month will come to, and when a budget is called over."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from costopt.usage.budgets import budgets
from costopt.usage.ledger import REQUESTS, connect


def spending(days, per_day, start=datetime(2026, 8, 20)):
    """A database in which a feature costs ``per_day(date)`` each day, in two requests."""
    connection = connect(memory_mb=200)
    connection.execute(REQUESTS)
    for i in range(days):
        for hour in (1, 23):
            at = start + timedelta(days=i, hours=hour)
            connection.execute(
                "INSERT INTO requests BY NAME SELECT ? AS \"at\", 'chat' AS feature, ? AS usd",
                [at, Decimal(str(per_day(at.date()))) / 2],
            )
    return connection


def test_a_steady_month_is_forecast_without_a_range():
    connection = spending(22, lambda day: 3)  # To 10 September, 23:00.
    (found,) = budgets(connection, {"chat": Decimal(80)})
    assert (found.month, found.spent, found.days) == (date(2026, 9, 1), Decimal(30), 20)
    left = Decimal(20) + Decimal(1) / 24
    assert float(found.expected) == pytest.approx(float(30 + 3 * left))
    assert float(found.low) == pytest.approx(float(found.high))
    assert found.outcome == "over"


@pytest.mark.parametrize(
    ("limit", "outcome"), [("200", "kept"), ("95", "at risk"), ("50", "over"), ("9", "over")]
)
def test_the_outcome_follows_the_range(limit, outcome):
    connection = spending(22, lambda day: 3 + day.day % 3 - 1)
    (found,) = budgets(connection, {"chat": Decimal(limit)})
    assert found.outcome == outcome
    assert found.low < found.expected < found.high


def test_weekends_are_apart():
    connection = spending(40, lambda day: 1 if day.weekday() >= 5 else 5)
    (found,) = budgets(connection, {"chat": Decimal(1000)})
    # To the 28th of September, a Monday; two working days and an hour are left.
    assert float(found.expected - found.spent) == pytest.approx(5 * (2 + 1 / 24))


def test_a_feature_without_requests_costs_nothing_and_a_short_log_tells_no_future():
    connection = spending(2, lambda day: 3)
    chat, other = budgets(connection, {"other": Decimal(1), "chat": Decimal(100)})
    assert (chat.spent, chat.expected, chat.outcome) == (Decimal(6), None, "kept")
    assert (other.feature, other.spent) == ("other", 0)
    empty = connect(memory_mb=200)
    empty.execute(REQUESTS)
    assert budgets(empty, {"chat": Decimal(1)}) == ()


def test_unpriced_requests_are_counted():
    connection = spending(22, lambda day: 3)
    connection.execute(
        "INSERT INTO requests BY NAME SELECT TIMESTAMP '2026-09-05' AS \"at\", 'chat' AS feature"
    )
    assert budgets(connection, {"chat": Decimal(80)})[0].unpriced == 1


def test_the_range_holds_what_comes_to_pass():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(40):
        costs = rng.lognormal(1, 0.3, 42)
        known = spending(
            22, lambda day, c=costs: round(float(c[(day - date(2026, 8, 20)).days]), 6)
        )
        (found,) = budgets(known, {"chat": Decimal(1000)})
        real = float(found.spent) + costs[22:42].sum()
        inside += float(found.low) <= real <= float(found.high)
    assert inside >= 32  # 90 % are meant to be.
