"""What the batch APIs have in common: requests in, a state, results out."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ...core.protocols import TargetError
from ...core.types import Request, Usage

Style = Literal["chat", "messages"]
"""``chat``: OpenAI's, with files; ``messages``: Anthropic's."""


@dataclass(frozen=True)
class BatchRequest:
    """One request of a batch: its key, and the body that an ordinary call would send."""

    custom_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one batch may hold."""

    requests: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class BatchState:
    """How far a batch is.

    Attributes:
        status: ``running``; ``ended``, with results for all or some of its requests; or
            ``refused``, where none of them was run.
        said: The provider's own word.
        done: Requests that came to an end; ``None`` where it does not say, and so ``total``.
        total: Requests in all.
        unrun: Whether a request without a result was not run, and so costs nothing.
        message: Why it was refused.
        files: Names of the results' files, where there are such.
    """

    status: Literal["running", "ended", "refused"]
    said: str
    done: int | None = None
    total: int | None = None
    unrun: bool = False
    message: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer as the provider gave it; without ``usage`` where it counted no tokens."""

    text: str
    usage: Usage | None
    finish_reason: str
    model: str


@dataclass(frozen=True)
class Result:
    """One line of a batch's results; without ``custom_id`` where it cannot be read."""

    custom_id: str | None
    outcome: Reply | TargetError


@dataclass(frozen=True, kw_only=True)
class Sought:
    """A batch that was sent without word of its arrival, and how it can be told from others."""

    tag: str
    reference: str | None
    """What `BatchApi.submit` said before; without it nothing can have been run."""
    created: float
    """Seconds since 1970, by this machine's clock."""
    requests: int
    known: frozenset[str]
    """The provider's names of batches that are not it."""


class BatchApi(Protocol):
    """A provider's batch API, for one model."""

    style: Style
    base_url: str
    limits: Limits

    def body(self, request: Request) -> Mapping[str, Any]:
        """Return the body that an ordinary call of the request sends."""
        ...

    def size(self, request: BatchRequest) -> int:
        """Return the bytes that a request takes of ``limits.bytes``."""
        ...

    async def submit(
        self, tag: str, requests: Sequence[BatchRequest], about_to: Callable[[str], None]
    ) -> str:
        """Send a batch, once, and return the provider's name for it.

        Args:
            tag: Kept with the batch, where the provider can.
            requests: Within ``limits``.
            about_to: Called right before the call that can cost money, with a reference by which
                the batch can be found where the answer to that call is lost.

        Raises:
            TargetError: it was refused; or, ``possibly_paid``, nobody knows.
        """
        ...

    async def find(self, sought: Sought) -> str | None:
        """Return the provider's name of a batch, or ``None`` where it never arrived.

        Raises:
            TargetError: the provider cannot be asked for its batches.
        """
        ...

    async def state(self, name: str) -> BatchState:
        """Return how far a batch is."""
        ...

    def results(self, name: str, state: BatchState) -> AsyncIterator[Result]:
        """Yield the results of a batch that has ended, in any order."""
        ...

    async def cancel(self, name: str) -> None:
        """Ask the provider to stop; what was done until then is still billed and collected."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
