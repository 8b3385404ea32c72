"""Where an anomaly began: its first request, and the revision of the prompt, if it is a new one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .prompt_history import MARK

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The first request of an anomaly.

    Attributes:
        request_id: Its id; ``None`` where the log has none.
        at: When it was, UTC.
        source: The log file.
        line: Its line there.
        model: Who was asked.
        prompt: The template, where the log names one.
        revision: The template's revision, where that is new: first seen when it began, and that of
            most of its requests. One by commit time may have been committed up to a day before.
            ``None``: no new revision came with it.
    """

    request_id: str | None
    at: datetime
    source: str | None
    line: int | None
    model: str | None
    prompt: str | None
    revision: str | None


_WHERE = {
    "more errors": "error IS NOT NULL",
    "more retries": "retry",
    "fewer cache hits": "error IS NULL AND coalesce(cache_read_tokens, 0) = 0",
}

# What had not been seen before it began, and makes up most of it. What is committed is deployed
# later: a revision by commit time may be a day old, where the log reaches back further than that.
_NO_EARLIER = "INTERVAL 0 HOUR"
_LOG_FIRST = '(SELECT min("at") FROM {relation} WHERE feature IS NOT DISTINCT FROM $feature)'
_COMMITTED = f"""CASE WHEN starts_with(revision, '{MARK}')
    AND min("at") > INTERVAL 24 HOUR + {_LOG_FIRST}
    THEN INTERVAL 24 HOUR ELSE {_NO_EARLIER} END"""
_NEW = """SELECT {column} FROM {relation}
WHERE feature IS NOT DISTINCT FROM $feature AND "at" < $until AND {column} IS NOT NULL
GROUP BY {column}
HAVING min("at") >= $since - {earlier} AND min("at") > {first}
AND 2 * count(*) FILTER ("at" >= $start) > (
    SELECT count(*) FROM {relation}
    WHERE feature IS NOT DISTINCT FROM $feature AND "at" >= $start AND "at" < $until)
ORDER BY count(*) DESC, {column} LIMIT 1"""


_COLUMNS = (
    'feature, "at", revision, model, prompt, request_id, source, line, error, retry, '
    "cache_read_tokens"
)
_FEW = 10
_MOST_KEPT = 5_000_000


def origins_relation(connection: "DuckDBPyConnection", many: int) -> str:
    """Return the relation to look for so many origins in: all are looked for in all requests.

    Args:
        connection: A database with the relation ``requests``.
        many: How many anomalies there are.
    """
    if many <= _FEW:
        return "requests"
    count = connection.execute("SELECT count(*) FROM requests").fetchone()
    if count is None or count[0] > _MOST_KEPT:
        return "requests"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE origin_requests AS SELECT {_COLUMNS} FROM requests "
        'WHERE "at" IS NOT NULL ORDER BY feature, "at"'
    )
    return "origin_requests"


def find_origin(
    connection: "DuckDBPyConnection",
    feature: str | None,
    cause: str,
    start: datetime,
    end: datetime,
    bucket: timedelta,
    relation: str = "requests",
) -> Origin | None:
    """Return where an anomaly began.

    With a new revision of the prompt, or a new model where that is the cause, it is the first
    request that has it; else the first one of its kind in the first abnormal hour or day.

    Args:
        connection: A database with the relation ``requests``.
        feature: The feature.
        cause: What moved.
        start: When the first abnormal bucket begins.
        end: When the last one ends.
        bucket: How long a bucket is.
        relation: Where to look; see `origins_relation`.
    """
    times = {"feature": feature, "start": start, "until": end, "since": start - bucket}
    revision = _first(connection, _new("revision", _COMMITTED, relation), times)
    where, more = _WHERE.get(cause, "true"), dict[str, Any]()
    since = start
    if revision is not None:
        where, more = "revision = $value", {"value": revision[0]}
        since = start if str(revision[0]).startswith(MARK) else start - bucket
    elif cause == "dearer model":
        model = _first(connection, _new("model", _NO_EARLIER, relation), times)
        if model is not None:
            where, more, since = "model = $value", {"value": model[0]}, start - bucket
    found = _first(
        connection,
        f"""SELECT request_id, "at", source, line, model, prompt FROM {relation}
        WHERE feature IS NOT DISTINCT FROM $feature AND "at" >= $since AND "at" < $until AND {where}
        ORDER BY "at", source, line LIMIT 1""",
        {"feature": feature, "since": since, "until": end, **more},
    )
    if found is None:
        return None
    return Origin(
        request_id=found[0],
        at=found[1],
        source=found[2],
        line=found[3],
        model=found[4],
        prompt=found[5],
        revision=None if revision is None else str(revision[0]),
    )


def _new(column: str, earlier: str, relation: str) -> str:
    sql = _NEW.replace("{earlier}", earlier).replace("{first}", _LOG_FIRST)
    return sql.format(column=column, relation=relation)


def _first(
    connection: "DuckDBPyConnection", sql: str, parameters: dict[str, Any]
) -> tuple[Any, ...] | None:
    return connection.execute(sql, parameters).fetchone()
