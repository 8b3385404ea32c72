"""CO220: the fewest examples that do as well."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ..core.protocols import Bench
from ..core.types import PromptTemplate, Safety
from .base import NotApplicable, StrategyContext
from .example_units import example_units, take_away
from .fitted import (
    NEEDS_ROWS,
    FittedStrategy,
    are_ids,
    checked,
    matcher,
    read_ids,
    settled,
    short_ids,
    weights,
)
from .trials import Trials, eliminate

NONE_KEPT = "-"


@dataclass(frozen=True, kw_only=True)
class Examples(FittedStrategy):
    """Keep the fewest few-shot examples that do as well on samples.

    Examples are labelled pairs, numbered examples and ``<example>`` blocks in messages that
    instruct, and turns of a chat before the last user's message. Each is left out in turn and what
    is left is scored on the rows of the eval set that may be learned from; then as many as the
    rows do not miss are dropped together, those that cost least for their tokens first. The mean
    loss stays within half the margin. The examples that stay are not touched.

    What it can break:
        Examples show cases that no row has, and teach the form of the answer. A sentence may speak
        of an example that is gone.

    Args:
        keep: Ids of the examples to keep, joined by ``;``: the first hex digits of a SHA-256 of an
            example's text; ``-`` keeps none. ``None`` finds them from samples.
        budget: The most templates to score while it is fitted, at least 2.

    Reference:
        Backward elimination. On how much examples matter: S. Min et al., "Rethinking the Role of
        Demonstrations", arXiv:2202.12837.
    """

    name: ClassVar[str] = "examples"
    code: ClassVar[str] = "CO220"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the fewest few-shot examples that do as well on samples"
    reference: ClassVar[str] = "backward elimination; arXiv:2202.12837"
    rewrites: ClassVar[frozenset[str]] = frozenset({"examples"})
    learns: ClassVar[str] = "keep"
    example_learned: ClassVar[str] = "2331"
    example: ClassVar[str] = (
        "Add.\n\nInput: 1 1\nOutput: 2\n\nInput: 2 3\nOutput: 5\n\nInput: {numbers}\nOutput:"
    )

    keep: str | None = None
    budget: int = 24

    def __post_init__(self) -> None:
        """Check the parameters."""
        known = self.keep == NONE_KEPT or are_ids(self.keep)
        self._require("keep", known, "ids of 4 or more hex digits, joined by ;, or -")
        self._require("budget", self.budget >= 2, "at least 2")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the examples to keep only.

        Raises:
            NotApplicable: it is not fitted, or was fitted on another prompt.
        """
        if self.keep is None:
            raise NotApplicable(NEEDS_ROWS)
        ids = () if self.keep == NONE_KEPT else read_ids(self.keep)
        units = example_units(template)
        if ids and units and not any(map(matcher(ids), (unit.digest for unit in units))):
            raise NotApplicable("none of the examples to keep is in this prompt")
        self.note_learned(context, found=bool(units))
        return checked(self, template, settled(lambda t: _only(t, ids), template))

    async def fit(self, template: PromptTemplate, context: StrategyContext, bench: Bench) -> Self:
        """Return this strategy with the examples to keep.

        Raises:
            NotApplicable: there are no examples, or each earns its place.
        """
        if self.fitted:
            return self
        units = example_units(template)
        names = short_ids(unit.digest for unit in units)
        if not names:
            raise NotApplicable("the prompt has no examples")
        trials = Trials(
            strategy=self, template=template, context=context, bench=bench, budget=self.budget
        )
        await trials.start()
        dropped = await eliminate(
            trials,
            weights(units, names, context.count),
            lambda ids: take_away(template, [u for u in units if names[u.digest] in ids]),
        )
        if not dropped:
            raise NotApplicable("every example that was tried earns its place on these rows")
        kept = [one for one in names.values() if one not in dropped]
        return replace(self, keep=";".join(kept) or NONE_KEPT)


def _only(template: PromptTemplate, ids: tuple[str, ...]) -> PromptTemplate:
    kept = matcher(ids)
    return take_away(template, [u for u in example_units(template) if not kept(u.digest)])
