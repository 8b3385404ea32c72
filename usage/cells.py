"""Requests added up by all that decides their price: sums are priced, and not each request.

A cell holds the requests that agree in the dimensions, in what their price depends on, and in which
counts they lack. Cells are few, so that money takes next to no time, whatever the log's size, and
nothing is rounded on the way.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
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
_INPUT, _OUTPUT, _LATENCY, _PARTS = (1 << bit for bit in range(4))
"""What a request lacks: counts, or parts that do not exceed the whole."""
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
        f"CASE WHEN input_tokens IS NULL THEN {_INPUT} ELSE 0 END",
        f"CASE WHEN output_tokens IS NULL THEN {_OUTPUT} ELSE 0 END",
    ]
    if _timed(connection):
        lacks.append(f"CASE WHEN latency_s IS NULL THEN {_LATENCY} ELSE 0 END")
    if parts:
        lacks.append(f"CASE WHEN {_WHOLE} THEN 0 ELSE {_PARTS} END")
    return (
        "SELECT *, coalesce(batch, false) AS batched, "
        f"""coalesce(CAST("at" AS DATE), DATE '{today}') AS priced_day, """
        f"{_band(connection)} AS band, "
        f"CAST({' + '.join(lacks)} AS UTINYINT) AS lacks FROM ({requests})"
    )


def _timed(connection: "DuckDBPyConnection") -> bool:
    """Whether a price is one of time; else latencies need not be looked at."""
    return _charged(connection, "second")


def _charged(connection: "DuckDBPyConnection", rate: str) -> bool:
    """Whether any price has a rate of this kind: what costs nothing need not be read."""
    return bool(connection.execute(f"SELECT 1 FROM rates WHERE {rate} <> 0 LIMIT 1").fetchall())


def _varying(connection: "DuckDBPyConnection") -> tuple[str, ...]:
    """Return by what prices differ here: to group by what is always the same takes time."""
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


def fill_cells(
    connection: "DuckDBPyConnection",
    keys: Mapping[str, str],
    later: str,
    where: str,
    values: Sequence[Any],
) -> None:
    """Fill the table ``cells`` with requests that are added up.

    Its columns are the dimensions and ``later``; ``requests``, ``errors``, the sums of tokens and
    of ``logged_usd``; ``pico``, what they cost in 10^-12 USD, NULL where that is unknown; and
    ``unpriced`` and ``unbilled`` requests.

    Args:
        connection: A DuckDB with the view ``keyed``, of `keyed_select`, and with ``rates``.
        keys: Dimensions, each with its SQL.
        later: SQL for whether a request is of the later ones, for a trend.
        where: SQL for which requests count.
        values: The values of its parameters.
    """
    decides = _varying(connection)
    named = {name: name for name in (*decides, "lacks")} | dict(keys) | {"later": later}
    grouped = ", ".join(f'{sql} AS "{name}"' for name, sql in named.items())
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*TOKENS, "logged_usd"))
    # Whole numbers, so that it does not matter in which order they are added up.
    hours = _charged(connection, "cache_write_1h")
    kept = "sum(cache_write_1h_tokens)" if hours else "NULL::HUGEINT"
    busy = "sum(CAST(latency_s * 1000000 AS HUGEINT))" if _timed(connection) else "NULL::HUGEINT"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE summed AS SELECT {grouped}, count(*) AS requests, "
        f"count(error) AS errors, {sums}, {kept} AS hour_tokens, "
        f"{busy} AS microseconds FROM keyed WHERE {where} GROUP BY ALL",
        list(values),
    )
    # A failed request without any count is not in the log's money, and is not unpriced.
    bare = _INPUT | _OUTPUT
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cells AS SELECT *, "
        "CASE WHEN pico IS NULL THEN requests - unbilled ELSE 0 END AS unpriced FROM ("
        f"SELECT c.*, {_money()} AS pico, "
        f"CASE WHEN c.lacks & {bare} = {bare} THEN c.errors ELSE 0 END AS unbilled "
        f"FROM summed c LEFT JOIN rates r ON {' AND '.join(_DECIDES[one] for one in decides)})"
    )
    connection.execute("DROP TABLE summed")


def _money() -> str:
    """What a cell costs: NULL where a count that its price needs is unknown."""
    beyond = "".join(
        f"+ coalesce(c.{count}, 0)::HUGEINT * r.{rate} " for count, rate in _BEYOND.items()
    )
    return (
        f"CASE WHEN c.lacks & {_INPUT | _PARTS} = 0 "
        f"AND (c.lacks & {_OUTPUT} = 0 OR NOT r.needs_output) "
        f"AND (c.lacks & {_LATENCY} = 0 OR r.second = 0) "
        "THEN c.requests::HUGEINT * r.fixed + c.input_tokens::HUGEINT * r.input "
        f"+ coalesce(c.output_tokens, 0)::HUGEINT * r.output {beyond}"
        "+ CASE WHEN r.second = 0 THEN 0 "
        "ELSE CAST(c.microseconds * (r.second / 1000000) AS HUGEINT) END END"
    )
