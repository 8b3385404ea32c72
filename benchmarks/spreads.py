"""How repeated measurements are written: never one number alone."""

from collections.abc import Sequence
from statistics import median


def spread(values: Sequence[float], digits: int) -> str:
    """Return the median, and the least and the most."""
    low, middle, high = (f"{v:,.{digits}f}" for v in (min(values), median(values), max(values)))
    return f"{middle:>7} ({low} to {high})"


def columns(values: Sequence[float], digits: int) -> str:
    """Return the least, the median and the most as columns of a table."""
    found = (min(values), median(values), max(values))
    return " ".join(f"{value:8.{digits}f}" for value in found)
