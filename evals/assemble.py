"""Turns what was measured into the report of one prompt."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TypeAlias

from ..compressors.registry import entry
from ..core.evidence import JudgeReport, NoiseFloor
from ..core.money import CostInfo, PrefixInfo
from ..core.report import (
    EvalSetInfo,
    PromptReport,
    Quality,
    Recommendation,
    Slice,
    StrategyInfo,
    VariantReport,
)
from ..core.types import HOLDING, Answer, Request, Score, Variant, Verdict
from .caching import beginning, prefix_info
from .choice import Comparison
from .failed import failed_note
from .findings import Found, findings
from .fitting import any_fitted
from .measure import Measurement
from .meter import Meter, Weight, delta, latency
from .payback import Paid, pays_back, spent_on
from .prepare import Prepared
from .recommending import recommended, with_front
from .repeating import noise_floor
from .runner import REPEATED
from .setup import Judge
from .slices import parts, sliced, worse_note

Lookup: TypeAlias = Callable[[Request], Answer | None]


@dataclass(frozen=True, kw_only=True)
class PromptResult:
    """One prompt at one target: its variants, and the measurement where there is one."""

    target: str
    static: tuple[Variant, ...]
    """The baseline and the variants as they are proposed without any answer."""
    meter: Meter
    measurement: Measurement | None
    judges: Mapping[str, Judge | None]
    notes: tuple[str, ...] = ()
    """What is to be known of the prompt at this target before any answer."""
    lookup: Lookup | None = None
    """Finds the stored answer to a request; asks nobody."""
    paid: Paid | None = None
    """Says what an answer cost."""
    edits: tuple[Variant, ...] = ()
    """The prompt and what strategies make of it, for findings; where empty, those of ``static``."""

    @property
    def variants(self) -> tuple[Variant, ...]:
        """All variants, the baseline first; those that were not reached yet are proposals."""
        if self.measurement is None:
            return self.static
        reached = tuple(self.measurement.measured.variants)
        names = {variant.name for variant in reached}
        # A fitted strategy has what it learned in its name: its proposal is no variant more.
        shapes = {tuple(spec.name for spec in variant.chain) for variant in reached}
        return reached + tuple(
            v
            for v in self.static
            if v.name not in names
            and not (any_fitted((v.chain,)) and tuple(s.name for s in v.chain) in shapes)
        )

    def answers(self, variant: Variant) -> dict[str, Answer]:
        """Return the generated answers of a variant: all draws of each row."""
        return self.measurement.draws(variant) if self.measurement else {}


def report_prompt(prompt: Prepared, results: Sequence[PromptResult]) -> PromptReport:
    """Return the report of one prompt over all targets."""
    variants: list[VariantReport] = []
    chosen: list[Recommendation] = []
    notes: list[str] = []
    for result in results:
        rows = _variants(result)
        variants += rows
        chosen.append(_recommend(prompt, result, rows))
        notes += result.notes
        notes += _notes(result, results)
        notes += _logged(prompt, rows, result.target if len(results) > 1 else None)
        if result.meter.batch:
            notes.append("its calls are made in batches: money is what they cost in a batch")
    first = results[0] if results else None
    found = _findings(prompt, results)
    notes += found.notes
    return PromptReport(
        name=prompt.template.name,
        path=prompt.template.source.path,
        format=prompt.template.source.format,
        feature=prompt.template.feature,
        calls_per_month=prompt.template.calls_per_month,
        eval_set=_eval_set(prompt, first),
        findings=found.findings,
        variants=tuple(variants),
        recommended=tuple(chosen),
        notes=tuple(dict.fromkeys(notes)),
        cache_hit_rate=prompt.rule.cache_hit_rate,
        output_tokens_per_call=prompt.rule.output_tokens_per_call,
        batch=bool(prompt.rule.batch),
        noise=tuple(found for r in results if (found := _noise(r)) is not None),
        judge=tuple(found for r in results if (found := _judge(r)) is not None),
    )


def _findings(prompt: Prepared, results: Sequence[PromptResult]) -> Found:
    if not results:
        return Found((), ())
    edits = results[0].edits or results[0].static
    return findings(prompt.template, edits, [result.meter for result in results])


def _noise(result: PromptResult) -> NoiseFloor | None:
    """Return what the A/A control shows."""
    if result.measurement is None:
        return None
    measured, runner = result.measurement.measured, result.measurement.setup.runner
    again = next((v for v in measured.variants if v.name == REPEATED), None)
    comparison = measured.comparisons.get(REPEATED)
    if again is None or comparison is None:
        return None
    return noise_floor(
        result.target,
        comparison,
        result.measurement.outcomes(measured.variants[0]),
        result.measurement.outcomes(again),
        repeats=runner.repeats,
        note=measured.drawn_once,
    )


def _judge(result: PromptResult) -> JudgeReport | None:
    referee = result.measurement.setup.runner.referee if result.measurement else None
    return referee.report(result.target) if referee else None


def _notes(result: PromptResult, results: Sequence[PromptResult]) -> list[str]:
    """Return what is to be said of a target; with its name where it is not so at all of them."""
    every = [r.measurement.measured.notes for r in results if r.measurement is not None]
    own = result.measurement.measured.notes if result.measurement is not None else []
    told = [
        note if all(note in notes for notes in every) else f"{result.target}: {note}"
        for note in own
    ]
    return [*told, *_by_the_hour(result)]


def _logged(prompt: Prepared, rows: Sequence[VariantReport], target: str | None) -> list[str]:
    """Say where money takes answers to be as long as request logs say."""
    length = prompt.rule.output_tokens_per_call
    if length is None or rows[0].tokens.output_mean is not None or rows[0].cost.usd_per_1k is None:
        return []
    where = f"{target}: " if target else ""
    return [
        f"{where}no answer was measured: money takes answers of {length:,.10g} tokens, as "
        "measured in request logs (output_tokens_per_call of the configuration)"
    ]


def _by_the_hour(result: PromptResult) -> list[str]:
    together = result.meter.concurrency if result.meter.hourly else None
    if together is None:
        return []
    return [
        f"{result.target}: a request costs its part of the server's hour, which {together:.1f} "
        "requests shared at a time, as their latencies tell: estimated"
    ]


def _eval_set(prompt: Prepared, result: PromptResult | None) -> EvalSetInfo | None:
    if prompt.eval_set is None:
        return None
    plan = result.measurement.setup.plan if result and result.measurement else None
    return EvalSetInfo(
        path=prompt.eval_set.path,
        rows=len(prompt.eval_set.samples),
        sha256=prompt.eval_set.sha256,
        selection_rows=len(plan.selection) if plan else 0,
        confirmation_rows=len(plan.confirmation) if plan else 0,
    )


def _variants(result: PromptResult) -> tuple[VariantReport, ...]:
    baseline = result.variants[0]
    return with_front([_variant(result, baseline, variant) for variant in result.variants])


def _variant(result: PromptResult, baseline: Variant, variant: Variant) -> VariantReport:
    meter, base_answers = result.meter, result.answers(baseline)
    answers = result.answers(variant)
    weight = meter.weigh(variant, answers, baseline, base_answers)
    before = meter.weigh(baseline, base_answers, baseline, base_answers)
    cost = meter.cost(variant, weight, evidence=meter.evidence(weight))
    if variant.side == "output" and not weight.output_measured:
        # What it is for is a shorter answer: priced by its longer prompt alone it would mislead.
        cost = CostInfo()
    comparison = _comparison(result, variant)
    quality = _quality(result, variant)
    first = variant is baseline
    change = None
    if not first and variant.rejected is None:
        cost_before = meter.cost(baseline, before, evidence=meter.evidence(before))
        change = delta(before, weight, cost_before, cost)
        if comparison is not None:
            change = replace(change, quality=comparison.delta)
    slices = _slices(result, baseline, variant, comparison)
    return VariantReport(
        target=result.target,
        name=variant.name,
        strategies=tuple(_strategy(spec.name, spec.params) for spec in variant.chain),
        messages=variant.template.messages,
        chat=variant.template.chat,
        settings=variant.template.settings,
        tokens=meter.tokens(variant, weight, asked=bool(answers)),
        cost=cost,
        verdict=_verdict(first, comparison),
        dropped=variant.dropped,
        latency=latency(answers),
        runtime=meter.shortener.runtime(variant) if meter.shortener else None,
        quality=quality,
        delta=change,
        samples_needed=comparison.samples_needed if comparison else None,
        rejected=variant.rejected,
        control=variant.control,
        notes=(
            *(worse_note(one) for one in slices if one.verdict == "worse"),
            *variant.notes,
            *(meter.shortener.notes(variant) if meter.shortener else ()),
            *(() if first else _audit_note(result, baseline, variant)),
            *(failed_note(result.measurement.outcomes(variant)) if result.measurement else ()),
            *_waiting_note(result, variant),
            *_race_note(result, variant),
        ),
        prefix=_prefix(meter, (variant, weight), None if first else (baseline, before)),
        confirmed=comparison is not None and _confirmed(result, variant),
        harm_seen=quality is not None and _harm_seen(result, quality.metric),
        slices=slices,
    )


def _slices(
    result: PromptResult, baseline: Variant, variant: Variant, comparison: Comparison | None
) -> tuple[Slice, ...]:
    """Return the verdicts on parts of the rows, of a variant that holds on the whole."""
    judge = result.judges[variant.side]
    if comparison is None or result.measurement is None or judge is None:
        return ()
    if variant.control or comparison.verdict not in HOLDING:
        return ()
    return sliced(
        parts(result.measurement.setup.plan.rows),
        result.measurement.outcomes(baseline, judge.mode),
        result.measurement.outcomes(variant),
        metric=judge.metric,
        margin=judge.margin,
    )


def _prefix(
    meter: Meter, own: tuple[Variant, Weight], held: tuple[Variant, Weight] | None
) -> PrefixInfo:
    """Return what a cache can hold of a variant, held against the baseline."""
    before = (held or own)[0].template
    found = beginning(own[0].template, before, meter.counter, meter.request(*own))
    base = beginning(before, before, meter.counter, meter.request(*held)) if held else None
    return prefix_info(found, base, exact=meter.counter.exact)


def _confirmed(result: PromptResult, variant: Variant) -> bool:
    return result.measurement is not None and variant.name in result.measurement.measured.confirmed


def _harm_seen(result: PromptResult, metric: str) -> bool:
    measured = result.measurement.measured if result.measurement else None
    return measured is not None and measured.harm_seen.get(metric, False)


def _strategy(name: str, params: Mapping[str, object]) -> StrategyInfo:
    known = entry(name)
    return StrategyInfo(name=name, params=dict(params), side=known.side, safety=known.safety)


def _comparison(result: PromptResult, variant: Variant) -> Comparison | None:
    return result.measurement.measured.comparisons.get(variant.name) if result.measurement else None


def _verdict(first: bool, comparison: Comparison | None) -> Verdict:
    if first:
        return "baseline"
    return comparison.verdict if comparison else "not measured"


def _quality(result: PromptResult, variant: Variant) -> Quality | None:
    judge = result.judges[variant.side]
    if result.measurement is None or judge is None:
        return None
    outcomes = result.measurement.outcomes(variant)
    scores = [o.result for o in outcomes if isinstance(o.result, Score)]
    if not scores:
        return None
    return Quality(
        metric=judge.metric.name,
        mean=fmean(score.value for score in scores),
        n=len(scores),
        failures=len(outcomes) - len(scores),
        strict_mean=_mean(score.strict for score in scores),
        tolerant_mean=_mean(score.tolerant for score in scores),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _waiting_note(result: PromptResult, variant: Variant) -> tuple[str, ...]:
    """Say how many rows of a variant wait in a batch."""
    if result.measurement is None:
        return ()
    outcomes = result.measurement.outcomes(variant)
    waiting = sum(outcome.waits for outcome in outcomes)
    return (f"{waiting} of {len(outcomes)} rows wait in a batch",) if waiting else ()


def _race_note(result: PromptResult, variant: Variant) -> tuple[str, ...]:
    """Say when and why a variant left the race."""
    left = result.measurement.measured.dropped.get(variant.name) if result.measurement else None
    return (left.reason,) if left else ()


def _audit_note(result: PromptResult, baseline: Variant, variant: Variant) -> tuple[str, ...]:
    """Say where a variant's answers lost their form and kept what was asked for.

    Both are compared on the rows that both have, so that it is no difference of rows.
    """
    judge = result.judges[variant.side]
    if result.measurement is None or judge is None:
        return ()
    before = {o.trial.sample.id: o.result for o in result.measurement.outcomes(baseline)}
    pairs = [
        (old, o.result)
        for o in result.measurement.outcomes(variant)
        if isinstance(o.result, Score) and isinstance(old := before.get(o.trial.sample.id), Score)
    ]
    if not pairs:
        return ()
    strict, tolerant = _audited(pairs, "strict"), _audited(pairs, "tolerant")
    if strict is None or tolerant is None:
        return ()
    if strict[0] - strict[1] <= judge.margin or tolerant[0] - tolerant[1] > judge.margin:
        return ()
    return (
        f"format lost, not knowledge: read strictly {judge.metric.name} goes from {strict[0]:.2f} "
        f"to {strict[1]:.2f}, read tolerantly from {tolerant[0]:.2f} to {tolerant[1]:.2f} "
        f"({len(pairs)} rows)",
    )


def _audited(pairs: Sequence[tuple[Score, Score]], reading: str) -> tuple[float, float] | None:
    """Return the mean of a reading before and after."""
    old = _mean(getattr(a, reading) for a, _ in pairs)
    new = _mean(getattr(b, reading) for _, b in pairs)
    return None if old is None or new is None else (old, new)


def _recommend(
    prompt: Prepared, result: PromptResult, reports: Sequence[VariantReport]
) -> Recommendation:
    chosen = recommended(result.target, reports)
    if result.measurement is None or result.paid is None:
        return chosen
    outcomes = result.measurement.setup.runner.outcomes.values()
    spent = spent_on((a for outcome in outcomes for a in outcome.answers), result.paid)
    judge = _judge(result)
    if judge is not None:  # What it took to find out was paid too, whoever was asked.
        known = spent.usd is not None and judge.usd is not None
        spent = replace(
            spent,
            answers=spent.answers + judge.requests,
            usd=(spent.usd or 0) + (judge.usd or 0) if known else None,
        )
    if not spent.answers:
        return chosen
    calls = prompt.template.calls_per_month
    return replace(chosen, payback=pays_back(spent, chosen, reports, calls))
