"""The report of a crossing: one table over all targets of a prompt."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from ..core.report import Across, AcrossRow, Quality, Recommendation, VariantReport
from ..core.types import HOLDING, Score
from .cascades import Cascaded
from .crossed import Crossing
from .crossing import Judged, Rules, judge
from .runner import Outcome

_SHOWN = 3
"""Rows beside baselines and recommendations, where all rows decide and all candidates are judged:
the cheapest that hold, or else the cheapest."""


def across(
    crossing: Crossing, variants: Sequence[VariantReport], recommended: Sequence[Recommendation]
) -> Across | None:
    """Return the table over a prompt's targets; ``None`` where there is one, or nothing was asked.

    Args:
        crossing: What was judged.
        variants: The prompt's variants at all targets.
        recommended: What each target recommends by itself.
    """
    if len(crossing.results) < 2 or not crossing.stands:
        return None
    chosen = {(found.target, found.variant) for found in recommended}
    best, reason = crossing.choice()
    rows = [
        _row(crossing, variant, recommended=(variant.target, variant.name) in chosen)
        for variant in variants
        if _is_shown(crossing, variant, chosen, best)
    ]
    rules = crossing.rules
    return Across(
        baseline=crossing.results[0].target,
        metric=rules.metric.name if rules else None,
        candidates=crossing.candidates,
        rows=(*_ordered(rows, crossing), *_cascades(crossing)),
        best=best,
        reason=reason,
        notes=tuple(crossing.notes),
    )


def _name(variant: VariantReport) -> str:
    return f"{variant.target}: {variant.name}"


def _is_shown(
    crossing: Crossing, variant: VariantReport, chosen: set[tuple[str, str]], best: str | None
) -> bool:
    if variant.verdict == "baseline" or (variant.target, variant.name) in chosen:
        return True
    if variant.rejected is not None or variant.control:
        return False
    return _name(variant) in _worth_showing(crossing) or _name(variant) == best


def _worth_showing(crossing: Crossing) -> list[str]:
    variants = {
        name: judged
        for name, judged in crossing.judged.items()
        if judged.entrant.variant != "baseline" and judged.entrant.cascade is None
    }
    if crossing.first.plan.split:
        return list(variants)
    return sorted(variants, key=lambda name: _promise(variants[name]))[:_SHOWN]


def _promise(judged: Judged) -> tuple[bool, bool, float]:
    comparison, cost = judged.comparison, judged.entrant.cost
    return (
        comparison.verdict not in HOLDING,
        comparison.verdict == "worse",
        float("inf") if cost is None else float(cost),
    )


def _ordered(rows: Sequence[AcrossRow], crossing: Crossing) -> list[AcrossRow]:
    """Return the first target's baseline, the other baselines, then the cheapest first."""
    first = crossing.results[0].target

    def key(row: AcrossRow) -> tuple[bool, bool, float]:
        cost = float("inf") if row.usd_per_1k is None else float(row.usd_per_1k)
        other = row.variant != "baseline"
        return other or row.target != first, other, cost

    return sorted(rows, key=key)


def _row(crossing: Crossing, variant: VariantReport, *, recommended: bool) -> AcrossRow:
    row = AcrossRow(
        name=_name(variant),
        target=variant.target,
        variant=variant.name,
        verdict="not measured",
        input_tokens=variant.tokens.input_mean,
        output_tokens=variant.tokens.output_mean,
        usd_per_1k=variant.cost.usd_per_1k,
        evidence=variant.cost.evidence,
        latency=variant.latency,
        recommended=recommended,
    )
    first = variant.target == crossing.results[0].target and variant.verdict == "baseline"
    row = replace(row, verdict="baseline") if first else row
    if crossing.rules is None or not crossing.judged:
        return row
    if first:
        return replace(row, quality=_quality(crossing.rules, crossing.base.outcomes))
    judged = crossing.judged.get(row.name)
    if judged is None and _decided_alone(crossing, variant):
        return _as_its_target_says(row, variant)
    judged = judged or _screened(crossing, crossing.rules, variant)
    return row if judged is None else _with(row, judged, crossing.rules)


def _decided_alone(crossing: Crossing, variant: VariantReport) -> bool:
    """Whether the first target by itself answered the same question, on rows to confirm on."""
    own, rules = crossing.first, crossing.rules
    return (
        rules is not None
        and variant.target == own.target
        and variant.quality is not None
        and variant.quality.metric == rules.metric.name
        and variant.name in own.measurement.measured.confirmed
    )


def _as_its_target_says(row: AcrossRow, variant: VariantReport) -> AcrossRow:
    return replace(
        row,
        verdict=variant.verdict,
        quality=variant.quality,
        delta=variant.delta.quality if variant.delta else None,
        samples_needed=variant.samples_needed,
        note="decided among this target's own variants",
    )


def _screened(crossing: Crossing, rules: Rules, variant: VariantReport) -> Judged | None:
    """Judge what was not picked on the selection rows that it has, corrected for all."""
    stand = next((s for s in crossing.stands if s.target == variant.target), None)
    found = stand.named(variant.name) if stand else None
    if stand is None or found is None:
        return None
    rows = {sample.id for sample in stand.plan.selection}
    entrant = stand.entrant(found, rows)
    if not entrant.on(rows):
        return None
    count = crossing.candidates
    return judge(crossing.base, entrant, rows, rules, candidates=count, confirmed=False)


def _with(row: AcrossRow, judged: Judged, rules: Rules) -> AcrossRow:
    found = judged.comparison
    return replace(
        row,
        verdict=found.verdict,
        quality=_quality(rules, judged.entrant.outcomes),
        delta=found.delta,
        samples_needed=found.samples_needed,
    )


def _quality(rules: Rules, outcomes: Sequence[Outcome]) -> Quality | None:
    scores = [o.result.value for o in outcomes if isinstance(o.result, Score)]
    if not scores:
        return None
    return Quality(
        metric=rules.metric.name,
        mean=fmean(scores),
        n=len(scores),
        failures=len(outcomes) - len(scores),
    )


def _cascades(crossing: Crossing) -> list[AcrossRow]:
    rules = crossing.rules
    return [_cascade(crossing, found, rules) for found in crossing.cascades if rules is not None]


def _cascade(crossing: Crossing, found: Cascaded, rules: Rules) -> AcrossRow:
    row = AcrossRow(
        name=found.name,
        target=found.target,
        variant=found.variant,
        verdict="not measured",
        usd_per_1k=found.cost.usd_per_1k if found.cost else None,
        evidence=found.cost.evidence if found.cost else "estimated",
        latency=found.latency,
        cascade=found.cascade,
        note=found.missing,
    )
    judged = crossing.judged.get(found.name)
    return row if judged is None else _with(row, judged, rules)
