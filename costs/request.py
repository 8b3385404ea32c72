"""The mean request of a prompt, and what 1,000 of it cost under each way of calling."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from ..core.money import Regimes
from .cache_rules import cache_rule
from .hit_rates import HitLine
from .prices import Price, batch_price, flex_price, usd, warm_batch_price

_NANODOLLAR = Decimal("1e-9")


@dataclass(frozen=True, kw_only=True)
class MeanRequest:
    """The mean request: tokens, and the price that they are billed at.

    Attributes:
        price: USD per million tokens, or by the hour.
        input: Input tokens, cached ones included.
        output: Output tokens, reasoning included.
        reasoning: Reasoning tokens, part of the output.
        seconds: How long the request keeps a server busy; for a price by the hour.
        written: Input tokens that a first request writes to a cache.
        prefix: Tokens that every request begins with; ``None`` where that is not known.
    """

    price: Price
    input: float
    output: float
    reasoning: float = 0
    seconds: float | None = None
    written: float = 0
    prefix: int | None = None

    def regimes(self, hit_rate: float | None) -> Regimes:
        """Return the cost per 1,000 under each way of calling."""
        return Regimes(
            cold=tidy(self.cold),
            warm=tidy(self._per_1k(self.price, read=self.prefix)) if self.cached else None,
            hit_rate=None if hit_rate is None else self._mixed(hit_rate),
            batch=tidy(self._per_1k(batch_price(self.price), written=self.written)),
            flex=tidy(self._per_1k(flex_price(self.price), written=self.written)),
            warm_batch=tidy(self._warm_batch()),
        )

    @property
    def cold(self) -> Decimal | None:
        """What 1,000 requests cost where each is the first."""
        return self._per_1k(self.price, written=self.written)

    @property
    def floor(self) -> int | None:
        """From which prefix on the provider caches, at a price that we know."""
        rule = cache_rule(self.price.ref)
        return None if self.price.cache_read is None or rule is None else rule.floor

    @property
    def cached(self) -> bool:
        """Whether the provider caches this prefix."""
        return self.prefix is not None and self.floor is not None and self.prefix >= self.floor

    @property
    def line(self) -> HitLine | None:
        """What 1,000 requests cost at each hit rate; ``None`` where the cache is not known.

        A prefix below the floor is never found: then the rate makes no difference.
        """
        if self.floor is None or self.prefix is None:
            return None
        miss = warm = self.cold
        if self.cached:
            # Who misses the cache writes it, where writing is billed.
            paid = self.price.cache_write is not None
            miss = self._per_1k(self.price, written=self.prefix if paid else 0)
            warm = self._per_1k(self.price, read=self.prefix)
        if miss is None or warm is None:
            return None
        return HitLine(miss=Fraction(miss), warm=Fraction(warm))

    def _mixed(self, rate: float) -> Decimal | None:
        """Return the cost where a share of the requests finds the prefix cached."""
        line = self.line
        if line is None:
            return None
        found = line.at(Fraction(str(rate)))
        with localcontext(prec=60):
            return tidy(Decimal(found.numerator) / Decimal(found.denominator))

    def _warm_batch(self) -> Decimal | None:
        rule = cache_rule(self.price.ref)
        if not self.cached or rule is None:
            return None
        price = warm_batch_price(self.price, stacks=rule.batch_stacks)
        return self._per_1k(price, read=self.prefix)

    def _per_1k(
        self, price: Price | None, *, read: float | None = 0, written: float = 0
    ) -> Decimal | None:
        """Return the cost of 1,000 requests; a prefix never exceeds its request."""
        if price is None:
            return None
        one = usd(
            price,
            input=self.input,
            output=self.output,
            cache_read=min(read or 0, self.input),
            cache_write=min(written, self.input),
            reasoning=min(self.reasoning, self.output),
            seconds=self.seconds,
        )
        return None if one is None else one * 1000


def tidy(amount: Decimal | None) -> Decimal | None:
    """Round to a billionth of a dollar, without trailing zeros; unknown stays unknown.

    Example:
        >>> str(tidy(Decimal("1.2500000000001"))), tidy(None)
        ('1.25', None)
    """
    if amount is None:
        return None
    with localcontext(prec=60):  # Room for any price times any number of calls.
        rounded = amount.quantize(_NANODOLLAR)
        return rounded.to_integral() if rounded == rounded.to_integral() else rounded.normalize()
