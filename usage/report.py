"""What ``costopt usage`` found; contract.md fixes its JSON, ``costopt.usage/1``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .facts import Reading
from .periods import Basis
from .slots import OverTime

SCHEMA = "costopt.usage/1"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median and the value that 95 of 100 requests do not exceed; ``None`` where unknown."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, kw_only=True)
class Trend:
    """What changed against the earlier requests, as fractions: 0.2 is a fifth more.

    ``None`` where there were none before, or their money is unknown.
    """

    requests: float | None
    usd: float | None
    usd_before: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Sums:
    """What some requests add up to. Tokens are ``None`` where no request has them.

    Attributes:
        requests: How many there are, failed ones too.
        errors: How many of them failed.
        input_tokens: With cache reads and writes.
        output_tokens: With reasoning.
        usd: What the priced ones cost; ``None`` where none is.
        unpriced: Requests without a price, or without the counts that it takes. Failed requests
            without any count are not among them.
        unbilled: Failed requests without any count: what they cost is not in the log.
        logged_usd: What the log itself says they cost; ``None`` where it does not.
    """

    requests: int
    errors: int
    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    usd: Decimal | None
    unpriced: int
    unbilled: int
    logged_usd: Decimal | None

    @property
    def usd_per_request(self) -> Decimal | None:
        """USD of a priced request."""
        priced = self.requests - self.unpriced - self.unbilled
        return None if self.usd is None or not priced else self.usd / priced


@dataclass(frozen=True, kw_only=True)
class Group:
    """Requests that agree in some dimensions.

    Attributes:
        by: Each dimension with its value; ``None`` where the log does not say.
        sums: What they add up to.
        input: Input tokens of a request.
        output: Output tokens of a request.
        latency: Seconds of a request.
        share: Their part of all money, in [0, 1]; ``None`` where that is unknown.
        trend: Against earlier requests; ``None`` where there is nothing to compare with.
    """

    by: Mapping[str, str | None]
    sums: Sums
    input: Spread
    output: Spread
    latency: Spread
    share: float | None
    trend: Trend | None


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Cost by some dimensions, the dearest groups first.

    Attributes:
        by: The dimensions.
        groups: The groups that are shown.
        total: All requests of the period, those of groups that are not shown too.
        left_out: How many groups are not shown.
        trend: Of all requests.
        basis: What trends are against; ``None`` where there are none.
    """

    by: tuple[str, ...]
    groups: tuple[Group, ...]
    total: Sums
    left_out: int
    trend: Trend | None
    basis: Basis | None


@dataclass(frozen=True, kw_only=True)
class UnpricedModel:
    """Traffic of a model without a price."""

    provider: str | None
    model: str | None
    requests: int
    input_tokens: int | None
    output_tokens: int | None
    why: str


@dataclass(frozen=True, kw_only=True)
class UsageReport:
    """The whole of it.

    Attributes:
        first: From when on requests count: what was asked for, or the log's first; UTC.
        last: Until when: what was asked for (the first moment that does not count), or the log's
            last request.
        reading: What was read and what is wrong with it.
        attribution: Cost by dimensions.
        unpriced: Models without a price.
        prices: Where prices come from, in words.
        notes: What else is to be known.
        over_time: Cost over time by feature; ``None`` where it was not asked for.
    """

    first: datetime | None
    last: datetime | None
    reading: Reading
    attribution: Attribution
    unpriced: tuple[UnpricedModel, ...] = ()
    prices: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    over_time: OverTime | None = None
