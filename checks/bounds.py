"""Bounds of a mean of which only the number of rows is known."""

import math

_STEPS = 60


def fraction_bounds(mean: float, n: int, *, alpha: float = 0.05) -> tuple[float, float] | None:
    """Return a lower and an upper bound of the mean of scores in [0, 1], each wrong at most alpha.

    By Chernoff and Hoeffding, which holds for any scores in [0, 1], and so is somewhat wider than
    what right-or-wrong scores alone would need.

    Returns:
        ``None`` without rows, or for a mean outside of [0, 1].

    Example:
        >>> low, high = fraction_bounds(0.9, 40)
        >>> round(low, 2), round(high, 2)
        (0.75, 0.98)
    """
    if n < 1 or not 0 <= mean <= 1:
        return None
    most = math.log(1 / alpha) / n
    return _edge(mean, 0.0, most), _edge(mean, 1.0, most)


def _edge(mean: float, end: float, most: float) -> float:
    near, far = mean, end
    if _distance(mean, far) <= most:
        return far
    for _ in range(_STEPS):
        middle = (near + far) / 2
        near, far = (middle, far) if _distance(mean, middle) <= most else (near, middle)
    return near


def _distance(mean: float, other: float) -> float:
    """Return the divergence of one chance from another, in nats."""

    def part(p: float, q: float) -> float:
        if p == 0:
            return 0.0
        return math.inf if q == 0 else p * math.log(p / q)

    return part(mean, other) + part(1 - mean, 1 - other)
