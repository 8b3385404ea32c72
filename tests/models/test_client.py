"""The client: stored before used, asked once, retried where it makes sense, within the cap."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from costopt.core.protocols import Target, TargetError, TokenCounter
from costopt.core.types import Answer, GenerationSettings, Message, Request, Usage
from costopt.costs.tokens import counter_for
from costopt.models.client import Client
from costopt.models.ledger import Ledger
from costopt.models.pacing import Pace
from costopt.models.spending import BudgetExceeded, Spending
from costopt.models.store import AnswerStore

ANSWER = Answer(
    text="fine",
    usage=Usage(100, 10),
    finish_reason="stop",
    latency_s=0.1,
    model="m",
    created="2026-01-01T00:00:00+00:00",
)


def ask(text: str = "Hi", replicate: int = 0) -> Request:
    return Request(
        messages=(Message("user", text),), settings=GenerationSettings(), replicate=replicate
    )


class Scripted:
    """A fake target that answers, or fails, as its script says."""

    name = "scripted"
    model = "m"
    capabilities = frozenset({"generate"})

    def __init__(self, *script: Answer | BaseException) -> None:
        self.script = list(script)
        self.asked: list[Request] = []
        self.running = 0
        self.most = 0
        self.gate: asyncio.Event | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"target": "scripted"}

    @property
    def counter(self) -> TokenCounter:
        return counter_for("o200k_base")

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await (self.gate.wait() if self.gate else asyncio.sleep(0))
        finally:
            self.running -= 1
        step = self.script.pop(0) if self.script else ANSWER
        if isinstance(step, BaseException):
            raise step
        return step

    async def close(self) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = AnswerStore(tmp_path / "answers")
    yield opened
    opened.close()


class Clock:
    """A fake clock: waiting is setting it forward."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def waits(clock: Clock) -> list[float]:
    """The seconds that would have been waited between tries."""
    return clock.waits


Make = Callable[..., Client]


@pytest.fixture
def make(store: AnswerStore, clock: Clock) -> Iterator[Make]:
    ledgers: list[Ledger] = []

    def build(
        target: Target,
        spending: Spending | None = None,
        concurrency: int = 1,
        requests_per_minute: float | None = None,
        **more: Any,
    ) -> Client:
        ledgers.append(Ledger(store, spending or Spending(None, None)))
        pace = Pace(concurrency, requests_per_minute, clock=clock, sleep=clock.sleep)
        return Client(target, ledgers[-1], pace=pace, **more)

    yield build
    for ledger in ledgers:
        ledger.close()


def test_the_scripted_one_is_a_target() -> None:
    assert isinstance(Scripted(), Target)


def test_asked_once_then_stored(make: Make, store: AnswerStore) -> None:
    target = Scripted()
    first = make(target)
    assert asyncio.run(first.ask(ask())) == ANSWER
    assert (first.requests, first.cached_answers) == (1, 0)
    assert (first.input_tokens, first.output_tokens, first.usd) == (100, 10, 0)
    second = make(target)
    assert asyncio.run(second.ask(ask())) == replace(ANSWER, cached=True)
    assert (second.requests, second.cached_answers, second.input_tokens) == (0, 1, 0)
    assert len(target.asked) == 1
    assert len(store) == 1


def test_the_answer_is_stored_before_it_is_used(make: Make, store: AnswerStore) -> None:
    client = make(Scripted())
    write = store.database.write

    def full(action: Any) -> Any:
        if store.database.read(lambda c: c.execute("SELECT count(*) FROM sent").fetchone()[0]):
            raise OSError("no space left on the disk")
        return write(action)

    store.database.write = full  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no space"):
        asyncio.run(client.ask(ask()))
    store.database.write = write  # type: ignore[method-assign]
    assert client.requests == 1


def test_replicates_are_asked_on_their_own(make: Make) -> None:
    target = Scripted()
    client = make(target)

    async def both() -> None:
        await client.ask(ask(replicate=0))
        await client.ask(ask(replicate=1))

    asyncio.run(both())
    assert len(target.asked) == 2


def test_the_same_at_once_is_sent_once(make: Make) -> None:
    target = Scripted()
    client = make(target, concurrency=8)

    async def together() -> list[Answer]:
        return list(await asyncio.gather(*(client.ask(ask()) for _ in range(8))))

    answers = asyncio.run(together())
    assert {one.text for one in answers} == {"fine"}
    assert len(target.asked) == 1
    assert (client.requests, client.cached_answers) == (1, 7)


def test_who_waits_for_a_cancelled_request_asks_itself(make: Make) -> None:
    target = Scripted()
    client = make(target, concurrency=2)

    async def first_gives_up() -> Answer:
        target.gate = asyncio.Event()
        first = asyncio.create_task(client.ask(ask()))
        while not target.asked:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(client.ask(ask()))
        await asyncio.sleep(0.01)
        first.cancel()
        target.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await second

    assert asyncio.run(first_gives_up()) == ANSWER
    assert len(target.asked) == 2


def test_who_waits_shares_a_failure(make: Make) -> None:
    target = Scripted(TargetError("no", kind="rejected"))
    client = make(target, concurrency=2)

    async def together() -> list[Any]:
        asked = (client.ask(ask()) for _ in range(2))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    assert [str(one) for one in asyncio.run(together())] == ["no", "no"]
    assert len(target.asked) == 1


class Reading(Scripted):
    """Looks, at each request, how many answers another process would find on the disk."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.stored: list[int] = []

    async def answer(self, request: Request) -> Answer:
        with closing(sqlite3.connect(self.file)) as connection:
            found = connection.execute("SELECT count(*) FROM answers").fetchone()
        self.stored.append(found[0])
        return await super().answer(request)


@pytest.mark.parametrize("turns", [1, 3])
def test_a_request_leaves_when_the_answers_before_it_are_on_the_disk(
    make: Make, store: AnswerStore, turns: int
) -> None:
    target = Reading(store.path)
    client = make(target, concurrency=turns)

    async def many() -> None:
        await asyncio.gather(*(client.ask(ask(str(n))) for n in range(30)))

    asyncio.run(many())
    # Others are under way, at most as many as there are turns besides its own.
    assert all(number - found < turns for number, found in enumerate(target.stored))
    assert len(target.stored) == 30


def test_no_more_at_once_than_allowed(make: Make) -> None:
    target = Scripted()
    client = make(target, concurrency=3)

    async def many() -> None:
        await asyncio.gather(*(client.ask(ask(str(n))) for n in range(12)))

    asyncio.run(many())
    assert target.most == 3
    assert [request.messages[0].content for request in target.asked[:3]] == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["rate_limit", "server", "timeout"])
def test_passing_trouble_is_waited_out(make: Make, waits: list[float], kind: str) -> None:
    target = Scripted(TargetError("busy", kind=kind), TargetError("busy", kind=kind))
    client = make(target)
    assert asyncio.run(client.ask(ask())) == ANSWER
    assert client.requests == 3
    assert 0.5 <= waits[0] <= 1.0
    assert 1.5 <= sum(waits) <= 3.0


def test_the_server_says_how_long(make: Make, waits: list[float]) -> None:
    target = Scripted(TargetError("busy", kind="rate_limit", retry_after_s=17.0))
    asyncio.run(make(target).ask(ask()))
    assert waits == [17.0]


def test_nobody_waits_for_an_hour(make: Make, waits: list[float], store: AnswerStore) -> None:
    target = Scripted(TargetError("tomorrow", kind="rate_limit", retry_after_s=3600.0))
    with pytest.raises(TargetError, match="tomorrow"):
        asyncio.run(make(target).ask(ask()))
    assert waits == []
    assert len(store) == 0


def test_it_ends_at_some_time(make: Make, waits: list[float], store: AnswerStore) -> None:
    target = Scripted(*[TargetError("down", kind="server") for _ in range(9)])
    with pytest.raises(TargetError, match="down"):
        asyncio.run(make(target).ask(ask()))
    assert len(target.asked) == 4
    assert len(waits) == 3
    assert len(store) == 0


@pytest.mark.parametrize(
    "error",
    [
        TargetError("no such model", kind="rejected"),
        TargetError("I cannot", kind="refused"),
        TargetError("lost", kind="timeout", possibly_paid=True),
    ],
)
def test_what_asking_again_would_not_mend(
    make: Make, waits: list[float], error: TargetError
) -> None:
    target = Scripted(error)
    with pytest.raises(TargetError):
        asyncio.run(make(target).ask(ask()))
    assert len(target.asked) == 1
    assert waits == []


def test_a_withheld_answer_is_paid_and_not_stored(make: Make, store: AnswerStore) -> None:
    target = Scripted(replace(ANSWER, finish_reason="content_filter"))
    client = make(target, price_usd=lambda usage: Decimal("0.01"))
    with pytest.raises(TargetError, match="withheld") as caught:
        asyncio.run(client.ask(ask()))
    assert caught.value.kind == "refused"
    assert client.usd == Decimal("0.01")
    assert len(store) == 0


def test_a_cut_answer_is_stored(make: Make, store: AnswerStore) -> None:
    asyncio.run(make(Scripted(replace(ANSWER, finish_reason="length"))).ask(ask()))
    assert len(store) == 1


def test_money(make: Make) -> None:
    spending = Spending(max_usd=Decimal("0.05"), max_requests=None)
    client = make(
        Scripted(),
        spending,
        price_usd=lambda usage: Decimal(usage.input) / 10_000,
        worst_case=lambda request: Decimal("0.03"),
    )

    async def until_the_cap() -> int:
        done = 0
        for number in range(9):
            try:
                await client.ask(ask(str(number)))
            except BudgetExceeded:
                return done
            done += 1
        return done

    assert asyncio.run(until_the_cap()) == 3
    assert client.usd == spending.spent_usd == Decimal("0.03")
    assert client.requests == 3


def test_the_cap_is_reserved_before_dispatch(make: Make) -> None:
    target = Scripted()
    client = make(
        target,
        Spending(max_usd=Decimal("0.05"), max_requests=None),
        price_usd=lambda usage: Decimal("0.001"),
        worst_case=lambda request: Decimal("0.03"),
        concurrency=8,
    )

    async def together() -> list[Any]:
        asked = (client.ask(ask(str(n))) for n in range(4))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    found = asyncio.run(together())
    # Each waits for what comes back of the one before it.
    assert found == [ANSWER] * 4
    assert target.most == 1


def test_nothing_is_waited_for_that_cannot_come_back(make: Make) -> None:
    target = Scripted()
    client = make(
        target,
        Spending(max_usd=Decimal("0.05"), max_requests=None),
        price_usd=lambda usage: Decimal("0.03"),
        worst_case=lambda request: Decimal("0.03"),
        concurrency=8,
    )

    async def together() -> list[Any]:
        asked = (client.ask(ask(str(n))) for n in range(4))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    found = asyncio.run(together())
    assert sum(isinstance(one, BudgetExceeded) for one in found) == 3
    assert len(target.asked) == 1


def test_under_a_cap_a_server_that_bills_more_than_it_can_is_asked_no_more(make: Make) -> None:
    notes: list[str] = []
    client = make(
        Scripted(),
        Spending(max_usd=Decimal(1), max_requests=None),
        price_usd=lambda usage: Decimal("0.05"),
        worst_case=lambda request: Decimal("0.03"),
        note=notes.append,
    )
    asyncio.run(client.ask(ask()))
    with pytest.raises(BudgetExceeded, match=r"billed at \$0\.05"):
        asyncio.run(client.ask(ask("again")))
    assert len(notes) == 1


def test_what_fails_alike_is_not_sent_for_ever(make: Make) -> None:
    target = Scripted(*[TargetError("no such model", kind="rejected") for _ in range(99)])
    client = make(target, concurrency=4)

    async def many() -> list[Any]:
        asked = (client.ask(ask(str(n))) for n in range(60))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    found = asyncio.run(many())
    assert 20 <= len(target.asked) <= 24
    assert {one.kind for one in found} == {"rejected", "stopped"}
    assert "no such model" in str(found[-1])


def test_a_server_that_is_down_is_not_asked_four_times_for_each_row(make: Make) -> None:
    errors = [TargetError(f"down {n}", kind="server") for n in range(999)]
    target = Scripted(*errors)
    client = make(target, concurrency=4)

    rows = iter(range(400))

    async def work() -> None:
        for row in rows:
            with pytest.raises(TargetError):
                await client.ask(ask(str(row)))

    async def many() -> None:
        await asyncio.gather(*(work() for _ in range(4)))

    asyncio.run(many())
    assert 80 <= len(target.asked) <= 100


def test_a_stored_answer_needs_no_money(make: Make) -> None:
    target = Scripted()
    asyncio.run(make(target).ask(ask()))
    broke = make(target, Spending(Decimal(0), 0), worst_case=lambda request: Decimal(1))
    assert asyncio.run(broke.ask(ask())).cached


@pytest.mark.parametrize(("paid", "spent"), [(True, "0.03"), (False, "0")])
def test_a_lost_answer_counts_as_paid_where_it_may_be(
    make: Make, waits: list[float], paid: bool, spent: str
) -> None:
    spending = Spending(max_usd=Decimal(1), max_requests=None)
    errors = [TargetError("lost", kind="server", possibly_paid=paid) for _ in range(4)]
    client = make(Scripted(*errors), spending, worst_case=lambda request: Decimal("0.03"))
    with pytest.raises(TargetError):
        asyncio.run(client.ask(ask()))
    assert spending.spent_usd == client.usd == Decimal(spent)
    assert spending.reserved_usd == 0


def test_retries_count_against_the_cap_of_requests(make: Make, waits: list[float]) -> None:
    target = Scripted(*[TargetError("down", kind="server") for _ in range(9)])
    with pytest.raises(BudgetExceeded):
        asyncio.run(make(target, Spending(None, 2)).ask(ask()))
    assert len(target.asked) == 2


def test_requests_are_paced(make: Make, clock: Clock) -> None:
    client = make(Scripted(), requests_per_minute=60.0, concurrency=3)

    async def many() -> None:
        await asyncio.gather(*(client.ask(ask(str(n))) for n in range(3)))

    asyncio.run(many())
    assert clock.now == pytest.approx(2.0)
