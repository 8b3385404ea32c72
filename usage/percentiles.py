"""The median and the 95th percentile of each group: values that were there, however many rows.

DuckDB's own exact percentiles hold all values in memory that cannot go to disk. So over very many
requests values are first counted in bins; then those in the bins where the percentiles lie are
counted one by one. Both are groupings, which go to disk where they have to.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .report import Spread

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

IN_MEMORY = 20_000_000
"""Over up to so many requests all values are held: it takes less time, and about 1 GB."""
SPREADS = ("input_tokens", "output_tokens", "latency_s")
UNKNOWN = Spread(p50=None, p95=None)

_BINS = {
    "input_tokens": "sqrt(input_tokens)",
    "output_tokens": "sqrt(output_tokens)",
    # The last bin holds all that is longer than a million seconds.
    "latency_s": "sqrt(least(latency_s, 1e6) * 1000)",
}
"""What rises with a value, and is less than 2^15."""


def percentiles(
    connection: "DuckDBPyConnection",
    keys: Mapping[str, str],
    where: str,
    values: Sequence[Any],
    *,
    rows: int,
    of: str | None = None,
    in_memory: int = IN_MEMORY,
) -> dict[tuple[Any, ...], tuple[Spread, ...]]:
    """Return the percentiles of `SPREADS`, by group.

    Args:
        connection: A DuckDB with the view ``keyed``.
        keys: Dimensions, each with its SQL.
        where: SQL for which requests count.
        values: The values of its parameters.
        rows: How many requests there are, about.
        of: A table of the groups that are wanted; all where left out.
        in_memory: Over up to so many requests all values are held.
    """
    named = ", ".join(f'{sql} AS "{name}"' for name, sql in keys.items())
    asked = f"SELECT {named}, {', '.join(SPREADS)} FROM keyed WHERE {where}"
    if of is not None:
        asked = f"SELECT q.* FROM ({asked}) q SEMI JOIN {of} s ON {_same(keys, 'q', 's')}"
    if rows <= in_memory:
        return _held(connection, keys, asked, values)
    found = {name: _binned(connection, keys, asked, values, name) for name in SPREADS}
    groups = dict.fromkeys(group for one in found.values() for group in one)
    return {group: tuple(found[name].get(group, UNKNOWN) for name in SPREADS) for group in groups}


def _held(
    connection: "DuckDBPyConnection", keys: Mapping[str, str], asked: str, values: Sequence[Any]
) -> dict[tuple[Any, ...], tuple[Spread, ...]]:
    """All three in one pass."""
    wanted = ", ".join(f"quantile_disc({name}, [0.5, 0.95])" for name in SPREADS)
    rows = connection.execute(
        f"SELECT {_listed(keys)}, {wanted} FROM ({asked}) GROUP BY ALL", list(values)
    ).fetchall()
    many = len(keys)
    return {row[:many]: tuple(_spread(found) for found in row[many:]) for row in rows}


def _binned(
    connection: "DuckDBPyConnection",
    keys: Mapping[str, str],
    asked: str,
    values: Sequence[Any],
    name: str,
) -> dict[tuple[Any, ...], Spread]:
    """One of them, in two passes."""
    groups, bin = _listed(keys), f"CAST({_BINS[name]} AS SMALLINT)"
    binned = f"SELECT {groups}, {bin} AS bin, {name} AS x FROM ({asked}) WHERE {name} IS NOT NULL"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE bins AS SELECT *, "
        f"sum(n) OVER (PARTITION BY {groups} ORDER BY bin) - n AS below, "
        f"sum(n) OVER (PARTITION BY {groups}) AS of_all "
        f"FROM (SELECT {groups}, bin, count(*) AS n FROM ({binned}) GROUP BY ALL)",
        list(values),
    )
    # The percentile of n values is the one of this rank, from 1 on.
    ranks = [f"greatest(ceil(of_all * {share}), 1)" for share in ("0.5", "0.95")]
    lie = " OR ".join(f"(below < {rank} AND {rank} <= below + n)" for rank in ranks)
    connection.execute(f"DELETE FROM bins WHERE NOT ({lie})")
    counted = (
        f"SELECT {groups}, bin, x, count(*) AS n FROM ({binned}) q "
        f"SEMI JOIN bins b ON {_same(keys, 'q', 'b')} AND q.bin = b.bin GROUP BY ALL"
    )
    ranked = (
        f"SELECT b.* EXCLUDE (n, below), c.x, "
        f"b.below + sum(c.n) OVER (PARTITION BY {_listed(keys, 'b')}, b.bin ORDER BY c.x) AS up_to "
        f"FROM bins b JOIN ({counted}) c ON {_same(keys, 'b', 'c')} AND b.bin = c.bin"
    )
    found = ", ".join(f"min(x) FILTER (up_to >= {rank})" for rank in ranks)
    rows = connection.execute(
        f"SELECT {groups}, {found} FROM ({ranked}) GROUP BY ALL", list(values)
    ).fetchall()
    connection.execute("DROP TABLE bins")
    return {row[:-2]: _spread(row[-2:]) for row in rows}


def _listed(keys: Mapping[str, str], table: str = "") -> str:
    prefix = f"{table}." if table else ""
    return ", ".join(f'{prefix}"{name}"' for name in keys)


def _same(keys: Mapping[str, str], one: str, other: str) -> str:
    """The condition that two rows are of one group; no value is a value, too."""
    return " AND ".join(f'{one}."{name}" IS NOT DISTINCT FROM {other}."{name}"' for name in keys)


def _spread(found: Sequence[float | None] | None) -> Spread:
    low, high = found or (None, None)
    return Spread(p50=low, p95=high)
