"""Measures two versions of a prompt at one target: the same rows for both, and all of them decide.

There is one candidate and nothing is picked, so that no rows are split off and no error is shared:
the bounds are at 5 % each side, on a number of rows that was fixed before the first answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..core.types import Sample, Variant
from .measure import Measurement
from .runner import HARMFUL, REPEATED, Mode, fair_order
from .setup import Setup
from .version_pair import same_requests

Asked = tuple[Variant, Sequence[Sample], Mode]


class VersionMeasurement(Measurement):
    """The base as baseline, and the head, if there is one, held against it.

    Args:
        setup: What it is measured with; all rows are selection rows.
        head: The other version; ``None`` for a prompt that has only one.
        of: How many rows the eval set has.
    """

    def __init__(self, setup: Setup, head: Variant | None, *, of: int) -> None:
        super().__init__(setup)
        self._of = of
        self._heads = () if head is None else (head,)

    async def _run(self) -> None:
        self.measured.variants.extend(self._heads)
        self.measured.notes.extend(self._notes())
        await self._settle_repeats()
        first = self._asked(self.baseline)
        then = [one for head in self._heads for one in self._asked(head)]
        if self._held_against_answers:
            for one in first:  # The base's answers first: what is asked then is about them.
                await self.setup.runner.run_trials(fair_order([one]))
            await self._audited()
            await self.setup.runner.run_trials(fair_order(then))
        else:  # Both alike, so that a cap leaves as many rows of the one as of the other.
            await self.setup.runner.run_trials(fair_order([*first, *then]))
            await self._audited()
        await self._screen(self._wanted_controls())
        self.compare()
        for head in self._heads:
            self._decide(head)
        self._see_harm()

    def _decide(self, head: Variant) -> None:
        """Let the comparison decide; two versions that ask for the same do not differ at all."""
        self.measured.confirmed.add(head.name)
        found = self.measured.comparisons.get(head.name)
        same = same_requests(self.setup.template, head.template)
        if found is None or found.delta is None or not same:
            return
        self.measured.comparisons[head.name] = replace(
            found,
            delta=replace(found.delta, mean=0.0, low=0.0, high=0.0),
            verdict="holds",
            samples_needed=None,
        )
        self.measured.notes.append(
            "the head asks for exactly what the base asks for: the difference is none, on any rows"
        )

    def _notes(self) -> Iterator[str]:
        """Say how it is decided."""
        count = len(self.setup.plan.rows)
        rows = f"{count:,} rows" if count == self._of else f"{count:,} of {self._of:,} rows"
        if self._heads:
            yield (
                f"{rows}: all of them decide together, at 5 % each side: there is one candidate, "
                "and nothing was picked"
            )
        else:
            yield f"{rows}: the quality is the prompt's own, since there is no base to compare with"
        if self.lengths_only:
            yield (
                "judged by the log-likelihood of the references, which does not see how answers "
                "are written: a --metric of generated answers does"
            )

    def _asked(self, variant: Variant) -> list[Asked]:
        """Return what is asked of a version: its answers, and what judges it besides."""
        rows, judge = self.setup.plan.selection, self.judge(variant)
        few = self._for_length(rows) if self.lengths_only else rows
        asked: list[Asked] = [(variant, few, "generate")]
        if judge is not None and judge.mode != "generate":
            asked.append((variant, rows, judge.mode))
        return asked

    @property
    def _held_against_answers(self) -> bool:
        """Whether the base's answers have to be there before the head can be judged."""
        judges = self.setup.judges.values()
        return any(judge and judge.metric.kind in ("judged", "drift") for judge in judges)

    async def _audited(self) -> None:
        self._check_answers()
        await self._audit_judge()

    def _wanted_controls(self) -> tuple[Variant, ...]:
        """Return the harmful control, and where draws are repeated, the baseline drawn again."""
        names = {HARMFUL, REPEATED} if self.setup.runner.most_repeats > 1 else {HARMFUL}
        return tuple(control for control in self._controls() if control.name in names)

    def _see_harm(self) -> None:
        harm = self.measured.comparisons.get(HARMFUL)
        if harm is not None:
            self.measured.harm_seen[harm.metric] = harm.verdict == "worse"
