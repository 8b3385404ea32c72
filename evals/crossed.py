"""Crosses the targets of one prompt: asks what is missing of the same rows, and compares.

The baselines of all targets are asked on all rows. Variants are picked on the selection rows, by
their answers and costs there alone, and the few with the best expected saving are confirmed on the
others; cascades ask nothing. All that is judged so shares the error of 5 %.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from ..core.types import Variant
from .assemble import PromptResult
from .cascades import Cascaded, cascades
from .choice import Comparison, compare, finalists
from .crossing import Entrant, Judged, Rules, choose, decidable, judge, pick
from .plan import FINALISTS
from .runner import HARMFUL
from .stand import Stand


class Crossing:
    """One prompt at several targets; the first target's baseline is what all are held against."""

    def __init__(self, results: Sequence[PromptResult]) -> None:
        self.results = tuple(results)
        self.stands = tuple(
            Stand(result, result.measurement) for result in results if result.measurement
        )
        self.judged: dict[str, Judged] = {}
        self.cascades: tuple[Cascaded, ...] = ()
        self.candidates = 0
        self.harm_seen = False
        self.notes: list[str] = []

    @cached_property
    def rules(self) -> Rules | None:
        """How answers are judged; ``None`` where no metric can be compared between models."""
        whole = len(self.stands) == len(self.results)
        found = self.results[0].judges["output"] if whole else None
        if found is None or found.metric.kind != "generated":
            return None  # A judge holds answers against those of their own target.
        return Rules(metric=found.metric, margin=found.margin)

    @property
    def why_not(self) -> str:
        """Why nothing is compared between the models."""
        if len(self.stands) < len(self.results):
            return "not compared between models: not every one was measured"
        if self.results[0].judges["output"] is not None:
            return (
                "not compared between models: the judge held each model's answers against that "
                "model's own; name another metric with --metric"
            )
        return (
            "not compared between models: log-likelihoods are each model's own, and there is no "
            "metric of generated answers here; name one with --metric or in the prompt's file"
        )

    async def run(self) -> None:
        """Ask what is missing, and judge; without a metric that crosses models, do nothing."""
        if self.rules is None:
            return
        for stand in self.stands:
            await stand.ask(stand.baseline, stand.plan.rows)
        tried = [(stand, variant) for stand in self.stands for variant in await self._pool(stand)]
        self.candidates = len(tried) + len(self.stands) - 1
        if self.first.plan.split:
            await self._confirm(self.rules, tried)
        else:
            self._all_decide(self.rules, tried)
        await self._look_for_harm(self.rules)

    @property
    def first(self) -> Stand:
        """The target whose baseline is held against."""
        return self.stands[0]

    @cached_property
    def _rows(self) -> frozenset[str]:
        return frozenset(sample.id for sample in self.first.plan.rows)

    @cached_property
    def _selection(self) -> frozenset[str]:
        return frozenset(sample.id for sample in self.first.plan.selection)

    @cached_property
    def base(self) -> Entrant:
        """The first target's baseline, on all rows."""
        return self.first.entrant(self.first.baseline, self._rows)

    async def _pool(self, stand: Stand) -> list[Variant]:
        """Return a target's candidates, with generated answers on the selection rows.

        Where log-likelihoods judge, only the most promising are generated for.
        """
        judging = stand.result.judges["input"]
        found = stand.variants()
        rows = stand.plan.selection
        if judging is not None and judging.mode != "generate":
            found = list(_promising(stand, found, self._selection))
            rows = rows if stand.plan.split else stand.plan.rows
            for variant in found:
                await stand.ask(variant, rows)
        ids = {sample.id for sample in rows}
        return [v for v in found if ids <= {o.trial.sample.id for o in stand.outcomes(v)}]

    async def _confirm(self, rules: Rules, tried: Sequence[tuple[Stand, Variant]]) -> None:
        by_name = {s.entrant(v, self._selection).name: (s, v) for s, v in tried}
        before = self.first.entrant(self.first.baseline, self._selection)
        confirmation = self.first.plan.confirmation
        candidates = [s.entrant(v, self._selection) for s, v in by_name.values()]
        picked = pick(before, candidates, self._selection, rules, confirmation=len(confirmation))
        family = len(self.stands) - 1 + len(picked)
        going_on = not self._out_of_budget and decidable(rules, len(confirmation), family)
        if going_on:
            for entrant in picked:
                stand, variant = by_name[entrant.name]
                await stand.ask(variant, confirmation)
        chosen = [by_name[entrant.name] for entrant in picked]
        self.cascades = cascades(self.stands, chosen if going_on else [], rules, self._rows)
        family += sum(1 for cascade in self.cascades if cascade.entrant is not None)
        fresh = frozenset(sample.id for sample in confirmation)
        self._judge_fixed(rules, fresh, family)
        for stand, variant in chosen:
            rows, count = (fresh, family) if going_on else (self._selection, self.candidates)
            self._add(stand.entrant(variant, self._rows), rows, rules, count, going_on)
        self.notes.append(self._note(len(picked) if going_on else 0, family))

    def _all_decide(self, rules: Rules, tried: Sequence[tuple[Stand, Variant]]) -> None:
        self.cascades = cascades(self.stands, [], rules, self._rows)
        measured = sum(1 for cascade in self.cascades if cascade.entrant is not None)
        self.candidates += measured
        self._judge_fixed(rules, frozenset(), self.candidates)
        for stand, variant in tried:
            self._add(stand.entrant(variant, self._rows), self._rows, rules, self.candidates, True)
        self.notes.append(
            f"between models: all {len(self._rows)} rows decide, corrected for "
            f"{self.candidates} candidates"
        )

    def _judge_fixed(self, rules: Rules, fresh: frozenset[str], family: int) -> None:
        """Judge baselines and cascades: on all rows what was not picked by its answers."""
        for stand in self.stands[1:]:
            entrant = stand.entrant(stand.baseline, self._rows)
            self._add(entrant, self._rows, rules, family, True)
        for found in self.cascades:
            if found.entrant is not None:
                learned = found.picked or found.variant != "baseline"
                rows = fresh if learned and fresh else self._rows
                self._add(found.entrant, rows, rules, family, True)

    def _add(
        self, entrant: Entrant, rows: AbstractSet[str], rules: Rules, count: int, confirmed: bool
    ) -> None:
        self.judged[entrant.name] = judge(
            self.base, entrant, rows, rules, candidates=count, confirmed=confirmed
        )

    def _note(self, confirmed: int, family: int) -> str:
        plan = self.first.plan
        return (
            f"between models: {self.candidates} candidates; variants were picked on "
            f"{len(plan.selection)} rows and {confirmed} confirmed on the other "
            f"{len(plan.confirmation)}, the models' baselines and cascades are judged on "
            f"{len(plan.rows)}, corrected for {family} together"
        )

    @property
    def _out_of_budget(self) -> bool:
        return any(stand.measurement.setup.runner.out_of_budget for stand in self.stands)

    @property
    def out_of_budget(self) -> bool:
        """Whether a cap ended it."""
        return self._out_of_budget

    async def _look_for_harm(self, rules: Rules) -> None:
        """See whether the metric tells the first target's harmful control from its baseline."""
        self.harm_seen = self.first.measurement.measured.harm_seen.get(rules.metric.name, False)
        name, _ = self.choice(supposing=True)
        harm = self.first.named(HARMFUL)
        if self.harm_seen or name is None or harm is None:
            return
        await self.first.ask(harm, self.first.plan.rows)
        found = compare(
            self.base.outcomes,
            self.first.outcomes(harm),
            metric=rules.metric,
            margin=rules.margin,
            candidates=1,
        )
        self.harm_seen = found.verdict == "worse"

    def choice(self, *, supposing: bool = False) -> tuple[str | None, str]:
        """Return the cheapest that holds, and why; ``supposing`` the harmful control is seen."""
        if self.rules is None:
            return None, self.why_not
        if not self.judged:
            return None, "not compared between models: the run ended before"
        return choose(self.base, self.judged, harm_seen=self.harm_seen or supposing)


def _promising(
    stand: Stand, variants: Sequence[Variant], rows: AbstractSet[str]
) -> Iterator[Variant]:
    """Yield the variants with the best expected saving at their own target, by its own judges."""
    base = stand.answers(stand.baseline, rows)
    comparisons: dict[str, Comparison] = {}
    savings: dict[str, float] = {}
    judging = None
    for variant in variants:
        judging = stand.result.judges[variant.side]
        if judging is None:
            continue
        before, after = (
            [o for o in stand.outcomes(v, judging.mode) if o.trial.sample.id in rows]
            for v in (stand.baseline, variant)
        )
        comparisons[variant.name] = compare(
            before, after, metric=judging.metric, margin=judging.margin, candidates=len(variants)
        )
        answers = stand.answers(variant, rows)
        savings[variant.name] = (
            stand.result.meter.saving(stand.baseline, variant, base, answers) or 0.0
        )
    if judging is None:
        return
    confirmation = len(stand.plan.confirmation) or len(stand.plan.rows)
    names = finalists(
        comparisons, savings, margin=judging.margin, rows=confirmation, most=FINALISTS
    )
    yield from (v for name in names for v in variants if v.name == name)
