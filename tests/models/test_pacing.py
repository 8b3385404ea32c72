"""The pace: grows with answers, falls where a server pushes back, finds a server's rate."""

import asyncio
import heapq
import random
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.models.pacing import Pace


class World:
    """A fake clock on which tasks sleep: time goes on when all of them do."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (self.now + seconds, next(self._order), woken))
        await woken

    async def run(self, work: "asyncio.Future[object]") -> None:
        while not work.done():
            for _ in range(6):
                await asyncio.sleep(0)
            if self._sleeping and not work.done():
                self.now, _, woken = heapq.heappop(self._sleeping)
                if not woken.done():
                    woken.set_result(None)


class Server:
    """A fake server: a bucket of tokens, a latency, and how many it takes at once."""

    def __init__(self, world: World, *, rate: float, burst: float, latency: float, most: int):
        self.world, self.rate, self.burst = world, rate, burst
        self.latency, self.most = latency, most
        self.tokens, self.filled = burst, 0.0
        self.attempts = self.running = self.highest = 0

    async def ask(self) -> bool:
        self.attempts += 1
        now = self.world.now
        self.tokens = min(self.burst, self.tokens + (now - self.filled) * self.rate)
        self.filled = now
        if self.tokens < 1 or self.running >= self.most:
            return False
        self.tokens -= 1
        self.running += 1
        self.highest = max(self.highest, self.running)
        await self.world.sleep(self.latency)
        self.running -= 1
        return True


class ShortServer(Server):
    """A fake server that refuses a share of what comes, however slowly it comes."""

    def __init__(self, world: World, share: float, seed: int, *, rate: float = 1e9) -> None:
        super().__init__(world, rate=rate, burst=rate, latency=0.01, most=10_000)
        self._share, self._chance = share, random.Random(seed)

    async def ask(self) -> bool:
        if self._chance.random() < self._share:
            self.attempts += 1
            await self.world.sleep(0.002)
            return False
        return await super().ask()


def play(
    server: Server, pace: Pace, requests: int, workers: int, wait_s: float | None = None
) -> float:
    """Send requests until each is answered; return how long it took."""
    world = server.world

    async def one() -> None:
        while True:
            began = await pace.turn()
            served = await server.ask()
            pace.end()
            if served:
                pace.served()
                return
            pace.pushed_back(began, limited=True, wait_s=wait_s)
            await world.sleep(wait_s or 0.5)

    async def all_of_them() -> None:
        waiting = iter(range(requests))

        async def work() -> None:
            for _ in waiting:
                await one()

        await asyncio.gather(*(work() for _ in range(workers)))

    async def run() -> None:
        await world.run(asyncio.ensure_future(all_of_them()))

    asyncio.run(run())
    return world.now


@pytest.mark.parametrize("latency", [0.002, 0.05, 1.0])
@pytest.mark.parametrize("burst", [1, 10])
def test_a_server_with_a_rate_limit_is_not_stormed(latency: float, burst: int) -> None:
    world = World()
    server = Server(world, rate=10, burst=burst, latency=latency, most=10_000)
    pace = Pace(16, clock=world, sleep=world.sleep)
    took = play(server, pace, 400, 16)
    assert server.attempts <= 520
    assert took <= 56


def test_a_fast_server_is_used_to_the_full() -> None:
    world = World()
    server = Server(world, rate=1e9, burst=1e9, latency=0.05, most=10_000)
    pace = Pace(64, clock=world, sleep=world.sleep)
    took = play(server, pace, 3000, 64)
    assert server.highest == 64
    assert took <= 1.25 * 3000 * 0.05 / 64


def test_it_settles_below_what_the_server_takes_at_once() -> None:
    world = World()
    server = Server(world, rate=1e9, burst=1e9, latency=1.0, most=6)
    pace = Pace(64, clock=world, sleep=world.sleep)
    took = play(server, pace, 600, 64)
    assert server.attempts <= 780
    assert took <= 1.5 * 600 / 6


def test_a_passing_refusal_does_not_slow_a_run_for_good() -> None:
    world = World()
    server = Server(world, rate=1e9, burst=1e9, latency=0.01, most=10_000)
    pace = Pace(8, clock=world, sleep=world.sleep)

    async def refused() -> None:
        began = await pace.turn()
        pace.end()
        pace.pushed_back(began, limited=True, wait_s=None)

    asyncio.run(refused())
    took = play(server, pace, 1000, 8)
    assert took < 60


@pytest.mark.parametrize("wait_s", [0.05, None])
@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_refusals_that_being_slower_does_not_make_rarer_do_not_stop_a_run(
    seed: int, share: float, wait_s: float | None
) -> None:
    world = World()
    server = ShortServer(world, share, seed)
    took = play(server, Pace(16, clock=world, sleep=world.sleep), 2000, 16, wait_s)
    assert took <= 60


def test_a_rate_limit_is_found_behind_refusals_of_another_kind() -> None:
    world = World()
    server = ShortServer(world, 0.2, 1, rate=20)
    took = play(server, Pace(16, clock=world, sleep=world.sleep), 1500, 16, 0.05)
    assert took <= 1.5 * 1500 / 20
    assert server.attempts <= 2 * 1500 / 0.8


def test_nobody_comes_more_seldom_than_the_server_asked() -> None:
    world = World()
    pace = Pace(16, clock=world, sleep=world.sleep)

    async def refused() -> None:
        for _ in range(30):
            began = await pace.turn()
            pace.end()
            pace.pushed_back(began, limited=True, wait_s=0.5)

    async def run() -> None:
        await world.run(asyncio.ensure_future(refused()))

    asyncio.run(run())
    assert pace.rate is not None
    assert pace.rate >= 2


def test_all_wait_for_what_the_server_asked() -> None:
    world = World()
    pace = Pace(4, clock=world, sleep=world.sleep)

    async def run() -> float:
        began = await pace.turn()
        pace.end()
        pace.pushed_back(began, limited=True, wait_s=20.0)
        turn = asyncio.ensure_future(pace.turn())
        await world.run(turn)
        return turn.result()

    assert asyncio.run(run()) >= 20.0


def test_one_overrun_is_one_cut() -> None:
    world = World()
    pace = Pace(8, clock=world, sleep=world.sleep)

    async def run() -> None:
        began = [await pace.turn() for _ in range(8)]
        world.now = 1.0
        for one in began:
            pace.pushed_back(one, limited=False, wait_s=None)

    asyncio.run(run())
    assert pace.limit == 5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["turn", "end", "served", "pushed", "cancel"]), max_size=60))
def test_turns_are_never_lost(steps: list[str]) -> None:
    """Whatever happens, as many turns can be had afterwards as the limit says."""

    async def run() -> None:
        pace = Pace(6)
        held: list[float] = []
        waiting: list[asyncio.Task[float]] = []
        for step in steps:
            if step == "turn":
                waiting.append(asyncio.ensure_future(pace.turn()))
            elif step == "end" and held:
                held.pop()
                pace.end()
            elif step == "served" and held:
                pace.served()
            elif step == "pushed" and held:
                pace.pushed_back(held[-1], limited=False, wait_s=None)
            elif step == "cancel" and waiting:
                waiting.pop().cancel()
            if step != "cancel":
                await asyncio.sleep(0)
            held += [task.result() for task in waiting if task.done() and not task.cancelled()]
            waiting = [task for task in waiting if not task.done()]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        held += [t.result() for t in waiting if t.done() and not t.cancelled()]
        for _ in held:
            pace.end()
        async with asyncio.timeout(5):
            assert len([await pace.turn() for _ in range(pace.limit)]) == pace.limit

    asyncio.run(run())
