"""What requests cost, as SQL: one formula for a request, and for many that are priced alike.

Requests are given what decides their price (``keyed``); by that the row of ``rates`` is found, and
all that is left is to multiply. Prices are linear in tokens, so that sums can be priced as well.
"""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BEYOND = {
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
    "hour_tokens": "cache_write_1h",
}
"""Counts that are part of another one, with the rate for what such a token costs beyond it."""
_WHOLE = (
    "coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) "
    "<= coalesce(input_tokens, 0) AND "
    "coalesce(cache_write_1h_tokens, 0) <= coalesce(cache_write_tokens, 0) AND "
    "coalesce(reasoning_tokens, 0) <= coalesce(output_tokens, reasoning_tokens, 0)"
)
INPUT, OUTPUT, _LATENCY, _PARTS = (1 << bit for bit in range(4))
"""What a request lacks: counts, or parts that do not exceed the whole."""
MICROSECONDS = "CAST(latency_s * 1000000 AS HUGEINT)"
"""Whole numbers, so that it does not matter in which order they are added up."""
_DECIDES = {
    "provider": "coalesce(c.provider, '') = r.provider",
    "model": "coalesce(c.model, '') = r.model",
    "batched": "c.batched = r.batch",
    "priced_day": "c.priced_day BETWEEN r.day_from AND r.day_to",
    "band": "c.band >= r.above AND c.band < r.up_to",
}
"""What a price depends on, with what that means for its row of ``rates``."""


def keyed_select(
    connection: "DuckDBPyConnection", requests: str, today: date, *, parts: bool
) -> str:
    """Return SQL that adds to requests what decides their price.

    Args:
        connection: A DuckDB with ``rates``.
        requests: SQL with the columns of ``requests`` but ``usd``.
        today: The day whose prices count where a request has no time.
        parts: Whether any request may have a part of a count that exceeds it.
    """
    lacks = [
        f"CASE WHEN input_tokens IS NULL THEN {INPUT} ELSE 0 END",
        f"CASE WHEN output_tokens IS NULL THEN {OUTPUT} ELSE 0 END",
    ]
    if timed(connection):
        lacks.append(f"CASE WHEN latency_s IS NULL THEN {_LATENCY} ELSE 0 END")
    if parts:
        lacks.append(f"CASE WHEN {_WHOLE} THEN 0 ELSE {_PARTS} END")
    return (
        "SELECT *, coalesce(batch, false) AS batched, "
        f"""coalesce(CAST("at" AS DATE), DATE '{today}') AS priced_day, """
        f"{_band(connection)} AS band, "
        f"CAST({' + '.join(lacks)} AS UTINYINT) AS lacks FROM ({requests})"
    )


def timed(connection: "DuckDBPyConnection") -> bool:
    """Whether a price is one of time; else latencies need not be looked at."""
    return charged(connection, "second")


def charged(connection: "DuckDBPyConnection", rate: str) -> bool:
    """Whether any price has a rate of this kind: what costs nothing need not be read."""
    return bool(connection.execute(f"SELECT 1 FROM rates WHERE {rate} <> 0 LIMIT 1").fetchall())


def varying(connection: "DuckDBPyConnection") -> tuple[str, ...]:
    """Return what prices differ by here: to look at what is always the same takes time."""
    found = connection.execute(
        "SELECT count(DISTINCT provider), 2, count(DISTINCT batch), "
        "count(DISTINCT (day_from, day_to)), count(DISTINCT (above, up_to)) FROM rates"
    ).fetchone()
    return tuple(name for name, many in zip(_DECIDES, found or (), strict=True) if many > 1)


def _band(connection: "DuckDBPyConnection") -> str:
    """The largest number of tokens above which some rate changes, and above which the input is."""
    edges = connection.execute(
        "SELECT DISTINCT above FROM rates WHERE above >= 0 ORDER BY above DESC"
    ).fetchall()
    tests = (f"WHEN input_tokens > {edge} THEN CAST({edge} AS BIGINT) " for (edge,) in edges)
    return f"CASE {''.join(tests)}ELSE CAST(-1 AS BIGINT) END" if edges else "CAST(-1 AS BIGINT)"


def joined(decides: Iterable[str]) -> str:
    """Return the SQL that joins rows ``c`` with their row of ``rates``, as ``r``.

    Args:
        decides: What prices differ by here, of `varying`.
    """
    return f"LEFT JOIN rates r ON {' AND '.join(_DECIDES[one] for one in decides)}"


def money() -> str:
    """Return the SQL for what a row ``c`` costs by its row of ``rates``, in 10^-12 USD.

    The row holds so many ``requests``, their tokens, ``hour_tokens`` and ``microseconds``, and what
    each of them lacks. It is NULL where a count that its price needs is unknown.
    """
    beyond = "".join(
        f"+ coalesce(c.{count}, 0)::HUGEINT * r.{rate} " for count, rate in _BEYOND.items()
    )
    return (
        f"CASE WHEN c.lacks & {INPUT | _PARTS} = 0 "
        f"AND (c.lacks & {OUTPUT} = 0 OR NOT r.needs_output) "
        f"AND (c.lacks & {_LATENCY} = 0 OR r.second = 0) "
        "THEN c.requests::HUGEINT * r.fixed + c.input_tokens::HUGEINT * r.input "
        f"+ coalesce(c.output_tokens, 0)::HUGEINT * r.output {beyond}"
        "+ CASE WHEN r.second = 0 THEN 0 "
        "ELSE CAST(c.microseconds * (r.second / 1000000) AS HUGEINT) END END"
    )


def priced_select(connection: "DuckDBPyConnection") -> str:
    """Return SQL that adds ``nano``, billionths of a USD, to the rows of the view ``keyed``.

    Args:
        connection: A DuckDB with it, and with ``rates``.
    """
    single = (
        "SELECT *, 1 AS requests, cache_write_1h_tokens AS hour_tokens, "
        f"{MICROSECONDS} AS microseconds FROM keyed"
    )
    return (
        "SELECT c.* EXCLUDE (requests, hour_tokens, microseconds), "
        f"({money()} + 500) // 1000 AS nano FROM ({single}) c {joined(varying(connection))}"
    )
