"""The answer store: what was paid for once is kept, through any crash.

One row an answer, as JSON with a checksum. An answer is committed to the disk before it is used.
What cannot be trusted is never given out: a damaged row is set aside.
"""

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.types import Answer
from .database import Database, connect, with_new_schema
from .records import Seal, fresh, from_json, summary_json, to_json

FILE_NAME = "answers.sqlite3"
SEAL_KEY = "COSTOPT_STORE_KEY"
"""The variable with the secret that rows are sealed with, where they must not come from others."""

_SELECT = "SELECT key, created, target, model, request, answer, checksum FROM answers"
_INSERT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)"
Row = tuple[str, str, str, str, str, str, str]
"""Key, when it was drawn, target, model, the request's summary, the answer, the checksum."""


class AnswerStore:
    """Answers by the key of their request; safe for many processes at once.

    Where the environment's COSTOPT_STORE_KEY is set, rows are sealed with it (HMAC-SHA256), and
    rows with another seal or none are as good as not there: whoever can write the file, such as a
    pull request that fills a shared cache, cannot plant an answer.

    Args:
        folder: Where the file lies; made with mode 0700 where it is missing.
        note: Told about what was damaged and what became of it.

    Raises:
        CostoptError: the folder or the file cannot be used, or a newer costopt made it.
    """

    def __init__(self, folder: Path, note: Callable[[str], None] | None = None) -> None:
        self.folder = folder
        self.path = folder / FILE_NAME
        self._note = note or (lambda text: None)
        self._seal = Seal(os.environ.get(SEAL_KEY, "").encode())
        self.database = Database(self.path, self._salvaged, self._note)

    def get(self, key: str) -> Answer | None:
        """Return the answer stored under ``key``, marked as cached, or ``None``."""
        row = self.database.read(lambda connection: _select(connection, key))
        if row is None or not self._seal.ours(row[-1]):
            return None
        answer = self._read(row)
        if answer is None:
            self.database.write(lambda connection: _quarantine(connection, key, row))
            self._note("a stored answer was damaged; it is set aside and asked for again")
            self.database.mend()
            return None
        return fresh(answer)

    def put(
        self, key: str, summary: Mapping[str, Any], answer: Answer, *, target: str = ""
    ) -> None:
        """Store an answer; it is on the disk when this returns.

        Args:
            key: From `keys.request_key`.
            summary: A few words on the request (`records.summarise`); no secret.
            answer: A real answer; another one under the same key is replaced.
            target: The target's name.
        """
        self.put_all([self.row(key, summary, answer, target=target)])

    def put_all(self, rows: Sequence[Row]) -> None:
        """Store answers (see `row`) in one transaction; they are on the disk when this returns."""
        self.database.write(lambda connection: connection.executemany(_INSERT, rows))

    def row(self, key: str, summary: Mapping[str, Any], answer: Answer, *, target: str) -> Row:
        """Return an answer as the row that `insert` writes."""
        parts = (key, answer.created, target, answer.model, summary_json(summary), to_json(answer))
        return (*parts, self._seal.checksum(*parts))

    def close(self) -> None:
        """Give the file back."""
        self.database.close()

    def __len__(self) -> int:
        """Return how many answers there are."""
        statement = "SELECT count(*) FROM answers"
        return self.database.read(lambda found: int(found.execute(statement).fetchone()[0]))

    def _read(self, row: Row) -> Answer | None:
        """Return a row's answer; ``None`` where the row is not what was written."""
        if not all(isinstance(part, str) for part in row):
            return None
        try:
            if self._seal.checksum(*row[:-1]) != row[-1]:
                return None
            return from_json(row[5])
        except ValueError:
            return None

    def _good_rows(self, path: Path) -> dict[str, Row]:
        """Read from both ends until that fails."""
        found: dict[str, Row] = {}
        for order in ("ASC", "DESC"):
            # A column whose name is no text any more is not an error of SQLite's.
            with suppress(sqlite3.Error, UnicodeDecodeError):
                connection = connect(path)
                try:
                    # So that SQLite reads on where another table's entry in the schema is broken.
                    connection.execute("PRAGMA writable_schema = ON")
                    for row in connection.execute(f"{_SELECT} NOT INDEXED ORDER BY rowid {order}"):
                        # Who cannot check another's seal does not throw its rows away either.
                        foreign = _storable(row) and not self._seal.ours(row[-1])
                        if foreign or self._read(row) is not None:
                            found[row[0]] = row
                finally:
                    connection.close()
        return found

    def _salvaged(self, path: Path) -> Callable[[sqlite3.Connection], int]:
        """Read the good rows of a damaged file; where there is no way in, by another schema."""
        found = self._good_rows(path)
        if not found:
            with suppress(OSError), with_new_schema(path) as copy:
                found = self._good_rows(copy)

        def carry_over(connection: sqlite3.Connection) -> int:
            connection.executemany(_INSERT, list(found.values()))
            return len(found)

        return carry_over


def insert(connection: sqlite3.Connection, row: Row) -> None:
    """Write a row; part of a transaction."""
    connection.execute(_INSERT, row)


def _select(connection: sqlite3.Connection, key: str) -> Row | None:
    row: Row | None = connection.execute(f"{_SELECT} WHERE key = ?", (key,)).fetchone()
    return row


def _storable(row: Row) -> bool:
    """Say whether a row of a damaged file can be written into another at all."""
    try:
        "".join(row).encode()
    except (TypeError, UnicodeEncodeError):
        return False
    return True


def _quarantine(connection: sqlite3.Connection, key: str, row: Row) -> None:
    # By the key that was asked for: the row's own may be what is damaged, and no text any more.
    connection.execute(
        "INSERT INTO quarantine (key, found, row) VALUES (?, ?, ?)",
        (key, datetime.now(UTC).isoformat(timespec="seconds"), repr(row)),
    )
    connection.execute("DELETE FROM answers WHERE key = ?", (key,))
