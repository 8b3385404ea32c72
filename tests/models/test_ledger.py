"""The books: reserved before sent, stored before used, one cap over all runs at once."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costopt.core.types import Answer, Usage
from costopt.models.journal import Lost, lost_requests
from costopt.models.ledger import Ledger
from costopt.models.spending import BudgetExceeded, Spending
from costopt.models.store import FILE_NAME, SEAL_KEY, AnswerStore

ANSWER = Answer(
    text="fine", usage=Usage(1, 1), finish_reason="stop", latency_s=0.0, model="m", created="now"
)
CENT = Decimal("0.01")


def spending(usd: str | None = None, requests: int | None = None) -> Spending:
    return Spending(None if usd is None else Decimal(usd), requests)


class Opened:
    """Ledgers over one folder, all closed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledgers: list[Ledger] = []

    def __call__(self, cap: Spending | None = None) -> Ledger:
        self.ledgers.append(Ledger(AnswerStore(self.folder), cap or spending()))
        return self.ledgers[-1]

    def close(self) -> None:
        for ledger in self.ledgers:
            ledger.close()
            ledger.store.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    found = Opened(tmp_path)
    yield found
    found.close()


def rows(folder: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(folder / FILE_NAME)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


async def pay(ledger: Ledger, key: str, usd: Decimal = CENT) -> None:
    sent = await ledger.send(key, target="t", worst=usd)
    await ledger.keep(sent, key, {}, ANSWER, target="t", usd=usd)


def test_a_request_is_written_down_before_it_is_sent(opened: Opened) -> None:
    ledger = opened()

    async def run() -> None:
        sent = await ledger.send("k", target="t", worst=CENT)
        assert rows(opened.folder, "SELECT key, worst, state FROM sent") == [
            ("k", 10_000_000, "under way")
        ]
        await ledger.keep(sent, "k", {}, ANSWER, target="t", usd=CENT / 2)

    asyncio.run(run())
    assert rows(opened.folder, "SELECT count(*) FROM sent") == [(0,)]
    assert rows(opened.folder, "SELECT spent, reserved, requests FROM runs") == [(5_000_000, 0, 1)]
    assert asyncio.run(ledger.stored("k")) == replace(ANSWER, cached=True)


def test_answers_that_come_together_are_written_together(opened: Opened) -> None:
    ledger = opened()
    commits = 0
    write = ledger.store.database.write

    def counted(action: Any) -> Any:
        nonlocal commits
        commits += 1
        return write(action)

    ledger.store.database.write = counted  # type: ignore[method-assign]

    async def run() -> None:
        await asyncio.gather(*(pay(ledger, f"k{n}") for n in range(100)))

    asyncio.run(run())
    assert len(ledger.store) == 100
    assert commits < 100
    assert ledger.spending.spent_usd == 1


def test_what_nobody_knows_stays_written_down(opened: Opened) -> None:
    ledger = opened()

    async def run() -> None:
        await ledger.fail(await ledger.send("lost", target="t", worst=CENT), usd=None)
        await ledger.fail(await ledger.send("free", target="t", worst=CENT), usd=Decimal(0))

    asyncio.run(run())
    assert ledger.unknown == Lost(1, CENT)
    assert ledger.spending.spent_usd == CENT
    assert ledger.store.database.read(lost_requests) == Lost(1, CENT)


def test_runs_at_the_same_time_share_the_cap(opened: Opened) -> None:
    first, second, free = opened(spending("0.05")), opened(spending("0.05")), opened()
    assert (first.journal.sharing, second.journal.sharing) == (0, 1)

    async def run() -> tuple[int, int]:
        done = [0, 0]
        await pay(free, "free", Decimal(100))
        for number in range(5):
            for index, ledger in enumerate((first, second)):
                try:
                    await pay(ledger, f"{index}-{number}")
                except BudgetExceeded:
                    continue
                done[index] += 1
        return done[0], done[1]

    assert sum(asyncio.run(run())) == 5


def test_a_run_after_another_has_a_cap_of_its_own(opened: Opened) -> None:
    first = opened(spending("0.01"))
    asyncio.run(pay(first, "a"))
    opened.close()
    opened.ledgers.clear()
    second = opened(spending("0.01"))
    asyncio.run(pay(second, "b"))
    with pytest.raises(BudgetExceeded):
        asyncio.run(pay(second, "c"))


def test_requests_are_capped_over_all_runs(opened: Opened) -> None:
    first, second = opened(spending(requests=2)), opened(spending(requests=2))
    asyncio.run(pay(first, "a"))
    asyncio.run(pay(second, "b"))
    for ledger in (first, second):
        with pytest.raises(BudgetExceeded, match="2 requests"):
            asyncio.run(pay(ledger, "c"))


_KILLED = """
import asyncio, os, sys
from decimal import Decimal
from pathlib import Path
from costopt.models.ledger import Ledger
from costopt.models.spending import Spending
from costopt.models.store import AnswerStore

async def run(ledger):
    for number in range(3):
        await ledger.send(f"k{number}", target="t", worst=Decimal("0.02"))

ledger = Ledger(AnswerStore(Path(sys.argv[1])), Spending(Decimal(1), None))
asyncio.run(run(ledger))
os._exit(9)
"""


def test_what_a_killed_run_had_under_way_is_found(opened: Opened) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(opened.folder)], check=False)
    assert killed.returncode == 9
    ledger = opened(spending("1"))
    assert ledger.journal.left_behind == Lost(3, Decimal("0.06"))
    assert ledger.journal.sharing == 0
    assert opened(spending("1")).journal.left_behind == Lost()
    assert len(list(opened.folder.glob("run-*.lock"))) == 2


def test_who_is_cancelled_while_it_waits_leaves_nothing_behind(opened: Opened) -> None:
    ledger = opened(spending("1"))

    async def run() -> None:
        task = asyncio.ensure_future(ledger.send("k", target="t", worst=CENT))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    opened.close()
    opened.ledgers.clear()
    assert rows(opened.folder, "SELECT count(*) FROM sent") == [(0,)]
    assert not list(opened.folder.glob("run-*.lock"))


def test_an_answer_is_stored_though_who_asked_was_cancelled(opened: Opened) -> None:
    ledger = opened()

    async def run() -> None:
        sent = await ledger.send("k", target="t", worst=CENT)
        task = asyncio.ensure_future(ledger.keep(sent, "k", {}, ANSWER, target="t", usd=Decimal(0)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert asyncio.run(ledger.stored("k")) is not None


def test_a_store_of_before_comes_up_to_date(tmp_path: Path) -> None:
    from costopt.models.records import Seal, to_json

    parts = ("k", "now", "t", "m", "{}", to_json(ANSWER))
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.executescript(
        """
        CREATE TABLE answers (
          key TEXT PRIMARY KEY NOT NULL, created TEXT NOT NULL, target TEXT NOT NULL,
          model TEXT NOT NULL, request TEXT NOT NULL, answer TEXT NOT NULL, checksum TEXT NOT NULL
        );
        CREATE TABLE quarantine (key TEXT NOT NULL, found TEXT NOT NULL, row TEXT NOT NULL);
        PRAGMA user_version = 1;
        """
    )
    connection.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", (*parts, Seal().checksum(*parts))
    )
    connection.commit()
    connection.close()
    store = AnswerStore(tmp_path)
    assert store.get("k") == replace(ANSWER, cached=True)
    store.close()


def test_a_planted_answer_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = AnswerStore(tmp_path)
    planted.put("k", {}, replace(ANSWER, text="perfect"))
    planted.close()
    monkeypatch.setenv(SEAL_KEY, "only the trusted job has this")
    store = AnswerStore(tmp_path)
    assert store.get("k") is None
    store.put("k", {}, ANSWER)
    assert store.get("k") == replace(ANSWER, cached=True)
    store.close()
    monkeypatch.setenv(SEAL_KEY, "another key")
    other = AnswerStore(tmp_path)
    assert other.get("k") is None
    other.close()
    monkeypatch.delenv(SEAL_KEY)
    plain = AnswerStore(tmp_path)
    assert plain.get("k") is None
    plain.close()


def test_what_is_sealed_outlives_damage_seen_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SEAL_KEY, "key")
    store = AnswerStore(tmp_path)
    store.put("k", {}, ANSWER)
    store.close()
    monkeypatch.delenv(SEAL_KEY)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    connection.execute("PRAGMA writable_schema = 1")
    connection.execute("UPDATE sqlite_master SET sql = 'nonsense' WHERE name = 'runs'")
    connection.commit()
    connection.close()
    notes: list[str] = []
    AnswerStore(tmp_path, notes.append).close()
    assert "1 could be kept" in notes[0]
    monkeypatch.setenv(SEAL_KEY, "key")
    again = AnswerStore(tmp_path)
    assert again.get("k") is not None
    again.close()
