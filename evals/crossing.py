"""Models against each other: who is cheapest and holds against the baseline of the first target.

Generated answers are compared, on the same rows and by the same metric. Log-likelihoods are not:
each model has its own tokens, so theirs are not of the same thing.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from ..core.report import Cascade
from ..core.types import HOLDING
from .choice import ALPHA, Comparison, compare, finalists
from .metrics import Metric
from .plan import FINALISTS
from .runner import Outcome
from .statistics import paired_bounds


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How quality is judged: the metric, and the largest loss that counts as none."""

    metric: Metric
    margin: float


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """A model with a variant, or a cascade of two models, and what it answered.

    ``cost`` is in USD per 1,000 requests, ``None`` where no price is known.
    """

    name: str
    target: str
    variant: str
    outcomes: tuple[Outcome, ...]
    cost: Decimal | None
    cascade: Cascade | None = None

    def on(self, rows: AbstractSet[str]) -> tuple[Outcome, ...]:
        """Return the outcomes on some rows, by their ids."""
        return tuple(o for o in self.outcomes if o.trial.sample.id in rows)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An entrant against the first target's baseline.

    ``confirmed`` is whether its rows are ones that it was not picked on, and its bounds are
    corrected for all that were judged so.
    """

    entrant: Entrant
    comparison: Comparison
    confirmed: bool


def judge(
    baseline: Entrant,
    entrant: Entrant,
    rows: AbstractSet[str],
    rules: Rules,
    *,
    candidates: int,
    confirmed: bool,
) -> Judged:
    """Compare an entrant with the first target's baseline on the rows that both have."""
    comparison = compare(
        baseline.on(rows),
        entrant.on(rows),
        metric=rules.metric,
        margin=rules.margin,
        candidates=candidates,
    )
    return Judged(entrant=entrant, comparison=comparison, confirmed=confirmed)


def saving(entrant: Entrant, baseline: Entrant) -> float:
    """Return the part of the baseline's cost that is saved; 0 where a price is unknown."""
    if entrant.cost is None or not baseline.cost:
        return 0.0
    return 1.0 - float(entrant.cost / baseline.cost)


def pick(
    baseline: Entrant,
    entrants: Sequence[Entrant],
    rows: AbstractSet[str],
    rules: Rules,
    *,
    confirmation: int,
    most: int = FINALISTS,
) -> tuple[Entrant, ...]:
    """Return the entrants worth confirming, best first: large saving, good chance to hold.

    Args:
        baseline: The first target's.
        entrants: The candidates, with the costs of the selection rows.
        rows: The selection rows; nothing else is looked at.
        rules: How quality is judged.
        confirmation: Rows to confirm on.
        most: How many to return at most.
    """
    by_name = {entrant.name: entrant for entrant in entrants}
    comparisons = {
        name: judge(
            baseline, entrant, rows, rules, candidates=len(entrants), confirmed=False
        ).comparison
        for name, entrant in by_name.items()
    }
    savings = {name: saving(entrant, baseline) for name, entrant in by_name.items()}
    chosen = finalists(
        comparisons, savings, margin=rules.margin, rows=confirmation, most=max(most, 1)
    )
    return tuple(by_name[name] for name in chosen)


def decidable(rules: Rules, rows: int, candidates: int) -> bool:
    """Whether ``rows`` rows could show that a candidate holds, if not one of them were lost."""
    best = paired_bounds([0.0] * rows, alpha=ALPHA / max(candidates, 1), scale=rules.metric.scale)
    return best is not None and best.low > -rules.margin


def choose(
    baseline: Entrant, judged: Mapping[str, Judged], *, harm_seen: bool
) -> tuple[str | None, str]:
    """Return the cheapest that holds, by name, and the reason in a sentence.

    Args:
        baseline: The first target's.
        judged: By name.
        harm_seen: Whether the metric saw the first target's harmful control as worse.
    """
    if baseline.cost is None:
        return None, f"no price is known for {baseline.target}: nothing can be said to be cheaper"
    cheaper = {n: j for n, j in judged.items() if saving(j.entrant, baseline) > 0}
    holding = [j for j in cheaper.values() if j.confirmed and j.comparison.verdict in HOLDING]
    if not holding:
        return None, _undecided(baseline, judged, cheaper)
    if not harm_seen:
        return None, (
            f"the metric did not see the harmful control of {baseline.target} as worse, so it "
            "cannot tell a good model from a bad one here"
        )
    best = min(holding, key=lambda j: (j.entrant.cost or Decimal(0), j.entrant.name))
    return best.entrant.name, _sentence(best, baseline)


def _undecided(
    baseline: Entrant, judged: Mapping[str, Judged], cheaper: Mapping[str, Judged]
) -> str:
    if judged and not cheaper:
        return f"nothing that was tried is cheaper than the baseline of {baseline.target}"
    missing = {
        name: needed - len(j.comparison.differences)
        for name, j in cheaper.items()
        if (needed := j.comparison.samples_needed) is not None
    }
    said = "nothing cheaper was shown not worse than the baseline of " + baseline.target
    if not missing:
        return said
    name = min(missing, key=lambda one: (missing[one], one))
    return f"{said} on these rows; {name} needs about {max(missing[name], 1):,} more"


def _sentence(best: Judged, baseline: Entrant) -> str:
    verb = "is better than" if best.comparison.verdict == "better" else "holds against"
    against = baseline.target
    if best.entrant.target == against and best.entrant.cascade is None:
        against = f"the baseline of {against}"
    return f"{_who(best.entrant)} {verb} {against}, {_part(best.entrant.cost, baseline.cost)}"


def _who(entrant: Entrant) -> str:
    if entrant.cascade is not None:
        return entrant.name
    if entrant.variant == "baseline":
        return entrant.target
    return f"{entrant.target} with `{entrant.variant}`"


def _part(cost: Decimal | None, of: Decimal | None) -> str:
    """Say what part of the cost is left.

    Example:
        >>> _part(Decimal("0.1"), Decimal("1.9")), _part(Decimal("0.8"), Decimal(1))
        ('1/19 of the cost', '20.0 % cheaper')
    """
    if not cost or not of:
        return "at no cost"
    times = of / cost
    if times >= 2:
        return f"1/{times:.0f} of the cost"
    return f"{100 * (1 - float(cost / of)):.1f} % cheaper"
