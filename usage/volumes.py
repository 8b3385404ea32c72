"""How often each prompt is called, how much of that a cache knows, and how long answers are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..core.types import PromptTemplate
from .attribution import UNBILLED
from .revisions import names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class Volume:
    """The requests of one prompt in a period.

    Attributes:
        requests: Those that have a time, without failed ones that cost nothing known.
        succeeded: Those of them that did not fail.
        cache_known: Those that succeeded and of which the log says what a cache gave.
        hits: Those of them that a cache gave something.
        cached: Whether anything was read from a cache or written to one.
        answers: Those that succeeded and whose output tokens are known.
        output_mean: The mean of these; ``None`` without any.
        models: How many models were asked.
        revisions: How many revisions of the prompt they were made with, as far as that is known.
    """

    requests: int = 0
    succeeded: int = 0
    cache_known: int = 0
    hits: int = 0
    cached: bool = False
    answers: int = 0
    output_mean: float | None = None
    models: int = 0
    revisions: int = 0


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """What was measured in a period of the log.

    Attributes:
        first: When the period begins, UTC; ``None`` where no request has a time.
        last: When it ends.
        of: Each prompt's requests, by its file and its place in that.
        others: Requests of the period that are of no such prompt.
    """

    first: datetime | None
    last: datetime | None
    of: Mapping[tuple[str, int], Volume]
    others: int = 0

    @property
    def length(self) -> timedelta:
        """How long the period is."""
        return self.last - self.first if self.first and self.last else timedelta()


def volumes(
    connection: "DuckDBPyConnection",
    templates: "Sequence[PromptTemplate]",
    first: datetime | None,
    last: datetime | None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Volumes:
    """Return how much each prompt is called, by the relation ``requests``.

    Args:
        connection: A database with the relation.
        templates: The prompts; what a log calls by the name of several is of none.
        first: The time of the log's first request.
        last: That of its last one.
        since: The first moment that counts.
        until: The first moment that does not count any more.
    """
    start = max((time for time in (since, first) if time is not None), default=None)
    end = min((time for time in (until, last) if time is not None), default=None)
    if start is None or end is None or end <= start:
        return Volumes(first=None, last=None, of={})
    known = {name: one for name, one in names_of(templates).items() if one is not None}
    keys = {name: (one.source.path, one.source.index) for name, one in known.items()}
    found, others = _measured(connection, keys, start, end, before=until == end)
    return Volumes(first=start, last=end, of=found, others=others)


def _measured(
    connection: "DuckDBPyConnection",
    keys: Mapping[str, tuple[str, int]],
    start: datetime,
    end: datetime,
    *,
    before: bool,
) -> tuple[dict[tuple[str, int], Volume], int]:
    """Return each prompt's requests, and how many are of none."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE called(name VARCHAR, path VARCHAR, place INTEGER)"
    )
    for name, key in keys.items():
        connection.execute("INSERT INTO called VALUES (?, ?, ?)", [name, *key])
    rows = connection.execute(
        f"""SELECT path, place, count(*), {_counts()},
            bool_or(coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0) > 0),
            avg(output_tokens) FILTER (error IS NULL), count(DISTINCT model),
            count(DISTINCT revision)
        FROM requests LEFT JOIN called ON requests.prompt = called.name
        WHERE "at" >= ? AND "at" {"<" if before else "<="} ? AND NOT ({UNBILLED})
        GROUP BY path, place""",
        [start, end],
    ).fetchall()
    others = sum(row[2] for row in rows if row[0] is None)
    return {(row[0], row[1]): _volume(row) for row in rows if row[0] is not None}, others


def _counts() -> str:
    tests = ("", " AND cache_read_tokens IS NOT NULL", " AND cache_read_tokens > 0",
             " AND output_tokens IS NOT NULL")  # fmt: skip
    return ", ".join(f"count(*) FILTER (error IS NULL{test})" for test in tests)


def _volume(row: tuple[Any, ...]) -> Volume:
    return Volume(
        requests=row[2],
        succeeded=row[3],
        cache_known=row[4],
        hits=row[5],
        answers=row[6],
        cached=bool(row[7]),
        output_mean=row[8],
        models=row[9],
        revisions=row[10],
    )
