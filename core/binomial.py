"""Bounds of a share that was seen in a sample."""

from .student import incomplete_beta


def share_bounds(found: int, of: int, *, alpha: float = 0.05) -> tuple[float, float]:
    """Return the exact bounds of a share (Clopper & Pearson 1934), each one-sided at ``alpha``.

    Args:
        found: How many of the sample have what is counted.
        of: How large the sample is, >= 1.
        alpha: The error of each bound.

    Example:
        >>> [round(bound, 4) for bound in share_bounds(0, 59)], share_bounds(3, 3)[1]
        ([0.0, 0.0495], 1.0)
    """
    low = 0.0 if found == 0 else _where(alpha, found, of - found + 1)
    high = 1.0 if found == of else _where(1 - alpha, found + 1, of - found)
    return low, high


def _where(level: float, a: float, b: float) -> float:
    """Return the share at which the incomplete beta function reaches a level, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if incomplete_beta(a, b, middle) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2
