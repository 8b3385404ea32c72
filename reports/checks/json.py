"""A check as JSON, ``costopt.check/1``: what scripts rely on, and what the comment is made of."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from ...core.checked import SCHEMA, CheckReport, Gate
from ...core.errors import CostoptError
from ...core.report import SCHEMA as REPORT_SCHEMA
from ..decode import decode
from ..json import as_data, dumped, load_object, read_texts, report_data

_HINT = "write one with: costopt check --base REF --format json --output check.json"
_WHAT = "a check"


def check_to_json(check: CheckReport) -> str:
    """Return the check as indented JSON: the contract's keys in its order, then the others.

    Raises:
        ValueError: a number is not finite, which is a bug where it was made.
    """
    data = {
        "schema": SCHEMA,
        "base": as_data(check.base),
        "depth": check.depth,
        "passed": check.passed,
        "exit": check.exit,
        "gates": [_gate(gate) for gate in check.gates],
        "report": report_data(check.report),
        "base_commit": as_data(check.base_commit),
        "head": as_data(check.head),
        "depth_reason": as_data(check.depth_reason),
        "changes": as_data(check.changes),
        "unchanged": check.unchanged,
        "notes": as_data(check.notes),
    }
    return dumped(data)


def _gate(gate: Gate) -> dict[str, Any]:
    first = ("prompt", "gate", "limit", "base", "head")
    last = ("outcome", "unit", "target", "path", "line", "column")
    data = {name: getattr(gate, name) for name in first}
    data |= {"passed": gate.passed, "message": gate.message}
    data |= {name: getattr(gate, name) for name in last}
    return as_data(data)


def check_from_json(text: str) -> CheckReport:
    """Read what `check_to_json` wrote; keys that a later version added are left out.

    The text may come from a job that ran somebody else's pull request. What it says twice has to
    agree, so that it cannot pass in one place and fail in another.

    Raises:
        CostoptError: not JSON, another schema, a missing key, a value of a wrong type or out of
            range, or two places that contradict each other.
    """
    data = load_object(text, SCHEMA, what=_WHAT, hint=_HINT)
    report = data.get("report")
    if not isinstance(report, dict) or report.get("schema") != REPORT_SCHEMA:
        raise _wrong(f"report must be an object of schema {REPORT_SCHEMA}")
    read_texts(cast("dict[str, Any]", report))
    check = decode(CheckReport, data, "", what=_WHAT, hint=_HINT)
    _compare(check, data)
    return check


def _compare(check: CheckReport, data: Mapping[str, Any]) -> None:
    """Refuse a check that says one thing here and another there."""
    for index, gate in enumerate(check.gates):
        if data["gates"][index].get("passed") is not gate.passed:
            raise _wrong(f"gates[{index}].passed does not agree with its outcome")
        for name in ("line", "column"):
            _positive(f"gates[{index}].{name}", getattr(gate, name))
    if data.get("passed") is not check.passed:
        raise _wrong("passed does not agree with gates")
    if check.exit not in _statuses(check):
        raise _wrong("exit does not agree with gates")
    _positive("unchanged", check.unchanged + 1)


def _statuses(check: CheckReport) -> tuple[int, ...]:
    """Return the exit statuses that its gates allow; 0 too where lacking data is allowed."""
    outcomes = {gate.outcome for gate in check.gates}
    if "failed" in outcomes:
        return (1,)
    return (0, 3) if "inconclusive" in outcomes else (0,)


def _positive(path: str, value: Decimal | int | None) -> None:
    if value is not None and value < 1:
        raise _wrong(f"{path} is too small")


def _wrong(what: str) -> CostoptError:
    return CostoptError(f"not {_WHAT}: {what}", hint=_HINT)
