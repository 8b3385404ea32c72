"""Percentiles: the two ways of finding them agree with sorting by hand."""

from collections import defaultdict
from decimal import ROUND_CEILING, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.usage.ledger import connect
from costopt.usage.percentiles import percentiles

_FEATURES = st.one_of(st.none(), st.sampled_from(["chat", "search"]))
_COUNTS = st.one_of(st.none(), st.integers(0, 300), st.integers(0, 100_000_000))
_SECONDS = st.one_of(st.none(), st.floats(0, 30), st.floats(0, 1e9), st.just(float("inf")))
_ROWS = st.lists(st.tuples(_FEATURES, _COUNTS, _COUNTS, _SECONDS), min_size=1, max_size=60)
Row = tuple[str | None, int | None, int | None, float | None]


def _by_hand(rows: list[Row]) -> dict[tuple[str | None], list[tuple[Any, Any]]]:
    groups: dict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[0]].append(row)
    return {
        (feature,): [
            _at([row[column] for row in own if row[column] is not None]) for column in (1, 2, 3)
        ]
        for feature, own in groups.items()
    }


def _at(values: list[Any]) -> tuple[Any, Any]:
    if not values:
        return None, None
    ranks = [int((len(values) * Decimal(q)).to_integral(ROUND_CEILING)) for q in ("0.5", "0.95")]
    low, high = (sorted(values)[max(rank, 1) - 1] for rank in ranks)
    return low, high


def _found(rows: list[Row], **more: Any) -> dict[tuple[str | None], list[tuple[Any, Any]]]:
    with connect() as connection:
        columns = "feature VARCHAR, input_tokens BIGINT, output_tokens BIGINT, latency_s DOUBLE"
        connection.execute(f"CREATE TABLE keyed ({columns})")
        connection.executemany("INSERT INTO keyed VALUES (?, ?, ?, ?)", rows)
        connection.execute("CREATE TABLE wanted AS SELECT DISTINCT feature FROM keyed LIMIT 2")
        keys = {"feature": "feature"}
        found = percentiles(connection, keys, "true", [], rows=len(rows), **more)
    return {key: [(one.p50, one.p95) for one in spreads] for key, spreads in found.items()}


@given(rows=_ROWS)
@settings(max_examples=40, deadline=None)
def test_both_ways_give_what_sorting_gives(rows: list[Row]) -> None:
    expected = _by_hand(rows)
    assert _found(rows) == expected
    known = {key: found for key, found in expected.items() if found != [(None, None)] * 3}
    assert _found(rows, in_memory=0) == known


def test_only_the_groups_that_are_wanted_are_looked_at() -> None:
    rows: list[Row] = [(None, 1, 2, 0.5), ("chat", 3, 4, None), ("search", 5, 6, 1.5)]
    for in_memory in (0, 100):
        found = _found(rows, of="wanted", in_memory=in_memory)
        assert len(found) == 2
        assert found.items() <= _by_hand(rows).items()


def test_values_in_one_bin_are_told_apart() -> None:
    rows: list[Row] = [("chat", 40_000_000 + n, n % 3, 2e6 + n) for n in range(1000)]
    assert _found(rows, in_memory=0) == _by_hand(rows)
