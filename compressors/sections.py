"""CO221: sections that earn nothing."""

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
    weights,
)
from .trials import Trials, eliminate
from .units import sections, without


@dataclass(frozen=True, kw_only=True)
class Sections(FittedStrategy):
    """Drop the sections that earn nothing on samples.

    Cuts the messages that instruct into headings, paragraphs and list items, leaves out each in
    turn, and scores what is left on the rows of the eval set that may be learned from. The sections
    whose loss is accepted are dropped together, by halves where that loses too much; the mean loss
    stays within half the margin. Sections that hold a placeholder, a statement, code, data, a tag,
    an example, a format specification, a question or context are never dropped.

    What it can break:
        A rule for a rare case that no row shows: it earns nothing until the case comes. Numbers,
        limits and negations of the sections dropped are lost, and listed.

    Args:
        drop: Ids of the sections to drop, joined by ``;``: the first hex digits of a SHA-256 of a
            section's text. ``None`` finds them from samples.
        budget: The most templates to score while it is fitted, at least 2.

    Reference:
        ProCut: prompt compression via attribution estimation, arXiv:2508.02053; here with
        attribution by leaving one section out.
    """

    name: ClassVar[str] = "sections"
    code: ClassVar[str] = "CO221"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops the sections that earn nothing on samples"
    reference: ClassVar[str] = "arXiv:2508.02053"
    learns: ClassVar[str] = "drop"
    example_learned: ClassVar[str] = "1d65"
    example: ClassVar[str] = (
        "Answer with one label.\n\nOur company was founded by two sisters.\n\nTicket: {ticket}"
    )

    drop: str | None = None
    budget: int = 24

    def __post_init__(self) -> None:
        """Check the parameters."""
        self._require("drop", are_ids(self.drop), "ids of 4 or more hex digits, joined by ;")
        self._require("budget", self.budget >= 2, "at least 2")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template without the sections to drop.

        Raises:
            NotApplicable: it is not fitted, or was fitted on another prompt.
        """
        if self.drop is None:
            raise NotApplicable(NEEDS_ROWS)
        ids = read_ids(self.drop)
        after = settled(lambda t: without(t, sections(t), ids) if ids else t, template)
        self.note_learned(context, found=after is not template)
        return checked(self, template, after)

    async def fit(self, template: PromptTemplate, context: StrategyContext, bench: Bench) -> Self:
        """Return this strategy with the sections to drop.

        Raises:
            NotApplicable: there are no sections to choose among, or each earns its place.
        """
        if self.fitted:
            return self
        units = sections(template)
        names = short_ids(unit.digest for unit in units)
        if not names:
            raise NotApplicable("no section of the prompt may be dropped")
        trials = Trials(
            strategy=self, template=template, context=context, bench=bench, budget=self.budget
        )
        await trials.start()
        dropped = await eliminate(
            trials, weights(units, names, context.count), lambda ids: without(template, units, ids)
        )
        if not dropped:
            raise NotApplicable("every section that was tried earns its place on these rows")
        return replace(self, drop=";".join(one for one in names.values() if one in dropped))
