"""Cost by any set of dimensions, in one pass over the requests."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..core.errors import CostoptError, nearest
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
_TOKENS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_SPREADS = ("input_tokens", "output_tokens", "latency_s")
EXACT_ROWS = 20_000_000
"""Up to so many requests percentiles are exact: that takes memory that cannot go to disk."""

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
        rows: How many requests there are, about: it decides whether percentiles are exact.
        top: How many groups to return, the dearest first; all where left out.
    """
    exact = rows <= EXACT_ROWS
    sql, values = _grouped(by, period, exact=exact)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE grouped AS {sql}", values)
    total = _fetch(connection, f"SELECT {_added()} FROM grouped")[0]
    summed = _sums(total)
    trended = period.basis is not None and not _TIMES & set(by)
    limit = "" if top is None else f"LIMIT {int(top)}"
    order = ", ".join(f'"{name}" NULLS LAST' for name in by)
    found = _fetch(
        connection,
        "SELECT * FROM grouped WHERE requests > 0 "
        f"ORDER BY usd DESC NULLS LAST, requests DESC, {order} {limit}",
    )
    many = _fetch(connection, "SELECT count(*) AS n FROM grouped WHERE requests > 0")[0]["n"]
    connection.execute("DROP TABLE grouped")
    return Attribution(
        by=tuple(by),
        groups=tuple(_group(row, by, summed.usd, trended=trended) for row in found),
        total=summed,
        left_out=int(many) - len(found),
        trend=_trend(total) if period.basis is not None else None,
        basis=period.basis,
        exact=exact,
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


def _grouped(by: Sequence[str], period: Period, *, exact: bool) -> tuple[str, list[Any]]:
    """Return the SQL that groups, with its values.

    Requests of the previous period are in the same pass: they count for the trend alone.
    """
    compared = period.basis == "previous period"
    where, values = within(period.before if compared else period.first, period.end)
    now = _moment(period.since) if compared else None
    only = f'FILTER ("at" >= {now})' if now else ""
    sums = [f"count(*) {only} AS requests"]
    sums += [f"{_counting(test, now)} AS {name}" for test, name in _COUNTS]
    sums += [f"sum({name}) {only} AS {name}" for name in (*_TOKENS, "logged_usd")]
    sums.append(f"sum(nano) {only} AS usd")
    for name in _SPREADS:
        quantile = f"quantile_disc({name}, [0.5, 0.95])"
        quantile = quantile if exact else f"approx_quantile({name}, [0.5, 0.95])"
        sums.append(f"{quantile} {only} AS {name}_spread")
    sums += _trending(period)
    keys = ", ".join(f'{DIMENSIONS[name]} AS "{name}"' for name in by)
    return f"SELECT {keys}, {', '.join(sums)} FROM priced WHERE {where} GROUP BY ALL", values


_COUNTS = (("error IS NOT NULL", "errors"), (UNPRICED, "unpriced"), (UNBILLED, "unbilled"))


def _counting(test: str, now: str | None) -> str:
    later = f' AND "at" >= {now}' if now else ""
    return f"count(*) FILTER ({test}{later})"


def _trending(period: Period) -> list[str]:
    """Sums of the earlier and the later requests."""
    if period.before is None or period.since is None:
        return [f"NULL AS {name}" for name in ("n_before", "n_after", "usd_before", "usd_after")]
    start = f'"at" >= {_moment(period.before)} AND "at" < {_moment(period.since)}'
    later = f'"at" >= {_moment(period.since)}'
    return [
        f"count(*) FILTER ({start}) AS n_before",
        f"count(*) FILTER ({later}) AS n_after",
        f"sum(nano) FILTER ({start}) AS usd_before",
        f"sum(nano) FILTER ({later}) AS usd_after",
    ]


def _moment(time: datetime | None) -> str | None:
    return None if time is None else f"TIMESTAMP '{time.isoformat(sep=' ')}'"


def _added() -> str:
    names = ("requests", *(name for _, name in _COUNTS), *_TOKENS, "usd", "logged_usd")
    trends = ("n_before", "n_after", "usd_before", "usd_after")
    return ", ".join(f"sum({name}) AS {name}" for name in (*names, *trends))


def _fetch(
    connection: "DuckDBPyConnection", sql: str, values: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, list(values))
    names = [str(column[0]) for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _group(row: dict[str, Any], by: Sequence[str], usd: Decimal | None, *, trended: bool) -> Group:
    sums = _sums(row)
    share = float(sums.usd / usd) if sums.usd is not None and usd else None
    return Group(
        by={name: row[name] for name in by},
        sums=sums,
        input=_spread(row["input_tokens_spread"]),
        output=_spread(row["output_tokens_spread"]),
        latency=_spread(row["latency_s_spread"]),
        share=share,
        trend=_trend(row) if trended else None,
    )


def _sums(row: dict[str, Any]) -> Sums:
    return Sums(
        requests=int(row["requests"] or 0),
        errors=int(row["errors"] or 0),
        unpriced=int(row["unpriced"] or 0),
        unbilled=int(row["unbilled"] or 0),
        usd=_money(row["usd"]),
        logged_usd=row["logged_usd"],
        input_tokens=_whole(row["input_tokens"]),
        cache_read_tokens=_whole(row["cache_read_tokens"]),
        cache_write_tokens=_whole(row["cache_write_tokens"]),
        output_tokens=_whole(row["output_tokens"]),
        reasoning_tokens=_whole(row["reasoning_tokens"]),
    )


def _spread(found: Sequence[float | None] | None) -> Spread:
    low, high = found or (None, None)
    return Spread(p50=low, p95=high)


def _trend(row: dict[str, Any]) -> Trend | None:
    if row["n_before"] is None:
        return None
    return Trend(
        requests=_change(row["n_before"], row["n_after"]),
        usd=_change(row["usd_before"], row["usd_after"]),
        usd_before=_money(row["usd_before"]),
    )


def _change(before: float | Decimal | None, after: float | Decimal | None) -> float | None:
    if not before or after is None:
        return None
    return float(after) / float(before) - 1


def _money(nano: object) -> Decimal | None:
    return None if nano is None else Decimal(str(nano)).scaleb(-9)


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))
