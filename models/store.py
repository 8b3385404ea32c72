"""The answer store: what was paid for once is kept, through any crash.

One SQLite file with one row an answer, as JSON with a checksum. An answer is committed to the
disk before it is used. What cannot be trusted is never given out: a damaged row is set aside, and
so is a damaged file, after the rows that are still good were carried over.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import CostoptError, Where
from ..core.types import Answer
from .locks import file_lock
from .records import checksum, fresh, from_json, summary_json, to_json

FILE_NAME = "answers.sqlite3"
_VERSION = 1
_BUSY_S = 60.0
# Before it, a WAL checkpoint that races a write can lose data (sqlite.org/wal.html, "WAL-reset").
_SAFE_WAL = (3, 51, 3)
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY NOT NULL, created TEXT NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL,
  request TEXT NOT NULL, answer TEXT NOT NULL, checksum TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS quarantine (
  key TEXT NOT NULL, found TEXT NOT NULL, row TEXT NOT NULL
);
"""
_SELECT = "SELECT key, created, target, model, request, answer, checksum FROM answers"
_INSERT = "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)"
_T = TypeVar("_T")
_Row = tuple[str, str, str, str, str, str, str]


class AnswerStore:
    """Answers by the key of their request; safe for many processes at once.

    Args:
        folder: Where the file lies; made with mode 0700 where it is missing.
        note: Told about what was damaged and what became of it.

    Raises:
        CostoptError: the folder or the file cannot be used, or a newer costopt made it.
    """

    def __init__(self, folder: Path, note: Callable[[str], None] | None = None) -> None:
        self.path = folder / FILE_NAME
        self._note = note or (lambda text: None)
        self._lock = threading.RLock()
        self._closed = False
        self._opened: int | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = self._open()
        except OSError as error:
            what = f"the answers cannot be stored: {error.strerror or error}"
            raise CostoptError(
                what, where=Where(str(folder)), hint="give another folder with --run-dir"
            ) from error

    def get(self, key: str) -> Answer | None:
        """Return the answer stored under ``key``, marked as cached, or ``None``."""
        with self._lock:
            row = self._guarded(lambda: self._select(key))
            if row is None:
                return None
            answer = _read(row)
            if answer is None:
                self._guarded(lambda: self._quarantine(row))
                self._note("a stored answer was damaged; it is set aside and asked for again")
                self._rebuild_if_damaged()
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
        parts = (key, answer.created, target, answer.model, summary_json(summary), to_json(answer))
        row = (*parts, checksum(*parts))
        with self._lock:
            self._guarded(lambda: self._insert(row))

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def __len__(self) -> int:
        """Return how many answers there are."""
        with self._lock:
            statement = "SELECT count(*) FROM answers"
            return self._guarded(lambda: int(self._connection.execute(statement).fetchone()[0]))

    # -- one statement each ----------------------------------------------------------------

    def _select(self, key: str) -> _Row | None:
        found = self._connection.execute(f"{_SELECT} WHERE key = ?", (key,))
        row: _Row | None = found.fetchone()
        return row

    def _insert(self, row: _Row) -> None:
        with self._connection:
            self._connection.execute(_INSERT, row)

    def _quarantine(self, row: _Row) -> None:
        with self._connection:
            self._connection.execute(
                "INSERT INTO quarantine (key, found, row) VALUES (?, ?, ?)",
                (row[0], _now(), repr(row)),
            )
            self._connection.execute("DELETE FROM answers WHERE key = ?", (row[0],))

    def _rebuild_if_damaged(self) -> None:
        """Begin a new file where not only a row but the structure around it is damaged."""
        try:
            found = self._connection.execute("PRAGMA integrity_check(1)").fetchall()
        except sqlite3.DatabaseError:
            found = []
        if found != [("ok",)]:
            self._replace_file()

    # -- the file --------------------------------------------------------------------------

    def _guarded(self, action: Callable[[], _T]) -> _T:
        """Run ``action``; where the file is found damaged, repair it and run it again."""
        if self._closed:
            raise ValueError("the store is closed")
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not _damaged(error):
                raise self._unusable(error) from error
        except sqlite3.DatabaseError:
            pass
        self._replace_file()
        try:
            return action()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> CostoptError:
        hint = "free the disk or the lock, or give another folder with --run-dir"
        what = f"the answers cannot be stored: {error}"
        return CostoptError(what, where=Where(str(self.path)), hint=hint)

    def _open(self) -> sqlite3.Connection:
        with file_lock(self.path.with_suffix(".lock")):
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            try:
                return self._connect()
            except sqlite3.OperationalError as error:
                if not _damaged(error):
                    raise self._unusable(error) from error
            except sqlite3.DatabaseError:
                pass
            return self._begin_anew()

    def _replace_file(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()
        with file_lock(self.path.with_suffix(".lock")):
            # Another process may have repaired it in the meantime: then it is another file.
            if _inode(self.path) != self._opened:
                with suppress(sqlite3.Error):
                    self._connection = self._connect()
                    return
            self._connection = self._begin_anew()

    def _begin_anew(self) -> sqlite3.Connection:
        """Move the damaged file aside and begin a new one with the rows that are still good."""
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self.path.with_name(f"{self.path.name}.corrupt-{stamp}")
        self.path.replace(aside)
        for suffix in ("-journal", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                Path(f"{self.path}{suffix}").replace(f"{aside}{suffix}")
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = self._connect()
        rows = _salvage(aside)
        with connection:
            connection.executemany(_INSERT, rows)
        self._note(
            f"the stored answers were damaged; {len(rows)} could be kept, the old file is "
            f"{aside.name}"
        )
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = _connection(self.path)
        self._opened = _inode(self.path)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        wal = sqlite3.sqlite_version_info >= _SAFE_WAL
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            what = f"a newer costopt made this store (version {version}, this one knows {_VERSION})"
            hint = "update costopt, or give another folder with --run-dir"
            raise CostoptError(what, where=Where(str(self.path)), hint=hint)
        if version < _VERSION:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        connection.execute(f"{_SELECT} LIMIT 1").fetchone()


def _inode(path: Path) -> int | None:
    """Return what tells a file from another one of the same name."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _connection(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, check_same_thread=False)
    # A damaged byte must end in a checksum that is wrong, not in an error on the way to it.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    return connection


def _damaged(error: sqlite3.OperationalError) -> bool:
    """Say whether the file itself is at fault: its schema, which SQLite reports this way."""
    code = getattr(error, "sqlite_errorcode", None)
    return code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _read(row: _Row) -> Answer | None:
    """Return a row's answer; ``None`` where the row is not what was written."""
    if not all(isinstance(part, str) for part in row):
        return None
    try:
        if checksum(*row[:-1]) != row[-1]:
            return None
        return from_json(row[5])
    except ValueError:
        return None


def _salvage(path: Path) -> list[_Row]:
    """Return the good rows of a damaged file, read from both ends until they fail."""
    found: dict[str, _Row] = {}
    for order in ("ASC", "DESC"):
        with suppress(sqlite3.Error):
            connection = _connection(path)
            try:
                for row in connection.execute(f"{_SELECT} NOT INDEXED ORDER BY rowid {order}"):
                    if _read(row) is not None:
                        found[row[0]] = row
            finally:
                connection.close()
    return list(found.values())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
