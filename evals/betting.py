"""A bound on the mean of bounded differences that holds at every sample size.

Each tested mean is bet against: capital is multiplied by ``1 + bet * (x / mean - 1)`` a row, and by
Markov's inequality capital of ``1 / alpha`` is reached with a probability of at most alpha if the
tested mean is the true one or more (Waudby-Smith & Ramdas 2024, *Estimating means of bounded random
variables by betting*, JRSS B 86:1-27). The bets are constant, and the capital is divided among many
of them with the arcsine weights of the universal portfolio (Orabona & Jun 2024, *Tight
concentrations and confidence sequences from the regret of universal portfolio*, IEEE Transactions
on Information Theory 70:436-455), so that the bound needs no tuning and does not depend on the
order of the rows. No shape of the distribution is assumed, only its range.
"""

import math
from collections.abc import Sequence

import numpy as np

_BETS = np.sin(np.pi * (2.0 * np.arange(1, 65) - 1.0) / 256.0) ** 2
"""Fractions of the capital staked: quantiles of the arcsine distribution on (0, 1)."""

_HALVINGS = 24
"""The bound is found to a ten-millionth, from below."""


def log_capital(values: Sequence[float], mean: float) -> list[float]:
    """Return the mean log growth a row of each constant bet against ``mean``.

    Args:
        values: In [0, 1].
        mean: The tested mean, in (0, 1].
    """
    stakes = np.asarray(values, dtype=float)[:, None] / mean - 1.0
    return [float(growth) for growth in np.log1p(_BETS[None, :] * stakes).mean(axis=0)]


def mixed(growth: Sequence[float], n: float) -> float:
    """Return the log of the capital of all bets together after ``n`` rows of that growth.

    Example:
        >>> mixed([0.0] * 64, 10)
        0.0
    """
    logs = np.asarray(growth) * n
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).mean()))


def betting_low(differences: Sequence[float], alpha: float) -> float:
    """Return the lower bound of the mean of differences in [-1, 1] at one-sided ``alpha``.

    Args:
        differences: Independent, with one mean.
        alpha: In (0, 1).

    Example:
        Sixty rows without any difference still allow a mean loss of a few points:

        >>> round(betting_low([0.0] * 60, 0.05), 3)
        -0.067
    """
    values = [min(max((difference + 1.0) / 2.0, 0.0), 1.0) for difference in differences]
    goal, low, high = -math.log(alpha), 0.0, math.fsum(values) / len(values)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if middle > 0.0 and mixed(log_capital(values, middle), len(values)) < goal:
            high = middle
        else:
            low = middle
    return 2.0 * low - 1.0
