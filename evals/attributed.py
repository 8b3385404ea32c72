"""Attribution of one prompt at one target: asked through its runner, told in its report."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..compressors.segments import Segment, place, segments, without
from ..core.attribution import Attribution, SegmentReport, Together
from ..core.types import Message, PromptTemplate, Sample, Score, Variant
from ..costs.cost import cost_info
from .assemble import PromptResult
from .attribution import Attributor, Losses, Terms
from .measure import Measurement
from .meter import Meter
from .metrics import Metric
from .runner import Mode, Runner, fair_order


@dataclass(kw_only=True)
class RunnerScorer:
    """Scores templates against the baseline through a prompt's runner, which keeps all answers."""

    runner: Runner
    baseline: Variant
    metric: Metric
    mode: Mode
    _variants: dict[tuple[Message, ...], Variant] = field(
        default_factory=dict[tuple[Message, ...], Variant]
    )

    @property
    def stopped(self) -> bool:
        """Whether a cap was reached."""
        return self.runner.out_of_budget

    async def ask(self, templates: Sequence[PromptTemplate], rows: Sequence[Sample]) -> None:
        """Ask the baseline and each template on rows; what was asked before is not asked again."""
        if self.mode == "drift":  # It is the likelihood of an answer, which has to be there.
            await self.runner.run(self.baseline, rows, "generate")
        variants = [self.baseline, *(self.variant(template) for template in templates)]
        await self.runner.run_trials(fair_order([(one, rows, self.mode) for one in variants]))

    def losses(self, template: PromptTemplate, rows: Sequence[Sample]) -> Losses:
        """Return the baseline's score minus the template's, as far as both were asked."""
        sign = 1.0 if self.metric.higher_is_better else -1.0
        variant, found = self.variant(template), self.runner.outcomes
        values: dict[str, float] = {}
        failures = 0
        for row in rows:
            before = found.get((self.baseline.name, row.id, self.mode))
            after = found.get((variant.name, row.id, self.mode))
            if before is None or after is None:
                continue
            if isinstance(before.result, Score) and isinstance(after.result, Score):
                values[row.id] = sign * (before.result.value - after.result.value)
            else:
                failures += 1
        return Losses(values, failures)

    def variant(self, template: PromptTemplate) -> Variant:
        """Return a template as a variant, whose name tells it from all others."""
        known = self._variants.get(template.messages)
        if known is None:
            told = repr(template.messages).encode("utf-8", "surrogatepass")
            name = f"without {hashlib.sha256(told).hexdigest()}"
            known = Variant(name=name, template=template)
            self._variants[template.messages] = known
        return known


@dataclass(frozen=True, kw_only=True)
class Attributing:
    """The attribution of one prompt in the making."""

    result: PromptResult
    template: PromptTemplate
    segments: tuple[Segment, ...]
    attributor: Attributor | None
    """``None`` where nothing can be measured: then there are tokens and money."""
    others: int = 0
    """Further targets, at which nothing is attributed."""

    @property
    def requests(self) -> int:
        """Roughly how many requests it takes: each segment on each row."""
        found = self.attributor
        return len(found.tried) * len(found.rows) if found else 0

    def report(self) -> Attribution:
        """Return what is known by now."""
        found, meter = self.attributor, self.result.meter
        judge = self.result.judges["input"] if found else None
        return Attribution(
            target=self.result.target,
            metric=judge.metric.name if judge else None,
            margin=judge.margin if judge else None,
            confidence=1 - found.alpha if found else None,
            rows=len(found.rows) if found else 0,
            segments=tuple(self._segment(at, one, meter) for at, one in enumerate(self.segments)),
            together=self._together(meter),
            notes=tuple(self._notes()),
        )

    def _segment(self, at: int, one: Segment, meter: Meter) -> SegmentReport:
        line, column = place(self.template, one)
        tokens = self._saved({at}) if one.kept is None else meter.counter(one.text)
        found = self.attributor
        unknown = "kept" if one.kept is not None else "not measured"
        return SegmentReport(
            number=at + 1,
            message=one.message,
            start=one.start,
            end=one.end,
            line=line,
            column=column,
            kind=one.kind,
            text=one.text,
            tokens=tokens,
            usd_per_month=_monthly(meter, tokens),
            verdict=found.verdict(at) if found else unknown,
            effect=found.effect(at) if found and one.kept is None else None,
            share=found.shares.get(at) if found else None,
            kept=one.kept,
        )

    def _saved(self, gone: set[int] | frozenset[int]) -> int:
        """Return the tokens that the template has less without some segments."""
        after = without(self.template, [self.segments[at] for at in sorted(gone)])
        meter = self.result.meter
        return meter.template_tokens(self.template) - meter.template_tokens(after)

    def _together(self, meter: Meter) -> Together | None:
        found = self.attributor.together() if self.attributor else None
        if found is None:
            return None
        gone, effect, verdict = found
        tokens = self._saved(gone)
        return Together(
            segments=tuple(at + 1 for at in sorted(gone)),
            tokens=tokens,
            usd_per_month=_monthly(meter, tokens),
            effect=effect,
            verdict=verdict,
        )

    def _notes(self) -> list[str]:
        notes: list[str] = []
        found, measurement = self.attributor, self.result.measurement
        if found is None:
            notes.append("no segment's effect is measured: nothing judges the prompt here")
        else:
            notes += _how(found)
            notes += _trust(self.result, measurement)
        if self.others:
            notes.append("attributed at the first target only")
        meter = self.result.meter
        if meter.price is not None and meter.price.input is not None:
            estimated = ", estimated" if meter.recount else ""
            notes.append(
                f"money is that of the input tokens at full price{estimated}; no cache counted on"
            )
        return notes


def begin(result: PromptResult, template: PromptTemplate, *, seed: int, others: int) -> Attributing:
    """Cut a prompt into segments, and make ready to measure them where that can be done."""
    found, measurement = segments(template), result.measurement
    attributor = None
    judge = result.judges["input"]
    if measurement is not None and judge is not None:
        attributor = Attributor(
            template=template,
            segments=found,
            rows=measurement.setup.plan.rows,
            scorer=RunnerScorer(
                runner=measurement.setup.runner,
                baseline=measurement.baseline,
                metric=judge.metric,
                mode=judge.mode,
            ),
            terms=Terms(
                scale=judge.metric.scale,
                margin=judge.margin,
                biased=judge.metric.kind == "drift",
            ),
            seed=seed,
        )
    return Attributing(
        result=result, template=template, segments=found, attributor=attributor, others=others
    )


def _monthly(meter: Meter, tokens: int) -> Decimal | None:
    return cost_info(
        input_mean=tokens,
        output_mean=0,
        price=meter.price,
        calls_per_month=meter.calls_per_month,
        batch=meter.batch,
    ).usd_per_month


def _how(found: Attributor) -> list[str]:
    raced = ""
    if len(found.looks) > 1:
        early = ", ".join(map(str, found.looks[:-1]))
        raced = f", looked at after {early} and all; a decided one is asked no more"
    notes = [
        f"{len(found.tried)} segments left out one by one on {len(found.rows)} rows{raced}; each "
        f"bound is wrong in at most {100 * found.alpha:.2g} % of cases (5 % shared among segments "
        "and looks)"
    ]
    if found.interacts and found.joint:
        numbers = ", ".join(str(at + 1) for at in sorted(found.joint[0]))
        notes.append(
            f"left out together, segments {numbers} lose more than the margin: they share a task"
        )
    if found.shares and found.plan:
        one = next(iter(found.shares.values()))
        notes.append(
            f"shares (Shapley) are means over {one.orders} orders of leaving "
            f"{len(found.shares)} segments out, on {one.n} rows"
        )
    return notes


def _trust(result: PromptResult, measurement: Measurement | None) -> list[str]:
    judge = result.judges["input"]
    if measurement is None or judge is None:
        return []
    notes: list[str] = []
    if measurement.measured.harm_seen.get(judge.metric.name) is False:
        notes.append(
            f"{judge.metric.name} did not see the harmful control as worse: that a segment has no "
            "effect here says little"
        )
    if judge.metric.kind == "drift":
        notes.append("drift is biased against every edit: no segment is called harmless by it")
    return notes
