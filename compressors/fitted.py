"""Strategies that are fitted on samples: their base, and the trials that they learn from."""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

from ..core.protocols import Bench
from ..core.types import Message, PromptTemplate
from .base import NotApplicable, Strategy, StrategyContext
from .guard import check

NEEDS_ROWS = "needs eval rows: it is fitted on them"
_SPENT = 0.5
"""Part of the margin that may be lost on the rows that are learned from. The rest is for chance:
a loss of the whole margin could never be confirmed on other rows."""

_ID = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, kw_only=True)
class FittedStrategy(Strategy):
    """The base of strategies that learn one parameter; it is ``None`` until then."""

    learns: ClassVar[str]
    """The name of that parameter."""
    needs: ClassVar[frozenset[str]] = frozenset({"counter", "samples"})

    @property
    def fitted(self) -> bool:
        """Whether it was learned, or given."""
        return getattr(self, self.learns) is not None


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
        return self.spent >= self.budget

    @property
    def tolerance(self) -> float:
        """The mean loss that is accepted, in the metric's unit."""
        return _SPENT * self.bench.margin

    async def loss(self, after: PromptTemplate) -> float:
        """Return the mean loss against the baseline, below 0 for a gain; infinite if unusable."""
        known = self._losses.get(after.messages)
        if known is not None:
            return known
        if not self._usable(after):
            return self._losses.setdefault(after.messages, math.inf)
        if self.exhausted:
            return math.inf
        self.spent += 1
        loss = _paired_loss(self._baseline, await self.bench.scores(after))
        return self._losses.setdefault(after.messages, loss)

    async def fits(self, after: PromptTemplate) -> bool:
        """Whether the loss is accepted."""
        # Scores are sums in floating point: what is lost by adding up is no loss.
        return await self.loss(after) <= self.tolerance + 1e-9

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


async def eliminate(trials: Trials, ids: Sequence[str], without: Without) -> frozenset[str]:
    """Return the ids of units that can go together: leave one out, then drop from the cheapest.

    Each unit is first left out alone, the one that saves most tokens first. Those whose loss is
    accepted are then dropped in the order of loss per token, all at once and, where that loses too
    much, by halves. At most three quarters of the budget are spent on single units; a unit that was
    not tried stays.
    """
    saved = {one: _saved(trials, without(frozenset({one}))) for one in ids}
    ordered = sorted(ids, key=lambda one: (-saved[one], ids.index(one)))
    losses: dict[str, float] = {}
    for one in ordered:
        if trials.spent >= max(1, trials.budget * 3 // 4):
            break
        losses[one] = await trials.loss(without(frozenset({one})))
    cheap = [one for one in losses if losses[one] <= trials.tolerance + 1e-9]
    cheap.sort(key=lambda one: (max(losses[one], 0.0) / saved[one], losses[one], -saved[one]))
    return await _absorb(trials, frozenset(), cheap, without)


def _saved(trials: Trials, after: PromptTemplate) -> int:
    count = trials.context.count
    return max(1, count(trials.template.text) - count(after.text))


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
                left = [one for one in left if one not in chunk]
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


def digest(text: str) -> str:
    r"""Return the SHA-256 of a text, its blanks aside, in hex digits.

    Example:
        >>> digest("a  b\r\n") == digest("a b")
        True
    """
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


def short_ids(digests: Iterable[str]) -> dict[str, str]:
    """Return by digest its first hex digits, four or as many more as tell all apart.

    Example:
        >>> short_ids(["abcd1f", "abcd2f", "0123ff"])
        {'abcd1f': 'abcd1', 'abcd2f': 'abcd2', '0123ff': '0123f'}
    """
    found = list(dict.fromkeys(digests))
    length = 4
    while len({one[:length] for one in found}) < len(found):
        length += 1
    return {one: one[:length] for one in found}


def read_ids(text: str) -> tuple[str, ...]:
    """Return the ids of a parameter; what is none is left out (see `are_ids`)."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def are_ids(text: str | None) -> bool:
    """Tell whether a parameter is ids joined by semicolons, or ``None``."""
    return text is None or all(_ID.fullmatch(one) for one in read_ids(text))


def named(digest_: str, ids: Sequence[str]) -> bool:
    """Tell whether one of ``ids`` names a digest."""
    return digest_.startswith(tuple(ids))


def settled(edit: Callable[[PromptTemplate], PromptTemplate], t: PromptTemplate) -> PromptTemplate:
    """Apply an edit that only shortens until nothing changes."""
    while (after := edit(t)).messages != t.messages:
        t = after
    return t


def checked(strategy: Strategy, before: PromptTemplate, after: PromptTemplate) -> PromptTemplate:
    """Return ``after`` if the guard accepts it.

    Raises:
        NotApplicable: it does not: the parameters were learned from another prompt.
    """
    refused = check(before, after, strategy.safety, strategy.side, strategy.rewrites).rejected
    if refused is not None:
        raise NotApplicable(refused)
    return after


def learned_params(strategy: Strategy, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a fitted strategy: those given, and what it learned."""
    params = strategy.get_params()
    learned = type(strategy)(**given).get_params()
    return {k: v for k, v in params.items() if k in given or v != learned[k]}
