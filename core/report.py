"""The report: what `analyze` found. Every output reads it; contract.md fixes its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .attribution import Attribution
from .evidence import JudgeReport, NoiseFloor, SpentOnJudge
from .forecast import Forecast
from .money import (
    CacheTerms,
    CostInfo,
    Payback,
    PrefixInfo,
    PricedBefore,
    PriceInfo,
)
from .types import GenerationSettings, Message, Safety, Side, Verdict

SCHEMA = "costopt.report/1"


@dataclass(frozen=True, kw_only=True)
class TargetInfo:
    """A target of the run.

    ``cache`` is ``None`` where its provider's rules are unknown, ``repriced_from`` where its money
    is that of the run itself.
    """

    name: str
    model: str
    priced_as: str | None = None
    price: PriceInfo | None = None
    cache: CacheTerms | None = None
    repriced_from: PricedBefore | None = None


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
    ``forecast`` is what was expected of it before it began, target by target.
    """

    usd: Decimal = Decimal(0)
    requests: int = 0
    cached_answers: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_outcome: UnknownOutcome | None = None
    forecast: tuple[Forecast, ...] = ()
    judge: SpentOnJudge | None = None
    """The part of all this that went to a judge; ``None`` where none was asked."""


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file that could not be read as a prompt."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A place worth a look: a strategy saves tokens there, or a rule says what may cost.

    Attributes:
        tokens: Input tokens of a request that mending it saves, at most, by the main tokenizer; 0
            where it saves no input.
        end_line: Where it ends, if it is a range: the first character behind it.
        usd_per_1k: What mending it saves in 1,000 requests, at most and at list price; ``None``
            where there is no price, or what it saves is unknown.
        usd_per_month: The same for the calls of a month; ``None`` where these are unknown, too.
    """

    code: str
    name: str
    line: int
    column: int
    message: str
    tokens: int
    end_line: int | None = None
    end_column: int | None = None
    usd_per_1k: Decimal | None = None
    usd_per_month: Decimal | None = None


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
class Slice:
    """A variant on the rows that have one value of one key.

    ``by`` is ``label``, ``length`` or a key of the rows' metadata.
    """

    by: str
    value: str
    delta: QualityDelta
    verdict: Verdict


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
    prefix: PrefixInfo | None = None
    """``None`` in a report that does not hold it."""
    confirmed: bool = False
    """Whether its verdict was reached on rows it was not picked on, or corrected for all."""
    harm_seen: bool = False
    """Whether the metric that judged it saw the harmful control as worse."""
    slices: tuple[Slice, ...] = ()
    """Of a variant that holds on the whole; a slice that is worse blocks a recommendation."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The variant to use at a target, and why in a sentence.

    ``payback`` is ``None`` where nothing was measured.
    """

    target: str
    variant: str
    reason: str
    payback: Payback | None = None


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """The cheap model first, and a larger one where a check of its answer fails.

    Attributes:
        to: The larger model's target; its baseline answers.
        check: ``format``, ``self-agreement`` or ``log-likelihood``.
        threshold: In nats per token, for ``log-likelihood``: below it the larger model answers.
        escalated: Share of the rows that the larger model answered, in [0, 1]; ``None`` where it
            is not measured.
    """

    to: str
    check: str
    threshold: float | None = None
    escalated: float | None = None


@dataclass(frozen=True, kw_only=True)
class AcrossRow:
    """A model with a variant, or a cascade, against the baseline of the first target.

    ``delta`` is paired on the same rows and by the same metric of generated answers.
    """

    name: str
    target: str
    variant: str
    verdict: Verdict
    input_tokens: float | None = None
    output_tokens: float | None = None
    usd_per_1k: Decimal | None = None
    evidence: str = "estimated"
    quality: Quality | None = None
    delta: QualityDelta | None = None
    samples_needed: int | None = None
    latency: Latency | None = None
    cascade: Cascade | None = None
    recommended: bool = False
    """Whether it is what its own target recommends."""
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Across:
    """All targets of a prompt in one table.

    Attributes:
        baseline: The first target, whose baseline the others are compared with.
        metric: The metric of generated answers; ``None`` where there is none that crosses models.
        candidates: Models with variants that were tried against that baseline.
        rows: That baseline first.
        best: The name of the cheapest row that holds; ``None`` where none was shown to.
        reason: Why, in a sentence.
        notes: How it was decided.
    """

    baseline: str
    metric: str | None
    candidates: int
    rows: tuple[AcrossRow, ...]
    best: str | None
    reason: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A cheaper model of the same provider, and what trying it would take.

    Attributes:
        target: The target that it would stand in for.
        model: The model, as ``provider:model``.
        usd_per_1k: USD per 1,000 requests with this prompt's tokens, at list price: estimated.
        ratio: That, as a part of what the target costs.
        trial: What measuring it would ask for.
        measured: What this run found about it, where it was one of the targets.
    """

    target: str
    model: str
    usd_per_1k: Decimal
    ratio: float
    trial: Forecast | None = None
    measured: str | None = None


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
    across: Across | None = None
    """``None`` where there is one target."""
    suggestions: tuple[Suggestion, ...] = ()
    cache_hit_rate: float | None = None
    """Share of the calls that find the prefix cached, as the configuration says."""
    output_tokens_per_call: float | None = None
    """How long answers are in use, as request logs say: money where no answer was measured."""
    batch: bool = False
    """Whether its calls are made in batches."""
    attribution: Attribution | None = None
    """``None`` where it was not asked for."""
    noise: tuple[NoiseFloor, ...] = ()
    """What two draws of the same prompt show, target by target."""
    judge: tuple[JudgeReport, ...] = ()
    """The judge of its answers and its audit, target by target."""


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
