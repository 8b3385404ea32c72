"""What a request costs under each way of calling: cold, warm, at a hit rate, in a batch, flex."""

from ..core.errors import CostoptError
from ..core.money import CostInfo
from .prices import Price
from .request import MeanRequest, tidy


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
    request = mean_request(
        input_mean=input_mean,
        output_mean=output_mean,
        price=price,
        cache_read_mean=cache_read_mean,
        cache_write_mean=cache_write_mean,
        reasoning_mean=reasoning_mean,
        prefix_tokens=prefix_tokens,
        seconds_mean=seconds_mean,
    )
    return money_of(
        request,
        calls_per_month=calls_per_month,
        cache_hit_rate=cache_hit_rate,
        batch=batch,
        evidence=evidence,
    )


def money_of(
    request: MeanRequest,
    *,
    calls_per_month: int | None,
    cache_hit_rate: float | None,
    batch: bool,
    evidence: str,
) -> CostInfo:
    """Return the money of a mean request; the arguments are those of `cost_info`."""
    regimes = request.regimes(cache_hit_rate)
    per_1k = regimes.cold if regimes.hit_rate is None else regimes.hit_rate
    if batch:
        per_1k = regimes.batch
    per_month = None
    if per_1k is not None and calls_per_month is not None:
        per_month = tidy(per_1k * calls_per_month / 1000)
    return CostInfo(usd_per_1k=per_1k, usd_per_month=per_month, regimes=regimes, evidence=evidence)


def mean_request(
    *,
    input_mean: float,
    output_mean: float,
    price: Price,
    cache_read_mean: float | None = None,
    cache_write_mean: float | None = None,
    reasoning_mean: float | None = None,
    prefix_tokens: int | None = None,
    seconds_mean: float | None = None,
) -> MeanRequest:
    """Return the mean request, with the arguments of `cost_info`."""
    written = cache_write_mean and cache_write_mean + (cache_read_mean or 0)
    return MeanRequest(
        price=price,
        input=input_mean,
        output=output_mean,
        reasoning=reasoning_mean or 0,
        seconds=seconds_mean,
        written=written or 0,
        prefix=prefix_tokens,
    )
