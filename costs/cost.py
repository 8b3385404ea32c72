"""What a request costs under each way of calling: cold, warm, at a hit rate, in a batch, flex."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from ..core.errors import CostoptError
from ..core.report import CostInfo, Regimes
from .prefix import cache_floor
from .prices import Price, batch_price, flex_price, usd

_NANODOLLAR = Decimal("1e-9")


def cost_info(
    *,
    input_mean: float | None,
    output_mean: float | None,
    price: Price | None,
    calls_per_month: int | None = None,
    cache_read_mean: float | None = None,
    cache_write_mean: float | None = None,
    reasoning_mean: float | None = None,
    cache_hit_rate: float | None = None,
    batch: bool = False,
    prefix_tokens: int | None = None,
    seconds_mean: float | None = None,
    evidence: str = "estimated",
) -> CostInfo:
    """Return the money of a prompt's requests, in USD per 1,000 requests and per month.

    All of it is ``None`` where the price, the input or the output is unknown: an input without
    its answer is not what a request costs. To price the input alone, pass ``output_mean=0`` and
    say so.

    Args:
        input_mean: Mean input tokens per request, cached ones included.
        output_mean: Mean output tokens per request, reasoning included.
        price: The model's price.
        calls_per_month: Requests per month; without it there is no cost per month.
        cache_read_mean: Mean input tokens that a cache gave when this was measured. What a cache
            holds depends on the order of the requests, and no comparison should: every request
            is billed as if it were the first (``cache_hit_rate`` says what else to count on).
        cache_write_mean: Mean input tokens written to a cache. Where there are any, a first
            request writes them and what later ones read, at the rate for writes.
        reasoning_mean: Mean reasoning tokens, part of the output.
        cache_hit_rate: Share of the requests that find the prefix cached, in [0, 1]. Where it is
            given and the provider caches, ``usd_per_1k`` is the cost at that rate.
        batch: Whether the calls are made in batches: then ``usd_per_1k`` is their cost there, and
            ``None`` where the provider lists no price for batches. It goes before
            ``cache_hit_rate``.
        prefix_tokens: Tokens before the first placeholder (`prefix.static_prefix`).
        seconds_mean: Mean seconds per request; for a price by the hour.
        evidence: ``measured``, ``replayed``, ``estimated`` or ``list``.

    Raises:
        CostoptError: ``cache_hit_rate`` is not in [0, 1].

    Example:
        >>> from datetime import date
        >>> from .prices import price_for
        >>> price = price_for("openai:gpt-4o-mini", on=date(2026, 11, 1))
        >>> info = cost_info(input_mean=1000, output_mean=50, price=price, calls_per_month=10_000)
        >>> str(info.usd_per_1k), str(info.usd_per_month), str(info.regimes.batch)
        ('0.18', '1.8', '0.09')
    """
    if cache_hit_rate is not None and not 0 <= cache_hit_rate <= 1:
        raise CostoptError(f"cache_hit_rate must lie in 0 to 1, not {cache_hit_rate}")
    if price is None or input_mean is None or output_mean is None:
        return CostInfo(evidence=evidence)
    written = cache_write_mean and cache_write_mean + (cache_read_mean or 0)
    request = _Request(
        price=price,
        input=input_mean,
        output=output_mean,
        reasoning=reasoning_mean or 0,
        seconds=seconds_mean,
        written=written or 0,
        prefix=prefix_tokens,
    )
    regimes = request.regimes(cache_hit_rate)
    per_1k = regimes.cold if regimes.hit_rate is None else regimes.hit_rate
    if batch:
        per_1k = regimes.batch
    per_month = None
    if per_1k is not None and calls_per_month is not None:
        per_month = _tidy(per_1k * calls_per_month / 1000)
    return CostInfo(usd_per_1k=per_1k, usd_per_month=per_month, regimes=regimes, evidence=evidence)


@dataclass(frozen=True, kw_only=True)
class _Request:
    """The mean request."""

    price: Price
    input: float
    output: float
    reasoning: float
    seconds: float | None
    written: float
    prefix: int | None

    def regimes(self, hit_rate: float | None) -> Regimes:
        """Return the cost per 1,000 under each way of calling."""
        cold = self._per_1k(self.price, written=self.written)
        warm = self._per_1k(self.price, read=self.prefix) if self._cached else None
        return Regimes(
            cold=cold,
            warm=warm,
            hit_rate=None if hit_rate is None else self._mixed(cold, warm, hit_rate),
            batch=self._per_1k(batch_price(self.price), written=self.written),
            flex=self._per_1k(flex_price(self.price), written=self.written),
        )

    @property
    def _floor(self) -> int | None:
        """From which prefix on the provider caches, at a price that we know."""
        return None if self.price.cache_read is None else cache_floor(self.price.ref)

    @property
    def _cached(self) -> bool:
        """Whether the provider caches this prefix."""
        return self.prefix is not None and self._floor is not None and self.prefix >= self._floor

    def _mixed(self, cold: Decimal | None, warm: Decimal | None, rate: float) -> Decimal | None:
        """Return the cost where a share of the requests finds the prefix cached."""
        if self._floor is None or self.prefix is None:
            return None
        if not self._cached:  # Too short to be cached: no request ever finds it.
            return cold
        # Who misses the cache writes it, where writing is billed.
        paid = self.price.cache_write is not None
        miss = self._per_1k(self.price, written=self.prefix if paid else 0)
        if warm is None or miss is None:
            return None
        share = Decimal(str(rate))
        return _tidy(share * warm + (1 - share) * miss)

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
        return None if one is None else _tidy(one * 1000)


def _tidy(amount: Decimal) -> Decimal:
    """Round to a billionth of a dollar, without trailing zeros."""
    with localcontext(prec=60):  # Room for any price times any number of calls.
        rounded = amount.quantize(_NANODOLLAR)
        return rounded.to_integral() if rounded == rounded.to_integral() else rounded.normalize()
