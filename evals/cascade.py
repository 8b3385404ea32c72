"""Cascades: the cheap model answers, and the large one where a check of its answer fails.

All of it is computed from answers that are there already; where one is missing, the cascade is not
measured. A check knows no reference: a program has none either.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from ..compressors.registry import build
from ..core.types import Answer, Score, Variant
from .metrics import Metric
from .metrics.text import normalise
from .runner import Outcome

Passes = Mapping[str, bool]
"""By row: whether the cheap model's answer is kept."""


@dataclass(frozen=True, kw_only=True)
class Blend:
    """A cascade's outcomes, one a row, and the rows that the large model answered."""

    outcomes: tuple[Outcome, ...]
    escalated: frozenset[str]

    @property
    def share(self) -> float:
        """The part of the rows that the large model answered."""
        return len(self.escalated) / len(self.outcomes)


def blend(
    small: Mapping[str, Outcome], large: Mapping[str, Outcome], passes: Passes, rows: Sequence[str]
) -> Blend | None:
    """Return what a cascade answers on ``rows``; ``None`` where an answer that it needs is missing.

    A row on which the small model failed is a failure of the cascade too.
    """
    found: list[Outcome] = []
    escalated: set[str] = set()
    for row in rows:
        first = small.get(row)
        if first is None:
            return None
        if not isinstance(first.result, Score):
            found.append(first)
            continue
        if row not in passes:
            return None
        if passes[row]:
            found.append(first)
            continue
        second = large.get(row)
        if second is None:
            return None
        escalated.add(row)
        found.append(second)
    return Blend(outcomes=tuple(found), escalated=frozenset(escalated)) if found else None


def by_format(
    metric: Metric, variant: Variant, small: Mapping[str, Outcome], labels: Sequence[str]
) -> Passes | None:
    """Return which answers have the form that the metric reads strictly; ``None``: it has none."""
    if metric.well_formed is None:
        return None
    checked = {
        row: metric.well_formed(restored(variant, outcome.answers[0]), labels or None)
        for row, outcome in small.items()
        if outcome.answers
    }
    known = {row: passed for row, passed in checked.items() if passed is not None}
    return known if len(known) == len(checked) else None


def by_agreement(
    variant: Variant, small: Mapping[str, Outcome], again: Mapping[str, Outcome]
) -> Passes:
    """Return which answers a second draw repeats, apart from case, quotes and a final stop."""
    return {
        row: normalise(restored(variant, outcome.answers[0]))
        == normalise(restored(variant, again[row].answers[0]))
        for row, outcome in small.items()
        if outcome.answers and row in again and again[row].answers
    }


def by_likelihood(likelihoods: Mapping[str, float], threshold: float) -> Passes:
    """Return which answers the cheap model finds likely enough, in nats per token."""
    return {row: value >= threshold for row, value in likelihoods.items()}


def threshold(
    likelihoods: Mapping[str, float],
    loss: Callable[[Passes], float | None],
) -> float | None:
    """Return the least threshold at which nothing is lost on average; ``None`` if there is none.

    Args:
        likelihoods: Of the selection rows.
        loss: The cascade's mean difference to the baseline on these rows, positive is better.

    Example:
        >>> threshold({"a": -0.1, "b": -2.0}, lambda passes: 0.0 if not passes["b"] else -0.5)
        -0.1
    """
    for candidate in sorted(set(likelihoods.values())):
        found = loss(by_likelihood(likelihoods, candidate))
        if found is not None and found >= 0.0:
            return candidate
    return None


def mean_likelihood(answer: Answer) -> float | None:
    """Return the mean log-probability of an answer's tokens, in nats."""
    return fmean(answer.logprobs) if answer.logprobs else None


def restored(variant: Variant, answer: Answer) -> str:
    """Return an answer's text as it would read without the variant's strategies."""
    text = answer.text
    for spec in reversed(variant.chain):
        text = build(spec).restore(text)
    return text


def timed(first: Answer, second: Answer | None) -> Answer:
    """Return an answer with the time and the output of all that had to be asked for it."""
    if second is None:
        return first
    usage = replace(second.usage, output=second.usage.output + first.usage.output)
    # An answer out of a batch has no latency, and then both together have none.
    both = first.latency_s is not None and second.latency_s is not None
    took = (first.latency_s or 0.0) + (second.latency_s or 0.0) if both else None
    return replace(second, latency_s=took, usage=usage)
