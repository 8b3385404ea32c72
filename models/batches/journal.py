"""What was sent in batches: on the disk before it is sent, so that no crash loses a batch.

One SQLite file beside the answers. A batch is written down before it leaves, with the most that
it can cost, and again once the provider has named it. No content and no key is in it: requests
are there as their keys, which are hashes.
"""

import os
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from ...core.errors import CostoptError, Where
from .base import Style

FILE_NAME = "batches.sqlite3"
OPEN = ("submitting", "submitted")
"""States of a batch whose results are still to come."""

_VERSION = 1
_BUSY_S = 60.0
_TABLES = """
CREATE TABLE batches (
  id TEXT PRIMARY KEY NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL,
  base_url TEXT NOT NULL, style TEXT NOT NULL, created TEXT NOT NULL, state TEXT NOT NULL,
  name TEXT, reference TEXT, message TEXT NOT NULL DEFAULT ''
);
CREATE TABLE requests (
  batch TEXT NOT NULL, key TEXT NOT NULL, summary TEXT NOT NULL, tokens INTEGER NOT NULL,
  worst TEXT NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL DEFAULT '', usd TEXT,
  PRIMARY KEY (batch, key)
);
CREATE UNIQUE INDEX waiting ON requests (key) WHERE state = 'waiting';
CREATE INDEX requests_key ON requests (key);
"""
_COLUMNS = (
    "id", "target", "model", "base_url", "style", "created", "state", "name", "reference",
    "message",
)  # fmt: skip
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A request of a batch.

    Attributes:
        key: The answer's key in the store, and its ``custom_id``.
        summary: JSON of what the store notes about the request; no content.
        tokens: The prompt's, by our own count, for a server that counts none.
        worst: The most that it can cost, in USD.
    """

    key: str
    summary: str
    tokens: int
    worst: Decimal


@dataclass(frozen=True)
class Settled:
    """What became of a request: its state, why, and what it cost in USD."""

    key: str
    state: str
    """``answered``, ``refused``, ``rejected``, ``failed``, ``expired`` or ``lost``."""
    message: str
    usd: Decimal


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch as it is written down.

    Attributes:
        id: Our own name for it, 12 hex digits.
        target: The target's name.
        model: The model's name.
        base_url: Where it was sent.
        style: Which API that is.
        created: ISO 8601, UTC.
        state: ``submitting``, ``submitted``, ``collected``, ``refused`` or ``lost``.
        name: The provider's name for it; ``None`` until it is known.
        reference: What tells it from others where the provider's answer was lost.
        message: Why it was refused or lost.
        counts: Requests by their state; those that wait are ``waiting``.
        worst: The most that what waits can cost, in USD.
        usd: What the others cost.
    """

    id: str
    target: str
    model: str
    base_url: str
    style: Style
    created: str
    state: str = "submitting"
    name: str | None = None
    reference: str | None = None
    message: str = ""
    counts: dict[str, int]
    worst: Decimal = Decimal(0)
    usd: Decimal = Decimal(0)

    @property
    def requests(self) -> int:
        """How many requests it holds."""
        return sum(self.counts.values())

    @property
    def is_open(self) -> bool:
        """Whether its results are still to come."""
        return self.state in OPEN


def new_batch(target: str, model: str, base_url: str, style: Style) -> Batch:
    """Return a batch that is about to be written down."""
    return Batch(
        id=secrets.token_hex(6),
        target=target,
        model=model,
        base_url=base_url,
        style=style,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        counts={},
    )


class BatchJournal:
    """The batches of one run folder; safe for many processes at once.

    Args:
        folder: Where the file lies; made with mode 0700 where it is missing.

    Raises:
        CostoptError: the folder or the file cannot be used, or a newer costopt made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise self._unusable(error.strerror or error) from error
        self._connection = sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)
        try:
            self._guarded(self._prepare)
        except BaseException:
            self._connection.close()
            raise

    def lock_path(self, batch: str) -> Path:
        """Return the file that whoever submits a batch holds locked."""
        return self.folder / f"batch-{batch}.lock"

    def claim(self, batch: Batch, rows: Sequence[Row]) -> set[str]:
        """Write a batch down, with those requests that wait in no other; return their keys.

        It is on the disk when this returns. Where all of them wait elsewhere, nothing is written.
        """

        def write() -> set[str]:
            taken = {
                row.key
                for row in rows
                if self._connection.execute(
                    "INSERT OR IGNORE INTO requests (batch, key, summary, tokens, worst, state) "
                    "VALUES (?, ?, ?, ?, ?, 'waiting')",
                    (batch.id, row.key, row.summary, row.tokens, str(row.worst)),
                ).rowcount
            }
            if taken:
                self._connection.execute(
                    "INSERT INTO batches (id, target, model, base_url, style, created, state) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (batch.id, batch.target, batch.model, batch.base_url, batch.style,
                     batch.created, batch.state),
                )  # fmt: skip
            return taken

        return self._write(write)

    def about_to(self, batch: str, reference: str) -> None:
        """Write down by what a batch can be found, before the call that can cost money."""
        self._update(batch, "reference = ?", reference)

    def submitted(self, batch: str, name: str) -> None:
        """Write down the provider's name for a batch."""
        self._update(batch, "state = 'submitted', name = ?", name)

    def end(self, batch: str, state: str, message: str = "") -> None:
        """Write down that a batch has come to its end."""
        self._update(batch, "state = ?, message = ?", state, message)

    def release(self, batch: str, message: str) -> None:
        """Write down that a batch was refused: its requests were not sent."""

        def write() -> None:
            self._connection.execute(
                "UPDATE requests SET state = 'unsent', usd = '0' "
                "WHERE batch = ? AND state = 'waiting'",
                (batch,),
            )
            self._connection.execute(
                "UPDATE batches SET state = 'refused', message = ? WHERE id = ?", (message, batch)
            )

        self._write(write)

    def settle(self, batch: str, outcomes: Iterable[Settled]) -> list[Settled]:
        """Write down what became of requests; return those that were not settled before."""

        def write() -> list[Settled]:
            return [
                found
                for found in outcomes
                if self._connection.execute(
                    "UPDATE requests SET state = ?, message = ?, usd = ? "
                    "WHERE batch = ? AND key = ? AND state = 'waiting'",
                    (found.state, found.message, str(found.usd), batch, found.key),
                ).rowcount
            ]

        return self._write(write)

    def batches(self, *, only_open: bool = False) -> list[Batch]:
        """Return the batches, the oldest first."""
        where = f"WHERE state IN {OPEN} ORDER BY created, id" if only_open else "ORDER BY created"
        return self._read(where)

    def batch(self, id: str) -> Batch:
        """Return the batch of this name.

        Raises:
            KeyError: there is none.
        """
        found = self._read("WHERE id = ?", id)
        if not found:
            raise KeyError(id)
        return found[0]

    def names(self) -> frozenset[str]:
        """Return the providers' names of all batches."""
        query = "SELECT name FROM batches WHERE name IS NOT NULL"
        found = self._guarded(lambda: self._connection.execute(query).fetchall())
        return frozenset(name for (name,) in found)

    def waiting(self, batch: str) -> dict[str, Row]:
        """Return the requests of a batch that have not been settled, by key."""
        query = (
            "SELECT key, summary, tokens, worst FROM requests WHERE batch = ? AND state = 'waiting'"
        )
        found = self._guarded(lambda: self._connection.execute(query, (batch,)).fetchall())
        return {
            key: Row(key=key, summary=summary, tokens=tokens, worst=Decimal(worst))
            for key, summary, tokens, worst in found
        }

    def keys(self, batch: str) -> set[str]:
        """Return the keys of all requests of a batch."""
        query = "SELECT key FROM requests WHERE batch = ?"
        found = self._guarded(lambda: self._connection.execute(query, (batch,)).fetchall())
        return {key for (key,) in found}

    def waiting_keys(self, keys: Collection[str]) -> set[str]:
        """Return those of ``keys`` that wait in a batch."""
        query = "SELECT 1 FROM requests WHERE key = ? AND state = 'waiting'"
        execute = self._connection.execute
        return self._guarded(lambda: {key for key in keys if execute(query, (key,)).fetchone()})

    def attempts(self, key: str) -> list[tuple[str, str]]:
        """Return state and message of each time that a request was sent and settled."""
        query = (
            "SELECT state, message FROM requests WHERE key = ? "
            "AND state NOT IN ('waiting', 'unsent') ORDER BY rowid"
        )
        return self._guarded(lambda: self._connection.execute(query, (key,)).fetchall())

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def _read(self, where: str, *values: str) -> list[Batch]:
        columns = ", ".join(_COLUMNS)
        query = f"SELECT {columns} FROM batches {where}"  # noqa: S608 - own words only
        found = self._guarded(lambda: self._connection.execute(query, values).fetchall())
        return [self._counted(dict(zip(_COLUMNS, row, strict=True))) for row in found]

    def _counted(self, values: dict[str, str]) -> Batch:
        query = "SELECT state, worst, usd FROM requests WHERE batch = ?"
        counts: dict[str, int] = {}
        worst = usd = Decimal(0)
        rows = self._guarded(lambda: self._connection.execute(query, (values["id"],)).fetchall())
        for state, most, paid in rows:
            counts[state] = counts.get(state, 0) + 1
            worst += Decimal(most) if state == "waiting" else 0
            usd += Decimal(paid or 0)
        return Batch(**values, counts=counts, worst=worst, usd=usd)  # type: ignore[arg-type]

    def _update(self, batch: str, what: str, *values: str) -> None:
        self._write(
            lambda: self._connection.execute(
                f"UPDATE batches SET {what} WHERE id = ?",  # noqa: S608 - own words only
                (*values, batch),
            )
        )

    def _write(self, action: Callable[[], _T]) -> _T:
        def transaction() -> _T:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = action()
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
            return result

        return self._guarded(transaction)

    def _guarded(self, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA mmap_size = 0")
        # A rollback journal, which every SQLite keeps safe; there are few writes.
        self._connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("BEGIN IMMEDIATE")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            what = f"a newer costopt made these batches (version {version}, known is {_VERSION})"
            hint = "update costopt, or give another folder with --run-dir"
            raise CostoptError(what, where=Where(str(self.path)), hint=hint)
        if version < _VERSION:
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        self._connection.execute("COMMIT")

    def _unusable(self, error: object) -> CostoptError:
        return CostoptError(
            f"the batches cannot be written down: {error}",
            where=Where(str(self.path)),
            hint="free the disk or the lock; a damaged file can be moved aside, and then what it "
            "held is sent, and paid, once more",
        )
