"""The way of a request: store, cap, target, store; nothing is asked twice, nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

from ..core.protocols import Target, TargetError
from ..core.types import Answer, Request, Usage
from .keys import request_key
from .ledger import Ledger, Sent
from .pacing import LONGEST_WAIT_S, Pace
from .records import fresh, summarise
from .retries import Circuit, RetryBudget, wait_s

_DEADLINE_S = 600.0
_READY = 32
"""Requests that wait rendered and looked up, at most, so that a place is taken when it is free."""


class Client:
    """Asks a target through the answer store, within the spending cap.

    Args:
        target: Who is asked.
        ledger: The books of the run, with the answer store and the cap.
        price_usd: What a request cost, from its usage; ``None`` for a target that costs nothing.
        worst_case: The most that a request can cost; ``None`` for one that costs nothing.
        pace: How many requests may be under way, and how soon the next may leave; default: one.
        deadline_s: Seconds after which a request is not tried again.
        note: Told what whoever watches the run should know.

    ``requests`` counts live calls, tries that failed too; the tokens and ``usd`` (real money; 0
    for a target that costs nothing) are those of live answers.
    """

    def __init__(
        self,
        target: Target,
        ledger: Ledger,
        price_usd: Callable[[Usage], Decimal | None] | None = None,
        worst_case: Callable[[Request], Decimal] | None = None,
        pace: Pace | None = None,
        deadline_s: float = _DEADLINE_S,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.target = target
        self.requests = 0
        self.cached_answers = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.usd = Decimal(0)
        self._ledger = ledger
        self._price_usd = price_usd
        self._worst_case = worst_case
        self._pace = pace or Pace()
        self._budget = RetryBudget()
        self._circuit = Circuit()
        self._deadline_s = deadline_s
        self._note = note or (lambda text: None)
        self._pending: dict[str, asyncio.Future[Answer | None]] = {}

    @property
    def most(self) -> int:
        """How many requests are worth asking for at once: those under way, and the next ones."""
        return self._pace.most + min(self._pace.most, _READY)

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
            pending = self._pending.get(key)
            if pending is None:
                return await self._ask_once(key, request)
            answer = await asyncio.shield(pending)
            if answer is not None:
                self.cached_answers += 1
                return fresh(answer)

    async def _ask_once(self, key: str, request: Request) -> Answer:
        """Ask the store, then live; whoever wants the same in the meantime waits for this."""
        pending = asyncio.get_running_loop().create_future()
        self._pending[key] = pending
        try:
            answer = await self._ledger.stored(key)
            if answer is not None:
                self.cached_answers += 1
            else:
                answer = await self._ask_live(key, request)
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

    async def _ask_live(self, key: str, request: Request) -> Answer:
        """Send a request until it is answered, or until there is no sense in it."""
        last_start = self._pace.clock() + self._deadline_s
        self._budget.asked()
        tries = 0
        while True:
            tries += 1
            try:
                return await self._take_turn(key, request)
            except TargetError as error:
                wait = wait_s(tries, error)
                late = wait is not None and self._pace.clock() + wait > last_start
                if wait is None or late or not self._budget.allows(error):
                    if error.kind != "stopped":
                        self._circuit.failed(error)
                    raise
            await self._pace.sleep(wait)

    async def _take_turn(self, key: str, request: Request) -> Answer:
        """Send a request once, when it is its turn.

        The turn ends when the answer waits to be written, and not when it is: whoever is next
        writes itself down behind it, in the same transaction or a later one, before it leaves. So
        never more requests than turns have left without an answer on the disk.
        """
        self._circuit.check()
        began = await self._pace.turn()
        try:
            # It may have opened while this one waited.
            self._circuit.check()
            answer, written = await self._try(key, request)
        except TargetError as error:
            if error.kind in {"rate_limit", "server", "timeout"}:
                limited = error.kind == "rate_limit"
                self._pace.pushed_back(began, limited=limited, wait_s=_bounded(error))
            raise
        finally:
            self._pace.end()
        await written
        self._pace.served()
        self._circuit.succeeded()
        return answer

    async def _try(self, key: str, request: Request) -> tuple[Answer, Awaitable[None]]:
        """Return the answer, and what is done once it is stored."""
        worst = self._worst_case(request) if self._worst_case else Decimal(0)
        sent = await self._ledger.send(key, target=self.target.name, worst=worst)
        self.requests += 1
        try:
            answer = await self.target.answer(request)
        except TargetError as error:
            await self._fail(sent, paid=error.possibly_paid)
            raise
        except BaseException:
            # Cancelled on the way: it may be billed all the same.
            await self._fail(sent, paid=True)
            raise
        usd = self._charge(sent, answer)
        if answer.finish_reason == "content_filter":
            await self._ledger.fail(sent, usd=usd)
            raise TargetError("the provider's filter withheld the answer", kind="refused")
        name, summary = self.target.name, summarise(request, self.target.identity)
        return answer, self._ledger.keep(sent, key, summary, answer, target=name, usd=usd)

    def _charge(self, sent: Sent, answer: Answer) -> Decimal:
        """Count what an answer cost and return it; the worst case where that is unknown."""
        usd = self._price_usd(answer.usage) if self._price_usd else Decimal(0)
        paid = sent.held.usd if usd is None else usd
        self.usd += paid
        self.input_tokens += answer.usage.input
        self.output_tokens += answer.usage.output
        if paid > sent.held.usd:
            self._distrust(paid, sent.held.usd)
        return paid

    def _distrust(self, paid: Decimal, declared: Decimal) -> None:
        """Stop a run with a cap whose worst cases are none."""
        reason = f"an answer was billed at ${paid}, more than the ${declared} it could cost at most"
        if self._ledger.spending.distrust(reason):
            self._note(f"{self.target.name}: {reason}; under a cap nothing more is sent")

    async def _fail(self, sent: Sent, *, paid: bool) -> None:
        self.usd += sent.held.usd if paid else Decimal(0)
        await self._ledger.fail(sent, usd=None if paid else Decimal(0))


def _bounded(error: TargetError) -> float | None:
    """Return what the server asked to wait, where that is waited for."""
    asked = error.retry_after_s
    return asked if asked is not None and asked <= LONGEST_WAIT_S else None
