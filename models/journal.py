"""What was sent and what it may cost, on the disk before it is sent; in the answers' own file.

A run writes down each request before it leaves, with the most that it can cost, and takes it out
again in the transaction that stores its answer. What is left of a run that was killed is what may
have been paid for and never arrived. Runs with a cap that are under way at the same time share
one purse: each holds the sum of them all against its own cap.

Money is in whole billionths of a dollar here, rounded up, so that SQLite can add it.
"""

import re
import secrets
import sqlite3
from collections.abc import Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from .database import Database
from .locks import file_lock, is_held
from .spending import Elsewhere

_NANO = Decimal(1_000_000_000)
_MOST = 2**62
_NAME = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class Lost:
    """Requests whose outcome nobody knows: they may have been paid, at most ``usd``."""

    requests: int = 0
    usd: Decimal = Decimal(0)


class Journal:
    """The entries of one run.

    Args:
        database: Where the entries go.
        capped: Whether the run has a cap, which it then shares with others that have one.

    ``left_behind`` is what runs that ended without an end, killed or crashed, had under way.
    """

    def __init__(self, database: Database, *, capped: bool) -> None:
        self.run = secrets.token_hex(8)
        self._database = database
        self._held = ExitStack()
        with database.starting():
            self._held.enter_context(file_lock(self._lock(self.run)))
            self.left_behind = database.write(self._bury)
            self.purse, self.sharing = database.write(lambda c: self._begin(c, capped))

    def _lock(self, run: str) -> Path:
        return self._database.path.with_name(f"run-{run}.lock")

    def _bury(self, connection: sqlite3.Connection) -> Lost:
        """End the runs that no process holds any more; their open requests are lost."""
        open_runs = connection.execute("SELECT id FROM runs WHERE ended IS NULL").fetchall()
        dead = [run for (run,) in open_runs if not _is_name(run) or not is_held(self._lock(run))]
        lost = Lost()
        for run in dead:
            found = lose(connection, run)
            lost = Lost(lost.requests + found.requests, lost.usd + found.usd)
            connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (_now(), run))
            if _is_name(run):
                with suppress(FileNotFoundError):
                    self._lock(run).unlink()
        return lost

    def _begin(self, connection: sqlite3.Connection, capped: bool) -> tuple[str, int]:
        """Enter the run; one with a cap joins the purse of those under way."""
        others: list[str] = []
        if capped:
            open_purses = "SELECT purse FROM runs WHERE ended IS NULL AND purse != ''"
            others = [purse for (purse,) in connection.execute(open_purses)]
        purse = (others[0] if others else self.run) if capped else ""
        connection.execute(
            "INSERT INTO runs (id, started, purse) VALUES (?, ?, ?)", (self.run, _now(), purse)
        )
        return purse, len(others)

    def elsewhere(self, connection: sqlite3.Connection) -> Elsewhere:
        """Return what the other runs of the purse have spent, reserved and sent."""
        if not self.purse:
            return Elsewhere()
        found = connection.execute(
            "SELECT coalesce(sum(spent + reserved), 0), coalesce(sum(requests), 0) FROM runs "
            "WHERE purse = ? AND id != ?",
            (self.purse, self.run),
        ).fetchone()
        return Elsewhere(_usd(found[0]), found[1])

    def send(self, connection: sqlite3.Connection, key: str, target: str, worst: Decimal) -> int:
        """Write a request down; return its number."""
        row = (self.run, key, target, _now(), _nano(worst))
        return int(
            connection.execute(
                "INSERT INTO sent (run, key, target, sent, worst, state) "
                "VALUES (?, ?, ?, ?, ?, 'under way')",
                row,
            ).lastrowid
            or 0
        )

    def settle(self, connection: sqlite3.Connection, number: int) -> None:
        """Take a request out: its answer is there, or it cost nothing."""
        connection.execute("DELETE FROM sent WHERE id = ? AND run = ?", (number, self.run))

    def give_up(self, connection: sqlite3.Connection, number: int) -> None:
        """Keep a request whose outcome nobody knows."""
        connection.execute(
            "UPDATE sent SET state = 'unknown' WHERE id = ? AND run = ?", (number, self.run)
        )

    def total(
        self, connection: sqlite3.Connection, *, spent: Decimal, reserved: Decimal, requests: int
    ) -> None:
        """Write down how the run stands; anew where a damaged file has lost it."""
        connection.execute(
            "INSERT INTO runs (id, started, purse, spent, reserved, requests) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET "
            "spent = ?4, reserved = ?5, requests = ?6",
            (self.run, _now(), self.purse, _nano(spent), _nano(reserved), requests),
        )

    def close(self, left: Collection[int]) -> None:
        """End the run.

        Args:
            left: Numbers of the requests that left and whose outcome nobody knows.
        """

        def end(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE sent SET state = 'unknown' WHERE id = ? AND run = ?",
                [(number, self.run) for number in left],
            )
            connection.execute(
                "DELETE FROM sent WHERE run = ? AND state = 'under way'", (self.run,)
            )
            connection.execute(
                "UPDATE runs SET ended = ?, reserved = 0 WHERE id = ?", (_now(), self.run)
            )

        with self._held, self._database.starting():
            self._database.write(end)
            with suppress(FileNotFoundError):
                self._lock(self.run).unlink()


def _is_name(run: object) -> bool:
    """Return whether a run of the file is one of ours: its name is part of a path."""
    return isinstance(run, str) and _NAME.fullmatch(run) is not None


def lose(connection: sqlite3.Connection, run: str) -> Lost:
    """Mark what a run has under way as lost, and return it."""
    found = connection.execute(
        "SELECT count(*), coalesce(sum(worst), 0) FROM sent WHERE run = ? AND state = 'under way'",
        (run,),
    ).fetchone()
    connection.execute(
        "UPDATE sent SET state = 'unknown' WHERE run = ? AND state = 'under way'", (run,)
    )
    return Lost(found[0], _usd(found[1]))


def lost_requests(connection: sqlite3.Connection) -> Lost:
    """Return all requests of the store whose outcome nobody knows."""
    found = connection.execute(
        "SELECT count(*), coalesce(sum(worst), 0) FROM sent WHERE state = 'unknown'"
    ).fetchone()
    return Lost(found[0], _usd(found[1]))


def _nano(usd: Decimal) -> int:
    return min(int((usd * _NANO).to_integral_value(ROUND_CEILING)), _MOST)


def _usd(nano: int) -> Decimal:
    return Decimal(nano) / _NANO


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
