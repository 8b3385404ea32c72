"""Logs of a month with one anomaly put into them, of ten kinds."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from costopt.usage.ledger import REQUESTS, connect

START = datetime(2026, 9, 1)
DAYS = 30
CHEAP, DEAR = "gpt-5.4-mini", "gpt-5.4"
KINDS = {
    "burst of requests": "more requests",
    "twice the requests": "more requests",
    "a loop at night": "more requests",
    "longer prompt": "longer prompts",
    "history that grows": "longer prompts",
    "longer answers": "longer answers",
    "runaway answers": "longer answers",
    "dearer model": "dearer model",
    "cache lost": "fewer cache hits",
    "errors": "more errors",
    "retries": "more retries",
}
"""Kind of anomaly to its cause."""
TEN = tuple(kind for kind in KINDS if kind != "runaway answers")


@dataclass(frozen=True)
class Injected:
    """A log with the anomaly's time; ``kind`` is ``None`` where there is none."""

    connection: object
    kind: str | None
    start: datetime
    end: datetime
    revision: str | None
    first: str | None


def injected(seed, kind, *, pairs=None, days=DAYS):
    """Return a month of a feature with one anomaly.

    Args:
        seed: Draws everything.
        kind: One of ``KINDS``, or ``None``.
        pairs: Input and output tokens to draw from; lognormal where left out.
        days: How many.
    """
    rng = np.random.default_rng([seed, len(kind or "")])
    begin, hours = _when(rng, kind, days)
    inside = np.zeros(24 * days, dtype=bool)
    inside[begin : begin + hours] = True
    counts = rng.poisson(_rates(rng, kind, inside, days))
    hour = np.repeat(np.arange(24 * days), counts)
    at = np.sort(hour * 3_600_000_000 + rng.integers(0, 3_600_000_000, len(hour)))
    hour = at // 3_600_000_000
    columns = _columns(rng, kind, hour, inside[hour], begin, pairs)
    changed = np.flatnonzero(inside[hour])
    connection = _database({"us": at, **columns})
    revised = kind in ("longer prompt", "longer answers")
    return Injected(
        connection,
        kind,
        START + timedelta(hours=int(begin)),
        START + timedelta(hours=int(begin + hours)),
        "r2" if revised else None,
        f"q{changed[0]}" if len(changed) else None,
    )


def _when(rng, kind, days):
    """Return the first hour and the length in hours; an anomaly begins after ten days."""
    lasts = {
        "burst of requests": 3,
        "a loop at night": 8,
        "cache lost": 48,
        "errors": 6,
        "retries": 4,
        "runaway answers": 24,
    }
    hours = lasts.get(kind)
    if hours is None:  # Until the end of the log.
        begin = int(rng.integers(24 * (days - 10), 24 * (days - 3)))
        return begin, 24 * days - begin
    begin = int(rng.integers(240, 24 * days - hours))
    if kind == "a loop at night":
        begin = begin // 24 * 24 + 22
    return min(begin, 24 * days - hours), hours


def _rates(rng, kind, inside, days):
    hours = np.arange(24 * days)
    base = rng.uniform(40, 250)
    day = 1 + 0.7 * np.sin((hours % 24 - 9) / 24 * 2 * np.pi)
    weekend = np.where((hours // 24 + START.weekday()) % 7 >= 5, rng.uniform(0.3, 0.8), 1.0)
    moods = np.repeat(np.exp(rng.normal(0, 0.08, days)), 24) * np.exp(rng.normal(0, 0.1, 24 * days))
    rates = base * day * weekend * moods
    if kind == "burst of requests":
        rates = np.where(inside, rates * 4 + 20, rates)
    if kind == "twice the requests":
        rates = np.where(inside, rates * 2, rates)
    if kind == "a loop at night":
        rates = np.where(inside, rates + 2 * base, rates)
    return rates


def _columns(rng, kind, hour, inside, begin, pairs):
    n = len(hour)
    if pairs is None:
        prompt, answer = rng.lognormal(7, 0.8, n), rng.lognormal(5, 0.9, n)
    else:
        drawn = pairs[rng.integers(0, len(pairs), n)]
        prompt, answer = drawn[:, 0].astype(float), drawn[:, 1].astype(float)
    if kind == "longer prompt":
        prompt = np.where(inside, prompt * 1.7, prompt)
    if kind == "history that grows":
        prompt = prompt * np.where(inside, 1 + np.minimum((hour - begin) / 48, 1.5), 1)
    if kind == "longer answers":
        answer = np.where(inside, answer * 1.6, answer)
    if kind == "runaway answers":
        answer = np.where(inside & (rng.random(n) < 0.15), 8000, answer)
    share = np.where(inside & (kind == "cache lost"), 0.05, 0.7)
    cached = np.where(rng.random(n) < share, 0.8 * prompt, 0)
    failing = np.where(inside & (kind == "errors"), 0.25, 0.015)
    again = np.where(inside & (kind == "retries"), 0.4, 0.02)
    revision = inside & (kind in ("longer prompt", "longer answers"))
    return {
        "input": np.maximum(prompt, 1).astype(np.int64),
        "output": answer.astype(np.int64),
        "cached": cached.astype(np.int64),
        "failed": rng.random(n) < failing,
        "retried": rng.random(n) < again,
        "dear": inside & (kind == "dearer model"),
        "revised": revision,
        "number": np.arange(n),
    }


def _database(columns):
    connection = connect(memory_mb=500)
    connection.execute(REQUESTS)
    connection.register("drawn", columns)
    connection.execute(
        f"""INSERT INTO requests BY NAME SELECT 'q' || number AS request_id,
            TIMESTAMP '{START}' + to_microseconds(us) AS "at", 'openai' AS provider,
            CASE WHEN dear THEN '{DEAR}' ELSE '{CHEAP}' END AS model, 'chat' AS feature,
            CASE WHEN revised THEN 'r2' ELSE 'r1' END AS revision,
            input AS input_tokens, cached AS cache_read_tokens,
            CASE WHEN failed THEN 0 ELSE output END AS output_tokens,
            CASE WHEN failed THEN 'overloaded' END AS error, retried AS retry,
            ((input - 0.9 * cached) * 0.75 + output * 4.5) * CASE WHEN dear THEN 3.3 ELSE 1 END
                / 1e6 AS usd,
            'log' AS source, number AS line
        FROM drawn"""
    )
    connection.unregister("drawn")
    return connection


def judged(log, anomalies):
    """Return whether the anomaly was found with its cause, and how many others were."""
    right = [
        one
        for one in anomalies
        if log.kind is not None
        and one.cause == KINDS[log.kind]
        and one.start < log.end
        and one.end > log.start
    ]
    return bool(right), len(anomalies) - len(right[:1])
