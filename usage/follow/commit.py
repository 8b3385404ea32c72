"""Putting what was read into the ledger: requests and the new position in one transaction."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checks import OTHER
from ..load import Loaded
from .book import STORED
from .states import State, save_states

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ERROR = 200
"""Characters of an error that are kept: there may be parts of a request in one."""
_LISTED = ", ".join(f'"{name}"' for name in STORED)
_ALL = f"{_LISTED}, flags, file, tail"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Where what was read belongs.

    Attributes:
        file: The number of its log.
        tail: Whether it is a last line without an end, which is read again.
        before: Lines of the log before it.
    """

    file: int
    tail: bool
    before: int


@contextmanager
def transaction(connection: "DuckDBPyConnection") -> Generator[None]:
    """Do all of it, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def write(
    connection: "DuckDBPyConnection", part: Part, loaded: Loaded, states: Sequence[State]
) -> int:
    """Add what is in the table ``logged`` to the ledger, inside of a transaction.

    Args:
        connection: A DuckDB with the ledger attached, and with ``logged``.
        part: Where it belongs.
        loaded: What is known of it.
        states: What is known of its log from now on, and of those that it takes the place of.

    Returns:
        How many requests were added, repeated ones too.
    """
    rows = _insert(connection, part)
    connection.execute(
        "INSERT INTO ledger.parts VALUES (?, ?, ?, ?, ?, ?)",
        [part.file, part.tail, rows, rows + loaded.bad + loaded.other, loaded.bad, loaded.other],
    )
    for problem in loaded.problems:
        line = None if problem.first is None else problem.first.line
        connection.execute(
            "INSERT INTO ledger.found VALUES (?, ?, ?, ?, ?)",
            [part.file, part.tail, problem.what, problem.rows, line and line + part.before],
        )
    save_states(connection, states)
    return rows


def forget(connection: "DuckDBPyConnection", file: int, *, tail: bool) -> None:
    """Remove what was read of a log, or of its last line without an end.

    What repeated a request that goes counts from now on.
    """
    where = f"file = {int(file)}" + (" AND tail" if tail else "")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE freed AS SELECT request_id FROM ledger.logged "
        f"WHERE {where} AND request_id IS NOT NULL"
    )
    for table in ("logged", "repeated", "parts", "found"):
        connection.execute(f"DELETE FROM ledger.{table} WHERE {where}")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE back AS SELECT rowid AS place FROM ledger.repeated "
        "WHERE request_id IN (FROM freed) QUALIFY row_number() OVER "
        "(PARTITION BY request_id ORDER BY file, line, rowid) = 1"
    )
    _moved(connection, "repeated", "logged", "rowid IN (FROM back)")


def _moved(connection: "DuckDBPyConnection", source: str, target: str, where: str) -> None:
    connection.execute(
        f"INSERT INTO ledger.{target} BY NAME SELECT {_ALL} FROM ledger.{source} WHERE {where}"
    )
    connection.execute(f"DELETE FROM ledger.{source} WHERE {where}")


def _insert(connection: "DuckDBPyConnection", part: Part) -> int:
    """Add the rows; of those with the same identifier, the first in the order of logs counts."""
    errors = f'left("error", {_ERROR})'
    kept = ", ".join(
        f'{errors} AS "error"'
        if name == "error"
        else f"line + {int(part.before)} AS line"
        if name == "line"
        else f'"{name}"'
        for name in STORED
    )
    fresh = (
        f"SELECT {kept}, flags, {int(part.file)} AS file, {part.tail} AS tail, "
        f"rowid AS place FROM logged WHERE flags & {OTHER} = 0"
    )
    connection.execute(f"CREATE OR REPLACE TEMP VIEW fresh AS {fresh}")
    rows = _one(connection, "SELECT count(*) FROM fresh")
    if not _again(connection):
        connection.execute(f"INSERT INTO ledger.logged BY NAME SELECT {_ALL} FROM fresh")
        return rows
    _moved(connection, "logged", "repeated", "rowid IN (SELECT place FROM later WHERE NOT fresh)")
    late = "place IN (SELECT place FROM later WHERE fresh)"
    for table, where in (("repeated", late), ("logged", f"NOT ({late})")):
        connection.execute(
            f"INSERT INTO ledger.{table} BY NAME SELECT {_ALL} FROM fresh WHERE {where}"
        )
    return rows


def _again(connection: "DuckDBPyConnection") -> int:
    """Find rows whose identifier an earlier row has, among the new ones and the old ones.

    Only identifiers that are new and occur more than once are compared: they are few.
    """
    old = "SELECT request_id FROM ledger.logged WHERE request_id IN (SELECT request_id FROM fresh)"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE again AS SELECT request_id FROM "
        f"(SELECT request_id FROM fresh UNION ALL {old}) "
        "WHERE request_id IS NOT NULL GROUP BY request_id HAVING count(*) > 1"
    )
    if not _one(connection, "SELECT count(*) FROM again"):
        return 0
    columns = "request_id, file, line"
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE later AS SELECT place, fresh FROM ("
        f"SELECT {columns}, place, true AS fresh FROM fresh UNION ALL "
        f"SELECT {columns}, rowid AS place, false AS fresh FROM ledger.logged) "
        "WHERE request_id IN (FROM again) QUALIFY row_number() OVER "
        "(PARTITION BY request_id ORDER BY file, line, fresh, place) > 1"
    )
    return _one(connection, "SELECT count(*) FROM later")


def _one(connection: "DuckDBPyConnection", sql: str) -> int:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
