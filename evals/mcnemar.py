"""McNemar's test: are more rows gained than lost, beyond what chance would do?"""


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
    # Whole numbers until the last division, so that no tail is lost to rounding.
    term = tail = 1
    for taken in range(fewer):
        term = term * (discordant - taken) // (taken + 1)
        tail += term
    return min(1.0, 2 * tail / 2**discordant)
