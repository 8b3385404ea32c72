"""Requests added up by all that decides their price: sums are priced, and not each request.

A cell holds the requests that agree in the dimensions, in what their price depends on, and in which
counts they lack. Cells are few, so that money takes next to no time, whatever the log's size, and
nothing is rounded on the way.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .amounts import INPUT, MICROSECONDS, OUTPUT, charged, joined, money, timed, varying

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)


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
        connection: A DuckDB with the view ``keyed``, of `amounts.keyed_select`, and with ``rates``.
        keys: Dimensions, each with its SQL.
        later: SQL for whether a request is of the later ones, for a trend.
        where: SQL for which requests count.
        values: The values of its parameters.
    """
    decides = varying(connection)
    named = {name: name for name in (*decides, "lacks")} | dict(keys) | {"later": later}
    grouped = ", ".join(f'{sql} AS "{name}"' for name, sql in named.items())
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*TOKENS, "logged_usd"))
    hours = charged(connection, "cache_write_1h")
    kept = "sum(cache_write_1h_tokens)" if hours else "NULL::HUGEINT"
    busy = f"sum({MICROSECONDS})" if timed(connection) else "NULL::HUGEINT"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE summed AS SELECT {grouped}, count(*) AS requests, "
        f"count(error) AS errors, {sums}, {kept} AS hour_tokens, "
        f"{busy} AS microseconds FROM keyed WHERE {where} GROUP BY ALL",
        list(values),
    )
    # A failed request without any count is not in the log's money, and is not unpriced.
    bare = INPUT | OUTPUT
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cells AS SELECT *, "
        "CASE WHEN pico IS NULL THEN requests - unbilled ELSE 0 END AS unpriced FROM ("
        f"SELECT c.*, {money()} AS pico, "
        f"CASE WHEN c.lacks & {bare} = {bare} THEN c.errors ELSE 0 END AS unbilled "
        f"FROM summed c {joined(decides)})"
    )
    connection.execute("DROP TABLE summed")
