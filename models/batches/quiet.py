"""Tells when a run asks for nothing more for now: then what it has asked for is one batch."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_LOOK_S = 0.02
_LOOKS = 3


class CountingExecutor(ThreadPoolExecutor):
    """The event loop's threads, which know how much they have to do.

    A request that is still being made in a thread will be asked for: it is waited for.
    """

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="costopt")
        self._under_way = 0

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._under_way > 0

    def submit(self, *args: Any, **options: Any) -> "Future[Any]":  # noqa: ANN401
        """Do something in a thread."""
        self._under_way += 1
        future = super().submit(*args, **options)
        future.add_done_callback(self._done)
        return future

    def _done(self, _: "Future[Any]") -> None:
        self._under_way -= 1


async def quiet(asked: Callable[[], int], busy: Callable[[], bool]) -> None:
    """Return when nothing more was asked for in three looks, 20 ms apart.

    Args:
        asked: Returns how often something has been asked for.
        busy: Says whether something is being done of which more may come.
    """
    calm = 0
    while calm < _LOOKS:
        before = asked()
        await asyncio.sleep(_LOOK_S)
        calm = calm + 1 if asked() == before and not busy() else 0
