"""The choice: paired comparisons, who goes on to confirmation, and what is recommended."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist, fmean, stdev

from ..core.report import QualityDelta
from ..core.types import HOLDING, Failure, Score, Verdict
from .metrics import Metric
from .metrics.base import Scale
from .runner import Outcome
from .statistics import paired_bounds, samples_needed
from .statistics import verdict as verdict_of

ALPHA = 0.05
"""One-sided error of every verdict, shared among the candidates it was corrected for."""

_FIRST_SHARE = 0.75

_FAILURE_SHARE = 0.02
"""Above this share of pairs without a score, a comparison does not decide."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A variant against the baseline on the rows that both have.

    ``differences`` are variant minus baseline in the metric's unit, positive is better;
    ``failures`` counts the planned pairs that have no score on one side or the other.
    """

    metric: str
    differences: tuple[float, ...]
    failures: int
    delta: QualityDelta | None
    verdict: Verdict
    samples_needed: int | None


def compare(
    baseline: Sequence[Outcome],
    variant: Sequence[Outcome],
    *,
    metric: Metric,
    margin: float,
    candidates: float,
    trusted: bool = True,
) -> Comparison:
    """Compare outcomes on the same samples.

    Each bound is one-sided at level 0.05 divided by ``candidates`` (Bonferroni). Where more than
    2 % of the pairs lack a score the verdict is "not enough data", whatever the rest shows.

    Args:
        baseline: The baseline's outcomes.
        variant: The variant's outcomes; pairs are made by sample.
        metric: Gives scale and direction.
        margin: The largest loss that counts as none, in the metric's unit, >= 0.
        candidates: How many variants compete for the same decision, >= 1; where the error is
            not shared evenly, one over this variant's share of it.
        trusted: Whether what scored them may show that a variant holds; a judge that failed its
            audit may not.
    """
    trusted = trusted and metric.kind != "drift"
    scale = scale_of(metric, (*baseline, *variant))
    pairs = _pairs(baseline, variant)
    sign = 1.0 if metric.higher_is_better else -1.0
    scored = [
        (sign * (after.value - before.value), cluster)
        for before, after, cluster in pairs
        if isinstance(before, Score) and isinstance(after, Score)
    ]
    differences = tuple(difference for difference, _ in scored)
    failures = len(pairs) - len(scored)
    alpha = ALPHA / max(candidates, 1)
    labels = [cluster for _, cluster in scored]
    clusters = labels if any(labels) else None
    bounds = paired_bounds(differences, alpha=alpha, scale=scale, clusters=clusters)
    decided = verdict_of(bounds, margin) if differences else "not measured"
    if failures > _FAILURE_SHARE * len(pairs) and decided in HOLDING:
        decided = "not enough data"
    if not trusted and decided in HOLDING:
        decided = "not enough data"
    delta = None
    if bounds is not None:
        delta = QualityDelta(
            mean=bounds.mean,
            low=bounds.low,
            high=bounds.high,
            n=len(differences),
            margin=margin,
            confidence=1 - alpha,
        )
    needed = None
    if decided == "not enough data" and trusted:
        needed = samples_needed(
            differences, margin=margin, alpha=alpha, scale=scale, clusters=clusters
        )
    return Comparison(
        metric=metric.name,
        differences=differences,
        failures=failures,
        delta=delta,
        verdict=decided,
        samples_needed=needed,
    )


def scale_of(metric: Metric, outcomes: Sequence[Outcome]) -> Scale:
    """Return which statistics suit the scores: a mean of several draws is not right or wrong."""
    repeated = any(outcome.draws > 1 for outcome in outcomes)
    return "bounded" if repeated and metric.scale == "binary" else metric.scale


def _pairs(
    baseline: Sequence[Outcome], variant: Sequence[Outcome]
) -> list[tuple[Score | Failure, Score | Failure, str | None]]:
    before = {outcome.trial.sample.id: outcome.result for outcome in baseline}
    return [
        (before[outcome.trial.sample.id], outcome.result, outcome.trial.sample.cluster)
        for outcome in variant
        if outcome.trial.sample.id in before
    ]


def assurance(
    differences: Sequence[float], *, margin: float, rows: int, alpha: float, spread: float
) -> float:
    """Return the chance that a candidate will be shown not worse on ``rows`` new rows.

    The predictive probability of success of a non-inferiority test, given the differences seen on
    the selection rows, with a normal approximation (Spiegelhalter, Abrams & Myles 2004,
    *Bayesian Approaches to Clinical Trials*, chapter 6). It only orders candidates; it decides
    nothing.

    Args:
        differences: Paired differences seen so far, positive is better.
        margin: The largest loss that counts as none.
        rows: Confirmation rows.
        alpha: One-sided level of the confirmation.
        spread: Typical standard deviation of a difference, which steadies that of few rows.

    Example:
        >>> assurance([0.0, 0.01, -0.01, 0.0], margin=0.1, rows=40, alpha=0.05, spread=0.1) > 0.9
        True
    """
    if not differences or rows < 2:
        return 0.0
    n = len(differences)
    own = stdev(differences) if n > 1 else spread
    sd = math.sqrt(((n - 1) * own**2 + 3 * spread**2) / (n + 2)) or 1e-9
    normal = NormalDist()
    threshold = normal.inv_cdf(1 - alpha) * sd / math.sqrt(rows) - margin
    predictive = sd * math.sqrt(1 / n + 1 / rows)
    return 1 - normal.cdf((threshold - fmean(differences)) / predictive)


def finalists(
    comparisons: Mapping[str, Comparison],
    savings: Mapping[str, float],
    *,
    margin: float,
    rows: int,
    most: int,
) -> tuple[str, ...]:
    """Return the candidates worth confirming, the best expected saving first.

    Ordered by assurance times saving; what saves nothing, or was already shown worse, is left out.

    Args:
        comparisons: On the selection rows, by variant name.
        savings: Fraction of the baseline's cost that each saves.
        margin: The largest loss that counts as none.
        rows: Confirmation rows.
        most: How many to return at most.
    """
    spreads = [stdev(c.differences) for c in comparisons.values() if len(c.differences) > 1]
    spread = sorted(spreads)[len(spreads) // 2] if spreads else margin
    expected = {
        name: savings.get(name, 0.0)
        * assurance(c.differences, margin=margin, rows=rows, alpha=ALPHA / most, spread=spread)
        for name, c in comparisons.items()
        if c.verdict != "worse" and savings.get(name, 0.0) > 0
    }
    ranked = sorted(expected, key=lambda name: (-expected[name], name))
    return tuple(name for name in ranked if expected[name] > 0.001)[:most]


def error_shares(finalists: int) -> tuple[float, ...]:
    """Return each finalist's part of the error, the best first.

    The first has three quarters of what there is at each step: it was ranked by what other rows
    showed, and is the one most likely to hold. A finalist that holds passes its part on to the
    next (the fallback procedure: Wiens & Dmitrienko 2005, *Journal of Biopharmaceutical
    Statistics* 15:929-942).

    Example:
        >>> error_shares(1), error_shares(2)
        ((1.0,), (0.75, 0.25))
    """
    shares: list[float] = []
    left = 1.0
    for place in range(finalists):
        own = left if place == finalists - 1 else left * _FIRST_SHARE
        shares.append(own)
        left -= own
    return tuple(shares)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What the recommendation looks at."""

    name: str
    cost: Decimal | None
    verdict: Verdict
    confirmed: bool
    """Whether its verdict was reached on rows it was not picked on, or corrected for all."""
    control: bool
    harm_seen: bool
    """Whether the harmful control was worse by the metric that judged this candidate."""
    worse_where: str = ""
    """The rows on which it is clearly worse, such as ``language = de``."""


def recommend(candidates: Sequence[Candidate], baseline_cost: Decimal | None) -> tuple[str, str]:
    """Return the variant to use and the reason in a sentence.

    The cheapest confirmed variant that holds, and is worse on no slice of the rows, provided that
    the metric saw the harmful control as worse; else the baseline.
    """
    holding = [c for c in candidates if c.verdict in HOLDING and c.confirmed and not c.control]
    cheaper = [c for c in holding if _cheaper(c.cost, baseline_cost)]
    seen = [c for c in cheaper if c.harm_seen]
    trusted = [c for c in seen if not c.worse_where]
    blocked = min((c for c in seen if c.worse_where), key=_order, default=None)
    if trusted:
        best = min(trusted, key=_order)
        saving = 1 - float((best.cost or Decimal(0)) / (baseline_cost or Decimal(1)))
        passed = blocked is not None and _order(blocked) < _order(best)
        return best.name, (
            f"the cheapest variant that {_verb(best.verdict)}: "
            f"{saving * 100:.1f} % of the cost per request saved"
            + (f"; {_worse(blocked)}" if passed and blocked else "")
        )
    if blocked is not None:
        return "baseline", _worse(blocked)
    if cheaper:
        return "baseline", (
            "the metric did not see the harmful control as worse, so it cannot tell a good "
            "variant from a bad one here"
        )
    if holding:
        return "baseline", "no variant that holds is cheaper"
    if all(c.verdict == "not measured" for c in candidates if not c.control):
        return "baseline", "quality was not measured"
    return "baseline", "no cheaper variant was shown not worse on these rows"


def _order(candidate: Candidate) -> tuple[Decimal, str]:
    return candidate.cost or Decimal(0), candidate.name


def _worse(blocked: Candidate) -> str:
    return f"{blocked.name} holds on all rows together, but is worse where {blocked.worse_where}"


def _cheaper(cost: Decimal | None, than: Decimal | None) -> bool:
    return cost is not None and than is not None and cost < than


def _verb(verdict: Verdict) -> str:
    return "is better than the baseline" if verdict == "better" else "holds"


def pareto(points: Mapping[str, tuple[Decimal, float]]) -> frozenset[str]:
    """Return the names that no other point beats in both cost and quality.

    Example:
        >>> sorted(pareto({"a": (Decimal(1), 0.0), "b": (Decimal(2), 0.0), "c": (Decimal(3), 1.0)}))
        ['a', 'c']
    """
    return frozenset(
        name
        for name, (cost, quality) in points.items()
        if not any(
            (other_cost <= cost and other_quality >= quality)
            and (other_cost < cost or other_quality > quality)
            for other_cost, other_quality in points.values()
        )
    )
