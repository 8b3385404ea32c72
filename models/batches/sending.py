"""Sends batches: written down first, found again where the provider's word was lost."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from ...core.errors import CostoptError
from ...core.protocols import TargetError
from ..locks import file_lock, is_held
from ..pacing import LONGEST_WAIT_S
from ..retries import backoff_s
from .base import BatchApi, BatchRequest, Sought
from .http import HttpError
from .journal import Batch, BatchJournal, Row, Settled, new_batch

_TRIES = 4
_LOOKS = 2
_LOOK_AGAIN_S = 1.0


class Sender:
    """Sends batches to one API.

    Args:
        api: Where they go.
        journal: Where they are written down.
        target: The target's name.
        model: The model's name.
        note: Told about what was lost or found.
    """

    def __init__(
        self,
        api: BatchApi,
        journal: BatchJournal,
        *,
        target: str,
        model: str,
        note: Callable[[str], None],
    ) -> None:
        self._api = api
        self._journal = journal
        self._target = target
        self._model = model
        self._note = note

    def is_ours(self, batch: Batch) -> bool:
        """Say whether a batch is one of this API and model."""
        return (batch.base_url, batch.model, batch.style) == (
            self._api.base_url,
            self._model,
            self._api.style,
        )

    async def send(self, requests: Sequence[tuple[BatchRequest, Row]]) -> Batch | None:
        """Send one batch; return it, or ``None`` where all of it waits in other batches.

        Raises:
            CostoptError: the provider refused it; nothing was paid.
        """
        batch = new_batch(self._target, self._model, self._api.base_url, self._api.style)
        lock = self._journal.lock_path(batch.id)
        try:
            with file_lock(lock):
                taken = self._journal.claim(batch, [row for _, row in requests])
                if not taken:
                    return None
                await self._submit(batch, [one for one, row in requests if row.key in taken])
        finally:
            lock.unlink(missing_ok=True)
        return self._journal.batch(batch.id)

    async def recover(self) -> None:
        """Find the batches again of which a run was killed while it sent them."""
        for batch in self._journal.batches(only_open=True):
            lock = self._journal.lock_path(batch.id)
            if batch.state == "submitting" and self.is_ours(batch) and not is_held(lock):
                await self._recover(batch)
                lock.unlink(missing_ok=True)

    async def _recover(self, batch: Batch) -> None:
        try:
            name = await self._find(batch)
        except TargetError as error:
            self._lose(batch, error)
            return
        if name is None:
            self._journal.release(batch.id, "the run was stopped before it was sent")
        else:
            self._journal.submitted(batch.id, name)
            self._note(f"batch {batch.id}: found again at the provider, as {name}")

    async def _submit(self, batch: Batch, requests: Sequence[BatchRequest]) -> None:
        for tries in range(1, _TRIES + 1):
            try:
                name = await self._api.submit(
                    batch.id, requests, lambda found: self._journal.about_to(batch.id, found)
                )
            except TargetError as error:
                wait = backoff_s(tries, error.retry_after_s)
                last = tries == _TRIES or wait > LONGEST_WAIT_S
                name = await self._after(batch, error, last=last)
            else:
                wait = 0.0
            if name is not None:
                self._journal.submitted(batch.id, name)
                return
            if self._journal.batch(batch.id).state == "lost":
                return
            await asyncio.sleep(wait)

    async def _after(self, batch: Batch, error: TargetError, *, last: bool) -> str | None:
        """Return the name of a batch whose sending failed, where it arrived all the same.

        Raises:
            CostoptError: it was refused, or failed for the last time.
        """
        if error.kind == "server" or error.possibly_paid:
            try:
                name = await self._find(self._journal.batch(batch.id))
            except TargetError as unknown:
                self._lose(batch, unknown)
                return None
            if name is not None:
                self._note(f"batch {batch.id}: the answer was lost, the batch arrived as {name}")
                return name
        if error.kind == "rejected" or last:
            self._journal.release(batch.id, str(error))
            raise self._refused(error) from error
        return None

    def _refused(self, error: TargetError) -> CostoptError:
        where = self._api.base_url
        if isinstance(error, HttpError) and error.status in (404, 405, 501):
            return CostoptError(
                f'the target "{self._target}" has no batch API at {where}: {error}',
                hint="leave --batch out",
            )
        return CostoptError(
            f'the target "{self._target}" did not take the batch: {error}',
            hint="nothing was sent; try it with: costopt models test NAME",
        )

    async def _find(self, batch: Batch) -> str | None:
        """Look for a batch at the provider; twice, since lists may lag behind."""
        sought = Sought(
            tag=batch.id,
            reference=batch.reference,
            created=datetime.fromisoformat(batch.created).timestamp(),
            requests=batch.requests,
            known=self._journal.names(),
        )
        for look in range(_LOOKS):
            name = await self._api.find(sought)
            if name is not None or batch.reference is None:
                return name
            if look + 1 < _LOOKS:
                await asyncio.sleep(_LOOK_AGAIN_S)
        return None

    def _lose(self, batch: Batch, error: TargetError) -> None:
        """Write down that nobody knows what became of a batch."""
        message = f"nobody knows whether it arrived, and it may be paid: {error}"
        rows = self._journal.waiting(batch.id).values()
        outcomes = [Settled(row.key, "lost", message, row.worst) for row in rows]
        self._journal.settle(batch.id, outcomes)
        self._journal.end(batch.id, "lost", message)
        worst = sum(row.worst for row in rows)
        self._note(f"batch {batch.id}: {message}; at most ${worst} for {len(outcomes)} requests")
