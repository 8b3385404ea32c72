"""Axes of plots: from values to a drawing's units, and round values to write beside them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark of an axis, with where it stands."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From a range of values to a range of the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value is drawn."""
        part = (value - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 1)


def steps(low: float, high: float, most: int) -> list[float]:
    """Return round values in a range.

    Example:
        >>> steps(0.08, 0.145, 6)
        [0.08, 0.1, 0.12, 0.14]
    """
    rough = (high - low) / most
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(at * step, 12) for at in range(first, last + 1)]


def money_text(value: float, along: Sequence[float]) -> str:
    """Return an amount in USD with as many digits as an axis needs.

    Args:
        value: The amount.
        along: All amounts at the axis.

    Example:
        >>> money_text(0.5, [0.0, 0.5, 1.0]), money_text(2000, [0, 1000, 2000])
        ('$0.50', '$2,000')
    """
    step = along[1] - along[0] if len(along) > 1 else value or 1.0
    places = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else 0
    return f"${value:,.{max(places, 2) if value < 100 else places}f}".replace("$-", "−$")
