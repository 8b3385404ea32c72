"""CO222: the smallest set of sentences that does as well."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from ..core.protocols import Bench
from ..core.types import PromptTemplate, Safety
from .base import NotApplicable, StrategyContext
from .fitted import (
    NEEDS_ROWS,
    FittedStrategy,
    are_ids,
    checked,
    read_ids,
    settled,
    short_ids,
)
from .trials import Trials, ddmin
from .units import Unit, clauses, sentences, without


@dataclass(frozen=True, kw_only=True)
class Minimise(FittedStrategy):
    """Keep the smallest set of sentences that does as well on samples.

    Delta debugging over the sentences of the messages that instruct, then over the last clauses of
    the sentences that stay: halves of them are left out, then quarters, and so on, and what the
    rows do not miss stays out. The mean loss stays within half the margin. Where the budget is
    enough, no single sentence more can go. Sentences that hold a placeholder, a statement, code,
    data, a tag, an example, a format specification, a question or context are never dropped.

    What it can break:
        A rule for a rare case that no row shows. A sentence may lean on one that is gone. Numbers,
        limits and negations of what is dropped are lost, and listed.

    Args:
        drop: Ids of the sentences and clauses to drop, joined by ``;``: the first hex digits of a
            SHA-256 of their text. ``None`` finds them from samples.
        budget: The most templates to score while it is fitted, at least 2.

    Reference:
        A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE
        Transactions on Software Engineering 28(2), 2002.
    """

    name: ClassVar[str] = "minimise"
    code: ClassVar[str] = "CO222"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the fewest sentences that do as well on samples"
    reference: ClassVar[str] = "Zeller & Hildebrandt 2002, IEEE TSE 28(2)"
    learns: ClassVar[str] = "drop"
    example_learned: ClassVar[str] = "1b7c;a2f8"
    example: ClassVar[str] = (
        "You are friendly. Answer with one label, because a machine reads it.\n\nTicket: {ticket}"
    )

    drop: str | None = None
    budget: int = 32

    def __post_init__(self) -> None:
        """Check the parameters."""
        self._require("drop", are_ids(self.drop), "ids of 4 or more hex digits, joined by ;")
        self._require("budget", self.budget >= 2, "at least 2")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template without the sentences and clauses to drop.

        Raises:
            NotApplicable: it is not fitted, or was fitted on another prompt.
        """
        if self.drop is None:
            raise NotApplicable(NEEDS_ROWS)
        ids = read_ids(self.drop)
        after = settled(lambda t: without(t, _units(t), ids) if ids else t, template)
        self.note_learned(context, found=after is not template)
        return checked(self, template, after)

    async def fit(self, template: PromptTemplate, context: StrategyContext, bench: Bench) -> Self:
        """Return this strategy with the sentences and clauses to drop.

        Raises:
            NotApplicable: there are none to choose among, or each earns its place.
        """
        if self.fitted:
            return self
        units = _units(template)
        names = short_ids(unit.digest for unit in units)
        if not names:
            raise NotApplicable("no sentence of the prompt may be dropped")
        trials = Trials(
            strategy=self, template=template, context=context, bench=bench, budget=self.budget
        )
        await trials.start()
        whole = sentences(template)
        dropped: frozenset[str] = frozenset()
        for some in (whole, None):
            kept = [unit for unit in whole if names[unit.digest] not in dropped]
            ids = dict.fromkeys(names[u.digest] for u in some or clauses(template, kept))
            dropped = await ddmin(
                trials,
                [one for one in ids if one not in dropped],
                dropped,
                lambda ids: without(template, units, ids),
            )
        if not dropped:
            raise NotApplicable("every sentence that was tried earns its place on these rows")
        return replace(self, drop=";".join(one for one in names.values() if one in dropped))


def _units(template: PromptTemplate) -> Sequence[Unit]:
    whole = sentences(template)
    return (*whole, *clauses(template, whole))
