"""The report: what `analyze` found. Every output reads it; contract.md fixes its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .types import GenerationSettings, Message, Safety, Side, Verdict

SCHEMA = "costopt.report/1"


@dataclass(frozen=True, kw_only=True)
class PriceInfo:
    """USD per million tokens, as of a date; ``None`` where the source has none."""

    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    as_of: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class TargetInfo:
    """A target of the run."""

    name: str
    model: str
    priced_as: str | None = None
    price: PriceInfo | None = None


@dataclass(frozen=True, kw_only=True)
class UnknownOutcome:
    """Requests that may have been paid for and whose answer never arrived; ``usd`` at most."""

    requests: int
    usd: Decimal


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What this run cost. ``requests`` are live calls; ``usd`` is real money.

    ``usd`` holds the worst case of each request of ``unknown_outcome``, which is ``None`` where
    there is no such request.
    """

    usd: Decimal = Decimal(0)
    requests: int = 0
    cached_answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_outcome: UnknownOutcome | None = None


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that could not be read as a prompt."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A place where a strategy saves tokens; ``tokens`` is how many, by the main tokenizer."""

    code: str
    name: str
    line: int
    column: int
    message: str
    tokens: int


@dataclass(frozen=True, kw_only=True)
class EvalSetInfo:
    """The eval set that was used, and how its rows were split."""

    path: str
    rows: int
    sha256: str
    selection_rows: int
    confirmation_rows: int


@dataclass(frozen=True, kw_only=True)
class StrategyInfo:
    """A strategy of a variant's chain."""

    name: str
    params: Mapping[str, Any]
    side: Side
    safety: Safety


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Tokens per request; means over the rows that were asked, ``None`` where not measured."""

    template: int
    tokenizer: str
    exact: bool
    input_mean: float | None = None
    cache_read_mean: float | None = None
    cache_write_mean: float | None = None
    output_mean: float | None = None
    reasoning_mean: float | None = None


@dataclass(frozen=True, kw_only=True)
class Regimes:
    """USD per 1,000 requests under each way of calling; ``None`` where the provider has none."""

    cold: Decimal | None = None
    warm: Decimal | None = None
    hit_rate: Decimal | None = None
    batch: Decimal | None = None
    flex: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class CostInfo:
    """Money. ``evidence`` is measured, replayed, estimated or list."""

    usd_per_1k: Decimal | None = None
    usd_per_month: Decimal | None = None
    regimes: Regimes = field(default_factory=Regimes)
    evidence: str = "estimated"


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Seconds of live answers, as stored with them."""

    p50_s: float
    p95_s: float
    output_tokens_per_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a variant's context strategies do to the variables' values, before every request.

    Attributes:
        tokens_before_mean: Tokens of the values in a request.
        tokens_after_mean: Tokens that are left of them.
        seconds_mean: How long the shortening takes, as first measured for these values.
        n: Requests that the means are of.
        pays_below_tokens_per_s: It makes a request faster in all at targets that read fewer tokens
            a second than this; ``None`` where it saves none.
    """

    tokens_before_mean: float
    tokens_after_mean: float
    seconds_mean: float
    n: int
    pays_below_tokens_per_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Quality:
    """A variant's own mean score, over ``n`` scored rows.

    ``strict_mean`` and ``tolerant_mean`` are the format audit: the same answers scored as they
    stand, and scored for what was asked wherever it stands in them; ``None`` for metrics without.
    """

    metric: str
    mean: float
    n: int
    failures: int
    strict_mean: float | None = None
    tolerant_mean: float | None = None


@dataclass(frozen=True, kw_only=True)
class QualityDelta:
    """Paired: variant minus baseline, positive is better. One-sided bounds at ``confidence``."""

    mean: float
    low: float
    high: float
    n: int
    margin: float
    confidence: float


@dataclass(frozen=True, kw_only=True)
class Delta:
    """Against the baseline on the same rows; token and money parts are fractions, -0.18 is less."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    usd_per_1k: float | None = None
    quality: QualityDelta | None = None


@dataclass(frozen=True, kw_only=True)
class VariantReport:
    """One variant at one target."""

    target: str
    name: str
    strategies: tuple[StrategyInfo, ...]
    messages: tuple[Message, ...]
    chat: bool
    """False: written as ``text`` in the JSON."""
    settings: GenerationSettings
    tokens: Tokens
    cost: CostInfo
    verdict: Verdict
    dropped: tuple[str, ...] = ()
    latency: Latency | None = None
    runtime: Runtime | None = None
    """``None`` where nothing is shortened when requests are made."""
    quality: Quality | None = None
    delta: Delta | None = None
    samples_needed: int | None = None
    pareto: bool = False
    rejected: str | None = None
    control: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The variant to use at a target, and why in a sentence."""

    target: str
    variant: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PromptReport:
    """One prompt; ``variants`` holds the baseline first, target by target."""

    name: str
    path: str
    format: str
    feature: str | None
    calls_per_month: int | None
    eval_set: EvalSetInfo | None
    findings: tuple[Finding, ...]
    variants: tuple[VariantReport, ...]
    recommended: tuple[Recommendation, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole."""

    costopt_version: str
    created: str
    seed: int
    partial: bool
    targets: tuple[TargetInfo, ...]
    spent: Spent
    skipped: tuple[Skipped, ...]
    prompts: tuple[PromptReport, ...]
    static: bool = False
    notes: tuple[str, ...] = ()
