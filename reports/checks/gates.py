"""The gates of a check, worst first, with their numbers in their own units."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ...core.checked import CheckReport, Gate, PromptChange
from ...core.report import Finding
from ..numbers import UNKNOWN, about, count, mean, percent, seconds, signed, usd

_ORDER = ("failed", "inconclusive", "skipped", "passed")
_FIRST = ("quality", "min_quality")
_UNITS = {"tokens": " tokens", "s": " s", "points": " points", "nats": " nats"}


def worst_first(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates: failed, inconclusive, skipped, passed; quality before money in each."""
    return sorted(gates, key=_rank)


def _rank(gate: Gate) -> tuple[int, int, float, str, str]:
    quality_first = 0 if gate.gate in _FIRST else 1
    return (
        _ORDER.index(gate.outcome),
        quality_first,
        -_excess(gate),
        gate.prompt or "",
        gate.gate,
    )


def _excess(gate: Gate) -> float:
    """Return by how much of the limit it is passed; 0 where that means nothing."""
    if isinstance(gate.limit, str) or isinstance(gate.head, str):
        return 0.0
    if not gate.limit or gate.head is None:
        return 0.0
    return abs(gate.head - gate.limit) / abs(gate.limit)


def before(gate: Gate) -> str:
    """Say what the base had, which the gate's own sentence leaves out.

    Empty where it is unknown, and where it is 0: no change is no news. A word stands in
    it as it came: it is for the caller to make it harmless.

    Example:
        >>> before(Gate(prompt="p", gate="max_input_tokens", outcome="failed", unit="tokens",
        ...             message="940 input tokens, over 900", limit=900, base=812.25, head=940))
        'base 812 tokens'
    """
    base, head = shown(gate.base, gate.unit), shown(gate.head, gate.unit)
    if not gate.base or gate.head is None or base == head:
        return ""
    return f"base {base}{_UNITS.get(gate.unit or '', '')}"


def shown(value: float | str | None, unit: str | None) -> str:
    """Return a gate's value without the unit that follows it.

    Example:
        >>> shown(0.15, "fraction"), shown(12.4, "usd"), shown(None, "usd"), shown("CO103", None)
        ('15.0 %', '$12.40', '—', 'CO103')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if unit == "usd":
        return usd(Decimal(str(value)))
    if unit == "fraction":
        return percent(value)
    if unit == "s":
        return seconds(value)
    if unit == "tokens":
        return mean(value)
    if unit in ("points", "nats"):
        return signed(f"{value:.{1 if unit == 'points' else 2}f}")
    return count(value) if value == int(value) else signed(about(value))


def place(gate: Gate) -> str | None:
    """Return the file, line and column that a gate points to, as one text."""
    if gate.path is None:
        return None
    parts = [gate.path, *(str(part) for part in (gate.line, gate.column) if part is not None)]
    return ":".join(parts)


def new_findings(check: CheckReport) -> Iterator[tuple[PromptChange, Finding]]:
    """Yield new findings with their prompt, but those that a failed gate says already."""
    said = {
        (gate.path, gate.line, gate.column)
        for gate in check.gates
        if gate.gate == "finding" and not gate.passed and gate.line is not None
    }
    for change in check.changes:
        for item in change.new_findings:
            if (change.path, item.line, item.column) not in said:
                yield change, item
