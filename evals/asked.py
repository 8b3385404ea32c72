"""What was asked of one prompt at one target, by variant and row, and compared; asks nothing."""

import math
from collections.abc import Sequence
from functools import lru_cache

from ..core.types import HOLDING, Answer, Score, Variant
from .choice import ALPHA, compare, scale_of
from .metrics.base import Scale
from .plan import FINALISTS
from .repeating import draw_key
from .runner import Mode, Outcome
from .setup import Judge, Measured, Setup
from .statistics import paired_bounds


class Asked:
    """One prompt at one target, as far as it was asked.

    Attributes:
        setup: What it is measured with.
        measured: What came of it so far.
        baseline: The unchanged prompt.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.measured = Measured()
        self.baseline = Variant(name="baseline", template=setup.template)
        self.measured.variants.append(self.baseline)

    def judge(self, variant: Variant) -> Judge | None:
        """Return what judges a variant; ``None`` where nothing can."""
        return self.setup.judges[variant.side]

    @property
    def lengths_only(self) -> bool:
        """Whether answers are generated for their length, and input is judged without them."""
        judge = self.setup.judges["input"]
        return judge is not None and judge.mode == "likelihood"

    def trusts(self, judge: Judge) -> bool:
        """Whether what judges may show that a variant holds."""
        referee = self.setup.runner.referee
        return judge.metric.kind != "judged" or (referee is not None and referee.fit)

    def compare(self, variants: Sequence[Variant] | None = None) -> None:
        """Compare what was asked so far; later joins raise the number of candidates for all."""
        for variant in self.measured.variants[1:] if variants is None else variants:
            if variant.rejected is None and variant.name not in self.measured.confirmed:
                count = 1 if variant.control else self.competing
                self.compare_one(variant, self.outcomes(variant), count)

    def step_down(self) -> None:
        """Give what holds no part of the error any more; the rest share all of it.

        Where all rows decide, that is more powerful than an even share for each, and as safe (Holm
        1979, *Scandinavian Journal of Statistics* 6:65-70). Each bound is at the level of its step.
        """
        found, dropped = self.measured.comparisons, self.measured.dropped
        left = [v for v in self.measured.variants[1:] if not v.control and v.name in found]
        while left:
            held = [v for v in left if v.name not in dropped and found[v.name].verdict in HOLDING]
            if not held:
                return
            left = [v for v in left if v not in held]
            for variant in left:
                self.compare_one(variant, self.outcomes(variant), len(left))

    @property
    def competing(self) -> int:
        """How many variants share the error."""
        return sum(1 for v in self.measured.variants[1:] if v.rejected is None and not v.control)

    def compare_one(self, variant: Variant, outcomes: Sequence[Outcome], candidates: float) -> None:
        """Compare a variant with the baseline on what was asked of both."""
        judge = self.judge(variant)
        if judge is None or not outcomes:
            return
        self.measured.comparisons[variant.name] = compare(
            self.outcomes(self.baseline, judge.mode),
            outcomes,
            metric=judge.metric,
            margin=judge.margin,
            candidates=candidates,
            trusted=self.trusts(judge),
        )

    def decidable(self, variant: Variant) -> bool:
        """Whether the confirmation rows could show ``holds`` if not one row were lost."""
        judge = self.judge(variant)
        if judge is None or judge.metric.kind == "drift" or not self.trusts(judge):
            return False
        scale = scale_of(judge.metric, self.outcomes(variant))
        return _most(len(self.setup.plan.confirmation), scale) > -judge.margin

    def outcomes(self, variant: Variant, mode: Mode | None = None) -> tuple[Outcome, ...]:
        """Return the outcomes of ``variant`` in the order of the rows.

        Args:
            variant: The variant.
            mode: In which mode; by default that of what judges it.
        """
        judge = self.judge(variant)
        wanted = mode if mode is not None or judge is None else judge.mode
        if wanted is None:
            return ()
        found = (
            self.setup.runner.outcomes.get((variant.name, s.id, wanted))
            for s in self.setup.plan.rows
        )
        return tuple(outcome for outcome in found if outcome is not None)

    def draws(self, variant: Variant) -> dict[str, Answer]:
        """Return all draws of ``variant``: the first by sample id, further ones by id and number.

        So a mean over them is one over all draws, and a variant's draws pair with the baseline's.
        """
        return {
            draw_key(id_, number): answer
            for id_, answers in self._drawn(variant).items()
            for number, answer in enumerate(answers)
        }

    def answers(self, variant: Variant) -> dict[str, Answer]:
        """Return the first generated answer of ``variant`` on each row, by sample id."""
        return {id_: answers[0] for id_, answers in self._drawn(variant).items()}

    def _drawn(self, variant: Variant) -> dict[str, tuple[Answer, ...]]:
        rows = self.setup.plan.rows
        found = {
            s.id: self.setup.runner.outcomes.get((variant.name, s.id, "generate")) for s in rows
        }
        return {
            id_: outcome.answers
            for id_, outcome in found.items()
            if outcome is not None and isinstance(outcome.result, Score) and outcome.answers
        }

    def savings(self) -> dict[str, float]:
        """Return the fraction of the baseline's cost that each variant saves, by name."""
        base = self.draws(self.baseline)
        return {
            v.name: self.setup.meter.saving(self.baseline, v, base, self.draws(v)) or 0.0
            for v in self.measured.variants[1:]
            if v.rejected is None
        }


@lru_cache(maxsize=64)
def _most(rows: int, scale: Scale) -> float:
    """Return the best lower bound that a finalist can reach on so many rows."""
    best = paired_bounds([0.0] * rows, alpha=ALPHA / FINALISTS, scale=scale)
    return best.low if best is not None else -math.inf
