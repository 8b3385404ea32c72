"""The log as the levers see it: who was asked, how many tokens, and what that costs.

A lever reads a state and makes another, in which some requests are served by a cache, read a
prefix, wait for a batch, are answered shorter or by another model. What it saves is the difference
in money between the two, request by request. All of it is SQL.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from ...costs import price_table
from .rates import PriceOf, add_rates, list_price
from .text_blocks import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_REQUESTS = 500_000
"""How many requests are replayed at most: the latest ones."""
MOST_FOR_CURVES = 300_000
"""Up to how many requests other settings are tried, too: each is a replay of its own."""

_REF = "coalesce(provider, '') || ':' || model"

_LOG = f"""CREATE OR REPLACE TEMP TABLE whatif_log AS
SELECT row_number() OVER (ORDER BY "at", source, line, request_id) AS n, "at" AS moment,
    "at"::DATE AS day,
    feature, {_REF} AS ref, coalesce(batch, false) AS batch, error IS NULL AS ok,
    input_tokens AS input, coalesce(cache_read_tokens, 0) AS read,
    coalesce(cache_write_tokens, 0) AS write, coalesce(cache_write_1h_tokens, 0) AS write_1h,
    output_tokens AS output,
    cache_read_tokens IS NULL AS read_unknown, request_key AS key,
    {COLUMNS}, prompt, text, answer
FROM (
    SELECT * FROM requests
    WHERE "at" >= coalesce(?, TIMESTAMP '-infinity') AND "at" < coalesce(?, TIMESTAMP 'infinity')
    ORDER BY "at" DESC, source DESC, line DESC LIMIT ?)
"""

FIELDS = ("ref", "batch", "input", "read", "write", "write_1h", "surcharge", "output", "served")
"""What a lever may change of a request. ``write_1h`` is the part of ``write`` that the log says was
written for an hour. ``surcharge`` is what a token of the rest costs in percent of an input token,
NULL where the price table's own rate holds."""

_FIRST = """CREATE OR REPLACE TEMP TABLE whatif_state_0 AS
SELECT n, ref, batch, input, read, write, write_1h, NULL::INTEGER AS surcharge, output,
    false AS served, true AS certain
FROM whatif_log"""


@dataclass(frozen=True)
class Replay:
    """A log that is ready for levers.

    Attributes:
        connection: The database that holds it.
        first: The state in which the log is.
        start: The first request's time, UTC; ``None`` where there is none.
        end: The last one's.
        requests: How many are replayed.
        left_out: How many are not: too many, or without a time.
        price_of: Returns a model's price on a day.
    """

    connection: "DuckDBPyConnection"
    first: str
    start: datetime | None
    end: datetime | None
    requests: int
    left_out: int
    price_of: PriceOf
    numbers: "count[int]" = field(default_factory=lambda: count(1), repr=False)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        return self.connection.execute(sql, list(parameters)).fetchall()

    def derive(self, state: str, changes: Mapping[str, str], joins: str = "") -> str:
        """Return a new state: another one with some of the fields replaced.

        Args:
            state: The state before, as ``s`` in the expressions; its log line is ``l``.
            changes: Field to an SQL expression; ``certain`` among them.
            joins: Further joins for those expressions.
        """
        name = f"whatif_state_{next(self.numbers)}"
        fields = ", ".join(f"{changes.get(f, 's.' + f)} AS {f}" for f in (*FIELDS, "certain"))
        self.connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT s.n, {fields} "
            f"FROM {state} s JOIN whatif_log l ON l.n = s.n {joins}"
        )
        return name

    def listed(self, ref: str) -> str:
        """Return a model's name in the price table; its name in the log where it is not there."""
        on = self.end.date() if self.end is not None else None
        price = self.price_of(ref, on) if on is not None else None
        return ref if price is None else price_table.named(price.ref)

    def drop(self, state: str) -> None:
        """Forget a state; the first one is kept."""
        if state != self.first:
            self.connection.execute(f"DROP TABLE {state}")


def open_replay(
    connection: "DuckDBPyConnection",
    *,
    price_of: PriceOf = list_price,
    most_requests: int = MOST_REQUESTS,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Replay:
    """Prepare the relation ``requests`` for levers.

    Args:
        connection: A database with it.
        price_of: Returns the price of a model on a day.
        most_requests: Replay the latest ones, at most this many.
        since: The first moment that counts, UTC; no limit where left out.
        until: The first moment that does not count any more.
    """
    connection.execute(_LOG, [since, until, most_requests])
    connection.execute(_FIRST)
    found = connection.execute(
        "SELECT min(moment), max(moment), count(*), (SELECT count(*) FROM requests) FROM whatif_log"
    ).fetchone()
    start, end, replayed, of = found or (None, None, 0, 0)
    pairs = connection.execute("SELECT DISTINCT ref, day FROM whatif_log WHERE ref IS NOT NULL")
    add_rates(connection, pairs.fetchall(), price_of)
    return Replay(
        connection, "whatif_state_0", start, end, int(replayed), int(of - replayed), price_of
    )


def cost(state: str, day: str = "l.day") -> str:
    """Return SQL for what the requests of a state cost: ``n`` and ``cost``, NULL where unknown."""
    return f"""SELECT s.*, CASE
        WHEN s.served THEN 0::HUGEINT
        WHEN s.read + s.write > s.input OR s.write_1h > s.write
            OR least(s.read, s.write, s.write_1h, s.output) < 0 THEN NULL
        ELSE r.fee::HUGEINT + (s.input - s.read - s.write)::HUGEINT * r.input
            + CASE WHEN s.read = 0 THEN 0 ELSE s.read::HUGEINT * r.read END
            + CASE WHEN s.write = s.write_1h THEN 0
                   WHEN s.surcharge IS NOT NULL
                   THEN (s.write - s.write_1h)::HUGEINT * r.input * s.surcharge // 100
                   ELSE (s.write - s.write_1h)::HUGEINT * r.write END
            + CASE WHEN s.write_1h = 0 THEN 0
                   ELSE s.write_1h::HUGEINT * coalesce(r.write_1h, r.write) END
            + CASE WHEN s.output = 0 THEN 0 ELSE s.output::HUGEINT * r.output END
        END AS cost
    FROM {state} s JOIN whatif_log l ON l.n = s.n
    LEFT JOIN whatif_rates r ON r.ref = s.ref AND r.day = {day} AND r.batch = s.batch
        AND s.input > r.above AND s.input <= r.upto"""


@dataclass(frozen=True)
class Change:
    """What differs between two states, in one feature on one day; money in 10^-15 USD."""

    feature: str | None
    day: date
    requests: int
    tokens: int
    saved: int
    certain: int
    unknown: int
    """Requests that differ, and of which it is not known what they cost."""


_TOKENS = """CASE
    WHEN a.served OR a.batch <> b.batch OR a.ref <> b.ref THEN b.input + b.output
    ELSE greatest(a.read - b.read, 0) + b.input - a.input + b.output - a.output END"""


def changes(replay: Replay, before: str, after: str) -> tuple[Change, ...]:
    """Return what a lever changes, by feature and day."""
    differs = " OR ".join(f"a.{name} IS DISTINCT FROM b.{name}" for name in FIELDS)
    found = replay.rows(
        f"""SELECT l.feature, l.day,
            count(*) FILTER (b.cost IS NOT NULL AND a.cost IS NOT NULL),
            coalesce(sum({_TOKENS}) FILTER (b.cost IS NOT NULL AND a.cost IS NOT NULL), 0),
            coalesce(sum(b.cost - a.cost), 0),
            coalesce(sum(b.cost - a.cost) FILTER (a.certain), 0),
            count(*) FILTER (b.cost IS NULL OR a.cost IS NULL)
        FROM ({cost(before)}) b JOIN ({cost(after)}) a ON a.n = b.n
        JOIN whatif_log l ON l.n = b.n
        WHERE {differs} GROUP BY ALL ORDER BY ALL"""
    )
    return tuple(Change(row[0], row[1], *(int(value) for value in row[2:])) for row in found)
