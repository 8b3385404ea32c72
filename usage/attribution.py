"""Cost by any set of dimensions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..core.errors import CostoptError, nearest
from .cells import TOKENS, fill_cells
from .percentiles import SPREADS, UNKNOWN, percentiles
from .periods import Period
from .report import Attribution, Group, Spread, Sums, Trend, UnpricedModel

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DIMENSIONS = {
    "feature": "feature",
    "endpoint": "endpoint",
    "prompt": "prompt",
    "revision": "revision",
    "model": "model",
    "provider": "provider",
    "customer": "customer",
    "hour": """strftime("at", '%Y-%m-%dT%H:00Z')""",
    "day": """strftime("at", '%Y-%m-%d')""",
    "month": """strftime("at", '%Y-%m')""",
}
"""What requests can be grouped by, as SQL."""
_TIMES = frozenset({"hour", "day", "month"})
UNBILLED = "error IS NOT NULL AND input_tokens IS NULL AND output_tokens IS NULL"
UNPRICED = f"nano IS NULL AND NOT ({UNBILLED})"
"""Requests that are in no sum of money, as SQL."""


def dimensions(text: str) -> tuple[str, ...]:
    """Read a comma-separated list of dimensions.

    Raises:
        CostoptError: one is unknown, or there is none.

    Example:
        >>> dimensions("feature, model")
        ('feature', 'model')
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in DIMENSIONS:
            hint = nearest(name, DIMENSIONS)
            raise CostoptError(f'there is no dimension "{name}" to group by', hint=hint)
    if not names:
        raise CostoptError("no dimension to group by", hint=f"known: {', '.join(DIMENSIONS)}")
    return names


def attribute(
    connection: "DuckDBPyConnection",
    by: Sequence[str],
    period: Period,
    *,
    rows: int,
    top: int | None = None,
) -> Attribution:
    """Return what the requests of a period cost, by dimensions.

    Args:
        connection: An open log's DuckDB.
        by: Names of `DIMENSIONS`.
        period: The requests that count.
        rows: How many requests there are, about: it decides how percentiles are found.
        top: How many groups to return, the dearest first; all where left out.
    """
    fill_cells(connection, *_counted(by, period))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {_grouped(by, period)}")
    total = _fetch(connection, f"SELECT {_added()} FROM grouped")[0]
    summed = _sums(total)
    trended = period.basis is not None and not _TIMES & set(by)
    limit = "" if top is None else f"LIMIT {int(top)}"
    order = ", ".join(f'"{name}" NULLS LAST' for name in by)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE shown AS SELECT * FROM grouped WHERE requests > 0 "
        f"ORDER BY pico DESC NULLS LAST, requests DESC, {order} {limit}"
    )
    found = _fetch(connection, "SELECT * FROM shown")
    many = _fetch(connection, "SELECT count(*) AS n FROM grouped WHERE requests > 0")[0]["n"]
    spreads = _spreads(connection, by, period, rows=rows, some=int(many) > len(found))
    for table in ("cells", "grouped", "shown"):
        connection.execute(f"DROP TABLE {table}")
    return Attribution(
        by=tuple(by),
        groups=tuple(_group(row, by, summed.usd, spreads, trended=trended) for row in found),
        total=summed,
        left_out=int(many) - len(found),
        trend=_trend(total) if period.basis is not None else None,
        basis=period.basis,
    )


def unpriced(connection: "DuckDBPyConnection", period: Period) -> tuple[UnpricedModel, ...]:
    """Return the models of the period that have requests without a price, most requests first."""
    where, values = within(period.first, period.end)
    rows = _fetch(
        connection,
        "SELECT provider, model, count(*) AS n, sum(input_tokens) AS i, sum(output_tokens) AS o, "
        "count(*) FILTER (input_tokens IS NULL OR output_tokens IS NULL) AS uncounted, "
        f"any_value(batch) AS batch FROM priced WHERE {UNPRICED} AND {where} "
        "GROUP BY provider, model ORDER BY n DESC, provider, model",
        values,
    )
    return tuple(
        UnpricedModel(
            provider=row["provider"],
            model=row["model"],
            requests=int(row["n"]),
            input_tokens=_whole(row["i"]),
            output_tokens=_whole(row["o"]),
            why=_why(row),
        )
        for row in rows
    )


def _why(row: dict[str, Any]) -> str:
    if row["model"] is None:
        return "the log names no model"
    if row["uncounted"] == row["n"]:
        return "no price, or no token counts in the log"
    return "no price is known for it" + (" in a batch" if row["batch"] else "")


def within(first: datetime | None, end: datetime | None) -> tuple[str, list[Any]]:
    """Return the SQL that picks a period's requests, with its values."""
    tests: list[str] = []
    values: list[Any] = []
    for time, sign in ((first, ">="), (end, "<")):
        if time is not None:
            tests.append(f'"at" {sign} ?')
            values.append(time)
    return " AND ".join(tests) or "true", values


def _counted(by: Sequence[str], period: Period) -> tuple[dict[str, str], str, str, list[Any]]:
    """Return what requests are added up by, and which.

    Requests of the previous period are in the same pass: they count for the trend alone.
    """
    compared = period.basis == "previous period"
    where, values = within(period.before if compared else period.first, period.end)
    since = _moment(period.since)
    later = "CAST(NULL AS BOOLEAN)" if period.basis is None else f'"at" >= {since}'
    return {name: DIMENSIONS[name] for name in by}, later, where, values


def _grouped(by: Sequence[str], period: Period) -> str:
    """Return the SQL that makes groups of cells."""
    only = "FILTER (later)" if period.basis == "previous period" else ""
    keys = ", ".join(f'"{name}"' for name in by)
    sums = ", ".join(f"sum({name}) {only} AS {name}" for name in _SUMS)
    return (
        f"SELECT {keys}, {sums}, "
        "coalesce(sum(requests) FILTER (NOT later), 0) AS n_before, "
        "coalesce(sum(requests) FILTER (later), 0) AS n_after, "
        "sum(pico) FILTER (NOT later) AS pico_before, sum(pico) FILTER (later) AS pico_after "
        "FROM cells GROUP BY ALL"
    )


_SUMS = ("requests", "errors", "unpriced", "unbilled", *TOKENS, "pico", "logged_usd")


def _spreads(
    connection: "DuckDBPyConnection", by: Sequence[str], period: Period, *, rows: int, some: bool
) -> dict[tuple[Any, ...], tuple[Spread, ...]]:
    """Return the percentiles of the groups that are shown."""
    start = period.since if period.basis == "previous period" else period.first
    where, values = within(start, period.end)
    keys = {name: DIMENSIONS[name] for name in by}
    return percentiles(connection, keys, where, values, rows=rows, of="shown" if some else None)


def _moment(time: datetime | None) -> str | None:
    return None if time is None else f"TIMESTAMP '{time.isoformat(sep=' ')}'"


def _added() -> str:
    trends = ("n_before", "n_after", "pico_before", "pico_after")
    return ", ".join(f"sum({name}) AS {name}" for name in (*_SUMS, *trends))


def _fetch(
    connection: "DuckDBPyConnection", sql: str, values: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, list(values))
    names = [str(column[0]) for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _group(
    row: dict[str, Any],
    by: Sequence[str],
    usd: Decimal | None,
    spreads: Mapping[tuple[Any, ...], Sequence[Spread]],
    *,
    trended: bool,
) -> Group:
    sums = _sums(row)
    share = float(sums.usd / usd) if sums.usd is not None and usd else None
    found = spreads.get(tuple(row[name] for name in by), (UNKNOWN,) * len(SPREADS))
    return Group(
        by={name: row[name] for name in by},
        sums=sums,
        input=found[0],
        output=found[1],
        latency=found[2],
        share=share,
        trend=_trend(row) if trended else None,
    )


def _sums(row: dict[str, Any]) -> Sums:
    return Sums(
        requests=int(row["requests"] or 0),
        errors=int(row["errors"] or 0),
        unpriced=int(row["unpriced"] or 0),
        unbilled=int(row["unbilled"] or 0),
        usd=_money(row["pico"]),
        logged_usd=row["logged_usd"],
        input_tokens=_whole(row["input_tokens"]),
        cache_read_tokens=_whole(row["cache_read_tokens"]),
        cache_write_tokens=_whole(row["cache_write_tokens"]),
        output_tokens=_whole(row["output_tokens"]),
        reasoning_tokens=_whole(row["reasoning_tokens"]),
    )


def _trend(row: dict[str, Any]) -> Trend:
    return Trend(
        requests=_change(row["n_before"], row["n_after"]),
        usd=_change(row["pico_before"], row["pico_after"]),
        usd_before=_money(row["pico_before"]),
    )


def _change(before: float | Decimal | None, after: float | Decimal | None) -> float | None:
    if not before or after is None:
        return None
    return float(after) / float(before) - 1


def _money(pico: object) -> Decimal | None:
    return None if pico is None else Decimal(str(pico)).scaleb(-12)


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))
