"""What rooms ask of one another without importing one another."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol, runtime_checkable

from .types import Answer, PromptTemplate, Request

CAPABILITIES = (
    "generate",
    "loglikelihood",
    "seed",
    "effort",
    "json_schema",
    "tools",
    "batch",
    "prompt_cache",
)
"""What a target may be able to do.

``seed`` makes draws repeatable as far as the server can, ``effort`` sets how much a model reasons,
``json_schema`` holds an answer to a schema, ``batch`` is the provider's cheaper batch API, and
``prompt_cache`` says that shared beginnings of prompts are cached, and billed as such, unasked.
"""


class TokenCounter(Protocol):
    """Counts tokens as one tokenizer does."""

    @property
    def tokenizer(self) -> str:
        """The tokenizer's name, such as ``o200k_base``."""
        ...

    @property
    def exact(self) -> bool:
        """Whether these are the model's own tokens, or an estimate."""
        ...

    def __call__(self, text: str) -> int:
        """Return the number of tokens in ``text``; special tokens count as text."""
        ...


@runtime_checkable
class Target(Protocol):
    """A model to run against."""

    @property
    def name(self) -> str:
        """The name it was asked for by."""
        ...

    @property
    def model(self) -> str:
        """The model's own name."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """What it can do, of `CAPABILITIES`."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """All of the target that can change an answer (model, endpoint, weights' hash): JSON."""
        ...

    @property
    def counter(self) -> TokenCounter:
        """The target's own tokenizer, or the nearest estimate."""
        ...

    async def answer(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            TargetError: no answer came.
        """
        ...

    async def close(self) -> None:
        """Give back what it holds."""
        ...


class TargetError(Exception):
    """A target gave no answer.

    Args:
        message: What it said, without secrets.
        kind: ``rate_limit``, ``server``, ``timeout``, ``rejected`` or ``refused``; ``pending``
            where the request waits in a batch, ``missing`` where nobody is asked and it is not
            stored.
        retry_after_s: Seconds that the server asked to wait.
        possibly_paid: Whether the request may have been billed all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        retry_after_s: float | None = None,
        possibly_paid: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.possibly_paid = possibly_paid

    @property
    def transient(self) -> bool:
        """Whether asking again may help."""
        return self.kind in {"rate_limit", "server", "timeout"} and not self.possibly_paid


class Asker(Protocol):
    """Asks a target for a run: one request at a time, or many of them in batches."""

    target: Target
    requests: int
    """Requests that this run sent."""
    cached_answers: int
    input_tokens: int
    """Of the answers that came in this run."""
    output_tokens: int
    usd: Decimal
    """What this run paid."""

    @property
    def most(self) -> int:
        """How many requests there is sense in asking for at once."""
        ...

    async def ask(self, request: Request) -> Answer:
        """Return the answer, stored before it is returned.

        Raises:
            TargetError: no answer came.
            BudgetExceeded: the spending cap does not allow the request; it was not sent.
        """
        ...


class WordScore(NamedTuple):
    """What a model says of a word: a half-open range of characters, and a number."""

    start: int
    end: int
    score: float


class ContextCompressor(Protocol):
    """A model that shortens text or judges its words, handed to strategies that need one.

    Every ``model`` names a model other than the compressor's own.
    """

    @property
    def correction_s(self) -> float:
        """Seconds to add to what all calls so far took.

        Results that were stored then count with what it took to make them, and what it took to
        load a model does not count.
        """
        ...

    def compress(
        self, text: str, *, rate: float, keep: Sequence[str], model: str | None = None
    ) -> str:
        """Return ``text`` in about ``rate`` times its tokens, with every string of ``keep``."""
        ...

    def answering(
        self,
        documents: Sequence[str],
        question: str,
        *,
        rate: float,
        keep: Sequence[str],
        model: str | None = None,
    ) -> tuple[str, ...]:
        """Return what of ``documents`` helps to answer ``question``, the most helpful first.

        About ``rate`` of their tokens are left. Whole documents may be missing; in the others,
        every string of ``keep`` stays.
        """
        ...

    def surprisal(self, text: str, *, model: str | None = None) -> tuple[WordScore, ...]:
        """Return each word's self-information in nats, given the text before it.

        Words are in order and disjoint; a script without spaces is cut at its characters.
        """
        ...

    def worth(self, text: str, *, model: str) -> tuple[WordScore, ...]:
        """Return how probable it is that each word should stay, as a token classifier says."""
        ...


class Bench(Protocol):
    """Measures templates on the rows that a strategy may learn from; handed to ``fit``."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        ...

    @property
    def margin(self) -> float:
        """The loss that is accepted, in the metric's unit; above 0."""
        ...

    async def scores(self, template: PromptTemplate) -> tuple[float | None, ...]:
        """Return each row's score of ``template``, greater is better; ``None`` where it failed.

        Answers are paid for once: the same template asked again costs nothing.

        Raises:
            BudgetExceeded: the spending cap is reached.
        """
        ...

    async def write(self, prompt: str, *, max_output_tokens: int = 1024, replicate: int = 0) -> str:
        """Return what the target writes in answer to ``prompt``; greater replicates draw anew."""
        ...
