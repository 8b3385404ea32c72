"""A target on a server that is paid by the hour: its busy time is what a run costs."""

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from ..core.protocols import Target, TokenCounter
from ..core.types import Answer, Request, Usage

_HOUR_S = 3600


class ServerTime:
    """Counts the time in which a server has at least one request, and what that costs.

    Args:
        usd_per_hour: What the server costs.
        longest_s: The longest that one request may take.
        concurrency: How many requests share the server's time.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        usd_per_hour: Decimal,
        *,
        longest_s: float,
        concurrency: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._usd_per_hour = usd_per_hour
        self._longest_s = longest_s / max(concurrency, 1)
        self._clock = clock
        self._under_way = 0
        self._since = 0.0
        self._busy_s = 0.0

    def begin(self) -> None:
        """Note that a request was sent."""
        if not self._under_way:
            self._since = self._clock()
        self._under_way += 1

    def end(self) -> None:
        """Note that a request was answered, or failed."""
        self._count()
        self._under_way -= 1

    def charge(self, usage: Usage) -> Decimal:
        """Return what the time since the last charge cost, in USD: an answer's part of it."""
        del usage  # Time is what is paid for.
        self._count()
        spent, self._busy_s = self._busy_s, 0.0
        return self._usd(spent)

    def worst_case(self, request: Request) -> Decimal:
        """Return what one request is taken to cost at most, in USD: its part of the longest wait.

        A last request that is alone may take the whole of it, so this is no bound for a cap.
        """
        del request
        return self._usd(self._longest_s)

    def _count(self) -> None:
        now = self._clock()
        if self._under_way:
            self._busy_s += now - self._since
        self._since = now

    def _usd(self, seconds: float) -> Decimal:
        return self._usd_per_hour * Decimal(str(round(seconds, 6))) / _HOUR_S


class TimedTarget:
    """Another `Target`, with its server's busy time counted."""

    def __init__(self, target: Target, hours: ServerTime) -> None:
        self._target = target
        self._hours = hours

    @property
    def name(self) -> str:
        """The name it was asked for by."""
        return self._target.name

    @property
    def model(self) -> str:
        """The model's own name."""
        return self._target.model

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do."""
        return self._target.capabilities

    @property
    def identity(self) -> Mapping[str, Any]:
        """All of the target that can change an answer; how it is paid is no part of it."""
        return self._target.identity

    @property
    def counter(self) -> TokenCounter:
        """The target's own tokenizer."""
        return self._target.counter

    async def answer(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            TargetError: no answer came.
        """
        self._hours.begin()
        try:
            return await self._target.answer(request)
        finally:
            self._hours.end()

    async def close(self) -> None:
        """Give back what it holds."""
        await self._target.close()
