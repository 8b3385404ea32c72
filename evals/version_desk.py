"""Begins the measurement of two versions of a prompt at one target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..compressors.variants import DEFAULT_CHAINS, propose
from ..core.types import Request, Sample, Variant
from ..models.targets import EMBEDDED
from .assemble import PromptResult
from .desk import Desk, fit_notes
from .metrics import as_text
from .plan import RowPlan, all_rows
from .runner import Runner, Tally
from .setup import Judge, Setup
from .version_measure import VersionMeasurement
from .version_pair import Pair


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows of a measurement, ``None`` without any, and what is to be said of them."""

    plan: RowPlan | None
    notes: tuple[str, ...] = ()


def begin_versions(desk: Desk, pair: Pair, tally: Tally) -> PromptResult:
    """Return the result of two versions in the making, both on the same rows.

    Args:
        desk: The target.
        pair: The versions.
        tally: Counts how far the run is.
    """
    prompt = pair.base
    context = desk.context_for(prompt)
    shortener = desk.shortener_for(context)
    meter = desk.meter_for(prompt, shortener)
    judges, why = _judges(desk, pair)
    fits = [desk.fit(pair.base), desk.fit(pair.head)]
    notes = [*why, *(note for one in fits for note in fit_notes(one))]
    measurement = None
    if prompt.eval_set is not None and all(desk.measures(judges, one) for one in fits):
        runner = desk.runner_for(prompt, judges, tally, shortener)
        rows = _rows(desk, pair, judges, runner)
        notes += rows.notes
        if rows.plan is not None:
            meter.rows = rows.plan.rows
            measurement = VersionMeasurement(
                Setup(
                    template=prompt.template,
                    chains=(),
                    join=False,
                    context=context,
                    plan=rows.plan,
                    runner=runner,
                    meter=meter,
                    judges=judges,
                    race=False,
                ),
                pair.variant,
                of=len(prompt.eval_set.samples),
            )
    return desk.result_of(
        _versions(pair), meter, measurement, judges, tuple(dict.fromkeys(notes)), prompt
    )


def _versions(pair: Pair) -> tuple[Variant, ...]:
    base = Variant(name="baseline", template=pair.base.template)
    return (base,) if pair.variant is None else (base, pair.variant)


def edits(desk: Desk, pair: Pair) -> tuple[Variant, ...]:
    """Return the head and what the default strategies make of it: what findings are read from."""
    template = pair.head.template
    own = Variant(name="baseline", template=template)
    return (own, *propose(template, DEFAULT_CHAINS, desk.context_for(pair.head)))


def _judges(desk: Desk, pair: Pair) -> tuple[dict[str, Judge | None], list[str]]:
    """Return what judges the versions, and why that is nothing."""
    judges = desk.judges_for(pair.base)
    if desk.client is None:
        return judges, []
    if pair.base.eval_set is None:
        return judges, [] if pair.notes else ["not measured: there are no eval rows"]
    if pair.added and pair.base.judged:
        none = dict.fromkeys(judges)
        return none, ["not measured: a judge compares two versions, and an added prompt has one"]
    if pair.by_answers and not pair.added:
        judges = dict.fromkeys(judges, judges["output"])
    if not any(judges.values()):
        return judges, [_unjudged(desk, pair)]
    return judges, []


def _unjudged(desk: Desk, pair: Pair) -> str:
    if any(desk.judges_for(pair.base).values()):
        return (
            "not measured: the versions differ in their settings or in what they say about the "
            "answer, which only a metric of generated answers can judge"
        )
    return "not measured: no metric can score these rows, which have no references"


def _rows(desk: Desk, pair: Pair, judges: Mapping[str, Judge | None], runner: Runner) -> _Rows:
    """Return the rows that decide; of the store alone, those it has an answer to."""
    if pair.base.eval_set is None:
        return _Rows(plan=None)
    plan = all_rows(
        pair.base.eval_set,
        samples=desk.options.samples,
        seed=desk.options.seed,
        local=desk.name == EMBEDDED,
    )
    judge = judges["input"]
    if not desk.replayed or judge is None:
        return _Rows(plan=plan)
    held = [
        {row.id for row in plan.rows if _is_stored(desk, runner, judge, version, row)}
        for version in _versions(pair)
    ]
    known = held[0].union(*held)
    return _Rows(
        plan=_of(plan, [row for row in plan.rows if row.id in known]) if known else None,
        notes=(_replayed(desk, held, len(plan.rows)),),
    )


def _of(plan: RowPlan, rows: Sequence[Sample]) -> RowPlan:
    return replace(plan, selection=tuple(rows), screened_answers=len(rows))


def _is_stored(desk: Desk, runner: Runner, judge: Judge, version: Variant, row: Sample) -> bool:
    """Whether what judges a version on a row is in the store."""
    requests: Sequence[Request] = runner.first_requests(version, (row,))
    if judge.mode == "likelihood":
        texts = [as_text(one) for one in row.references]
        requests = [replace(one, continuation=text) for one in requests for text in texts if text]
    return bool(requests) and all(desk.stored(request) is not None for request in requests)


def _replayed(desk: Desk, held: Sequence[set[str]], rows: int) -> str:
    """Say what the store holds."""
    if not any(held):
        return (
            f"not measured: the store holds no answers of {desk.name} to these rows; they are "
            "looked up by the exact request, the target's address and model"
        )
    if len(held) == 1:
        return f"replayed: the store holds answers of {desk.name} to {len(held[0])} of {rows} rows"
    both = len(held[0] & held[1])
    one_only = len(held[0] | held[1]) - both
    said = f"the store holds answers of {desk.name} to both versions on {both} of {rows} rows"
    if not both:
        own = f"{len(held[0])} to the base's version and {len(held[1])} to the head's"
        return f"not measured: {said}: {own}"
    lost = f"; {one_only} rows with one of two count as lost" if one_only else ""
    return f"replayed: {said}{lost}"
