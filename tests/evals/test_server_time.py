"""A server by the hour: the time that requests share, and what it costs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.types import GenerationSettings, Message, Request, Usage
from costopt.costs.hourly import mean_concurrency
from costopt.evals.server_time import ServerTime

START = datetime(2026, 1, 1, tzinfo=UTC)
USAGE = Usage(input=1, output=1)
ASK = Request(messages=(Message("user", "Hi"),), settings=GenerationSettings())
Span = tuple[int, int]
spans = st.lists(st.tuples(st.integers(0, 500), st.integers(1, 100)), min_size=1, max_size=30)


def answered(found: list[Span]) -> list[tuple[str, float]]:
    return [
        ((START + timedelta(seconds=begin + took)).isoformat(), float(took))
        for begin, took in found
    ]


@given(spans)
def test_busy_time_is_the_seconds_in_which_something_was_under_way(found: list[Span]) -> None:
    distinct = set(found)
    busy = {second for begin, took in distinct for second in range(begin, begin + took)}
    total = sum(took for _, took in distinct)
    assert mean_concurrency(answered(found)) == pytest.approx(total / len(busy), rel=1e-6)


def test_nothing_is_said_of_no_answers() -> None:
    assert mean_concurrency([]) is None
    assert mean_concurrency([(START.isoformat(), 0.0)]) is None


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@given(spans)
def test_what_is_charged_is_the_time_the_server_was_busy_and_no_more(found: list[Span]) -> None:
    clock = Clock()
    hours = ServerTime(Decimal(36), longest_s=300, concurrency=4, clock=clock)
    events = [(begin, 1) for begin, _ in found] + [(begin + took, 0) for begin, took in found]
    charged = Decimal(0)
    for at, begins in sorted(events):
        clock.now = float(at)
        if begins:
            hours.begin()
        else:
            hours.end()
            charged += hours.charge(USAGE)
    busy = {second for begin, took in found for second in range(begin, begin + took)}
    assert charged == Decimal(36) * len(busy) / 3600


def test_idle_time_costs_nothing_and_a_failure_is_charged_with_the_next_answer() -> None:
    clock = Clock()
    hours = ServerTime(Decimal(36), longest_s=300, concurrency=4, clock=clock)
    hours.begin()
    clock.now = 10
    hours.end()  # It failed: nobody charges.
    clock.now = 100
    hours.begin()
    clock.now = 101
    hours.end()
    assert hours.charge(USAGE) == Decimal("0.11")
    assert hours.worst_case(ASK) == Decimal("0.75")
