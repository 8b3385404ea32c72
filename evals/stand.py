"""One target's part in the crossing of a prompt: what was asked there, and what that costs."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from ..core.report import CostInfo
from ..core.types import Answer, Sample, Score, Variant
from .assemble import PromptResult
from .crossing import Entrant
from .measure import Measurement
from .plan import RowPlan
from .runner import Mode, Outcome


@dataclass(frozen=True)
class Stand:
    """One target's part in the crossing of a prompt."""

    result: PromptResult
    measurement: Measurement

    @property
    def target(self) -> str:
        """The target's name."""
        return self.result.target

    @property
    def plan(self) -> RowPlan:
        """The rows, the same for all targets."""
        return self.measurement.setup.plan

    @cached_property
    def baseline(self) -> Variant:
        """The unchanged prompt."""
        return self.measurement.measured.variants[0]

    def variants(self) -> list[Variant]:
        """Return what competes: neither the baseline, nor controls, nor what was refused."""
        found = self.measurement.measured.variants[1:]
        return [v for v in found if v.rejected is None and not v.control]

    def named(self, name: str) -> Variant | None:
        """Return a variant by its name."""
        return next((v for v in self.measurement.measured.variants if v.name == name), None)

    async def ask(self, variant: Variant, rows: Sequence[Sample]) -> None:
        """Have answers generated; those that are there are not asked for again."""
        await self.measurement.setup.runner.run(variant, rows, "generate")

    def outcomes(self, variant: Variant, mode: Mode = "generate") -> tuple[Outcome, ...]:
        """Return what there is of a variant, in the order of the rows."""
        found = self.measurement.setup.runner.outcomes
        all_rows = (found.get((variant.name, sample.id, mode)) for sample in self.plan.rows)
        return tuple(outcome for outcome in all_rows if outcome is not None)

    def answers(self, variant: Variant, rows: AbstractSet[str]) -> dict[str, Answer]:
        """Return a variant's scored answers on some rows."""
        return {
            o.trial.sample.id: o.answers[0]
            for o in self.outcomes(variant)
            if o.trial.sample.id in rows and isinstance(o.result, Score) and o.answers
        }

    def money(self, variant: Variant, rows: AbstractSet[str]) -> CostInfo:
        """Return what a variant costs on some rows; unknown where it was not answered there."""
        answers = self.answers(variant, rows)
        return self.result.meter.money_on(variant, answers) if answers else CostInfo()

    def entrant(self, variant: Variant, rows: AbstractSet[str]) -> Entrant:
        """Return a variant as a candidate, with its cost on ``rows``."""
        return Entrant(
            name=f"{self.target}: {variant.name}",
            target=self.target,
            variant=variant.name,
            outcomes=self.outcomes(variant),
            cost=self.money(variant, rows).usd_per_1k,
        )
