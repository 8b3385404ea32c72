"""Keeps the books of a run on a thread of its own: reserved before sent, stored before used.

Everything that has to be on the disk goes through one queue. What has gathered there is written
as one transaction, so that sixty answers that come at once wait for one write and not for sixty,
and whoever asked gets word only once it is on the disk.
"""

import asyncio
import copy
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ..core.types import Answer
from .journal import Journal, Lost
from .spending import BudgetExceeded, Reservation, Spending
from .store import AnswerStore, insert

_MOST_AT_ONCE = 256


@dataclass(frozen=True)
class Sent:
    """A request that may leave: written down, and its money set aside."""

    number: int
    held: Reservation


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Something to do, and who waits for it."""

    future: "asyncio.Future[Any]"
    read: Callable[[], Any] | None = None
    write: Callable[[sqlite3.Connection, Spending], Any] | None = None


class Ledger:
    """The books of one run over all its targets.

    Args:
        store: Where answers are kept.
        spending: The cap; settled here and nowhere else.

    ``unknown`` is what may have been paid for and never arrived, of this run.
    """

    def __init__(self, store: AnswerStore, spending: Spending) -> None:
        self.store = store
        self.spending = spending
        self.unknown = Lost()
        capped = spending.max_usd is not None or spending.max_requests is not None
        self.journal = Journal(store.database, capped=capped)
        self._under_way: set[int] = set()
        self._patient: list[_Job] = []
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._writer.start()

    async def stored(self, key: str) -> Answer | None:
        """Return the answer stored under ``key``, marked as cached, or ``None``."""
        answer: Answer | None = await self._read(lambda: self.store.get(key))
        return answer

    async def send(self, key: str, *, target: str, worst: Decimal) -> Sent:
        """Set the most that a request can cost aside and write it down; then it may leave.

        Where the cap leaves too little only because of what is set aside for requests under way,
        it waits for what comes back of it.

        Raises:
            BudgetExceeded: the cap, over all runs that share it, does not allow it.
            CostoptError: it cannot be written down.
        """

        def work(connection: sqlite3.Connection, spending: Spending) -> Sent:
            held = spending.reserve(worst)
            return Sent(self.journal.send(connection, key, target, worst), held)

        sent: Sent = await asyncio.shield(self._write(work))
        self._under_way.add(sent.number)
        return sent

    def keep(
        self,
        sent: Sent,
        key: str,
        summary: Mapping[str, Any],
        answer: Answer,
        *,
        target: str,
        usd: Decimal | None,
    ) -> Awaitable[None]:
        """Store an answer and settle what it cost, ``None`` for the worst case.

        It is in the queue when this returns, ahead of whatever is written down after it, and on
        the disk when what is returned is awaited.
        """
        row = self.store.row(key, summary, answer, target=target)

        def work(connection: sqlite3.Connection, spending: Spending) -> None:
            insert(connection, row)
            self.journal.settle(connection, sent.number)
            spending.settle(sent.held, usd)

        return self._settled(sent, self._write(work))

    async def fail(self, sent: Sent, *, usd: Decimal | None) -> None:
        """Settle a request that brought no answer to keep.

        Args:
            sent: From `send`.
            usd: What it cost, 0 for nothing; ``None`` where nobody knows: then the worst case
                counts, and the request stays written down as one of unknown outcome.
        """

        def work(connection: sqlite3.Connection, spending: Spending) -> None:
            if usd is None:
                self.journal.give_up(connection, sent.number)
            else:
                self.journal.settle(connection, sent.number)
            spending.settle(sent.held, usd)

        if usd is None:
            self.unknown = Lost(self.unknown.requests + 1, self.unknown.usd + sent.held.usd)
        await self._settled(sent, self._write(work))

    def close(self) -> None:
        """Write what is left and end the run."""
        self._jobs.put(None)
        self._writer.join()
        self.journal.close(self._under_way)

    async def _read(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401
        job = _Job(future=asyncio.get_running_loop().create_future(), read=work)
        self._jobs.put(job)
        return await job.future

    def _write(self, work: Callable[[sqlite3.Connection, Spending], Any]) -> "asyncio.Future[Any]":
        job = _Job(future=asyncio.get_running_loop().create_future(), write=work)
        self._jobs.put(job)
        return job.future

    async def _settled(self, sent: Sent, written: "asyncio.Future[Any]") -> None:
        # Whoever is cancelled while it waits does not keep the writer from writing.
        await asyncio.shield(written)
        self._under_way.discard(sent.number)

    # -- the writer's thread ---------------------------------------------------------------

    def _work(self) -> None:
        going = True
        while going:
            gathered = self._gathered()
            jobs = [job for job in gathered if job is not None]
            going = len(jobs) == len(gathered)
            writing = [job for job in jobs if job.write is not None] + self._patient
            results = zip(writing, self._commit([job.write for job in writing]), strict=True)
            done, self._patient = _parted(results)
            # After the writing, so that what was written before it was asked for is found.
            done += [(job, _tried(job.read)) for job in jobs if job.read is not None]
            _tell(done)

    def _gathered(self) -> list[_Job | None]:
        jobs = [self._jobs.get()]
        while jobs[-1] is not None and len(jobs) < _MOST_AT_ONCE and not self._jobs.empty():
            jobs.append(self._jobs.get())
        return jobs

    def _commit(self, works: Sequence[Any]) -> list[Any]:
        """Write all in one transaction; return what each gave, or its error."""
        if not works:
            return []
        try:
            spending, results = self.store.database.write(lambda c: self._entries(c, works))
        except Exception as error:
            return [error] * len(works)
        vars(self.spending).update(vars(spending))
        return results

    def _entries(
        self, connection: sqlite3.Connection, works: Sequence[Any]
    ) -> tuple[Spending, list[Any]]:
        # On a copy: where the transaction fails, nothing of it has happened.
        spending = copy.copy(self.spending)
        spending.elsewhere = self.journal.elsewhere(connection)
        results: list[Any] = []
        for work in works:
            try:
                results.append(work(connection, spending))
            except BudgetExceeded as error:
                results.append(error)
        self.journal.total(
            connection,
            spent=spending.spent_usd,
            reserved=spending.reserved_usd,
            requests=spending.requests,
        )
        return spending, results


def _parted(
    results: Iterable[tuple[_Job, Any]],
) -> tuple[list[tuple[_Job, Any]], list[_Job]]:
    """Part what is done from what waits for money to come back."""
    done: list[tuple[_Job, Any]] = []
    patient: list[_Job] = []
    for job, result in results:
        if isinstance(result, BudgetExceeded) and result.settling:
            patient.append(job)
        else:
            done.append((job, result))
    return done, patient


def _tried(work: Callable[[], Any]) -> Any:  # noqa: ANN401
    try:
        return work()
    except Exception as error:
        return error


def _tell(told: Sequence[tuple[_Job, Any]]) -> None:
    """Give each job its result, with one call for each event loop that waits."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Job, Any]]] = {}
    for job, result in told:
        loops.setdefault(job.future.get_loop(), []).append((job, result))
    for loop, results in loops.items():
        # Where the loop is closed nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, results)


def _resolve(told: Sequence[tuple[_Job, Any]]) -> None:
    for job, result in told:
        if job.future.done():
            continue
        if isinstance(result, BaseException):
            job.future.set_exception(result)
            job.future.exception()  # Seen: who asked may have been cancelled.
        else:
            job.future.set_result(result)
