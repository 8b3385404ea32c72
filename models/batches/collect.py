"""Collects a batch that has ended: every answer is stored before anything else hears of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from ...core.errors import CostoptError
from ...core.protocols import TargetError, TokenCounter
from ...core.types import Answer, Usage
from ..store import AnswerStore
from .base import BatchApi, BatchState, Reply, Result
from .http import HttpError
from .journal import Batch, BatchJournal, Row, Settled

_TOGETHER = 200
"""Results that are written down at once; their answers are in the store before."""
_STATES = ("answered", "refused", "rejected", "failed", "expired", "lost")


@dataclass(kw_only=True)
class Collected:
    """What a batch brought.

    Attributes:
        counts: Requests by what became of them (`journal.Settled.state`).
        unreadable: Lines of the results that could not be read.
        strange: Results of requests that are not of this batch.
        usd: What it cost; what may have been paid counts with the most that it can cost.
    """

    counts: dict[str, int] = field(default_factory=dict[str, int])
    unreadable: int = 0
    strange: int = 0
    usd: Decimal = Decimal(0)
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def words(self) -> str:
        """What came of it, in words.

        Example:
            >>> Collected(counts={"answered": 5, "expired": 1}, usd=Decimal("0.012")).words
            '5 answered, 1 expired; cost $0.012'
        """
        parts = [f"{self.counts[state]} {state}" for state in _STATES if self.counts.get(state)]
        parts += [f"{self.unreadable} lines that cannot be read"] if self.unreadable else []
        parts += [f"{self.strange} results that are not of this batch"] if self.strange else []
        return f"{', '.join(parts) or 'nothing new'}; cost ${self.usd.normalize():f}"


@dataclass(frozen=True)
class _Outcome:
    """What became of a request, and the answer if there is one."""

    row: Row
    settled: Settled
    usage: Usage = field(default_factory=lambda: Usage(0, 0))
    answer: Answer | None = None


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Brings answers from a batch API into the store.

    Args:
        api: Where the batch is.
        journal: Where it is written down.
        store: Where answers are kept.
        counter: Counts the tokens of answers for a server that counts none.
        price_usd: What a request in a batch costs, from its usage; ``None`` where it is unknown.
    """

    api: BatchApi
    journal: BatchJournal
    store: AnswerStore
    counter: TokenCounter
    price_usd: Callable[[Usage], Decimal | None]

    async def collect(self, batch: Batch, state: BatchState, found: Collected) -> None:
        """Store the answers of a batch that has ended, and settle its requests.

        What was collected before and cut off is collected again and counted once.

        Args:
            batch: The batch.
            state: Its state, ended.
            found: What it brought is added to this, also where it fails on the way.

        Raises:
            TargetError: the results could not be read to their end.
            CostoptError: an answer could not be stored.
        """
        rows = self.journal.waiting(batch.id)
        ours = self.journal.keys(batch.id)
        met = False
        group: list[_Outcome] = []
        async for result in self.api.results(batch.name or "", state):
            if result.custom_id is None or result.custom_id not in ours:
                found.unreadable += result.custom_id is None
                found.strange += result.custom_id is not None
                continue
            met = True
            if (row := rows.pop(result.custom_id, None)) is not None:
                group.append(self._outcome(batch, row, result))
            if len(group) >= _TOGETHER:
                self._write(batch, group, found)
                group = []
        group += [_Outcome(row, _left(row, state)) for row in rows.values()]
        self._write(batch, group, found)
        self._end(batch, stranger=found.strange > 0 and not met)

    def _end(self, batch: Batch, *, stranger: bool) -> None:
        if stranger:
            message = "what was taken for it is another batch, so nobody knows whether it arrived"
            self.journal.end(batch.id, "lost", message)
        else:
            self.journal.end(batch.id, "collected")

    def _outcome(self, batch: Batch, row: Row, result: Result) -> _Outcome:
        if isinstance(result.outcome, TargetError):
            return _Outcome(row, _unanswered(row, result.outcome))
        reply = result.outcome
        usage = reply.usage or Usage(input=row.tokens, output=self.counter(reply.text))
        cost = self.price_usd(usage)
        usd = row.worst if cost is None else cost
        if reply.finish_reason == "content_filter":
            message = "the provider's filter withheld the answer"
            return _Outcome(row, Settled(row.key, "refused", message, usd), usage)
        settled = Settled(row.key, "answered", "", usd)
        return _Outcome(row, settled, usage, _answer(reply, usage, batch))

    def _write(self, batch: Batch, group: Sequence[_Outcome], found: Collected) -> None:
        """Store answers, and only then write down that they are there."""
        self._keep(batch, group)
        used = {outcome.row.key: outcome.usage for outcome in group}
        for settled in self.journal.settle(batch.id, [outcome.settled for outcome in group]):
            found.counts[settled.state] = found.counts.get(settled.state, 0) + 1
            found.usd += settled.usd
            found.input_tokens += used[settled.key].input
            found.output_tokens += used[settled.key].output

    def _keep(self, batch: Batch, group: Sequence[_Outcome]) -> None:
        self.store.put_all(
            [
                self.store.row(
                    outcome.row.key,
                    json.loads(outcome.row.summary),
                    outcome.answer,
                    target=batch.target,
                )
                for outcome in group
                # Whoever has paid for an answer in the meantime has used it: it stays.
                if outcome.answer is not None and self.store.get(outcome.row.key) is None
            ]
        )


async def finish(
    batch: Batch,
    api: BatchApi,
    collector: Collector,
    found: Collected,
    say: Callable[[Batch, BatchState], None],
) -> None:
    """Look at a batch, and collect it where it has ended.

    Args:
        batch: One that the provider has named.
        api: Where it is.
        collector: Brings the answers into the store.
        found: What it brings is added to this, also where it fails on the way.
        say: Told how far it is.

    Raises:
        TargetError: the provider could not be asked, or its answer not be read to its end.
        CostoptError: the provider refused the batch, or an answer could not be stored.
    """
    try:
        state = await api.state(batch.name or "")
    except HttpError as error:
        if error.status != 404:
            raise
        _vanish(batch, collector.journal, found)
        return
    say(batch, state)
    if state.status == "refused":
        message = state.message or "it did not say why"
        collector.journal.release(batch.id, message)
        raise CostoptError(
            f"the provider refused batch {batch.id} as a whole, unpaid: {message}",
            hint="mend what it names and run the same command again: the requests are sent anew",
        )
    if state.status == "ended":
        await collector.collect(batch, state, found)


def _vanish(batch: Batch, journal: BatchJournal, found: Collected) -> None:
    """Settle a batch that the provider does not know any more."""
    message = "the provider does not know the batch any more; it may have been paid"
    rows = journal.waiting(batch.id).values()
    lost = journal.settle(batch.id, [Settled(r.key, "lost", message, r.worst) for r in rows])
    journal.end(batch.id, "lost", message)
    found.counts["lost"] = len(lost)
    found.usd += sum((one.usd for one in lost), Decimal(0))


def _answer(reply: Reply, usage: Usage, batch: Batch) -> Answer:
    return Answer(
        text=reply.text,
        usage=usage,
        finish_reason=reply.finish_reason,
        latency_s=None,
        model=reply.model or batch.model,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
    )


def _unanswered(row: Row, error: TargetError) -> Settled:
    if error.possibly_paid:
        return Settled(row.key, "lost", str(error), row.worst)
    states = {"rejected": "rejected", "expired": "expired"}
    return Settled(row.key, states.get(error.kind, "failed"), str(error), Decimal(0))


def _left(row: Row, state: BatchState) -> Settled:
    """Settle a request that has no result."""
    if state.unrun:
        message = f"the batch {state.said} before it was its turn"
        return Settled(row.key, "expired", message, Decimal(0))
    message = "the batch has ended without a result for it; it may have been paid"
    return Settled(row.key, "lost", message, row.worst)
