"""Asks in batches what the client asks one by one: the same answers, cheaper and later.

What a run asks for until it asks for nothing more is one round. It is sent in as few batches as
the provider allows, and then the run either leaves or waits for them.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

from ..core.errors import CostoptError
from ..core.protocols import Target, TargetError
from ..core.types import Answer, Request, Usage
from .batches.base import BatchApi, BatchRequest, BatchState
from .batches.bodies import grouped
from .batches.collect import Collected, Collector, finish
from .batches.journal import Batch, BatchJournal, Row
from .batches.quiet import quiet
from .batches.sending import Sender
from .keys import request_key
from .records import fresh, summarise, summary_json
from .spending import BudgetExceeded, Reservation, Spending
from .store import AnswerStore

_LONGEST_POLL_S = 60.0
_LARGEST_ROUND = 1_000_000
_SLOWER = 1.5
_TRIES = 4
_LOST_TRIES = 2


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What of a target waits in batches: how many of them, requests, and USD at most."""

    batches: tuple[str, ...]
    requests: int
    usd: Decimal


@dataclass(frozen=True)
class _Draft:
    """A request that is to be sent, with its money set aside."""

    request: BatchRequest
    row: Row
    held: Reservation


class BatchClient:
    """Asks a target in batches, through the answer store and within the spending cap.

    Args:
        target: Who is asked; only its identity and tokenizer are used.
        api: Its batch API.
        store: Where answers are kept.
        journal: Where batches are written down.
        spending: The cap, over all clients that share it.
        price_usd: What a request in a batch costs, from its usage; ``None`` where unknown.
        worst_case: The most that a request in a batch can cost.
        wait: Whether to wait for the batches; else every request that waits fails as ``pending``.
        busy: Says whether requests are being made that will be asked for.
        note: Told about what was sent, collected and lost.
        poll_s: Seconds between the first looks at a batch; later ones are up to a minute apart.

    ``requests``, the tokens and ``usd`` are those of the requests that this run sent, and of the
    answers that it collected.
    """

    def __init__(
        self,
        target: Target,
        api: BatchApi,
        store: AnswerStore,
        journal: BatchJournal,
        spending: Spending,
        *,
        price_usd: Callable[[Usage], Decimal | None],
        worst_case: Callable[[Request], Decimal],
        wait: bool = False,
        busy: Callable[[], bool] = lambda: False,
        note: Callable[[str], None] = lambda text: None,
        poll_s: float = 1.0,
    ) -> None:
        self.target = target
        self.requests = 0
        self.cached_answers = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.usd = Decimal(0)
        self._api = api
        self._store = store
        self._journal = journal
        self._spending = spending
        self._worst_case = worst_case
        self._wait = wait
        self._busy = busy
        self._note = note
        self._first_poll_s = self._poll_s = poll_s
        self._sender = Sender(api, journal, target=target.name, model=target.model, note=note)
        self._collector = Collector(
            api=api, journal=journal, store=store, counter=target.counter, price_usd=price_usd
        )
        self._asked = 0
        self._resumed = False
        self._requests: dict[str, Request] = {}
        self._futures: dict[str, asyncio.Future[Answer]] = {}
        self._wanted: set[str] = set()
        self._seen: tuple[int, tuple[str, ...]] | None = None
        self._held: dict[str, list[Reservation]] = {}
        self._said: dict[str, tuple[str, int]] = {}
        self._more = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    @property
    def most(self) -> int:
        """How many requests may be asked for at once: a round is all that a run asks for."""
        return _LARGEST_ROUND

    async def ask(self, request: Request) -> Answer:
        """Return the answer: the stored one, or one from a batch that is stored before.

        Raises:
            TargetError: no answer came; kind ``pending`` where it waits in a batch.
            BudgetExceeded: the cap does not allow the request; it was not sent.
            CostoptError: the batch was refused, or the answer could not be stored.
        """
        key = request_key(self.target.identity, request)
        stored = self._store.get(key)
        if stored is not None:
            self.cached_answers += 1
            return stored
        if request.continuation is not None:
            raise TargetError("a batch gives no log-likelihoods", kind="rejected")
        future = self._futures.get(key)
        if future is not None:
            answer = await asyncio.shield(future)
            self.cached_answers += 1
            return fresh(answer)
        self._asked += 1
        self._requests[key] = request
        self._futures[key] = future = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.exception())  # Seen: nobody may be waiting.
        self._more.set()
        if self._driver is None:
            self._driver = asyncio.create_task(self._drive())
        return await asyncio.shield(future)

    @property
    def waiting(self) -> Waiting | None:
        """What waits in this target's batches; ``None`` where nothing does."""
        found = self._ours()
        if not found:
            return None
        return Waiting(
            batches=tuple(batch.id for batch in found),
            requests=sum(batch.counts.get("waiting", 0) for batch in found),
            usd=sum((batch.worst for batch in found), Decimal(0)),
        )

    async def close(self) -> None:
        """Stop waiting; the batches go on at the provider."""
        if self._driver is not None:
            self._driver.cancel()
            with suppress(asyncio.CancelledError):
                await self._driver
        await self._api.close()

    # -- rounds ----------------------------------------------------------------------------

    async def _drive(self) -> None:
        try:
            await self._rounds()
        except Exception as error:
            self._fail(list(self._futures), error)
        finally:
            self._driver = None

    async def _rounds(self) -> None:
        if not self._resumed:
            await self._resume()
        while self._futures:
            self._reconcile()
            if self._wanted:
                await quiet(lambda: self._asked, self._busy)
                self._reconcile()
                await self._send()
            elif not self._wait:
                self._fail(list(self._futures), TargetError("waits in a batch", kind="pending"))
            else:
                await self._pause()
                await self._collect()

    async def _resume(self) -> None:
        """Find what earlier runs have sent: collect what has ended, count the rest to the cap."""
        self._resumed = True
        await self._sender.recover()
        for batch in self._ours():
            with suppress(BudgetExceeded):
                self._held[batch.id] = [self._spending.reserve(batch.worst)]
        await self._collect()

    def _reconcile(self) -> None:
        """Give out what is stored; what neither is nor waits in a batch is to be sent."""
        now = self._asked, tuple(batch.id for batch in self._ours())
        if now == self._seen:
            return
        self._seen = now
        waiting = self._journal.waiting_keys(self._futures)
        self._wanted = {key for key in self._futures if key not in waiting}
        for key in list(self._wanted):
            answer = self._store.get(key)
            if answer is not None:
                self._futures[key].set_result(answer)
                self._forget(key)

    async def _send(self) -> None:
        """Send what is wanted, in as few batches as the provider allows."""
        self._more.clear()
        drafts = self._drafts()
        self._wanted.clear()
        self._seen = None
        sizes = [self._api.size(draft.request) for draft in drafts]
        limits = self._api.limits
        unsent = list(drafts)
        try:
            for group in grouped(sizes, most=limits.requests, bytes=limits.bytes):
                await self._send_batch([drafts[index] for index in group])
                del unsent[: len(group)]
        finally:
            self._release(unsent)

    def _drafts(self) -> list[_Draft]:
        drafts: list[_Draft] = []
        # In the order in which they were asked for.
        wanted = [key for key in self._futures if key in self._wanted]
        for index, key in enumerate(wanted):
            try:
                drafts.append(self._draft(key))
            except TargetError as error:
                self._fail([key], error)
            except BudgetExceeded as error:
                self._fail(wanted[index:], error)
                break
        return drafts

    def _draft(self, key: str) -> _Draft:
        request = self._requests[key]
        given_up = self._given_up(key)
        if given_up is not None:
            raise given_up
        body = self._api.body(request)
        worst = self._worst_case(request)
        row = Row(
            key=key,
            summary=summary_json(summarise(request, self.target.identity)),
            tokens=sum(self.target.counter(message.content) for message in request.messages),
            worst=worst,
        )
        return _Draft(BatchRequest(key, body), row, self._spending.reserve(worst))

    def _given_up(self, key: str) -> TargetError | None:
        """Return why a request is not sent once more, after what became of it before."""
        attempts = self._journal.attempts(key)
        for state, message in attempts:
            if state in ("rejected", "refused"):
                said = f"{state} in a batch, and asked anew without --batch only: {message}"
                return TargetError(said, kind=state)
        lost = sum(state == "lost" for state, _ in attempts)
        if lost >= _LOST_TRIES or len(attempts) >= _TRIES:
            message = f"given up after {len(attempts)} batches: {attempts[-1][1]}"
            return TargetError(message, kind="server", possibly_paid=lost > 0)
        return None

    async def _send_batch(self, drafts: Sequence[_Draft]) -> None:
        batch = await self._sender.send([(draft.request, draft.row) for draft in drafts])
        sent = self._journal.keys(batch.id) if batch else set[str]()
        self._release([draft for draft in drafts if draft.row.key not in sent])
        held = [draft.held for draft in drafts if draft.row.key in sent]
        if batch is None:
            return
        self.requests += len(sent)
        if not batch.is_open:  # Nobody knows what became of it: the worst case counts.
            self._settle(held, batch.usd)
            return
        self._held[batch.id] = held
        self._poll_s = self._first_poll_s
        most = f"at most ${batch.worst.normalize():f}"
        self._note(f"batch {batch.id}: {len(sent)} requests sent to {self.target.name}, {most}")

    def _release(self, drafts: Sequence[_Draft]) -> None:
        for draft in drafts:
            self._spending.settle(draft.held, Decimal(0))

    def _settle(self, held: Sequence[Reservation], usd: Decimal) -> None:
        """Give a batch's reservations back and count what it cost."""
        for reservation in held:
            self._spending.settle(reservation, Decimal(0))
        self._spending.settle(Reservation(Decimal(0)), usd)
        self.usd += usd

    # -- batches under way -----------------------------------------------------------------

    def _ours(self) -> list[Batch]:
        batches = self._journal.batches(only_open=True)
        return [batch for batch in batches if self._sender.is_ours(batch)]

    async def _pause(self) -> None:
        """Wait for the next look, or until something more is asked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._more.wait(), self._poll_s)
        self._poll_s = min(_LONGEST_POLL_S, self._poll_s * _SLOWER)

    async def _collect(self) -> None:
        """Look at every batch that is under way, and collect those that have ended.

        Raises:
            CostoptError: the provider refused one; what the others brought is collected.
        """
        refused: list[CostoptError] = []
        for batch in self._ours():
            if batch.name is None:  # Another process is sending it.
                continue
            found = Collected()
            try:
                await finish(batch, self._api, self._collector, found, self._say)
            except TargetError as error:
                self._note(f"batch {batch.id}: {error}")
            except CostoptError as error:
                refused.append(error)
            finally:
                self._count(batch, found)
        if refused:
            raise refused[0]

    def _count(self, batch: Batch, found: Collected) -> None:
        """Count what a batch brought, and once it has ended give its reservations back."""
        done = not self._journal.batch(batch.id).is_open
        self._settle(self._held.pop(batch.id, []) if done else [], found.usd)
        self.input_tokens += found.input_tokens
        self.output_tokens += found.output_tokens
        if done:
            self._poll_s = self._first_poll_s
            self._note(f"batch {batch.id}: {found.words}")

    def _say(self, batch: Batch, state: BatchState) -> None:
        """Say how far a batch is, where it is another tenth further."""
        total = state.total or batch.requests
        done = state.done or 0
        now = (state.said, 10 * done // total)
        if self._wait and self._said.get(batch.id) != now:
            self._said[batch.id] = now
            self._note(f"batch {batch.id}: {state.said}, {done} of {total} done")

    def _fail(self, keys: Sequence[str], error: Exception) -> None:
        for key in keys:
            self._futures[key].set_exception(error)
            self._forget(key)

    def _forget(self, key: str) -> None:
        del self._futures[key]
        del self._requests[key]
        self._wanted.discard(key)
