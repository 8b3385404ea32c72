"""Cost over time: every slot, feature and model is what plain Python adds up."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.usage.amounts import keyed_select
from costopt.usage.ledger import COLUMNS, connect
from costopt.usage.over_time import over_time
from costopt.usage.periods import Period
from costopt.usage.pricing import RATES
from costopt.usage.slots import MODELS, MOST_SLOTS, NAMED, SHOWN, next_slot, step_of

START = datetime(2026, 3, 1)
ROW = st.tuples(
    st.none() | st.integers(0, 400 * 86400),  # seconds after the start; None: no time
    st.none() | st.integers(0, 29).map("f{}".format),
    st.none() | st.integers(0, 8).map("m{}".format),
    st.none() | st.integers(0, 10**12),
)


@cache
def _connection():
    return connect(memory_mb=200)


def _priced(rows):
    """A log whose requests cost a nano-USD an input token; those without a cost have no price."""
    connection = _connection()
    connection.execute(RATES)
    connection.executemany(
        "INSERT INTO rates BY NAME SELECT ? AS provider, ? AS model, false AS batch, "
        "DATE '2000-01-01' AS day_from, DATE '2100-01-01' AS day_to, -1 AS above, "
        "1::BIGINT << 40 AS up_to, 0 AS fixed, ?::BIGINT AS input, 0 AS cache_read, "
        "0 AS cache_write, 0 AS output, 0 AS reasoning, 0 AS cache_write_1h, 0 AS second, "
        "false AS needs_output",
        [
            (name, model, rate)
            for name, rate in (("known", 1000), ("unknown", None))
            for model in {row[2] or "" for row in [*rows, (0, "", "", 0)]}
        ],
    )
    names = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE OR REPLACE TEMP TABLE plain ({names})")
    values = [
        (None if at is None else START + timedelta(seconds=at), feature, model, nano or 0,
         "unknown" if nano is None else "known")
        for at, feature, model, nano in rows
    ]  # fmt: skip
    if values:
        places = ", ".join(["(?, ?, ?, ?, 1, ?)"] * len(values))
        flat = [value for row in values for value in row]
        connection.execute(
            'INSERT INTO plain ("at", feature, model, input_tokens, output_tokens, provider) '
            f"VALUES {places}",
            flat,
        )
    keyed = keyed_select(connection, "FROM plain", date(2026, 1, 1), parts=False)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW keyed AS {keyed}")
    return connection


def _usd(nanos):
    known = [nano for nano in nanos if nano is not None]
    return Decimal(sum(known)).scaleb(-9) if known else None


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(ROW, max_size=60))
def test_it_is_what_plain_python_adds_up(rows):
    found = over_time(_priced(rows), Period())
    costs, of_models = defaultdict(list), defaultdict(list)
    for _, feature, model, nano in rows:
        costs[feature].append(nano)
        of_models[feature, model].append(nano)
    assert sum(one.requests for one in found.features) + (
        found.rest.requests if found.rest else 0
    ) == len(rows)
    for one in found.features:
        assert one.usd == _usd(costs[one.feature])
        assert len(one.models) <= MODELS
        for model in one.models:
            if model.models == 1:
                assert model.usd == _usd(of_models[one.feature, model.model])
    ranked = sorted((_usd(nanos) or Decimal(-1) for nanos in costs.values()), reverse=True)
    named = [Decimal(-1) if one.usd is None else one.usd for one in found.features]
    assert [max(one, 0) for one in named] == [max(one, 0) for one in ranked[:NAMED]]
    _check_slots(rows, found, {one.feature: at for at, one in enumerate(found.shown)})


def _check_slots(rows, found, places):
    assert len(found.slots) <= MOST_SLOTS
    timed = [(START + timedelta(seconds=row[0]), *row[1:]) for row in rows if row[0] is not None]
    assert found.untimed == len(rows) - len(timed)
    assert found.untimed_usd == _usd([row[3] for row in rows if row[0] is None])
    assert sum(slot.requests for slot in found.slots) == len(timed)
    for slot in found.slots:
        own = [row for row in timed if slot.start <= row[0] < slot.end]
        assert slot.requests == len(own)
        assert slot.unpriced == sum(row[3] is None for row in own)
        for feature, place in places.items():
            assert slot.usd[place] == _usd([row[3] for row in own if row[1] == feature])
        assert slot.others == _usd([row[3] for row in own if row[1] not in places])
        assert slot.total == _usd([row[3] for row in own])


@pytest.mark.parametrize(
    ("days", "step"),
    [(0, "hour"), (4, "hour"), (5, "day"), (100, "day"), (120, "week"), (730, "week"),
     (800, "month"), (3000, "month"), (4000, "year")],
)  # fmt: skip
def test_the_step_follows_the_length(days, step):
    assert step_of(START, START + timedelta(days=days)) == step
    assert step_of(None, None) == "day"


@given(start=st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)),
       length=st.timedeltas(timedelta(), timedelta(days=36_500)))  # fmt: skip
def test_slots_are_few_and_go_on_without_a_gap(start, length):
    step = step_of(start, start + length)
    at = {
        "hour": start.replace(minute=0, second=0, microsecond=0),
        "day": datetime(start.year, start.month, start.day),
        "week": datetime(start.year, start.month, start.day) - timedelta(days=start.weekday()),
        "month": datetime(start.year, start.month, 1),
        "year": datetime(start.year, 1, 1),
    }[step]
    many = 0
    while at <= start + length:
        assert next_slot(at, step) > at
        at = next_slot(at, step)
        many += 1
    assert many <= MOST_SLOTS


def test_a_period_leaves_out_what_lies_outside():
    rows = [(hour * 3600, "f1", "m1", 10**9) for hour in range(48)]
    period = Period(first=START + timedelta(hours=5), end=START + timedelta(hours=9))
    found = over_time(_priced([*rows, (None, "f1", "m1", 1)]), period)
    assert [slot.total for slot in found.slots] == [Decimal(1)] * 4
    assert (found.slots[0].start, found.step) == (period.first, "hour")
    assert found.untimed == 0


def test_what_failed_without_counts_is_not_unpriced():
    connection = _priced([(0, "f1", "m1", None)])
    connection.execute("UPDATE plain SET error = 'x', input_tokens = NULL, output_tokens = NULL")
    assert over_time(connection, Period()).slots[0].unpriced == 0


def test_many_features_become_others():
    rows = [(0, f"f{at}", "m", 10**9 * (100 - at)) for at in range(60)]
    found = over_time(_priced(rows), Period())
    assert len(found.features) == NAMED
    assert found.rest is not None
    assert (found.rest.features, found.other_features) == (60 - NAMED, 60 - SHOWN)
    assert found.slots[0].others == sum(Decimal(100 - at) for at in range(SHOWN, 60))
