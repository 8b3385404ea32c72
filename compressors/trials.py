"""Trials: what edits of a template lose on samples, and searches for those that lose little."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..core.protocols import Bench
from ..core.types import Message, PromptTemplate
from .base import NotApplicable, Strategy, StrategyContext
from .guard import check

_SPENT = 0.5
"""Part of the margin that may be lost on the rows that are learned from. The rest is for chance:
a loss of the whole margin could never be confirmed on other rows."""

_ROUNDING = 1e-9
"""Means are sums in floating point: what adding up loses is no loss."""

_MOST_REFUSED = 20
"""Edits that may be refused for each that may be scored: a bound on time, not on money."""


@dataclass(kw_only=True)
class Trials:
    """Scores edits of a template, each once, as far as a budget goes.

    An edit that the guard refuses, that saves no tokens, or that made a row fail which the baseline
    did not fail, is as bad as can be. Refused edits cost nothing.
    """

    strategy: Strategy
    template: PromptTemplate
    context: StrategyContext
    bench: Bench
    budget: int
    """Most templates to score; the baseline is not counted."""
    spent: int = 0
    _baseline: tuple[float | None, ...] = ()
    _refused: int = 0
    _tokens: int = 0
    _losses: dict[tuple[Message, ...], float] = field(
        default_factory=dict[tuple[Message, ...], float]
    )

    async def start(self) -> None:
        """Score the baseline.

        Raises:
            NotApplicable: no row has a score.
        """
        self._baseline = await self.bench.scores(self.template)
        self._tokens = self.context.count(self.template.text)
        if all(score is None for score in self._baseline):
            raise NotApplicable("the prompt has no score on any of the rows")

    @property
    def exhausted(self) -> bool:
        """Whether the budget is spent."""
        return self.spent >= self.budget or self._refused >= _MOST_REFUSED * self.budget

    @property
    def tolerance(self) -> float:
        """The mean loss that is accepted, in the metric's unit."""
        return _SPENT * self.bench.margin

    async def loss(self, after: PromptTemplate) -> float:
        """Return the mean loss against the baseline, below 0 for a gain; infinite if unusable."""
        known = self._losses.get(after.messages)
        if known is not None:
            return known
        if self.exhausted:
            return math.inf
        if not self._usable(after):
            self._refused += 1
            return self._losses.setdefault(after.messages, math.inf)
        self.spent += 1
        loss = _paired_loss(self._baseline, await self.bench.scores(after))
        return self._losses.setdefault(after.messages, loss)

    async def fits(self, after: PromptTemplate) -> bool:
        """Whether the loss is accepted."""
        return await self.loss(after) <= self.tolerance + _ROUNDING

    def _usable(self, after: PromptTemplate) -> bool:
        if self.context.count(after.text) >= self._tokens:
            return False
        own = self.strategy
        return check(self.template, after, own.safety, own.side, own.rewrites).rejected is None


def _paired_loss(before: Sequence[float | None], after: Sequence[float | None]) -> float:
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old is not None]
    if any(new is None for _, new in pairs):
        return math.inf
    return math.fsum(old - new for old, new in pairs if new is not None) / len(pairs)


Without = Callable[[frozenset[str]], PromptTemplate]
"""Returns the template without the units of these ids."""


async def eliminate(trials: Trials, weights: Mapping[str, int], without: Without) -> frozenset[str]:
    """Return the ids of units that can go together: leave one out, then drop from the cheapest.

    Each unit is first left out alone, the heaviest first. Those whose loss is accepted are then
    dropped in the order of loss per token, all at once and, where that loses too much, by halves.
    At most three quarters of the budget are spent on single units; one that was not tried stays.

    Args:
        trials: Scores edits.
        weights: Tokens of each unit, by id.
        without: Makes the edits.
    """
    losses: dict[str, float] = {}
    for one in sorted(weights, key=lambda one: -weights[one]):
        if trials.exhausted or trials.spent >= max(1, trials.budget * 3 // 4):
            break
        losses[one] = await trials.loss(without(frozenset({one})))
    cheap = [one for one in losses if losses[one] <= trials.tolerance + _ROUNDING]
    cheap.sort(key=lambda one: (max(losses[one], 0.0) / max(weights[one], 1), losses[one]))
    return await _absorb(trials, frozenset(), cheap, without)


async def _absorb(
    trials: Trials, dropped: frozenset[str], ids: Sequence[str], without: Without
) -> frozenset[str]:
    """Drop as many of ``ids`` as can go on top of ``dropped``, the first ones by preference."""
    if not ids:
        return dropped
    together = dropped.union(ids)
    if await trials.fits(without(together)):
        return together
    if len(ids) == 1 or trials.exhausted:
        return dropped
    half = len(ids) // 2
    dropped = await _absorb(trials, dropped, ids[:half], without)
    return await _absorb(trials, dropped, ids[half:], without)


async def ddmin(
    trials: Trials, ids: Sequence[str], dropped: frozenset[str], without: Without
) -> frozenset[str]:
    """Return ``dropped`` and as many of ``ids`` as delta debugging finds can go with them.

    The complements of ever smaller parts are tried (reduction to complement; a prompt is hardly
    ever one small part of itself, so that parts alone are not tried beyond halves). What is left
    is 1-minimal where the budget suffices: no single unit more can go.
    """
    left, parts = list(ids), 2
    while left and not trials.exhausted:
        parts = min(parts, len(left))
        for chunk in _chunks(left, parts):
            if await trials.fits(without(dropped.union(chunk))):
                dropped = dropped.union(chunk)
                gone = frozenset(chunk)
                left = [one for one in left if one not in gone]
                parts = max(parts - 1, 2)
                break
        else:
            if parts >= len(left):
                break
            parts = min(len(left), 2 * parts)
    return dropped


def _chunks(ids: Sequence[str], parts: int) -> list[Sequence[str]]:
    edges = [len(ids) * i // parts for i in range(parts + 1)]
    return [ids[a:b] for a, b in pairwise(edges)]
