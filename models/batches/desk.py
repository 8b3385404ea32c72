"""Looks at batches from outside of a run: finds them, collects them, cancels them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.configured import Config, TargetConfig
from ...core.errors import CostoptError, Where
from ...core.protocols import Target, TargetError
from ...costs.prices import cost_of
from ..store import AnswerStore
from .base import BatchApi, BatchState
from .collect import Collected, Collector, finish
from .journal import Batch, BatchJournal
from .opening import open_batches
from .pricing import batch_price_of
from .sending import Sender

_FIRST_POLL_S = 1.0
_LONGEST_POLL_S = 60.0
_SLOWER = 1.5


@dataclass(frozen=True, kw_only=True)
class Look:
    """A batch as it is now.

    Attributes:
        batch: As it is written down.
        state: The provider's own word while it runs, else what became of it.
        done: Requests that came to an end; ``None`` where the provider does not say.
        problem: Why the provider could not be asked.
    """

    batch: Batch
    state: str
    done: int | None
    problem: str = ""


class BatchDesk:
    """The batches of one run folder.

    Args:
        folder: Where the run keeps its answers.
        config: Says where targets are; a key goes nowhere else.
        note: Told what is collected.
    """

    def __init__(self, folder: Path, config: Config, note: Callable[[str], None]) -> None:
        self.journal = BatchJournal(folder)
        self._folder = folder
        self._config = config
        self._note = note
        self._opened: dict[str, tuple[Target, BatchApi]] = {}

    def find(self, id: str | None, among: Sequence[Batch]) -> list[Batch]:
        """Return the batch of this name, by its beginning or the provider's name; or all.

        Raises:
            CostoptError: there is none, or more than one.
        """
        if id is None:
            return list(among)
        found = [b for b in among if b.id.startswith(id) or b.name == id]
        if len(found) == 1:
            return found
        what = f'there is no batch "{id}"' if not found else f'more than one batch begins "{id}"'
        hint = "see: costopt batch status --all"
        raise CostoptError(what, where=Where(str(self.journal.path)), hint=hint)

    async def look(self, batch: Batch) -> Look:
        """Ask the provider how far a batch is."""
        if not batch.is_open or batch.name is None:
            return _settled(batch)
        try:
            _, api = self._open(batch)
            return _running(batch, await api.state(batch.name))
        except TargetError as error:
            return Look(batch=batch, state=batch.state, done=None, problem=str(error))
        except CostoptError as error:
            return Look(batch=batch, state=batch.state, done=None, problem=error.what)

    async def cancel(self, batch: Batch) -> Look:
        """Ask the provider to stop a batch.

        Raises:
            CostoptError: it does not run, or the provider did not do it.
        """
        if not batch.is_open or batch.name is None:
            raise CostoptError(f"batch {batch.id} does not run: it is {batch.state}")
        _, api = self._open(batch)
        try:
            await api.cancel(batch.name)
        except TargetError as error:
            raise CostoptError(f"batch {batch.id} could not be cancelled: {error}") from error
        return await self.look(batch)

    async def collect(self, batches: Sequence[Batch], *, wait: bool) -> list[Look]:
        """Collect those that have ended; with ``wait`` all, when they have.

        Raises:
            CostoptError: a target cannot be opened, or an answer not be stored. What was refused
                as a whole is only shown.
        """
        store = AnswerStore(self._folder, self._note)
        poll_s = _FIRST_POLL_S
        try:
            while True:
                looks = [await self._collect(batch, store) for batch in batches]
                batches = [look.batch for look in looks]
                if not wait or not any(batch.is_open for batch in batches):
                    return looks
                await asyncio.sleep(poll_s)
                poll_s = min(_LONGEST_POLL_S, poll_s * _SLOWER)
        except asyncio.CancelledError:
            self._note("the batches go on at the provider: costopt batch collect")
            raise
        finally:
            store.close()

    async def _collect(self, batch: Batch, store: AnswerStore) -> Look:
        if not batch.is_open:
            return _settled(batch)
        _, api = self._open(batch)
        sender = Sender(api, self.journal, target=batch.target, model=batch.model, note=self._note)
        await sender.recover()
        batch = self.journal.batch(batch.id)
        if batch.name is None or not batch.is_open:
            return _settled(batch)
        seen: list[BatchState] = []
        found = Collected()
        try:
            collector = self._collector(batch, store)
            await finish(batch, api, collector, found, lambda _, state: seen.append(state))
        except TargetError as error:
            return Look(batch=batch, state=batch.state, done=None, problem=str(error))
        except CostoptError:
            now = self.journal.batch(batch.id)
            if now.state != "refused":
                raise
            return _settled(now)
        now = self.journal.batch(batch.id)
        if now.is_open:
            return _running(batch, seen[0])
        self._note(f"batch {batch.id}: {found.words}")
        return _settled(now)

    def close(self) -> None:
        """Give the file back."""
        self.journal.close()

    def _collector(self, batch: Batch, store: AnswerStore) -> Collector:
        target, api = self._open(batch)
        price = batch_price_of(batch.target, self._target(batch))
        return Collector(
            api=api,
            journal=self.journal,
            store=store,
            counter=target.counter,
            price_usd=lambda usage: cost_of(usage, price),
        )

    def _target(self, batch: Batch) -> TargetConfig:
        return self._config.targets.get(batch.target) or TargetConfig(name=batch.target)

    def _open(self, batch: Batch) -> tuple[Target, BatchApi]:
        """Return a batch's target, if it still is where the batch was sent.

        Raises:
            CostoptError: it is not, or cannot be opened.
        """
        if batch.target not in self._opened:
            self._opened[batch.target] = open_batches(batch.target, self._config)
        target, api = self._opened[batch.target]
        sent = (batch.base_url, batch.model, batch.style)
        if (api.base_url, target.model, api.style) != sent:
            raise CostoptError(
                f'the target "{batch.target}" is not what batch {batch.id} was sent to: '
                f"{batch.model} at {batch.base_url}",
                hint="give it that model and base_url again in costopt.toml, until it is collected",
            )
        return target, api


def _running(batch: Batch, state: BatchState) -> Look:
    said = "ended, not collected" if state.status == "ended" else state.said
    return Look(batch=batch, state=said, done=state.done, problem=state.message)


def _settled(batch: Batch) -> Look:
    waiting = batch.counts.get("waiting", 0)
    done = batch.requests - waiting if not batch.is_open else None
    return Look(batch=batch, state=batch.state, done=done, problem=batch.message)
