"""Paired comparisons: what a difference between a variant and the baseline supports.

Differences are variant minus baseline, positive is better. `low` and `high` are two one-sided
bounds, each wrong with a probability of at most ``alpha``: exact for right-or-wrong scores up to
100 pairs, valid at every size for scores with a range, and an approximation for log-likelihoods,
which have none. Rows of one cluster are not independent, so a cluster with several rows counts
once, by its mean.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..core.student import student_quantile
from ..core.types import Verdict
from .betting import betting_low, log_capital, mixed
from .metrics.base import Scale
from .paired_binary import EXACT_LIMIT, binary_low, limit, score_statistic

NOISE_NATS = 0.01
"""Fresh log-likelihoods of one request agree within this; the least spread that is believed."""

LEAST_UNBOUNDED = 5
"""Below this many units, a spread is too badly known for a bound on an unbounded mean."""

_MOST_SAMPLES = 10_000_000
_SMALL_CLUSTERS = 2.0


@dataclass(frozen=True)
class Bounds:
    """A mean difference with two one-sided bounds, in the metric's unit.

    ``n`` is the number of pairs, ``units`` the number of independent ones among them (clusters);
    ``mean`` is over the units.
    """

    mean: float
    low: float
    high: float
    n: int
    units: int


def paired_bounds(
    differences: Sequence[float],
    *,
    alpha: float,
    scale: Scale,
    clusters: Sequence[str | None] | None = None,
) -> Bounds | None:
    """Return the bounds of the mean difference, or ``None`` where there are too few pairs.

    * ``binary``: exact and unconditional up to 100 pairs, Tango's score limit beyond
      (see `paired_binary`).
    * ``bounded``: a betting bound (see `betting`), valid at every size.
    * ``unbounded``: Student's t, moved outwards where the differences are skewed that way (Hall
      1992, *On the removal of skewness by transformation*, JRSS B 54:221-228). Simulated one-sided
      coverage at a nominal 95 % is 95 % for symmetric differences; where a tenth to a quarter of
      the rows lose a whole nat and the rest nothing, or losses are exponential, it is 92 % to 98 %
      from 48 pairs on and can be far less at 10. The standard deviation is never taken below 0.01
      nats, the noise of the measurement itself.

    A cluster's rows are averaged first. Binary clusters of at most two rows on average are then
    rounded against the direction of each bound and bounded exactly; larger ones are ``bounded``.

    Args:
        differences: Variant minus baseline, one a pair.
        alpha: Error probability of each bound, in (0, 0.5).
        scale: What values a difference can take: -1, 0, 1; [-1, 1]; or any.
        clusters: One label a pair; ``None`` is a cluster of its own.

    Raises:
        ValueError: ``alpha`` or a difference is out of range, or lengths differ.

    Example:
        >>> bounds = paired_bounds([0.0] * 40, alpha=0.05, scale="binary")
        >>> round(bounds.low, 3), round(bounds.high, 3), bounds.n
        (-0.072, 0.072, 40)
    """
    _check(differences, alpha, scale, clusters)
    units = _units(differences, clusters)
    if not units or (scale == "unbounded" and len(units) < LEAST_UNBOUNDED):
        return None
    whole = scale == "binary" and len(differences) <= _SMALL_CLUSTERS * len(units)
    if whole:
        low = _binary_low(units, alpha)
        high = -_binary_low([-unit for unit in units], alpha)
    else:
        lower = _student_low if scale == "unbounded" else betting_low
        low = lower(units, alpha)
        high = -lower([-unit for unit in units], alpha)
    mean = math.fsum(units) / len(units)
    return Bounds(mean, min(low, mean), max(high, mean), len(differences), len(units))


def _check(
    differences: Sequence[float],
    alpha: float,
    scale: Scale,
    clusters: Sequence[str | None] | None,
) -> None:
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must be in (0, 0.5), got {alpha}")
    if clusters is not None and len(clusters) != len(differences):
        raise ValueError(f"{len(clusters)} cluster labels for {len(differences)} differences")
    for value in differences:
        if not math.isfinite(value) or (scale != "unbounded" and not -1.0 <= value <= 1.0):
            raise ValueError(f"a difference of {value} is impossible on the scale {scale}")
        if scale == "binary" and value not in (-1.0, 0.0, 1.0):
            raise ValueError(f"a difference of right-or-wrong scores is -1, 0 or 1, got {value}")


def _units(differences: Sequence[float], clusters: Sequence[str | None] | None) -> list[float]:
    """Return the cluster means; a row without a label stands for itself."""
    if clusters is None:
        return list(differences)
    grouped: dict[str | int, list[float]] = {}
    for index, (difference, cluster) in enumerate(zip(differences, clusters, strict=True)):
        grouped.setdefault(index if cluster is None else cluster, []).append(difference)
    return [math.fsum(group) / len(group) for group in grouped.values()]


def _binary_low(units: Sequence[float], alpha: float) -> float:
    """Return the exact lower bound; a mixed cluster is rounded down, which only lowers it."""
    gained = sum(unit >= 1.0 for unit in units)
    lost = sum(unit < 0.0 for unit in units)
    return binary_low(gained, lost, len(units), alpha)


def _moments(units: Sequence[float]) -> tuple[float, float, float]:
    """Return mean, standard deviation (at least the noise) and skewness."""
    n = len(units)
    mean = math.fsum(units) / n
    squares = math.fsum((unit - mean) ** 2 for unit in units)
    spread = math.sqrt(squares / (n - 1)) if n > 1 else 0.0
    if spread <= NOISE_NATS:
        return mean, NOISE_NATS, 0.0
    cubes = math.fsum((unit - mean) ** 3 for unit in units)
    return mean, spread, (cubes / n) / (squares / n) ** 1.5


def _half_width(spread: float, skewness: float, n: int, alpha: float) -> float:
    """Return how far the lower bound lies below the mean."""
    quantile = student_quantile(1.0 - alpha, n - 1)
    if skewness < -1e-6:
        root = math.sqrt(n)
        bent = 1.0 + skewness * (quantile / root - skewness / (6.0 * n))
        quantile = max(quantile, 3.0 * root / skewness * (math.cbrt(bent) - 1.0))
    return quantile * spread / math.sqrt(n)


def _student_low(units: Sequence[float], alpha: float) -> float:
    mean, spread, skewness = _moments(units)
    return mean - _half_width(spread, skewness, len(units), alpha)


def adjusted_alpha(alpha: float, candidates: int) -> float:
    """Return the level of each of several comparisons, so that all hold together at ``alpha``.

    Bonferroni's division: it needs no independence, which variants compared on the same rows do
    not have (Sidak's slightly larger level does).

    Args:
        alpha: Error probability of the whole family.
        candidates: How many comparisons there are; below 1 counts as 1.

    Example:
        >>> adjusted_alpha(0.05, 5)
        0.01
    """
    return alpha / max(candidates, 1)


def verdict(bounds: Bounds | None, margin: float) -> Verdict:
    """Return what the bounds support; ``margin`` is the largest loss that counts as none.

    Example:
        >>> verdict(Bounds(0.01, -0.02, 0.04, 300, 300), 0.05)
        'holds'
        >>> verdict(None, 0.05)
        'not enough data'
    """
    if bounds is None:
        return "not enough data"
    if bounds.low > 0.0:
        return "better"
    if bounds.low > -margin:
        return "holds"
    return "worse" if bounds.high < -margin else "not enough data"


def samples_needed(
    differences: Sequence[float],
    *,
    margin: float,
    alpha: float,
    scale: Scale,
    clusters: Sequence[str | None] | None = None,
) -> int | None:
    """Return the least number of pairs at which the variant would be shown to hold.

    It supposes that the mean and the spread seen so far persist, so it is an estimate: with few
    rows a rough one. Counts of gained and lost rows are scaled and rounded against the variant.

    Args:
        differences: Variant minus baseline, one a pair.
        margin: The largest loss that counts as none, > 0.
        alpha: Error probability of the bound.
        scale: As for `paired_bounds`.
        clusters: As for `paired_bounds`; the answer is in rows, at the clusters' mean size.

    Returns:
        Pairs in all, not in addition; ``None`` where no number would do: nothing was seen, the
        mean is at or below ``-margin``, or more than ten million would be needed.

    Example:
        >>> samples_needed([0.0] * 40, margin=0.05, alpha=0.05, scale="binary")
        59
    """
    _check(differences, alpha, scale, clusters)
    units = _units(differences, clusters)
    if not units or math.fsum(units) / len(units) <= -margin:
        return None
    size = len(differences) / len(units)
    decides, least = _decision(units, margin, alpha, scale, whole=size <= _SMALL_CLUSTERS)
    if decides is None:
        return None
    found = _least(decides, least, len(units))
    return None if found is None else math.ceil(found * size - 1e-9)


def _decision(
    units: Sequence[float], margin: float, alpha: float, scale: Scale, *, whole: bool
) -> tuple[Callable[[int], bool] | None, int]:
    """Return whether n units would decide, and the least n that can be asked about."""
    seen = len(units)
    if scale == "unbounded":
        if seen < 2:
            return None, 0
        mean, spread, skew = _moments(units)
        return (lambda n: mean - _half_width(spread, skew, n, alpha) > -margin), LEAST_UNBOUNDED
    if scale == "binary" and whole:
        gained = sum(unit >= 1.0 for unit in units) / seen
        lost = sum(unit < 0.0 for unit in units) / seen
        if gained - lost <= -margin:
            return None, 0
        return (lambda n: _scaled_low(gained, lost, n, alpha) > -margin), 1
    growth = log_capital([(unit + 1.0) / 2.0 for unit in units], (1.0 - margin) / 2.0)
    return (lambda n: mixed(growth, n) > -math.log(alpha)), 1


def _scaled_low(gained: float, lost: float, n: int, alpha: float) -> float:
    if n > EXACT_LIMIT:
        return float(limit(score_statistic, gained * n, lost * n, n, alpha))
    more, less = math.floor(gained * n + 1e-9), math.ceil(lost * n - 1e-9)
    return binary_low(min(more, n - less), less, n, alpha)


def _least(decides: Callable[[int], bool], least: int, seen: int) -> int | None:
    """Return the least n that decides; never one at or below ``seen`` where that did not."""
    if seen >= least and decides(seen):
        low, high = least - 1, seen
    else:
        low, high = max(seen, least - 1), max(seen, least, 1)
        while not decides(high):
            low, high = high, high * 2
            if low > _MOST_SAMPLES:
                return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high
