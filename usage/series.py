"""The log as series: what each feature asked for in every hour or day, added up in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .whatif.rates import PriceOf, add_rates

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Floats = npt.NDArray[np.float64]

HOUR_S, DAY_S = 3600, 86400
_BUSY = 20
"""Requests in an hour, as a mean over the log, from which on hours are looked at and not days."""


@dataclass(frozen=True)
class Means:
    """Sums of one number of each request, by bucket: how many there are, their sum and squares."""

    n: Floats
    total: Floats
    squares: Floats

    @property
    def mean(self) -> Floats:
        """The mean in each bucket; NaN where there is none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.total / self.n


@dataclass(frozen=True)
class Series:
    """A feature, bucket by bucket without a gap.

    Attributes:
        feature: Its name; ``None`` for requests without one.
        start: When the first bucket begins, UTC.
        seconds: How long a bucket is.
        asked: Requests that are no retries.
        all: Requests with the retries.
        errors: Failed requests.
        retries: Retries.
        retries_known: Requests of which the log says whether they are.
        usd: What they cost, as far as they are priced.
        means: By name: tokens of successful requests (``input``, ``output``, cut at a high
            percentile, and ``input_ln``, ``output_ln``), the share of input that was read from a
            cache (``cached``), and the list price of a request of this feature's usual size at the
            model that was asked (``price_ln``).
        prices: USD of an input token and an output token, as the feature's models cost on the mean;
            ``None`` where unknown.
        sizes: Mean input and output tokens.
    """

    feature: str | None
    start: datetime
    seconds: int
    asked: Floats
    all: Floats
    errors: Floats
    retries: Floats
    retries_known: Floats
    usd: Floats
    means: Mapping[str, Means]
    prices: tuple[float, float] | None
    sizes: tuple[float, float]

    def moment(self, index: int) -> datetime:
        """Return when a bucket begins."""
        return self.start + timedelta(seconds=self.seconds * index)


_REF = "coalesce(provider, '') || ':' || model"

# The percentile is read from a histogram with steps of a tenth: exact quantiles of a whole log do
# not fit into bounded memory.
_CAPS = """CREATE OR REPLACE TEMP TABLE series_caps AS
WITH h AS (
    SELECT feature, kind, ceil(10 * ln(1 + tokens)) AS step, count(*) AS n FROM (
        SELECT feature, 'input' AS kind, input_tokens AS tokens FROM requests
            WHERE error IS NULL AND input_tokens >= 0
        UNION ALL SELECT feature, 'output', output_tokens FROM requests
            WHERE error IS NULL AND output_tokens >= 0)
    GROUP BY ALL),
c AS (SELECT *, sum(n) OVER (PARTITION BY feature, kind ORDER BY step) AS upto,
        sum(n) OVER (PARTITION BY feature, kind) AS total FROM h)
SELECT f.feature, f.seconds,
    coalesce(min(exp(step / 10)) FILTER (kind = 'input' AND upto >= 0.995 * total), 1) AS input_cap,
    coalesce(min(exp(step / 10)) FILTER (kind = 'output' AND upto >= 0.995 * total), 1)
        AS output_cap,
    any_value(f.input_mean) AS input_mean, any_value(f.output_mean) AS output_mean
FROM (SELECT feature, avg(input_tokens) FILTER (error IS NULL) AS input_mean,
        avg(output_tokens) FILTER (error IS NULL) AS output_mean,
        CASE WHEN count(*) >= ? * greatest(
            (SELECT date_diff('hour', min("at"), max("at")) FROM requests), 1)
        THEN 3600 ELSE 86400 END AS seconds
    FROM requests WHERE "at" IS NOT NULL GROUP BY feature) f
LEFT JOIN c ON c.feature IS NOT DISTINCT FROM f.feature
GROUP BY f.feature, f.seconds"""


def _sums(name: str, value: str, where: str) -> str:
    return (
        f"count({value}) FILTER ({where}) AS {name}_n, "
        f"coalesce(sum({value}) FILTER ({where}), 0) AS {name}_sum, "
        f"coalesce(sum(({value}) * ({value})) FILTER ({where}), 0) AS {name}_squares"
    )


_OK = "error IS NULL"
_MEANS = {
    "input": ("least(input_tokens, input_cap)::DOUBLE", f"{_OK} AND input_tokens >= 0"),
    "output": ("least(output_tokens, output_cap)::DOUBLE", f"{_OK} AND output_tokens >= 0"),
    "input_ln": ("ln(1 + greatest(input_tokens, 0))", f"{_OK} AND input_tokens >= 0"),
    "output_ln": ("ln(1 + greatest(output_tokens, 0))", f"{_OK} AND output_tokens >= 0"),
    "cached": (
        "cache_read_tokens::DOUBLE / greatest(input_tokens, 1)",
        f"{_OK} AND cache_read_tokens >= 0 AND input_tokens > 0",
    ),
    "price_ln": ("ln(index)", f"{_OK} AND index > 0"),
}

_QUERY = f"""WITH p AS (
    SELECT r.ref, r.day, r.batch, c.feature, r.input AS input_rate, r.output AS output_rate,
        (r.input * coalesce(c.input_mean, 0) + coalesce(r.output, 0) * coalesce(c.output_mean, 0))
            / 1e15 AS index
    FROM whatif_rates r, series_caps c
    WHERE coalesce(c.input_mean, 1) > r.above AND coalesce(c.input_mean, 1) <= r.upto)
SELECT q.feature, any_value(c.seconds) AS seconds,
    epoch(q."at")::BIGINT // c.seconds AS bucket, count(*) AS all_n,
    count(*) FILTER (NOT coalesce(retry, false)) AS asked_n,
    count(*) FILTER (error IS NOT NULL) AS errors_n, count(*) FILTER (retry) AS retries_n,
    count(retry) AS retries_known_n, coalesce(sum(usd)::DOUBLE, 0) AS usd,
    coalesce(sum(input_rate), 0)::DOUBLE / 1e15 AS input_rates,
    coalesce(sum(output_rate), 0)::DOUBLE / 1e15 AS output_rates,
    {", ".join(_sums(name, *parts) for name, parts in _MEANS.items())}
FROM requests q JOIN series_caps c ON c.feature IS NOT DISTINCT FROM q.feature
LEFT JOIN p ON p.feature IS NOT DISTINCT FROM q.feature AND p.day = q."at"::DATE
    AND p.batch = coalesce(q.batch, false) AND p.ref = {_REF}
WHERE q."at" IS NOT NULL
GROUP BY q.feature, c.seconds, bucket ORDER BY q.feature, bucket"""


def read_series(connection: "DuckDBPyConnection", price_of: PriceOf) -> list[Series]:
    """Return a series for each feature: hours where it is busy, else days.

    Args:
        connection: A database with the relation ``requests``.
        price_of: Returns the price of a model on a day.
    """
    connection.execute(_CAPS, [_BUSY])
    pairs = connection.execute(
        f'SELECT DISTINCT {_REF} AS ref, "at"::DATE FROM requests '
        'WHERE model IS NOT NULL AND "at" IS NOT NULL'
    ).fetchall()
    add_rates(connection, pairs, price_of)
    sizes = {
        row[0]: (float(row[1] or 0), float(row[2] or 0))
        for row in connection.execute(
            "SELECT feature, input_mean, output_mean FROM series_caps"
        ).fetchall()
    }
    result = connection.execute(_QUERY)
    names = [column[0] for column in result.description or ()]
    groups: dict[str | None, list[tuple[Any, ...]]] = {}
    for row in result.fetchall():
        groups.setdefault(row[0], []).append(row)
    return [_series(feature, names, rows, sizes[feature]) for feature, rows in groups.items()]


def _series(
    feature: str | None, names: list[str], rows: list[tuple[Any, ...]], sizes: tuple[float, float]
) -> Series:
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    buckets = np.array(columns["bucket"], dtype=np.int64)
    seconds, first = int(columns["seconds"][0]), int(buckets.min())

    def filled(name: str) -> Floats:
        values = np.zeros(int(buckets.max()) - first + 1)
        values[buckets - first] = np.array(columns[name], dtype=np.float64)
        return values

    priced = filled("price_ln_n").sum()
    rates = (filled("input_rates").sum(), filled("output_rates").sum())
    every = max(float(filled("all_n").sum()), 1.0)
    return Series(
        feature=feature,
        start=datetime.fromtimestamp(first * seconds, UTC).replace(tzinfo=None),
        seconds=seconds,
        asked=filled("asked_n"),
        all=filled("all_n"),
        errors=filled("errors_n"),
        retries=filled("retries_n"),
        retries_known=filled("retries_known_n"),
        usd=filled("usd"),
        means={
            name: Means(filled(f"{name}_n"), filled(f"{name}_sum"), filled(f"{name}_squares"))
            for name in _MEANS
        },
        prices=(rates[0] / every, rates[1] / every) if priced else None,
        sizes=sizes,
    )
