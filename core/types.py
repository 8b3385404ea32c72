"""The nouns of costopt: immutable values that every room passes on.

Tokens are integers per request unless a name says otherwise; prices are USD per
million tokens; costs are Decimal USD. Unknown is ``None``, never 0.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


class Syntax(StrEnum):
    """How a template marks its variables."""

    JINJA = "jinja"
    """``{{ name }}``, ``{% if %}``, ``{# comment #}``; rendered by minijinja."""
    FSTRING = "fstring"
    """``{name}``; ``{{`` and ``}}`` are literal braces. Identifiers only."""
    MUSTACHE = "mustache"
    """``{{name}}``, sections ``{{#x}}…{{/x}}``."""
    HANDLEBARS = "handlebars"
    """dotprompt's ``{{name}}``, ``{{#if}}``, ``{{#each}}``, ``{{role "…"}}``."""
    NONE = "none"
    """Plain text; braces mean nothing."""


@dataclass(frozen=True)
class Message:
    """One message of a prompt: ``role`` is system, user, assistant or tool."""

    role: str
    content: str


class SpanKind(StrEnum):
    """What a stretch of a message is."""

    INSTRUCTION = "instruction"
    EXAMPLE = "example"
    CONTEXT = "context"
    DATA = "data"
    CODE = "code"
    PLACEHOLDER = "placeholder"
    FORMAT = "format"
    QUESTION = "question"
    MARKUP = "markup"
    URL = "url"
    NUMBER = "number"
    QUOTE = "quote"
    LIMIT = "limit"


@dataclass(frozen=True)
class Span:
    """A half-open range ``[start, end)`` of a message's text, in characters."""

    start: int
    end: int
    kind: SpanKind
    protected: bool


@dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """How answers are drawn. ``temperature`` in [0, 2]; tokens are a count."""

    max_output_tokens: int = 512
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    seed: int | None = None
    effort: str | None = None
    response_schema: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a template came from, and its exact text, so that it can be written back."""

    path: str
    """As the user named it, with forward slashes."""
    format: str
    """``markdown``, ``text``, ``jinja``, ``chat-yaml``, ``chat-json``, ``prompty``, ``dotprompt``,
    ``promptfoo``."""
    raw: str
    """The file's text, newlines and byte-order mark untouched."""
    index: int = 0
    """Which of the file's prompts this is (a promptfoo configuration may hold several)."""
    line: int = 1
    """The file's line on which the first message's content begins."""


@dataclass(frozen=True, kw_only=True)
class PromptTemplate:
    """A prompt: messages with placeholders, settings, and what its file says about it."""

    name: str
    messages: tuple[Message, ...]
    variables: tuple[str, ...]
    """In order of first use, without duplicates."""
    syntax: Syntax
    source: Source
    chat: bool = False
    """Whether the file itself has roles; a plain text is one user message."""
    settings: GenerationSettings = field(default_factory=GenerationSettings)
    feature: str | None = None
    calls_per_month: int | None = None
    metric: str | None = None
    margin: float | None = None
    targets: tuple[str, ...] = ()
    eval_set: str | None = None
    """As the front matter names it; relative to the prompt's folder."""
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values for variables that a sample leaves out."""
    inline_samples: tuple["Sample", ...] = ()
    """Samples that the prompt's own file holds (promptfoo tests)."""

    @property
    def text(self) -> str:
        """All messages' contents, joined by blank lines; what static token counts count."""
        return "\n\n".join(message.content for message in self.messages)

    @property
    def schemas(self) -> str:
        """The tools and the response schema of the settings as compact JSON; empty without any.

        They are sent, and billed, with every request.
        """
        return schemas_text(self.settings)


def schemas_text(settings: GenerationSettings) -> str:
    """Return tools and response schema as compact JSON; empty without any."""
    schema = settings.response_schema
    parts = [*settings.tools, *([schema] if schema is not None else [])]
    return "\n".join(
        json.dumps(part, ensure_ascii=False, separators=(",", ":"), default=str) for part in parts
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One row of an eval set."""

    id: str
    inputs: Mapping[str, Any]
    references: tuple[Any, ...] = ()
    """Accepted answers, the canonical one first: strings, or JSON values."""
    cluster: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metric: str | None = None
    """Set where the row names its own way of scoring (promptfoo assertions)."""


@dataclass(frozen=True, kw_only=True)
class EvalSet:
    """Samples with the file they came from."""

    path: str
    samples: Sequence[Sample]
    sha256: str
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request. Totals are inclusive; subsets never exceed them.

    Raises:
        ValueError: a count is negative, or a subset exceeds its total.
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def __post_init__(self) -> None:
        """Check the subsets."""
        counts = (self.input, self.output, self.cache_read, self.cache_write, self.reasoning)
        if min(counts) < 0:
            raise ValueError(f"token counts must not be negative, got {self}")
        if self.cache_read + self.cache_write > self.input or self.reasoning > self.output:
            raise ValueError(f"a part of the usage exceeds its total: {self}")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a target is asked. Everything in it can change the answer.

    ``continuation`` asks for the log-likelihood of that text instead of a new answer.
    ``replicate`` tells repeated draws of the same request apart.
    """

    messages: tuple[Message, ...]
    settings: GenerationSettings
    continuation: str | None = None
    replicate: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a target answered. What is stored is exactly this."""

    text: str
    usage: Usage
    finish_reason: str
    """``stop``, ``length``, ``tool_calls``, ``content_filter``, or the provider's own word."""
    latency_s: float | None
    """``None`` for an answer from a batch: how long that lay there is no latency."""
    model: str
    created: str
    """ISO 8601, UTC: when the answer was drawn."""
    logprobs: tuple[float, ...] | None = None
    """Natural-log probability of each token of the request's continuation."""
    logprob_segments: tuple[str, ...] | None = None
    cached: bool = False
    """Whether it came from the store in this run. Not stored."""


class FailureKind(StrEnum):
    """Why a sample has no score."""

    TARGET = "target"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    RENDER = "render"
    SCORER = "scorer"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"
    MISSING = "missing"
    """Answers come out of the store alone, and its answer is not there."""
    PENDING = "pending"
    """Its request waits in a batch."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample without a score: never a zero, never dropped silently."""

    kind: FailureKind
    message: str


@dataclass(frozen=True, slots=True)
class Score:
    """A sample's score in the metric's unit.

    Attributes:
        value: The score.
        answer: What was read out of the answer.
        explanation: Why it is this score.
        strict: The score of the answer taken as it stands, nothing read out of it; ``None`` where
            the metric has no such reading.
        tolerant: The score of what was asked for, wherever in the answer and however it is
            written; ``None`` likewise.
    """

    value: float
    answer: str
    explanation: str = ""
    strict: float | None = None
    tolerant: float | None = None


Side = Literal["input", "output"]
Safety = Literal["lossless", "lossy"]
Verdict = Literal["baseline", "better", "holds", "worse", "not enough data", "not measured"]
HOLDING: frozenset[Verdict] = frozenset({"holds", "better"})
"""The verdicts on what was shown not worse."""


_LONG_VALUE = 40


def _shown(value: object) -> str:
    """Return a parameter's value for a name: over 40 characters, the first digits of SHA-256."""
    text = str(value)
    if len(text) <= _LONG_VALUE:
        return text
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True)
class StrategySpec:
    """A strategy's name with its parameters: enough to make it again."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __str__(self) -> str:
        """Return it as it is written on the command line; a long value as the start of its hash.

        Example:
            >>> str(StrategySpec("llmlingua", {"rate": 0.5}))
            'llmlingua:rate=0.5'
            >>> str(StrategySpec("rewrite", {"text": "a" * 41}))
            'rewrite:text=c0f8bd4d'
        """
        params = ",".join(f"{key}={_shown(value)}" for key, value in self.params.items())
        return f"{self.name}:{params}" if params else self.name

    def __hash__(self) -> int:
        """Return a hash, so that chains can be keys though ``params`` is a mapping."""
        return hash((self.name, frozenset(self.params)))


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The baseline with a chain of strategies applied."""

    name: str
    template: PromptTemplate
    chain: tuple[StrategySpec, ...] = ()
    side: Side = "input"
    """``output`` as soon as one strategy of the chain is of that side."""
    safety: Safety = "lossless"
    control: bool = False
    dropped: tuple[str, ...] = ()
    """Anchors that a lossy strategy lost."""
    rejected: str | None = None
    """Why the guard refused it, or ``"no change"``."""
    notes: tuple[str, ...] = ()
    """What was requested and what was achieved, where these differ."""
