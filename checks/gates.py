"""What a change has to keep: quality, budgets, findings that it may not bring."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..core.checked import Gate, Outcome
from ..core.errors import CostoptError, Where, nearest
from ..core.report import QualityDelta, VariantReport
from ..core.types import HOLDING
from ..evals.findings import known_findings
from ..evals.runner import HARMFUL
from .budgets import budget_gates, gate_of, unit_of
from .cases import Case, Sides
from .words import signed

_BLIND = "blind"
_SAID: Mapping[str, str] = {
    "better": "better than the base",
    "holds": "not worse than the base",
    "worse": "worse than the base",
    "not enough data": "not enough data to say that it is not worse than the base",
    _BLIND: "no loss is seen, but none of a prompt without its variables either, so that the "
    "metric tells nothing",
}


def gates_of(case: Case, fail_on: Sequence[str]) -> tuple[Gate, ...]:
    """Return the gates of one prompt, the passed ones too.

    Args:
        case: The prompt.
        fail_on: Codes or names of findings that it may not bring.
    """
    return (*quality_gates(case), *budget_gates(case), *finding_gates(case, fail_on))


def quality_gates(case: Case) -> Iterator[Gate]:
    """Yield whether the head is not worse than the base, at each target.

    A static check cannot tell, and an added prompt has nothing to be worse than.
    """
    for sides in case.sides:
        if sides.base is not None:
            yield _quality(case, sides)


def _quality(case: Case, sides: Sides) -> Gate:
    outcome: Outcome
    change = sides.head.delta.quality if sides.head.delta else None
    if case.change.asks_the_same:
        return _said(case, sides, "passed", "both versions ask the same")
    if case.report.eval_set is None:
        outcome = "inconclusive" if case.unfilled else "skipped"
        return _said(case, sides, outcome, f"quality is not measured: {_why_no_rows(case)}")
    if case.depth == "static":
        return _said(case, sides, "skipped", "quality is not measured by a static check")
    verdict = sides.head.verdict
    if verdict not in _SAID or change is None:
        return _said(case, sides, "inconclusive", f"quality is not measured: {_why_not(case)}")
    outcome = "passed" if verdict in HOLDING else "failed"
    if verdict in HOLDING and _is_blind(case, sides):
        outcome, verdict = "inconclusive", _BLIND
    if verdict == "not enough data":
        outcome = "inconclusive"
    message = f"{_SAID[verdict]}: {_interval(sides.head, change)}{_needed(sides.head)}"
    return _said(case, sides, outcome, message)


def _is_blind(case: Case, sides: Sides) -> bool:
    """Return whether the harmful control was measured, and not found to be worse."""
    found = (v for v in case.report.variants if v.target == sides.target and v.name == HARMFUL)
    return any(one.verdict in (*HOLDING, "not enough data") for one in found)


def _said(case: Case, sides: Sides, outcome: Outcome, message: str) -> Gate:
    change = sides.head.delta.quality if sides.head.delta else None
    if change is None or sides.head.quality is None:
        return gate_of(case, sides.target, "quality", outcome, message)
    unit = unit_of(sides.head.quality.metric)
    scale = 100 if unit == "points" else 1
    return gate_of(
        case, sides.target, "quality", outcome, message,
        limit=-scale * change.margin, base=0.0, head=scale * change.mean, unit=unit,
    )  # fmt: skip


def _interval(head: VariantReport, change: QualityDelta) -> str:
    metric = head.quality.metric if head.quality else ""
    unit = unit_of(metric) if metric else ""
    scale, places = (100, 1) if unit == "points" else (1, 3)
    mean, low, high = (
        signed(scale * value, places) for value in (change.mean, change.low, change.high)
    )
    margin = f"{scale * change.margin:.{places}f}"
    return f"{metric} {mean} {unit} [{low}, {high}], margin {margin}, {change.n} rows"


def _needed(head: VariantReport) -> str:
    if head.verdict != "not enough data" or head.samples_needed is None:
        return ""
    return f"; about {head.samples_needed:,} rows would decide it"


def _why_no_rows(case: Case) -> str:
    return next((note.removeprefix("not measured: ") for note in case.report.notes
                 if note.startswith("not measured: ")), "no eval rows")  # fmt: skip


def _why_not(case: Case) -> str:
    if case.partial:
        return "the run ended before all was asked"
    if case.depth == "replay":
        return "the store does not hold the answers that it takes"
    return _why_no_rows(case) if case.report.notes else "no answers"


def check_codes(codes: Sequence[str], path: str | None) -> None:
    """Refuse a code that no finding has: it would never fail.

    Raises:
        CostoptError: one is unknown; with the nearest known one.
    """
    known = known_findings()
    for code in codes:
        if code.upper() not in known and code not in known:
            where = Where(f"{path} (of the base)") if path else None
            what = f'fail_on of [check] names "{code}", which is no finding'
            raise CostoptError(what, where=where, hint=nearest(code, known))


def finding_gates(case: Case, fail_on: Sequence[str]) -> Iterator[Gate]:
    """Yield a gate for each chosen finding; it fails where the change brings a new one."""
    for code in dict.fromkeys(fail_on):
        new = [one for one in case.new_findings if code.lower() in (one.code.lower(), one.name)]
        for one in new:
            gate = gate_of(
                case, None, "finding", "failed", f"{one.code} {one.name}: {one.message}",
                limit=code,
            )  # fmt: skip
            yield _at(gate, one.line, one.column)
        if not new:
            yield gate_of(case, None, "finding", "passed", f"no new {code}", limit=code)


def _at(gate: Gate, line: int, column: int) -> Gate:
    return replace(gate, line=line, column=column)
