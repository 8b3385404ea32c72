"""The cascades of a prompt: which there are between its targets, from answers that are stored."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import fmean

from ..core.errors import CostoptError
from ..core.report import Cascade, CostInfo, Latency
from ..core.types import Request, Variant
from .cascade import (
    Blend,
    Passes,
    blend,
    by_agreement,
    by_format,
    by_likelihood,
    mean_likelihood,
    threshold,
    timed,
)
from .choice import compare
from .crossing import Entrant, Rules
from .meter import latency
from .runner import REPEATED, Outcome, render_trial
from .stand import Stand


@dataclass(frozen=True, kw_only=True)
class Cascaded:
    """A cascade; without an entrant it is not measured, and ``missing`` says why.

    ``picked`` is whether its threshold was picked on the selection rows.
    """

    name: str
    target: str
    variant: str
    cascade: Cascade
    entrant: Entrant | None = None
    picked: bool = False
    cost: CostInfo | None = None
    latency: Latency | None = None
    missing: str | None = None


@dataclass(frozen=True)
class _Pair:
    """A cheap model with a variant, and the larger one whose baseline it falls back on."""

    small: Stand
    variant: Variant
    large: Stand
    base: Stand
    rules: Rules

    @property
    def name(self) -> str:
        """How it is called, without the check."""
        own = "" if self.variant is self.small.baseline else f" with {self.variant.name}"
        return f"{self.small.target}{own}>{self.large.target}"

    @property
    def first(self) -> Mapping[str, Outcome]:
        """The cheap model's outcomes by row."""
        return _by_row(self.small.outcomes(self.variant))

    @property
    def second(self) -> Mapping[str, Outcome]:
        """The larger model's outcomes by row."""
        return _by_row(self.large.outcomes(self.large.baseline))

    @property
    def again(self) -> Mapping[str, Outcome]:
        """The cheap model's second draws; there are such of the unchanged prompt only."""
        twice = self.small.named(REPEATED) if self.variant is self.small.baseline else None
        return _by_row(self.small.outcomes(twice)) if twice is not None else {}


def _by_row(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    return {outcome.trial.sample.id: outcome for outcome in outcomes}


def cascades(
    stands: Sequence[Stand],
    picked: Sequence[tuple[Stand, Variant]],
    rules: Rules,
    rows: AbstractSet[str],
) -> tuple[Cascaded, ...]:
    """Return the cascades between targets, from what is stored: nothing is asked.

    Args:
        stands: The targets; the first one's baseline is what all are held against.
        picked: Variants that were answered on all rows, to be the cheap part too.
        rules: How quality is judged.
        rows: All rows.
    """
    if any(stand.measurement.setup.runner.repeats > 1 for stand in stands):
        # A check reads one draw; a row's score is the mean of several, of which it says nothing.
        return ()
    return tuple(
        found
        for pair in _pairs(stands, picked, rules, rows)
        for found in (_by_form(pair, rows), _by_agreement(pair, rows), _by_likelihood(pair, rows))
        if found is not None
    )


def _pairs(
    stands: Sequence[Stand],
    picked: Sequence[tuple[Stand, Variant]],
    rules: Rules,
    rows: AbstractSet[str],
) -> Iterator[_Pair]:
    base = stands[0]
    costs = {stand.target: stand.money(stand.baseline, rows).usd_per_1k for stand in stands}
    own = costs[base.target]
    if own is None:
        return
    for stand in stands[1:]:
        cost = costs[stand.target]
        if cost is not None and cost < own:
            yield _Pair(stand, stand.baseline, base, base, rules)
            better = next((v for s, v in picked if s.target == stand.target), None)
            if better is not None:
                yield _Pair(stand, better, base, base, rules)
        elif cost is not None and cost > own:
            yield _Pair(base, base.baseline, stand, base, rules)


def _by_form(pair: _Pair, rows: AbstractSet[str]) -> Cascaded:
    labels = pair.small.measurement.setup.runner.labels
    metric = pair.rules.metric
    passes = by_format(metric, pair.variant, pair.first, labels)
    missing = f"{metric.name} has no form that can be checked without the reference"
    return _priced(pair, "format", passes, rows, missing)


def _by_agreement(pair: _Pair, rows: AbstractSet[str]) -> Cascaded | None:
    if pair.variant is not pair.small.baseline:
        return None
    passes = by_agreement(pair.variant, pair.first, pair.again)
    missing = f"second answers are stored for {len(passes)} of {len(rows)} rows"
    return _priced(pair, "self-agreement", passes, rows, missing)


def _by_likelihood(pair: _Pair, rows: AbstractSet[str]) -> Cascaded:
    check, plan = "log-likelihood", pair.small.plan
    if "loglikelihood" not in pair.small.measurement.setup.context.capabilities:
        return _unmeasured(pair, check, f"{pair.small.target} gives no log-likelihoods")
    if not plan.split:
        return _unmeasured(pair, check, "no rows are left to confirm a threshold on")
    found = _likelihoods(pair)
    if not rows <= found.keys():
        return _unmeasured(pair, check, "the log-likelihoods of its answers are not stored")
    selection = {sample.id for sample in plan.selection}
    limit = threshold(
        {row: value for row, value in found.items() if row in selection},
        lambda passes: _loss(pair, passes, selection),
    )
    if limit is None:
        return _unmeasured(pair, check, "every threshold loses on the selection rows")
    passes = by_likelihood(found, limit)
    done = _priced(pair, check, passes, rows, "an answer is missing")
    return replace(done, picked=True, cascade=replace(done.cascade, threshold=limit))


def _likelihoods(pair: _Pair) -> dict[str, float]:
    """Return how likely the cheap model finds its own answers, where that is stored."""
    found: dict[str, float] = {}
    for row, outcome in pair.first.items():
        value = _likelihood(pair, outcome)
        if value is None:
            break  # Without one of them there is no cascade: the rest need not be looked for.
        found[row] = value
    return found


def _likelihood(pair: _Pair, outcome: Outcome) -> float | None:
    lookup = pair.small.result.lookup
    if lookup is None or not outcome.answers or not outcome.answers[0].text:
        return None
    shortener = pair.small.measurement.setup.runner.shortener
    try:
        messages = render_trial(pair.variant, outcome.trial.sample, shortener)
    except CostoptError:
        return None
    stored = lookup(
        Request(
            messages=messages,
            settings=pair.variant.template.settings,
            continuation=outcome.answers[0].text,
        )
    )
    return None if stored is None else mean_likelihood(stored)


def _loss(pair: _Pair, passes: Passes, rows: AbstractSet[str]) -> float | None:
    mixed = blend(pair.first, pair.second, passes, sorted(rows))
    if mixed is None:
        return None
    base = [o for o in pair.base.outcomes(pair.base.baseline) if o.trial.sample.id in rows]
    rules = pair.rules
    found = compare(base, mixed.outcomes, metric=rules.metric, margin=rules.margin, candidates=1)
    return fmean(found.differences) if found.differences else None


def _unmeasured(pair: _Pair, check: str, missing: str) -> Cascaded:
    return Cascaded(
        name=f"cascade({pair.name}, {check})",
        target=pair.small.target,
        variant=pair.variant.name,
        cascade=Cascade(to=pair.large.target, check=check),
        missing=missing,
    )


def _priced(
    pair: _Pair, check: str, passes: Passes | None, rows: AbstractSet[str], missing: str
) -> Cascaded:
    """Return a cascade with its money; not measured where an answer that it needs is not there."""
    named = _unmeasured(pair, check, missing)
    ordered = [sample.id for sample in pair.small.plan.rows if sample.id in rows]
    mixed = None if passes is None else blend(pair.first, pair.second, passes, ordered)
    if mixed is None:
        return named
    twice = check == "self-agreement"
    cost = _money(pair, mixed, rows, twice=twice)
    cascade = replace(named.cascade, escalated=mixed.share)
    return replace(
        named,
        cascade=cascade,
        cost=cost,
        latency=_latency(pair, mixed, twice=twice),
        missing=None,
        entrant=Entrant(
            name=named.name,
            target=named.target,
            variant=named.variant,
            outcomes=mixed.outcomes,
            cost=cost.usd_per_1k,
            cascade=cascade,
        ),
    )


def _money(pair: _Pair, mixed: Blend, rows: AbstractSet[str], *, twice: bool) -> CostInfo:
    """Return the cost of the cheap model on all rows and of the larger on its own."""
    parts = [(pair.small.money(pair.variant, rows), 1.0)]
    again = pair.small.named(REPEATED) if twice else None
    if again is not None:
        parts.append((pair.small.money(again, rows), 1.0))
    if mixed.escalated:
        parts.append((pair.large.money(pair.large.baseline, mixed.escalated), mixed.share))
    usd = [money.usd_per_1k for money, _ in parts]
    total = Decimal(0)
    for (_, share), amount in zip(parts, usd, strict=True):
        if amount is None:
            return CostInfo()
        total += amount * Decimal(str(round(share, 9)))
    measured = all(money.evidence == "measured" for money, _ in parts)
    return CostInfo(usd_per_1k=total, evidence="measured" if measured else "estimated")


def _latency(pair: _Pair, mixed: Blend, *, twice: bool) -> Latency | None:
    """Return how long the answers take, one after the other where the larger model is asked."""
    first, second, again = pair.first, pair.second, pair.again if twice else {}
    answers = {
        row: timed(
            timed(outcome.answers[0], again[row].answers[0] if row in again else None),
            second[row].answers[0] if row in mixed.escalated and second[row].answers else None,
        )
        for row, outcome in first.items()
        if outcome.answers and (not twice or (row in again and again[row].answers))
    }
    return latency(answers)
