"""What a run will ask for and cost, added up before it asks for anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..core.forecast import Estimate, Forecast
from .prices import Price, usd


@dataclass(frozen=True, kw_only=True)
class Part:
    """Requests of one kind, alike in size.

    Attributes:
        requests: How many there are, stored ones included.
        stored: The share of them that is answered in the store, in [0, 1].
        certain: Whether they are asked whatever comes out of the others.
        input_mean: Tokens that one request has.
        output_most: Tokens that its answer has at most; 0 where none is generated.
    """

    requests: int
    certain: bool
    input_mean: float
    output_most: int
    stored: float = 0.0

    @property
    def left(self) -> float:
        """Requests that are still to be asked."""
        return self.requests * (1 - self.stored)


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """How long answers are: the mean of ``stored`` ones, else of others, else unknown.

    The others are those of request logs (``logged``: of some prompts at least), or references.
    """

    mean: float | None = None
    stored: int = 0
    logged: bool = False


def forecast(
    target: str,
    parts: Sequence[Part],
    lengths: Lengths,
    price: Price | None,
    *,
    free: bool = False,
    notes: Sequence[str] = (),
) -> Forecast:
    """Add up what one target will be asked for.

    Args:
        target: The target's name.
        parts: All that may be asked.
        lengths: How long its answers are.
        price: What it bills; ``None`` where that is unknown, or nothing.
        free: Whether it bills nothing.
        notes: What is not in it.

    Example:
        >>> part = Part(requests=10, certain=True, input_mean=100, output_most=50, stored=0.5)
        >>> found = forecast("mine", [part], Lengths(mean=4, stored=5), None, free=True)
        >>> found.requests, found.output_tokens
        (Estimate(low=5, high=5), Estimate(low=20, high=250))
    """
    certain = [part for part in parts if part.certain]
    usual = 1.0 if lengths.mean is None else lengths.mean
    return Forecast(
        target=target,
        requests=_between(_asked(certain), _asked(parts)),
        input_tokens=_between(_input(certain), _input(parts)),
        output_tokens=_between(
            sum(part.left * min(usual, part.output_most) for part in certain),
            sum(part.left * part.output_most for part in parts),
        ),
        usd_low=Decimal(0) if free else _usd(certain, price, usual),
        usd_high=Decimal(0) if free else _usd(parts, price, None),
        stored_answers=round(sum(part.requests * part.stored for part in parts)),
        lengths_from=lengths.stored,
        lengths_logged=lengths.logged,
        notes=tuple(notes),
    )


def _asked(parts: Iterable[Part]) -> float:
    return sum(part.left for part in parts)


def _input(parts: Iterable[Part]) -> float:
    return sum(part.left * part.input_mean for part in parts)


def _between(low: float, high: float) -> Estimate:
    return Estimate(low=round(low), high=round(max(low, high)))


def _usd(parts: Iterable[Part], price: Price | None, usual: float | None) -> Decimal | None:
    """Return the money of answers of the usual length, or of the longest; ``None``: unknown."""
    if price is None:
        return None
    total = Decimal(0)
    for part in parts:
        most = part.output_most
        one = usd(price, input=part.input_mean, output=most if usual is None else min(usual, most))
        if one is None:
            return None
        total += one * Decimal(str(part.left))
    return total
