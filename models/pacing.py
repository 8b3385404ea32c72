"""How many requests may be under way at a target, and how soon the next may leave.

Both adapt as TCP's congestion window does (Jacobson 1988, "Congestion Avoidance and Control";
additive increase, multiplicative decrease: Chiu and Jain 1989, *Computer Networks and ISDN Systems*
17). How many are under way grows with answers and falls where a server fails or is late. A rate
limit is another thing: a refusal comes at once and frees its place, so that fewer at a time would
be as many in a second; from the first one on starts are spaced, by the rate that was served.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from .probing import Probe

LONGEST_WAIT_S = 60.0
"""A server that asks to wait longer is not waited for."""

_FIRST = 8
_GROWTH = 1 / 4
_CUT = 0.7
_WINDOW_S = 10.0
_LEAST_S = 0.25
_BELOW = 0.9
_HALF = 0.5
_FOUND = 3
_FASTER = 1.02
_FASTEST = 1.25


class Pace:
    """Gives out turns; one for each request that is sent.

    Args:
        most: How many requests may be under way, at least 1.
        requests_per_minute: Limit on the rate of starts; ``None`` is no limit.
        clock: Seconds that only ever grow.
        sleep: Waits for some seconds of that clock.
    """

    def __init__(
        self,
        most: int = 1,
        requests_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.most = max(1, most)
        self.clock = clock
        self.sleep = sleep
        self._limit = float(min(self.most, _FIRST))
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._ceiling = requests_per_minute / 60.0 if requests_per_minute else None
        self._rate = self._ceiling
        self._next_start = 0.0
        self._cut_at: float | None = None
        self._cuts = 0
        self._since = 0
        self._served: deque[float] = deque()
        self._probe = Probe()
        self._begun = clock()

    @property
    def limit(self) -> int:
        """How many requests may be under way now."""
        return max(1, int(self._limit))

    @property
    def rate(self) -> float | None:
        """How many requests may start in a second; ``None`` for as many as there are turns."""
        return self._rate

    async def turn(self) -> float:
        """Wait for a turn; return when it began. It ends with `end`."""
        if self._running >= self.limit or self._waiting:
            await self._queue()
        self._running += 1
        try:
            await self._space()
        except BaseException:
            self.end()
            raise
        return self.clock()

    async def _queue(self) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            if place in self._waiting:
                self._waiting.remove(place)
            elif place.done() and not place.cancelled():
                self._running -= 1  # It was given a turn that it does not take.
                self._admit()
            raise
        self._running -= 1  # Counted by whoever admitted it, until it counts itself.

    async def _space(self) -> None:
        """Wait until the next request may start."""
        while True:
            now = self.clock()
            start = max(now, self._next_start)
            if start <= now:
                break
            await self.sleep(start - now)
        if self._rate is not None:
            self._next_start = now + 1 / self._rate

    def end(self) -> None:
        """End a turn."""
        self._running -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._running < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)

    def served(self) -> None:
        """An answer came: a little more may be tried."""
        now = self.clock()
        self._served.append(now)
        self._since += 1
        self._forget(now)
        grown = _GROWTH if self._cut_at is None else 1 / self._limit
        self._limit = min(float(self.most), self._limit + grown)
        if self._rate is not None and self._cut_at is not None:
            # The first guess may be far too low: until the next refusal it grows fast.
            faster = _FASTER if self._cuts > 1 else _FASTEST
            self._rate = min(self._rate * faster, self._ceiling or float("inf"))
            self._probed(refused=False)
        self._admit()

    def pushed_back(self, began: float, *, limited: bool, wait_s: float | None) -> None:
        """The server was overrun: fewer may be under way, or where it counts them, start.

        All that left before the last cut tell of the same overrun, and only the first counts.

        Args:
            began: What `turn` returned for the request.
            limited: Whether it was a rate limit.
            wait_s: Seconds that the server asked to wait; all wait, a bounded time.
        """
        now = self.clock()
        if wait_s is not None:
            self._next_start = max(self._next_start, now + min(wait_s, LONGEST_WAIT_S))
        if self._cut_at is not None and began <= self._cut_at:
            return
        if limited:
            self._probed(refused=True)
            if self._probe.on:
                return
        self._cut_at = now
        if limited:
            self._slow_down(now, wait_s)
        else:
            self._limit = max(1.0, self._limit * _CUT)
        self._since = 0

    def _probed(self, *, refused: bool) -> None:
        if self._rate is not None and self._cuts:
            faster = self._rate * self._probe.seen(refused=refused)
            self._rate = min(faster, self._ceiling or float("inf"))

    def _slow_down(self, now: float, wait_s: float | None) -> None:
        self._forget(now)
        span = min(_WINDOW_S, max(_LEAST_S, now - self._begun))
        seen = max(len(self._served), 1) / span
        if self._rate is None or self._cuts == 0:
            self._rate = min(_BELOW * seen, self._rate or seen)
        else:
            # Refused at once again: far too fast. Else it was found, from below.
            far = self._since < _FOUND
            # What was served a moment ago can be served again: refusals that have nothing to do
            # with the rate must not bring it down to nothing.
            self._rate = max(self._rate * (_HALF if far else _BELOW), seen * _HALF)
        if wait_s:
            # Whoever is told when to come again need not come more seldom than that.
            self._rate = max(self._rate, min(1 / wait_s, self._ceiling or float("inf")))
        self._cuts += 1

    def _forget(self, now: float) -> None:
        while self._served and self._served[0] < now - _WINDOW_S:
            self._served.popleft()
