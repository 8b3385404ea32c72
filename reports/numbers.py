"""How numbers are written: with units, a true minus sign, and "—" where nothing is known."""

from decimal import Decimal

UNKNOWN = "—"
MINUS = "\u2212"

_NATS = frozenset({"log_likelihood", "drift"})
_FRACTIONS = frozenset(
    {
        "exact_match",
        "accuracy",
        "contains",
        "token_f1",
        "number_match",
        "json_f1",
        "rouge_l",
        "judge",
    }
)


def signed(text: str) -> str:
    """Return a formatted number with a true minus sign, and none before a zero.

    Example:
        >>> signed("-0.50"), signed("-0.00"), signed("+1.2")
        ('−0.50', '0.00', '+1.2')
    """
    if text.startswith("-"):
        digits = text[1:]
        return digits if not digits.strip("0.,$ %") else MINUS + digits
    return text


def count(value: float | None) -> str:
    """Return a whole count with thousands separated; means are rounded.

    Example:
        >>> count(1234.4), count(None)
        ('1,234', '—')
    """
    return UNKNOWN if value is None else signed(f"{value:,.0f}")


def mean(value: float | None) -> str:
    """Return a mean count; with one decimal below 100, unless it is whole.

    Example:
        >>> mean(812.25), mean(11.5), mean(4.0)
        ('812', '11.5', '4')
    """
    if value is None or value >= 100 or value == int(value):
        return count(value)
    return signed(f"{value:.1f}")


def percent(fraction: float | None) -> str:
    """Return a fraction as a percentage.

    Example:
        >>> percent(0.2041), percent(-0.09), percent(None)
        ('20.4 %', '−9.0 %', '—')
    """
    return UNKNOWN if fraction is None else signed(f"{100 * fraction:.1f} %")


def usd(amount: Decimal | None) -> str:
    """Return an amount in USD with as many digits as it needs.

    Example:
        >>> usd(Decimal("1234.5")), usd(Decimal("12.346")), usd(Decimal("0.01234"))
        ('$1,234', '$12.35', '$0.0123')
        >>> usd(Decimal("0.0000012")), usd(Decimal(0)), usd(None)
        ('$0.0000012', '$0.00', '—')
    """
    if amount is None:
        return UNKNOWN
    size = abs(amount)
    if size == 0 or 1 <= size < 1000:
        return signed(f"${amount:,.2f}".replace("$-", "-$"))
    if size >= 1000:
        return signed(f"${amount:,.0f}".replace("$-", "-$"))
    places = 4 if size >= Decimal("0.001") else 1 - size.adjusted()
    return signed(f"${amount:.{places}f}".replace("$-", "-$"))


def price(amount: Decimal | None) -> str:
    """Return a list price: cents, and more digits only where it has them.

    Example:
        >>> price(Decimal("0.15")), price(Decimal("2")), price(Decimal("0.075"))
        ('$0.15', '$2.00', '$0.075')
    """
    if amount is None:
        return UNKNOWN
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"${amount:,.{places}f}"


def unit(metric: str) -> str:
    """Return the unit in which a metric's differences are shown.

    Example:
        >>> unit("log_likelihood"), unit("accuracy"), unit("mine")
        ('nats', 'pt', '')
    """
    if metric in _NATS:
        return "nats"
    return "pt" if metric in _FRACTIONS else ""


def quality(metric: str, value: float | None, *, sign: bool = False) -> str:
    """Return a score, or with ``sign`` a difference, without its unit.

    Example:
        >>> quality("accuracy", 0.725), quality("log_likelihood", -0.018, sign=True)
        ('72.5', '−0.02')
    """
    if value is None:
        return UNKNOWN
    scaled, places = (100 * value, 1) if unit(metric) == "pt" else (value, 2)
    text = f"{scaled:+.{places}f}" if sign else f"{scaled:.{places}f}"
    if not text.strip("+-0."):
        text = text.lstrip("+-")
    return signed(text)


def interval(metric: str, low: float, high: float) -> str:
    """Return an interval without its unit.

    Example:
        >>> interval("log_likelihood", -0.081, 0.04)
        '[−0.08, +0.04]'
    """
    return f"[{quality(metric, low, sign=True)}, {quality(metric, high, sign=True)}]"


def seconds(value: float) -> str:
    """Return seconds with two or three digits.

    Example:
        >>> seconds(0.1234), seconds(12.34)
        ('0.12', '12.3')
    """
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def took(value: float) -> str:
    """Return a short time with its unit.

    Example:
        >>> took(0.00123), took(0.5), took(12.34)
        ('1.2 ms', '0.50 s', '12 s')
    """
    if value < 0.0995:
        return f"{value * 1000:.2g} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def about(value: float) -> str:
    """Return a number of which two digits are known.

    Example:
        >>> about(123_456.0), about(7.25), about(0.123)
        ('120,000', '7.2', '0.12')
    """
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:g}"
