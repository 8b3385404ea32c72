"""Answers out of the store alone: what is not there is not asked for."""

from decimal import Decimal

from ..core.protocols import Target, TargetError
from ..core.types import Answer, Request
from .keys import request_key
from .store import AnswerStore


class ReplayClient:
    """An `Asker` that sends nothing.

    Args:
        target: Whose answers; it is not asked, and says only who it is.
        store: Where they lie; ``None`` where there is no store.
    """

    most = 1

    def __init__(self, target: Target, store: AnswerStore | None) -> None:
        self.target = target
        self.requests = 0
        self.cached_answers = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.usd = Decimal(0)
        self._store = store

    async def ask(self, request: Request) -> Answer:
        """Return the stored answer.

        Raises:
            TargetError: ``missing``: there is none.
        """
        found = None
        if self._store is not None:
            found = self._store.get(request_key(self.target.identity, request))
        if found is None:
            raise TargetError("no answer is stored", kind="missing")
        self.cached_answers += 1
        return found
