"""What the answer store holds: counted, written out, cleared; and why a request is not in it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ..core.types import Answer, Request
from .journal import Lost, lost_requests
from .keys import request_key
from .records import summarise
from .store import FILE_NAME, AnswerStore

_MISSING = object()


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The answers of one target and model; times are ISO 8601, UTC."""

    target: str
    model: str
    answers: int
    oldest: str
    newest: str


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What a store holds.

    Attributes:
        path: The file.
        size: Bytes of the file.
        holdings: By target and model.
        set_aside: Damaged rows that were taken out.
        damaged_files: Names of whole files that were set aside beside it.
        lost: Requests that may have been paid for and whose answer never arrived.
    """

    path: Path
    size: int
    holdings: tuple[Holding, ...]
    set_aside: int
    damaged_files: tuple[str, ...]
    lost: Lost

    @property
    def answers(self) -> int:
        """How many answers there are in all."""
        return sum(holding.answers for holding in self.holdings)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The first part in which a request differs from the nearest stored one."""

    part: str
    here: str
    stored: str


def take_inventory(store: AnswerStore) -> Inventory:
    """Count what is there."""

    def count(connection: sqlite3.Connection) -> tuple[list[Any], int]:
        groups = connection.execute(
            "SELECT target, model, count(*), min(created), max(created) FROM answers "
            "GROUP BY target, model ORDER BY target, model"
        ).fetchall()
        return groups, connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]

    groups, set_aside = store.database.read(count)
    return Inventory(
        path=store.path,
        size=store.path.stat().st_size,
        holdings=tuple(
            Holding(target=target, model=model, answers=number, oldest=oldest, newest=newest)
            for target, model, number, oldest, newest in groups
        ),
        set_aside=set_aside,
        damaged_files=tuple(
            sorted(path.name for path in store.folder.glob(f"{store.path.name}.corrupt-*"))
        ),
        lost=store.database.read(lost_requests),
    )


def export(store: AnswerStore) -> Iterator[dict[str, Any]]:
    """Yield every answer with its key, target and request's summary, oldest first."""
    last = 0
    while True:
        rows = store.database.read(lambda found, after=last: _page(found, after))
        if not rows:
            return
        last = rows[-1][0]
        for _, key, created, target, model, request, answer in rows:
            yield {
                "key": key,
                "created": created,
                "target": target,
                "model": model,
                "request": json.loads(request),
                "answer": json.loads(answer),
            }


def _page(connection: sqlite3.Connection, after: int) -> list[Any]:
    return connection.execute(
        "SELECT rowid, key, created, target, model, request, answer FROM answers "
        "WHERE rowid > ? ORDER BY rowid LIMIT 500",
        (after,),
    ).fetchall()


def clear(store: AnswerStore, *, target: str | None, older_than_days: int | None) -> int:
    """Remove answers, and return how many; those of one target, or those older than some days.

    What may have been paid for and never arrived stays written down.
    """
    conditions: list[str] = []
    values: list[str] = []
    if target is not None:
        conditions.append("target = ?")
        values.append(target)
    if older_than_days is not None:
        conditions.append("created < ?")
        values.append((datetime.now(UTC) - timedelta(days=older_than_days)).isoformat())
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def remove(connection: sqlite3.Connection) -> int:
        return connection.execute(f"DELETE FROM answers{where}", values).rowcount  # noqa: S608

    removed = store.database.write(remove)
    if removed:
        store.database.shrink()
    return removed


def summaries(store: AnswerStore, target: str) -> tuple[Mapping[str, Any], ...]:
    """Return the summaries of a target's stored requests."""

    def read(connection: sqlite3.Connection) -> list[Any]:
        return connection.execute(
            "SELECT request FROM answers WHERE target = ?", (target,)
        ).fetchall()

    return tuple(json.loads(request) for (request,) in store.database.read(read))


def identities(store: AnswerStore, target: str, model: str) -> tuple[Mapping[str, Any], ...]:
    """Return as whom answers of a model are stored, those asked as ``target`` first.

    Answers are shared by all targets that are the same model at the same address, whatever they
    are called.
    """

    def read(connection: sqlite3.Connection) -> list[Any]:
        return connection.execute(
            "SELECT CASE WHEN json_valid(request) THEN json_extract(request, '$.target') END, "
            "max(target = ?) FROM answers GROUP BY 1 ORDER BY 2 DESC, 1",
            (target,),
        ).fetchall()

    found = (json.loads(one) for one, _ in store.database.read(read) if one is not None)
    return tuple(one for one in found if isinstance(one, dict) and one.get("model") == model)


def stored_answers(
    folder: Path, target: str, model: str, requests: Mapping[str, Request]
) -> dict[str, Answer]:
    """Return the stored answers of a model to requests, by the requests' keys here; asks nobody.

    Args:
        folder: Where the store lies; where there is none there are no answers.
        target: As what the model was asked; its own answers go first.
        model: The model's own name.
        requests: What is looked up.

    Raises:
        CostoptError: the store cannot be read.
    """
    if not (folder / FILE_NAME).is_file():
        return {}
    store = AnswerStore(folder)
    try:
        known = identities(store, target, model)
        return {
            key: answer
            for key, request in requests.items()
            if (answer := _first(store, known, request)) is not None
        }
    finally:
        store.close()


def _first(
    store: AnswerStore, known: Iterable[Mapping[str, Any]], request: Request
) -> Answer | None:
    answers = (store.get(request_key(identity, request)) for identity in known)
    return next((answer for answer in answers if answer is not None), None)


def is_stored(store: AnswerStore, identity: Mapping[str, Any], request: Request) -> bool:
    """Say whether a request's answer is there."""
    return store.get(request_key(identity, request)) is not None


def explain(
    stored: Iterable[Mapping[str, Any]], identity: Mapping[str, Any], request: Request
) -> Difference | None:
    """Return in what a request that is not stored differs from the nearest one that is.

    ``None`` where nothing comparable is stored.
    """
    wanted = _flat(summarise(request, identity))
    # A store of an earlier costopt did not note the parts of a request.
    candidates = [_flat(summary) for summary in stored if "temperature" in summary]
    if not candidates:
        return None
    nearest = max(candidates, key=lambda other: _alike(wanted, other))
    for part in sorted({**wanted, **nearest}, key=_rank):
        here, there = wanted.get(part, _MISSING), nearest.get(part, _MISSING)
        if here != there and part != "characters":
            return Difference(part=part, here=_shown(here), stored=_shown(there))
    return None


def _flat(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return parts by name: those of the target and each message on their own."""
    found: dict[str, Any] = {}
    for key, value in summary.items():
        if key == "target":
            found.update({f"target.{name}": part for name, part in value.items()})
        elif key == "messages":
            found["number of messages"] = len(value)
            for number, (role, digest) in enumerate(value, start=1):
                found[f"role of message {number}"] = role
                found[f"text of message {number}"] = digest
        else:
            found[key] = value
    return found


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[int, int]:
    """Rate likeness: texts first, since a request with the same text is meant to be the same."""
    same = [key for key in one if key in other and one[key] == other[key]]
    return sum(key.startswith("text of") for key in same), len(same)


def _rank(part: str) -> tuple[int, str]:
    order = ("mode", "target", "number of messages", "role of", "text of", "continuation")
    return next((i for i, start in enumerate(order) if part.startswith(start)), len(order)), part


def _shown(value: object) -> str:
    return "nothing" if value is _MISSING else json.dumps(value)
