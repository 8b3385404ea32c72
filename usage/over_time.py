"""Cost over time by feature, and by feature and model, in one pass over a log's requests."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .attribution import within
from .cells import fill_cells
from .periods import Period
from .slots import (
    MODELS,
    NAMED,
    SHOWN,
    FeatureCost,
    ModelCost,
    OverTime,
    Slot,
    Step,
    next_slot,
    step_of,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def over_time(connection: "DuckDBPyConnection", period: Period) -> OverTime:
    """Return what the requests of a period cost over time.

    Args:
        connection: An open log's DuckDB.
        period: The requests that count.
    """
    where, values = within(period.first, period.end)
    span = connection.execute(
        f'SELECT min("at"), max("at") FROM keyed WHERE {where}', values
    ).fetchone()
    step = step_of(*(span or (None, None)))
    _spread(connection, step, where, values)
    try:
        return _read(connection, step)
    finally:
        connection.execute("DROP TABLE spread")


def _spread(connection: "DuckDBPyConnection", step: Step, where: str, values: list[Any]) -> None:
    """Add requests up by slot, feature and model, in one pass over them."""
    slot = f"""CAST(date_trunc('{step}', "at") AS TIMESTAMP)"""
    keys = {"slot": slot, "feature": "feature", "model": "model"}
    fill_cells(connection, keys, "NULL::BOOLEAN", where, values)
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE spread AS
        WITH s AS (
            SELECT slot, feature, model, sum(requests) AS n, sum(pico) AS pico,
                sum(unpriced) AS unpriced
            FROM cells GROUP BY ALL),
        f AS (SELECT feature, row_number() OVER (
                ORDER BY sum(pico) DESC NULLS LAST, sum(n) DESC, feature NULLS LAST) AS place
            FROM s GROUP BY feature)
        SELECT s.*, f.place FROM s JOIN f ON s.feature IS NOT DISTINCT FROM f.feature"""
    )
    connection.execute("DROP TABLE cells")


def _read(connection: "DuckDBPyConnection", step: Step) -> OverTime:
    untimed = connection.execute(
        "SELECT coalesce(sum(n), 0), sum(pico) FROM spread WHERE slot IS NULL"
    ).fetchone() or (0, None)
    features = tuple(_features(connection))
    return OverTime(
        step=step,
        slots=tuple(_slots(connection, step, min(len(features), SHOWN))),
        features=features,
        rest=_rest(connection),
        untimed=int(untimed[0]),
        untimed_usd=_money(untimed[1]),
    )


def _slots(connection: "DuckDBPyConnection", step: Step, shown: int) -> Iterator[Slot]:
    each = ", ".join(f"sum(pico) FILTER (place = {at})" for at in range(1, shown + 1))
    rows = connection.execute(
        f"SELECT slot, sum(n), sum(unpriced), sum(pico) FILTER (place > {SHOWN})"
        f"{', ' if each else ''}{each} FROM spread WHERE slot IS NOT NULL GROUP BY slot "
        "ORDER BY slot"
    ).fetchall()
    for start, requests, unpriced, others, *usd in rows:
        yield Slot(
            start=start,
            end=next_slot(start, step),
            requests=int(requests),
            unpriced=int(unpriced),
            usd=tuple(map(_money, usd)),
            others=_money(others),
        )


def _features(connection: "DuckDBPyConnection") -> Iterator[FeatureCost]:
    """Yield the dearest features, each with its dearest models and one sum for its others."""
    rows = connection.execute(
        f"""WITH m AS (
            SELECT place, feature, model, sum(n) AS n, sum(pico) AS pico
            FROM spread WHERE place <= {NAMED} GROUP BY ALL),
        r AS (SELECT *, row_number() OVER (PARTITION BY place
                ORDER BY pico DESC NULLS LAST, n DESC, model NULLS LAST) AS nth FROM m)
        SELECT place, feature, least(nth, {MODELS}) AS part,
            CASE WHEN count(*) = 1 THEN min(model) END, count(*), sum(pico), sum(n)
        FROM r GROUP BY place, feature, least(nth, {MODELS}) ORDER BY place, part"""
    ).fetchall()
    for _, own in groupby(rows, key=lambda row: row[0]):
        yield _feature(list(own))


def _feature(rows: Sequence[Sequence[Any]]) -> FeatureCost:
    models = tuple(
        ModelCost(model=model, models=int(many), usd=_money(pico), requests=int(requests))
        for _, _, _, model, many, pico, requests in rows
    )
    known = [one.usd for one in models if one.usd is not None]
    return FeatureCost(
        feature=rows[0][1],
        usd=sum(known, Decimal(0)) if known else None,
        requests=sum(one.requests for one in models),
        models=models,
    )


def _rest(connection: "DuckDBPyConnection") -> FeatureCost | None:
    many, pico, requests = connection.execute(
        "SELECT count(DISTINCT place), sum(pico), coalesce(sum(n), 0) "
        f"FROM spread WHERE place > {NAMED}"
    ).fetchone() or (0, None, 0)
    if not many:
        return None
    return FeatureCost(
        feature=None, features=int(many), usd=_money(pico), requests=int(requests), models=()
    )


def _money(pico: object) -> Decimal | None:
    return None if pico is None else Decimal(str(pico)).scaleb(-12)
