"""Cache hit rates: what requests cost at each, where two prompts change places, what writing asks.

A hit rate is the share of requests that find their prefix cached, in [0, 1]. The arithmetic is
exact (`Fraction`), so that the rate at which two costs are equal makes them equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..core.money import BreakEven, CacheTerms
from .cache_rules import cache_rule
from .prices import Price


@dataclass(frozen=True, kw_only=True)
class HitLine:
    """What requests cost where all miss the cache, and where all hit it; linear in between.

    Example:
        >>> str(HitLine(miss=Fraction(2), warm=Fraction(1)).at(Fraction(1, 4)))
        '7/4'
    """

    miss: Fraction
    warm: Fraction

    def at(self, rate: Fraction) -> Fraction:
        """Return the cost at a hit rate."""
        return rate * self.warm + (1 - rate) * self.miss


def flip_rate(one: HitLine, other: HitLine) -> Fraction | None:
    """Return the hit rate between 0 and 1 at which two prompts cost the same.

    On one side of it the one is the cheaper, on the other side the other. ``None`` where the same
    one is cheaper (or as cheap) at every rate.

    Example:
        >>> short, long = HitLine(miss=Fraction(3), warm=Fraction(3)), HitLine(
        ...     miss=Fraction(4), warm=Fraction(1))
        >>> str(flip_rate(short, long)), flip_rate(short, short) is None
        ('1/3', True)
    """
    at_none, at_all = one.miss - other.miss, one.warm - other.warm
    if at_none * at_all >= 0:
        return None
    return at_none / (at_none - at_all)


def break_even(write: Fraction, read: Fraction) -> Fraction | None:
    """Return the hit rate from which on caching costs less than not caching.

    Args:
        write: What a written token costs, as a multiple of an input token.
        read: What a read token costs, likewise.

    Returns:
        0 where writing bears no surcharge; ``None`` where no rate recovers it.

    Example:
        >>> str(break_even(Fraction("1.25"), Fraction("0.1")))
        '5/23'
    """
    if read >= 1 or write < read:
        return None
    return max(Fraction(0), (write - 1) / (write - read))


def cache_terms(price: Price | None) -> CacheTerms | None:
    """Return a model's cache rules as the report holds them; ``None`` where they are unknown.

    The break-even of the first lifetime is that of the price itself, those of the others follow
    the documented multiples.
    """
    rule = cache_rule(price.ref) if price is not None else None
    if price is None or rule is None or price.cache_read is None or not price.input:
        return None
    return CacheTerms(
        floor=rule.floor,
        how=rule.how,
        break_even=tuple(_break_evens(price)),
        batch_stacks=rule.batch_stacks,
        as_of=rule.as_of,
        source=rule.source,
        note=rule.note,
    )


def _break_evens(price: Price) -> Iterator[BreakEven]:
    rule = cache_rule(price.ref)
    if rule is None or price.cache_read is None or not price.input:
        return
    read = Fraction(price.cache_read) / Fraction(price.input)
    for index, life in enumerate(rule.lifetimes):
        write = life.write
        if index == 0 and price.cache_write is not None:
            write = price.cache_write / price.input
        found = None if write is None else break_even(Fraction(write), read)
        yield BreakEven(
            ttl_s=life.seconds, write=write, hit_rate=None if found is None else float(found)
        )
