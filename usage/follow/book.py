"""The file of a ledger: made once, never overwritten, and held by one process at a time."""

import os
import re
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import CostoptError, Where
from .. import quoting
from ..ledger import COLUMNS
from ..load import first_line, is_duckdb

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCHEMA = "costopt.ledger"
VERSION = 1
"""What tables there are and what they mean; a new column of requests is no new version."""

STORED = {
    name: kind for name, kind in COLUMNS.items() if name not in ("usd", "text", "answer", "source")
}
"""The columns of ``requests`` that are kept. Prices are found when a report is made; texts of
requests and answers are not kept; where a request stands is told by the number of its file."""

_ROWS = ", ".join(f'"{name}" {kind}' for name, kind in STORED.items())
_TABLES = (
    "CREATE TABLE ledger.about (schema VARCHAR, version INTEGER)",
    "CREATE TABLE ledger.files (id INTEGER, path VARCHAR, shown VARCHAR, shape VARCHAR, "
    "format VARCHAR, position BIGINT, lines BIGINT, head_bytes INTEGER, head VARCHAR, "
    "recent_bytes INTEGER, recent VARCHAR, size BIGINT, changed BIGINT)",
    "CREATE TABLE ledger.parts (file INTEGER, tail BOOLEAN, rows BIGINT, read BIGINT, bad BIGINT, "
    "other BIGINT)",
    "CREATE TABLE ledger.found (file INTEGER, tail BOOLEAN, what VARCHAR, rows BIGINT, "
    "line BIGINT)",
    f"CREATE TABLE ledger.logged ({_ROWS}, flags USMALLINT, file INTEGER, tail BOOLEAN)",
    f"CREATE TABLE ledger.repeated ({_ROWS}, flags USMALLINT, file INTEGER, tail BOOLEAN)",
    f"INSERT INTO ledger.about VALUES ('{SCHEMA}', {VERSION})",
)
"""``files`` says how far each log was read and how it is known again; ``parts`` and ``found`` count
what was read of it and what is wrong there. ``logged`` are the requests that count, ``repeated``
those whose identifier another one has. ``tail`` is what was read of a last line without an end."""

_TABLE_NAMES = frozenset({"about", "files", "parts", "found", "logged", "repeated"})

_HOLDER = re.compile(r"\(PID (\d+)\)")


@contextmanager
def private() -> Generator[None]:
    """Make files that are the owner's alone: the ledger, and what DuckDB writes beside it."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def attach(connection: "DuckDBPyConnection", path: Path, *, write: bool) -> None:
    """Open a ledger as ``ledger``.

    Args:
        connection: A DuckDB of its own.
        path: The ledger; made where it is to be written and is not there.
        write: Whether to write to it; several processes may read at once.

    Raises:
        CostoptError: it is held by another process, is no ledger, or is of another version.
    """
    _attach(connection, path, write=write)
    _checked(connection, path, write=write)


def _attach(connection: "DuckDBPyConnection", path: Path, *, write: bool) -> None:
    where = Where(path.as_posix())
    if not write and not path.exists():
        raise CostoptError("no such ledger", where=where, hint="name logs to begin one")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise CostoptError("a ledger is a file in a folder that is there", where=where)
    if write and _is_everybodys(path):
        raise CostoptError(
            "everybody may write to this ledger, so that it is safe neither to read nor to add to",
            where=where,
            hint="keep the ledger in a folder of your own; it is made readable to you alone",
        )
    name = quoting.text(path.absolute().as_posix())
    mode = "" if write else ", READ_ONLY"
    try:
        connection.execute(f"ATTACH {name} AS ledger (TYPE duckdb{mode})")
    except Exception as error:
        if not is_duckdb(error):
            raise
        raise _refused(first_line(error), where) from error


def _is_everybodys(path: Path) -> bool:
    """Whether anybody may have put this file here: in a shared folder somebody else can."""
    return os.name == "posix" and path.exists() and bool(path.stat().st_mode & stat.S_IWOTH)


def _refused(said: str, where: Where) -> CostoptError:
    """Say in our words why DuckDB does not open a file."""
    if "lock" in said.lower() or "already attached" in said:
        holder = _HOLDER.search(said)
        who = f"process {holder[1]}" if holder else "another process"
        return CostoptError(
            f"the ledger is in use by {who}",
            where=where,
            hint="one process at a time may add to a ledger: wait until that one has ended",
        )
    if "not a valid DuckDB" in said:
        return _foreign(where)
    return CostoptError(f"the ledger cannot be opened: {said}", where=where)


def _foreign(where: Where) -> CostoptError:
    return CostoptError(
        "this file is no ledger of costopt, and it is left as it is",
        where=where,
        hint="--follow takes a file that it made itself, or the name of a new one",
    )


def _checked(connection: "DuckDBPyConnection", path: Path, *, write: bool) -> None:
    """Make the tables of a new ledger; refuse what is none, or of a version that is not known."""
    where = Where(path.as_posix())
    tables = {
        str(row[0])
        for row in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'ledger'"
        ).fetchall()
    }
    if not tables and write:
        _made(connection)
        return
    if "about" not in tables:
        raise _foreign(where)
    row = connection.execute("SELECT * FROM ledger.about LIMIT 1").fetchone() or ()
    if len(row) != 2 or row[0] != SCHEMA:
        raise _foreign(where)
    if row[1] != VERSION:
        raise CostoptError(
            f"the ledger is of version {row[1]}, and this costopt reads version {VERSION}",
            where=where,
            hint="use the costopt that wrote it, or begin a new ledger from the logs",
        )
    if not tables >= _TABLE_NAMES:
        raise _foreign(where)  # A view in a table's place would run what somebody wrote there.
    if write:
        _widened(connection)


def _made(connection: "DuckDBPyConnection") -> None:
    connection.begin()
    for statement in _TABLES:
        connection.execute(statement)
    connection.commit()


def columns(connection: "DuckDBPyConnection") -> frozenset[str]:
    """Return the columns that the ledger's requests have: an older costopt kept fewer."""
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() "
        "WHERE database_name = 'ledger' AND table_name = 'logged'"
    ).fetchall()
    return frozenset(str(row[0]) for row in rows)


def _widened(connection: "DuckDBPyConnection") -> None:
    """Add the columns that have come to be known since: they are unknown in older requests."""
    there = columns(connection)
    for name in STORED:
        if name not in there:
            for table in ("logged", "repeated"):
                kind = STORED[name]
                connection.execute(f'ALTER TABLE ledger.{table} ADD COLUMN "{name}" {kind}')
