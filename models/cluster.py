"""A target that is asked by workers on a Ray cluster: this machine's, or one of many machines.

Only the asking is spread. The run's books, its cap and its answer store stay in one process, so
that a cluster has one budget and one writer, and the report is the one of a single machine. Each
worker opens the target itself, with connections, or a copy of the embedded model, of its own.

Requires the extra ``ray``.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.configured import Config
from ..core.errors import CostoptError
from ..core.progress import Silent
from ..core.protocols import Target, TargetError, TokenCounter
from ..core.types import Answer, Request
from .targets import EMBEDDED, open_target

_RESTARTS = 3


class Cluster:
    """A connection to Ray; made once for a run, and ended with it.

    Args:
        address: Such as ``auto`` or ``ray://head:10001``; ``None`` starts one on this machine.
        workers: How many processes ask each target.

    Raises:
        CostoptError: Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(self, address: str | None, workers: int) -> None:
        self.workers = workers
        # Ray counts its uses and watches stray warnings of its own; neither is the user's wish.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise CostoptError(
                "--engine ray needs Ray", hint="pip install 'costopt[ray]'"
            ) from None
        self._ray: Any = ray
        try:
            ray.init(
                address=address,
                include_dashboard=None if address else False,
                log_to_driver=False,
                configure_logging=False,
                num_cpus=None if address else max(workers, os.cpu_count() or 1),
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise CostoptError(
                f"the Ray cluster cannot be reached: {_first_line(error)}",
                hint="give the address of its head with --ray-address, or none to start one here",
            ) from None

    def open(self, target: Target, config: Config, *, offline: bool) -> "ClusterTarget":
        """Return a target that this cluster's workers ask.

        Args:
            target: The same target, opened here: it knows its name, tokenizer and identity.
            config: What workers open it by. Keys are not sent along: each machine of the cluster
                has them in its own environment.
            offline: Workers fetch nothing.
        """
        worker = self._ray.remote(max_restarts=_RESTARTS, max_task_retries=0)(Worker)
        handles = [worker.remote(target.name, config, offline) for _ in range(self.workers)]
        return ClusterTarget(target, handles, self._ray)

    def close(self) -> None:
        """Leave the cluster, or end the one that was started here."""
        self._ray.shutdown()


class Worker:
    """Runs on the cluster: opens the target at its first request, and asks it.

    What it returns is plain data: errors with members do not survive Ray's own wrapping.
    """

    def __init__(self, name: str, config: Config, offline: bool) -> None:
        self._name = name
        self._config = config
        self._offline = offline
        self._target: Target | None = None

    async def answer(self, request: Request) -> Answer | dict[str, Any]:
        """Ask once; return the answer, or what went wrong."""
        try:
            return await self._opened().answer(request)
        except TargetError as error:
            return {
                "message": str(error),
                "kind": error.kind,
                "retry_after_s": error.retry_after_s,
                "possibly_paid": error.possibly_paid,
            }
        except CostoptError as error:
            return {"what": error.what, "hint": error.hint}

    def _opened(self) -> Target:
        if self._target is None:
            self._target = open_target(
                self._name, self._config, offline=self._offline, progress=Silent()
            )
        return self._target


class ClusterTarget:
    """A `Target` whose answers come from workers; the least busy one is asked."""

    def __init__(self, target: Target, workers: Sequence[Any], ray: Any) -> None:  # noqa: ANN401
        self._here = target
        self._workers = workers
        self._busy = [0] * len(workers)
        self._ray = ray

    @property
    def name(self) -> str:
        """The name it was asked for by."""
        return self._here.name

    @property
    def model(self) -> str:
        """The model's own name."""
        return self._here.model

    @property
    def capabilities(self) -> frozenset[str]:
        """Those of the target."""
        return self._here.capabilities

    @property
    def identity(self) -> Mapping[str, Any]:
        """That of the target: an answer is the same one, whoever asked for it."""
        return self._here.identity

    @property
    def counter(self) -> TokenCounter:
        """The target's tokenizer."""
        return self._here.counter

    async def answer(self, request: Request) -> Answer:
        """Ask once, through a worker; Ray itself never asks again.

        Raises:
            TargetError: no answer came; one that a dead worker had under way may have been paid.
            CostoptError: the worker's machine has no key, or cannot open the target.
        """
        index = self._busy.index(min(self._busy))
        self._busy[index] += 1
        try:
            found = await self._workers[index].answer.remote(request)
        except self._ray.exceptions.RayError as error:
            message = f"a worker of the cluster was lost: {_first_line(error)}"
            # One that costs nothing may be asked again.
            paid = self.name != EMBEDDED
            raise TargetError(message, kind="server", possibly_paid=paid) from None
        finally:
            self._busy[index] -= 1
        if isinstance(found, Answer):
            return found
        if "what" in found:
            raise CostoptError(f"a worker of the cluster: {found['what']}", hint=found["hint"])
        raise TargetError(found.pop("message"), **found)

    async def close(self) -> None:
        """Give the target here back; the workers end with the cluster."""
        await self._here.close()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
