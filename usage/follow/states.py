"""How far each log was read, and by what it is known again."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Shape = Literal["lines", "table", "whole"]


@dataclass(frozen=True, kw_only=True)
class State:
    """A log as the ledger knows it.

    Attributes:
        id: Its number, from 1; logs are in the order in which they were first seen.
        path: Where it lies; ``None`` where its name was taken by another one.
        shown: What the user calls it.
        shape: Lines, a table of lines, or something that only makes sense as a whole.
        format: The log format that it was told to have.
        position: Bytes, unpacked, that were read: up to the end of a line.
        lines: Lines up to there; of a table, its records.
        head_bytes: Bytes at its beginning of which ``head`` is the digest.
        head: That digest; of what is read as a whole, the digest of all of it.
        recent_bytes: Bytes before ``position`` of which ``recent`` is the digest.
        recent: That digest.
        size: Bytes of the file when it was read last.
        changed: When it was changed last, in nanoseconds; -1 where that was too short a time ago
            to tell it from the next change.
    """

    id: int
    path: str | None
    shown: str
    shape: Shape
    format: str
    position: int = 0
    lines: int = 0
    head_bytes: int = 0
    head: str = ""
    recent_bytes: int = 0
    recent: str = ""
    size: int = -1
    changed: int = -1


_NAMES = tuple(one.name for one in fields(State))
_MARKS = ", ".join("?" * len(_NAMES))


def load_states(connection: "DuckDBPyConnection") -> list[State]:
    """Return all logs that the ledger knows, in order."""
    listed = ", ".join(_NAMES)
    rows = connection.execute(f"SELECT {listed} FROM ledger.files ORDER BY id").fetchall()
    return [State(**dict(zip(_NAMES, row, strict=True))) for row in rows]


def save_states(connection: "DuckDBPyConnection", states: Sequence[State]) -> None:
    """Write logs over what was known of them."""
    for state in states:
        connection.execute("DELETE FROM ledger.files WHERE id = ?", [state.id])
        connection.execute(f"INSERT INTO ledger.files VALUES ({_MARKS})", list(astuple(state)))
