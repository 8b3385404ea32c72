"""The way of a request: store, cap, target, store; nothing is asked twice, nothing is lost."""

import asyncio
import random
import time
from collections.abc import Callable
from decimal import Decimal

from ..core.protocols import Target, TargetError
from ..core.types import Answer, Request, Usage
from .keys import request_key
from .records import fresh, summarise
from .spending import Reservation, Spending
from .store import AnswerStore

_TRIES = 4
_LONGEST_WAIT_S = 60.0


class Client:
    """Asks a target through the answer store, within the spending cap.

    Args:
        target: Who is asked.
        store: Where answers are kept.
        spending: The cap, over all clients that share it.
        price_usd: What a request cost, from its usage; ``None`` for a target that costs nothing.
        worst_case: The most that a request can cost; ``None`` for one that costs nothing.
        concurrency: How many requests may be under way, at least 1.
        requests_per_minute: Limit on the rate of requests; ``None`` is no limit.

    ``requests`` counts live calls, tries that failed too; the tokens and ``usd`` (real money; 0
    for a target that costs nothing) are those of live answers.
    """

    def __init__(
        self,
        target: Target,
        store: AnswerStore,
        spending: Spending,
        price_usd: Callable[[Usage], Decimal | None] | None = None,
        worst_case: Callable[[Request], Decimal] | None = None,
        concurrency: int = 1,
        requests_per_minute: float | None = None,
    ) -> None:
        self.target = target
        self.requests = 0
        self.cached_answers = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.usd = Decimal(0)
        self._store = store
        self._spending = spending
        self._price_usd = price_usd
        self._worst_case = worst_case
        self._slots = asyncio.Semaphore(max(1, concurrency))
        self._interval_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._next_start = 0.0
        self._pending: dict[str, asyncio.Future[Answer | None]] = {}

    async def ask(self, request: Request) -> Answer:
        """Return the answer: the stored one, or a new one that is stored before it is returned.

        The same request asked for twice at once is sent once.

        Raises:
            TargetError: no answer came, after the tries that made sense.
            BudgetExceeded: the cap does not allow the request; it was not sent.
            CostoptError: the answer could not be stored.
        """
        key = request_key(self.target.identity, request)
        while True:
            stored = self._store.get(key)
            if stored is not None:
                self.cached_answers += 1
                return stored
            pending = self._pending.get(key)
            if pending is None:
                return await self._ask_once(key, request)
            answer = await asyncio.shield(pending)
            if answer is not None:
                self.cached_answers += 1
                return fresh(answer)

    async def _ask_once(self, key: str, request: Request) -> Answer:
        """Ask live; whoever wants the same in the meantime waits for this."""
        pending = asyncio.get_running_loop().create_future()
        self._pending[key] = pending
        try:
            answer = await self._ask_live(request)
            self._store.put(key, summarise(request), answer, target=self.target.name)
            pending.set_result(answer)
            return answer
        except Exception as error:
            pending.set_exception(error)
            pending.exception()  # Seen: nobody may be waiting.
            raise
        finally:
            del self._pending[key]
            if not pending.done():  # Cancelled: who waits asks for itself.
                pending.set_result(None)

    async def _ask_live(self, request: Request) -> Answer:
        async with self._slots:
            for tries in range(1, _TRIES + 1):
                await self._pace()
                try:
                    return await self._try(request)
                except TargetError as error:
                    if not error.transient or tries == _TRIES:
                        raise
                    wait_s = _wait_s(tries, error.retry_after_s)
                    if wait_s > _LONGEST_WAIT_S:
                        raise
                await asyncio.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    async def _try(self, request: Request) -> Answer:
        worst = self._worst_case(request) if self._worst_case else Decimal(0)
        held = self._spending.reserve(worst)
        self.requests += 1
        try:
            answer = await self.target.answer(request)
        except TargetError as error:
            self._settle_failed(held, paid=error.possibly_paid)
            raise
        except BaseException:
            # Cancelled on the way: it may be billed all the same.
            self._settle_failed(held, paid=True)
            raise
        usd = self._price_usd(answer.usage) if self._price_usd else Decimal(0)
        self._spending.settle(held, usd)
        self.usd += worst if usd is None else usd
        self.input_tokens += answer.usage.input
        self.output_tokens += answer.usage.output
        if answer.finish_reason == "content_filter":
            raise TargetError("the provider's filter withheld the answer", kind="refused")
        return answer

    def _settle_failed(self, held: Reservation, *, paid: bool) -> None:
        self._spending.settle(held, held.usd if paid else Decimal(0))
        self.usd += held.usd if paid else Decimal(0)

    async def _pace(self) -> None:
        """Wait until the next request may start."""
        now = time.monotonic()
        start = max(now, self._next_start)
        self._next_start = start + self._interval_s
        if start > now:
            await asyncio.sleep(start - now)


def _wait_s(tries: int, retry_after_s: float | None) -> float:
    """Return how long to wait: what the server asked, else longer each time, with jitter."""
    backoff = min(_LONGEST_WAIT_S, 0.5 * 2**tries) * random.uniform(0.5, 1.0)  # noqa: S311
    return max(backoff, retry_after_s) if retry_after_s is not None else backoff
