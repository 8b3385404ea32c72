"""Measures one prompt at one target: screen every variant on a few rows, confirm the best.

Every candidate is asked on the selection rows. The variants that work are joined into chains, and
the few with the best expected saving are confirmed on rows that nothing was picked on.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ..compressors.base import StrategyContext
from ..compressors.registry import entry
from ..compressors.variants import CONTROLS, Chain, propose
from ..core.errors import CostoptError
from ..core.types import HOLDING, Failure, FailureKind, Sample, Variant
from .asked import Asked
from .choice import ALPHA, assurance, error_shares, finalists, scale_of
from .fitting import RowsBench, Waiting, any_fitted, fit_chains
from .judge_audit import audit_judge
from .plan import FINALISTS
from .racing import Rules as RaceRules
from .racing import Standing, leave, stages, summary
from .repeating import settle_repeats
from .runner import HARMFUL, REPEATED, Mode, fair_order
from .setup import Measured, Setup

FIRST_LOOK = 16
"""Confirmation rows after which a finalist may already be decided; the second look is at all."""

LOOKS = (0.3, 0.7)
"""Each look's part of a finalist's error: the last one sees more rows, and can do more with it."""
_CONCISELY = "answer-concisely"


class Measurement(Asked):
    """One prompt at one target."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._chains = setup.chains

    async def run(self) -> Measured:
        """Measure; the result is also in ``measured`` while it grows."""
        try:
            await self._run()
        except Waiting:
            self.compare()
        return self.measured

    async def _run(self) -> None:
        plan = self.setup.plan
        await self._settle_repeats()
        if self.setup.together:
            await self._ask_ahead()
        await self._run_baseline(plan.selection)
        self._check_answers()
        await self._audit_judge()
        await self._screen_controls()
        await self._fit()
        chains = [*self._side_chains("output"), *self._side_chains("input")]
        await self._screen(self._propose(chains))
        self.compare()
        if self.setup.join:
            await self._screen(self._propose(self._joined()))
            self.compare()
        if self.measured.dropped:
            self.measured.notes.append(summary(self.measured.dropped, self.competing))
        if plan.split:
            await self._confirm()
        else:
            self.step_down()
            self.measured.confirmed.update(
                name for name in self.measured.comparisons if name not in self.measured.dropped
            )
            self.measured.notes.append(self.setup.plan.note(0))

    async def _ask_ahead(self) -> None:
        """Ask at once all that is asked on the selection rows whatever the answers are.

        Raises:
            Waiting: the answers wait in a batch.
        """
        fixed = [chain for chain in self._chains if not any_fitted((chain,))]
        variants = [*self._controls(), *self._propose(fixed)]
        wanted = [variant for variant in variants if variant.rejected is None]
        await asyncio.gather(
            self._run_baseline(self.setup.plan.selection),
            *(self._ask(one, self._screening_rows(one), lengths=False) for one in wanted),
        )
        if self._waits(self.baseline, *wanted):
            self._check_answers()
            self.measured.variants.extend(wanted)
            raise Waiting

    def _waits(self, *variants: Variant) -> bool:
        names = {variant.name for variant in variants}
        outcomes = self.setup.runner.outcomes.values()
        return any(one.waits and one.trial.variant.name in names for one in outcomes)

    def _check_waiting(self, *variants: Variant) -> None:
        """Stop where answers of these variants wait in a batch: the next step depends on them.

        Raises:
            Waiting: some do.
        """
        if self._waits(*variants):
            raise Waiting

    # -- what is asked ---------------------------------------------------------------------

    async def _run_baseline(self, rows: Sequence[Sample]) -> None:
        judge = self.setup.judges["input"]
        # The drift of an answer can only be asked once that answer is there.
        generated = self._for_length(rows) if self.lengths_only else rows
        await self.setup.runner.run(self.baseline, generated, "generate")
        if judge is not None and judge.mode != "generate":
            await self.setup.runner.run(self.baseline, rows, judge.mode)

    def _for_length(self, rows: Sequence[Sample]) -> list[Sample]:
        wanted = {sample.id for sample in self.setup.plan.rows[: self.setup.plan.generated]}
        return [sample for sample in rows if sample.id in wanted]

    async def _ask(self, variant: Variant, rows: Sequence[Sample], *, lengths: bool) -> None:
        judge = self.judge(variant)
        if judge is None:
            return
        await self.setup.runner.run(variant, rows, judge.mode)
        if lengths and judge.mode != "generate":
            await self.setup.runner.run(variant, self._for_length(rows), "generate")

    async def _settle_repeats(self) -> None:
        """Draw once after all, where two draws of the baseline never differ."""
        runner = self.setup.runner
        runner.repeats, self.measured.drawn_once = await settle_repeats(
            runner,
            self.baseline,
            # Two rounds of batches to save some draws would take days.
            () if self.setup.together else self.setup.plan.selection,
            self.setup.judges.values(),
        )

    async def _audit_judge(self) -> None:
        """Audit the judge, where there is one, before what it says counts."""
        rows = self.setup.plan.selection
        if any(judge and judge.metric.kind == "judged" for judge in self.setup.judges.values()):
            await audit_judge(self.setup.runner, self.baseline, rows)

    def _check_answers(self) -> None:
        """Stop where the target answers nothing at all: then it is not the rows' fault."""
        results = [outcome.result for outcome in self.setup.runner.outcomes.values()]
        silent = [
            result
            for result in results
            if isinstance(result, Failure)
            and result.kind in {FailureKind.TARGET, FailureKind.TIMEOUT, FailureKind.REFUSED}
        ]
        if silent and len(silent) == len(results):
            raise CostoptError(
                f"the target gave no answer: {silent[0].message}",
                hint="try it with: costopt models test NAME",
            )

    # -- screening -------------------------------------------------------------------------

    def _side_chains(self, side: str) -> tuple[Chain, ...]:
        return tuple(
            chain for chain in self._chains if ("output" if _has_output(chain) else "input") == side
        )

    async def _fit(self) -> None:
        """Fit what learns from samples, on the selection rows alone."""
        judge, bench = self.setup.judges["input"], None
        if judge is not None:
            bench = RowsBench(
                runner=self.setup.runner, baseline=self.baseline, metric=judge.metric,
                samples=self.setup.plan.selection, mode=judge.mode, accepted=judge.margin,
            )  # fmt: skip
        chains, template, plan = self.setup.chains, self.setup.template, self.setup.plan
        self._chains, rejected = await fit_chains(chains, template, bench, plan, self._context())
        self.measured.variants.extend(rejected)

    def _context(self) -> StrategyContext:
        lengths = tuple(answer.usage.output for answer in self.answers(self.baseline).values())
        return replace(self.setup.context, output_lengths=lengths)

    def _propose(self, chains: Sequence[Chain]) -> tuple[Variant, ...]:
        known = {variant.name for variant in self.measured.variants}
        proposed = propose(self.setup.template, chains, self._context())
        return tuple(v for v in proposed if v.name not in known)

    async def _screen_controls(self) -> None:
        await self._screen(self._controls())
        self.compare()
        harm = self.measured.comparisons.get(HARMFUL)
        if harm is not None:
            self.measured.harm_seen[harm.metric] = harm.verdict == "worse"

    def _controls(self) -> tuple[Variant, ...]:
        controls = (replace(variant, control=True) for variant in self._propose(CONTROLS))
        return tuple(
            replace(control, rejected=None) if control.name in (REPEATED, HARMFUL) else control
            for control in controls
        )

    async def _screen(self, variants: Sequence[Variant]) -> None:
        self.measured.variants.extend(variants)
        racing = [v for v in variants if v.rejected is None and self.judge(v) is not None]
        rows = {v.name: self._screening_rows(v) for v in racing}
        last = len(self.setup.plan.selection)
        for stage in stages(last) if self.setup.race else (last,):
            asked: list[tuple[Variant, Sequence[Sample], Mode]] = [
                (variant, rows[variant.name][:stage], judge.mode)
                for variant in racing
                if (judge := self.judge(variant)) is not None
            ]
            await self.setup.runner.run_trials(fair_order(asked))
            if stage < last:
                racing = self._race_on(racing, stage)
        if self.setup.together:
            self._check_waiting(*(variant for variant in variants if variant.rejected is None))

    # -- the race --------------------------------------------------------------------------

    def _race_on(self, racing: Sequence[Variant], stage: int) -> list[Variant]:
        """Return who goes on after a stage."""
        self.compare(racing)
        savings = self.savings()
        standings = {
            v.name: self._standing(v, savings[v.name])
            for v in racing
            if not v.control
            and len(self._screening_rows(v)) >= stage
            and (found := self.measured.comparisons.get(v.name)) is not None
            and found.differences  # Of what has no score at all nothing is known.
        }
        for side in ("input", "output"):
            judge = self.setup.judges[side]
            if judge is None:
                continue
            rules = RaceRules(
                margin=judge.margin,
                scale=scale_of(judge.metric, self.outcomes(self.baseline, judge.mode)),
                unit=judge.metric.unit,
                entrants=self.competing,
                confirmation=len(self.setup.plan.confirmation) or len(self.setup.plan.selection),
                finalists=FINALISTS,
            )
            here = [standings[v.name] for v in racing if v.side == side and v.name in standings]
            self.measured.dropped.update({one.name: one for one in leave(here, rules)})
        return [variant for variant in racing if variant.name not in self.measured.dropped]

    def _standing(self, variant: Variant, saving: float) -> Standing:
        row_savings: tuple[float, ...] = ()
        if not (self.lengths_only and variant.side == "input"):
            row_savings = self.setup.meter.row_savings(
                self.answers(self.baseline), self.answers(variant)
            )
        return Standing(
            name=variant.name,
            differences=self.measured.comparisons[variant.name].differences,
            saving=saving,
            row_savings=row_savings,
        )

    def _screening_rows(self, variant: Variant) -> Sequence[Sample]:
        plan = self.setup.plan
        return (
            plan.selection[: plan.screened_answers] if variant.side == "output" else plan.selection
        )

    # -- chains ----------------------------------------------------------------------------

    def _joined(self) -> tuple[Chain, ...]:
        """Return the singles that work as one chain, and where answers judge, with an output's."""
        working = [v for v in self.measured.variants[1:] if self._works(v)]
        inputs = [v for v in working if v.side == "input"]
        chains = [_join(inputs)]
        outputs = [v for v in working if v.side == "output"]
        if outputs and not self.lengths_only:
            best = min(outputs, key=lambda v: (-self.savings().get(v.name, 0.0), v.name))
            chains += [_join([*inputs, best])]
        unique = dict.fromkeys(chain for chain in chains if len(chain) > 1)
        return tuple(unique)

    def _works(self, variant: Variant) -> bool:
        comparison = self.measured.comparisons.get(variant.name)
        if comparison is None or variant.control or not comparison.differences:
            return False
        judge = self.judge(variant)
        mean = sum(comparison.differences) / len(comparison.differences)
        return judge is not None and comparison.verdict != "worse" and mean > -judge.margin

    # -- confirmation ----------------------------------------------------------------------

    async def _confirm(self) -> None:
        chosen = self._finalists()
        held: list[str] = []
        passed_on = 0.0
        place, before = len(self.measured.notes), len(self.measured.confirmed)
        try:
            for name, own in zip(chosen, error_shares(len(chosen)), strict=True):
                savings = self.savings()
                if held and savings[name] <= max(savings[other] for other in held):
                    continue
                variant = next(v for v in self.measured.variants if v.name == name)
                share = own + passed_on
                await self._confirm_one(variant, share=share)
                holds = self.measured.comparisons[name].verdict in HOLDING
                held += [name] if holds else []
                passed_on = share if holds else 0.0
        finally:  # Where answers wait in a batch, it is said too.
            asked = len(self.measured.confirmed) - before
            self.measured.notes.insert(place, self.setup.plan.note(asked))
        if held and not all(self.measured.harm_seen.values()):
            await self._confirm_harm()

    def _finalists(self) -> tuple[str, ...]:
        candidates = {
            v.name: self.measured.comparisons[v.name]
            for v in self.measured.variants[1:]
            if not v.control
            and v.name in self.measured.comparisons
            and v.name not in self.measured.dropped
            and self.decidable(v)
        }
        judge = self.setup.judges["input"] or self.setup.judges["output"]
        if judge is None or self.setup.runner.out_of_budget:
            return ()
        rows = len(self.setup.plan.confirmation)
        return finalists(candidates, self.savings(), margin=judge.margin, rows=rows, most=FINALISTS)

    async def _confirm_one(self, variant: Variant, *, share: float) -> None:
        """Confirm in two looks: at sixteen rows, and where they do not decide, at all of them.

        The error is shared between the looks (Bonferroni; a simple form of the group sequential
        designs of Pocock 1977, *Biometrika* 64), so that stopping at the first look is as safe as
        going on. Giving up where the rest could hardly turn it needs no such care.

        Args:
            variant: A finalist.
            share: Its part of the error, in (0, 1].
        """
        rows = self.setup.plan.confirmation
        ids = {sample.id for sample in rows}
        # Too few rows for a second look to tell more than the first: then there is only one.
        first = FIRST_LOOK if len(rows) >= 2 * FIRST_LOOK else len(rows)
        looks = LOOKS if first < len(rows) else (1.0,)
        for count, look in zip((first, len(rows)), looks, strict=False):
            await self._look(variant, rows[:count])
            outcomes = [o for o in self.outcomes(variant) if o.trial.sample.id in ids]
            self.measured.confirmed.add(variant.name)
            self.compare_one(variant, outcomes, 1 / (share * look))
            if count < len(rows) and self._settled(variant, len(rows) - count, share * looks[-1]):
                return

    async def _look(self, variant: Variant, rows: Sequence[Sample]) -> None:
        """Ask what a look at a finalist needs: its selection rows whole, and the rows of both."""
        steps = (
            lambda: self._ask(variant, self.setup.plan.selection, lengths=True),
            lambda: self._run_baseline(rows),
            lambda: self._ask(variant, rows, lengths=True),
        )
        if self.setup.together:
            await asyncio.gather(*(step() for step in steps))
            self._check_waiting(self.baseline, variant)
            return
        for step in steps:
            await step()

    def _settled(self, variant: Variant, left: int, share: float) -> bool:
        """Whether a finalist needs no second look, at its share, or could hardly be turned."""
        comparison, judge = self.measured.comparisons[variant.name], self.judge(variant)
        if judge is None or comparison.verdict != "not enough data":
            return True
        chance = assurance(
            comparison.differences,
            margin=judge.margin,
            rows=left,
            alpha=ALPHA * share,
            spread=judge.margin,
        )
        if chance >= 0.05:
            return False
        self.measured.notes.append(
            f"{variant.name}: given up after {len(comparison.differences)} confirmation rows, "
            "where the rest could hardly have made it hold"
        )
        return True

    async def _confirm_harm(self) -> None:
        harm = next((v for v in self.measured.variants if v.name == HARMFUL), None)
        if harm is None:
            return
        await self._ask(harm, self.setup.plan.rows, lengths=False)
        self._check_waiting(harm)
        self.compare_one(harm, self.outcomes(harm), 1)
        comparison = self.measured.comparisons[HARMFUL]
        self.measured.harm_seen[comparison.metric] = comparison.verdict == "worse"


def _has_output(chain: Chain) -> bool:
    return any(entry(spec.name).side == "output" for spec in chain)


def _join(variants: Sequence[Variant]) -> Chain:
    """Return the singles' strategies in one chain, each once."""
    return tuple({spec.name: spec for v in variants for spec in v.chain}.values())
