"""McNemar's test: are more rows gained than lost, beyond what chance would do?"""

import math

_NEGLIGIBLE = 1e-18


def mcnemar_p(gained: int, lost: int) -> float:
    """Return the exact two-sided p-value of McNemar's test.

    Rows that both sides have right, or both wrong, say nothing. Were the two sides equally good,
    each of the other rows would be as likely gained as lost: the p-value is twice the smaller tail
    of the binomial distribution with a chance of one half, at most 1.

    Args:
        gained: Rows right on the second side only.
        lost: Rows right on the first side only.

    Raises:
        ValueError: a count is negative.

    Example:
        >>> mcnemar_p(1, 9)
        0.021484375
        >>> mcnemar_p(0, 0), mcnemar_p(7, 7)
        (1.0, 1.0)
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"counts must not be negative, got {gained} and {lost}")
    discordant, fewer = gained + lost, min(gained, lost)
    # From the largest term down: each is a fraction of the one before, and they soon vanish.
    term = total = 1.0
    for taken in range(fewer, 0, -1):
        term *= taken / (discordant - taken + 1)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, 2.0 * total * (math.comb(discordant, fewer) / 2**discordant))
