"""The file that answers are kept in: opened for many processes, mended where it is damaged.

One SQLite file. What cannot be trusted is set aside, never deleted: a damaged file is moved to
another name, and the rows that are still good are carried over into a new one.
"""

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from ..core.errors import CostoptError, Where
from .locks import file_lock

_VERSION = 2
_BUSY_S = 60.0
# Before it, a WAL checkpoint that races a write can lose data (sqlite.org/wal.html, "WAL-reset").
_SAFE_WAL = (3, 51, 3)
# Each step leads from its version to the next; a store of any earlier costopt comes up to date.
_STEPS = (
    """
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY NOT NULL, created TEXT NOT NULL, target TEXT NOT NULL, model TEXT NOT NULL,
  request TEXT NOT NULL, answer TEXT NOT NULL, checksum TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS quarantine (
  key TEXT NOT NULL, found TEXT NOT NULL, row TEXT NOT NULL
);
""",
    """
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY NOT NULL, started TEXT NOT NULL, ended TEXT, purse TEXT NOT NULL,
  reserved INTEGER NOT NULL DEFAULT 0, spent INTEGER NOT NULL DEFAULT 0,
  requests INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS sent (
  id INTEGER PRIMARY KEY, run TEXT NOT NULL, key TEXT NOT NULL, target TEXT NOT NULL,
  sent TEXT NOT NULL, worst INTEGER NOT NULL, state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_run ON sent (run);
""",
)
_JOURNAL = "persist"
"""As safe as deleting the journal at each commit, which takes many times as long."""
_JOURNAL_BYTES = 4 * 1024 * 1024
_PAGE_BYTES = 4096
_VALID_FOR = 92
"""The byte of the header that says for which version of the file the rest of it is right."""
_T = TypeVar("_T")


class Database:
    """One SQLite file, safe for many threads and processes at once.

    Args:
        path: The file; its folder is made with mode 0700 where it is missing.
        salvage: Reads out of a damaged file's connection what is to be carried over, and returns
            what writes it into the new one and says how many rows that is.
        note: Told about what was damaged and what became of it.

    Raises:
        CostoptError: the folder or the file cannot be used, or a newer costopt made it.
    """

    def __init__(
        self,
        path: Path,
        salvage: Callable[[Path], Callable[[sqlite3.Connection], int]],
        note: Callable[[str], None],
    ) -> None:
        self.path = path
        self._salvage = salvage
        self._note = note
        self._lock = threading.RLock()
        self._closed = False
        self._opened: int | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = self._open()
        except OSError as error:
            what = f"the answers cannot be stored: {error.strerror or error}"
            raise CostoptError(
                what, where=Where(str(path.parent)), hint="give another folder with --run-dir"
            ) from error

    def read(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run what only reads."""
        with self._lock:
            return self._guarded(lambda: action(self._connection))

    def write(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run what writes as one transaction; it is on the disk when this returns.

        No other process writes in the meantime. Where the file is found damaged, the transaction
        is undone and ``action`` is run a second time, in the mended file.

        Raises:
            CostoptError: the disk is full, or the file cannot be written.
        """
        with self._lock:
            return self._guarded(lambda: self._transaction(action))

    def mend(self) -> None:
        """Begin a new file where not only a row but the structure around it is damaged."""
        with self._lock:
            try:
                found = self._connection.execute("PRAGMA integrity_check(1)").fetchall()
            except sqlite3.DatabaseError:
                found = []
            if found != [("ok",)]:
                self._replace_file()

    def shrink(self) -> None:
        """Give the room of removed rows back to the disk."""
        with self._lock:
            self._guarded(lambda: self._connection.execute("VACUUM"))
            self._guarded(self._drop_journal)

    def _drop_journal(self) -> None:
        """Remove the journal, which may still hold what was removed from the file."""
        mode = self._connection.execute("PRAGMA journal_mode").fetchone()[0]
        if mode == _JOURNAL:
            self._connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            self._connection.execute(f"PRAGMA journal_mode = {_JOURNAL}").fetchone()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def starting(self) -> AbstractContextManager[None]:
        """Return the lock under which files are made and mended, and runs begin and end."""
        return file_lock(self.path.with_suffix(".lock"))

    # -- one action ------------------------------------------------------------------------

    def _transaction(self, action: Callable[[sqlite3.Connection], _T]) -> _T:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = action(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise
        return result

    def _guarded(self, action: Callable[[], _T]) -> _T:
        """Run ``action``; where the file is found damaged, mend it and run it again."""
        if self._closed:
            raise ValueError("the store is closed")
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not _damaged(error):
                raise self._unusable(error) from error
        except sqlite3.DatabaseError:
            self._guarded(self._drop_journal)
        self._replace_file()
        try:
            return action()
        except sqlite3.DatabaseError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> CostoptError:
        hint = "free the disk or the lock, or give another folder with --run-dir"
        what = f"the answers cannot be stored: {error}"
        return CostoptError(what, where=Where(str(self.path)), hint=hint)

    # -- the file --------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        with self.starting():
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
        with self.starting():
            # Another process may have mended it in the meantime: then it is another file.
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
        carry_over = self._salvage(aside)
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            kept = carry_over(connection)
        self._note(
            f"the stored answers were damaged; {kept} could be kept, the old file is {aside.name}"
        )
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self.path)
        self._opened = _inode(self.path)
        try:
            self._prepare(connection)
        except UnicodeDecodeError as error:  # A table's column has a name that is no text.
            connection.close()
            raise sqlite3.DatabaseError("the file is damaged") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        wal = sqlite3.sqlite_version_info >= _SAFE_WAL
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute(f"PRAGMA journal_mode = {'wal' if wal else _JOURNAL}").fetchone()
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            what = f"a newer costopt made this store (version {version}, this one knows {_VERSION})"
            hint = "update costopt, or give another folder with --run-dir"
            raise CostoptError(what, where=Where(str(self.path)), hint=hint)
        if version < _VERSION:
            steps = "".join(_STEPS[version:])
            connection.executescript(f"BEGIN; {steps} PRAGMA user_version = {_VERSION}; COMMIT;")
        # A damaged index hides rows without a word.
        if connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the file is damaged")
        for table in ("answers", "runs", "sent"):
            connection.execute(f"SELECT * FROM {table} LIMIT 1").fetchone()  # noqa: S608


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that never stumbles over the text it reads."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, check_same_thread=False, isolation_level=None
    )
    # A damaged byte must end in a checksum that is wrong, not in an error on the way to it.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    return connection


@contextmanager
def with_new_schema(path: Path) -> Generator[Path]:
    """Give a copy of a damaged file whose first page, the schema, is that of a new file.

    The first table that a file was given begins on its second page, so it can be read through any
    such schema, whatever became of its own.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="mending-") as folder:
        copy, model = Path(folder) / "copy", Path(folder) / "model"
        shutil.copyfile(path, copy)
        connection = connect(model)
        connection.executescript("".join(_STEPS))
        connection.close()
        page = bytearray(model.read_bytes()[:_PAGE_BYTES])
        page[_VALID_FOR] ^= 0xFF  # So that the number of pages is read off the file's length.
        with copy.open("r+b") as file:
            file.write(page)
        yield copy


def _inode(path: Path) -> int | None:
    """Return what tells a file from another one of the same name."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _damaged(error: sqlite3.OperationalError) -> bool:
    """Say whether the file itself is at fault: its schema, which SQLite reports this way."""
    code = getattr(error, "sqlite_errorcode", None)
    return code in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
