"""One side's own mean score, with two one-sided bounds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from .metrics.base import Scale
from .statistics import paired_bounds

_STEPS = 50


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean of ``n`` scores; the bounds are ``None`` where too few rows tell of them."""

    mean: float
    low: float | None
    high: float | None
    n: int


def mean_bounds(
    scores: Sequence[float],
    *,
    alpha: float,
    scale: Scale,
    clusters: Sequence[str | None] | None = None,
) -> Mean | None:
    """Return the mean of scores with a lower and an upper bound, each wrong at most ``alpha``.

    Right-or-wrong scores of independent rows have the exact bounds of Clopper and Pearson; others
    those of a paired difference against a row of zeros (see `statistics.paired_bounds`).

    Returns:
        ``None`` without any score.

    Example:
        >>> found = mean_bounds([1.0] * 32 + [0.0] * 68, alpha=0.05, scale="binary")
        >>> round(found.low, 3), found.mean, round(found.high, 3)
        (0.243, 0.32, 0.405)
    """
    if not scores:
        return None
    mean, n = fmean(scores), len(scores)
    own = clusters is None or len({c for c in clusters if c}) == sum(1 for c in clusters if c)
    if scale == "binary" and own:
        right = sum(score >= 1.0 for score in scores)
        low = _binomial_low(right, n, alpha)
        return Mean(mean=mean, low=low, high=1.0 - _binomial_low(n - right, n, alpha), n=n)
    found = paired_bounds(
        scores, alpha=alpha, scale="bounded" if scale == "binary" else scale, clusters=clusters
    )
    if found is None:
        return Mean(mean=mean, low=None, high=None, n=n)
    floor = -math.inf if scale == "unbounded" else 0.0
    return Mean(mean=mean, low=max(found.low, floor), high=found.high, n=n)


def _binomial_low(right: int, n: int, alpha: float) -> float:
    """Return the chance of success at which ``right`` or more of n has the probability alpha."""
    if right == 0:
        return 0.0
    counts = np.arange(right, n + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    ways = logs[n] - logs[counts] - logs[n - counts]
    low, high = 0.0, right / n
    for _ in range(_STEPS):
        chance = (low + high) / 2.0
        terms = ways + counts * math.log(chance) + (n - counts) * math.log1p(-chance)
        if float(np.exp(terms).sum()) > alpha:
            high = chance
        else:
            low = chance
    return low
