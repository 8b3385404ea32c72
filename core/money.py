"""The money of a report: prices, costs under each way of calling, caches, payback."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class PriceInfo:
    """USD per million tokens, as of a date; ``None`` where the source has none.

    A server of one's own has ``usd_per_hour`` and no rates by the token.
    """

    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    as_of: str = ""
    source: str = ""
    usd_per_hour: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """From which hit rate on caching costs less than not caching, for one lifetime of a cache.

    ``write`` is what a written token costs, as a multiple of an input token; ``hit_rate`` is in
    [0, 1], and ``None`` where no rate recovers what writing costs, or that is unknown.
    """

    ttl_s: int | None
    write: Decimal | None
    hit_rate: float | None


@dataclass(frozen=True, kw_only=True)
class CacheTerms:
    """How a target's provider caches prefixes: from ``floor`` tokens on, as documented.

    ``batch_stacks`` is whether the discounts for cached input and for batches apply together;
    ``None`` where the provider does not say. ``as_of`` is a month.
    """

    floor: int | None
    how: str
    break_even: tuple[BreakEven, ...]
    batch_stacks: bool | None
    as_of: str
    source: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PricedBefore:
    """What a target was priced at before it was priced anew."""

    priced_as: str | None = None
    price: PriceInfo | None = None


@dataclass(frozen=True, kw_only=True)
class Regimes:
    """USD per 1,000 requests under each way of calling; ``None`` where the provider has none.

    ``warm`` and ``warm_batch`` are where every request finds its prefix cached.
    """

    cold: Decimal | None = None
    warm: Decimal | None = None
    hit_rate: Decimal | None = None
    batch: Decimal | None = None
    flex: Decimal | None = None
    warm_batch: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class CostInfo:
    """Money. ``evidence`` is measured, replayed, estimated or list."""

    usd_per_1k: Decimal | None = None
    usd_per_month: Decimal | None = None
    regimes: Regimes = field(default_factory=Regimes)
    evidence: str = "estimated"


@dataclass(frozen=True, kw_only=True)
class PrefixInfo:
    """What a provider's cache can hold of a variant.

    Attributes:
        tokens: What every request begins with.
        cached: Whether the provider caches that; ``None`` where its rules are unknown.
        moved_tokens: What stood in the baseline's prefix and stands behind a placeholder here.
        flip_hit_rate: The hit rate in (0, 1) at which the variant costs what the baseline costs;
            ``None`` where the same one is cheaper at every rate, or that is unknown.
        cheaper_below_flip: Whether the variant is the cheaper below that rate, or above it.
        warnings: What the variant does to the cache, in words and money.
    """

    tokens: int
    cached: bool | None = None
    moved_tokens: int = 0
    flip_hit_rate: float | None = None
    cheaper_below_flip: bool | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Payback:
    """What measuring a prompt at a target cost, and when a recommendation has paid for it.

    Attributes:
        answers: All that the result rests on, those of earlier runs included.
        usd: What they cost at today's prices for ordinary calls, whatever way they were asked, so
            that the same answers always come to the same; ``None`` where unknown.
        calls: After how many calls the saving is as much; ``None`` where nothing is saved, or one
            of the two is unknown.
        months: How long that takes at ``calls_per_month``.
    """

    answers: int
    usd: Decimal | None = None
    calls: int | None = None
    months: float | None = None
