"""Student's t distribution with the standard library alone.

scipy has it, but would add 170 MB to the base installation; the tests hold this to scipy's values.
"""

import math
from functools import lru_cache


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function by Lentz's method.

    Press et al. 2007, *Numerical Recipes*, third edition, section 6.4.
    """
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0) or tiny)
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d or tiny)
            c = 1.0 + term / c or tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function ``I_x(a, b)``, in [0, 1].

    Args:
        a: First shape, > 0.
        b: Second shape, > 0.
        x: Upper limit; outside [0, 1] it is clipped.

    Example:
        >>> round(incomplete_beta(2.0, 3.0, 0.5), 6)
        0.6875
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(logs + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _beta_fraction(a, b, x) / a
    return 1.0 - front * _beta_fraction(b, a, 1.0 - x) / b


def _upper_tail(t: float, freedom: float) -> float:
    """Return ``P(T > t)`` for ``t >= 0``."""
    return 0.5 * incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))


@lru_cache(maxsize=1024)
def student_quantile(level: float, freedom: int) -> float:
    """Return the value that Student's t stays below with probability ``level``.

    Args:
        level: In (0.5, 1); a one-sided 95 % bound needs 0.95.
        freedom: Degrees of freedom, >= 1.

    Raises:
        ValueError: ``level`` or ``freedom`` is out of range.

    Example:
        >>> round(student_quantile(0.95, 10), 4)
        1.8125
    """
    if not 0.5 < level < 1.0 or freedom < 1:
        raise ValueError(f"no t quantile at level {level} with {freedom} degrees of freedom")
    tail, high = 1.0 - level, 1.0
    while _upper_tail(high, freedom) > tail:
        high *= 2.0
    low = 0.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if _upper_tail(middle, freedom) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
