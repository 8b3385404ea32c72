"""The gates of a check, worst first, with their numbers in their own units."""

from collections.abc import Sequence
from decimal import Decimal

from ...core.checked import Gate
from ..numbers import UNKNOWN, about, count, mean, percent, seconds, signed, usd

_ORDER = ("failed", "inconclusive", "skipped", "passed")
_FIRST = ("quality", "min_quality")


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


def numbers_of(gate: Gate) -> str:
    """Say limit, base and head in the gate's unit; empty where none of them is known.

    What is a word stands in it as it came: it is for the caller to make it harmless.

    Example:
        >>> numbers_of(Gate(prompt="p", gate="max_input_tokens", outcome="failed", message="",
        ...                 limit=900, base=812.25, head=940, unit="tokens"))
        'limit 900, 812 → 940 tokens'
    """
    limit, base, head = (shown(value, gate.unit) for value in (gate.limit, gate.base, gate.head))
    change = head if base in (UNKNOWN, head) else f"{base} → {head}"
    parts = [] if limit == UNKNOWN else [f"limit {limit}"]
    parts += [] if change == UNKNOWN else [change]
    unit = {"tokens": " tokens", "s": " s", "points": " points", "nats": " nats"}
    return f"{', '.join(parts)}{unit.get(gate.unit or '', '')}" if parts else ""


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
