"""How numbers are written in the sentences of gates."""

from decimal import Decimal

FRACTIONS = frozenset({"binary", "bounded"})
"""Scales of metrics whose scores lie in [0, 1], and are said in points."""


def tokens(value: float) -> str:
    """Return a number of tokens.

    Example:
        >>> tokens(1234.0), tokens(11.25)
        ('1,234', '11.2')
    """
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def usd(amount: Decimal) -> str:
    """Return an amount in USD, to three digits where it is below one.

    Example:
        >>> usd(Decimal("1234.5")), usd(Decimal("0.012345")), usd(Decimal(0))
        ('$1,234.50', '$0.0123', '$0.00')
    """
    if amount == 0 or abs(amount) >= 1:
        return f"${amount:,.2f}"
    return f"${Decimal(f'{amount:.3g}'):f}"


def percent(fraction: float) -> str:
    """Return a change as a percentage with its sign.

    Example:
        >>> percent(0.123), percent(-0.05), percent(-0.0001)
        ('+12.3 %', '-5.0 %', '0.0 %')
    """
    return f"{signed(100 * fraction, 1)} %"


def signed(value: float, places: int) -> str:
    """Return a number with its sign; what rounds to nothing has none.

    Example:
        >>> signed(1.26, 1), signed(-0.0004, 3), signed(-0.0005, 3)
        ('+1.3', '0.000', '-0.001')
    """
    text = f"{value:+.{places}f}"
    return text if text.strip("+-0.") else text[1:]
