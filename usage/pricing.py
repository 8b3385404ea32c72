"""What each model costs on each day of a log, as a small table that requests are joined with.

The rules are those of `costs`: each price is asked for what single tokens cost under it, and a row
of the table holds the answers. So tiers, cached input and batches count as they do there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from ..core.configured import TargetConfig
from ..costs.cache_rules import hour_write
from ..costs.prices import Price, batch_price, price_for, usd

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PICO = 1_000_000_000_000
"""Rates are whole picodollars a token: a millionth of a USD per million tokens."""

RATES = """CREATE OR REPLACE TABLE rates (
  provider VARCHAR, model VARCHAR, batch BOOLEAN, day_from DATE, day_to DATE,
  above BIGINT, up_to BIGINT, fixed BIGINT, input BIGINT, cache_read BIGINT, cache_write BIGINT,
  output BIGINT, reasoning BIGINT, cache_write_1h BIGINT, second DOUBLE, needs_output BOOLEAN
)"""
"""``day_from``, ``day_to`` and ``up_to`` are inclusive. ``cache_read``, ``cache_write`` and
``reasoning`` are what such a token costs beyond one of input or output, ``cache_write_1h`` what one
costs that is written for an hour beyond one that is written for the usual time. What has no price
has a row without rates, so that no other row is taken for its own."""

_PROVIDERS = {
    "aws.bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_ai": "azure",
    "bedrock_converse": "aws",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "together_ai": "together",
    "vertex_ai": "google",
    "x_ai": "x-ai",
}
"""What tracing and gateways call a provider that the price table calls otherwise."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A model on a day, as the log names it; ``day`` is ``None`` where the time is unknown."""

    provider: str | None
    model: str | None
    batch: bool
    day: date | None


@dataclass(frozen=True, slots=True)
class PriceSource:
    """Where the price of a model of the log comes from."""

    provider: str | None
    model: str | None
    ref: str
    source: str


def fill_rates(
    connection: "DuckDBPyConnection",
    traffic: Iterable[Traffic],
    targets: Mapping[str, TargetConfig],
    today: date,
) -> tuple[PriceSource, ...]:
    """Fill the table ``rates`` for all that a log holds, and return where the prices come from.

    Args:
        connection: A DuckDB.
        traffic: Models and days of the log.
        targets: ``[targets.*]``: a model named there is paid at that target's own price, or as
            what it is ``priced_as``.
        today: The day whose prices count where a request has no time.
    """
    connection.execute(RATES)
    priced: list[tuple[Any, ...]] = []
    unpriced: list[tuple[Any, ...]] = []
    sources: dict[PriceSource, None] = {}
    for key, days in _grouped(traffic, today):
        provider, model, batch = key
        found = [(day, _price(provider, model, batch, targets, day)) for day in days]
        for first, last, price in _stretches(found):
            row = (provider or "", model or "", batch, first, last)
            if price is None:
                unpriced.append((*row, -1, _ENDLESS))
                continue
            priced += [(*row, *band) for band in _bands(price)]
            sources[PriceSource(provider, model, price.ref, price.source)] = None
    _insert(connection, "rates", priced)
    _insert(connection, f"rates ({_KEYS})", unpriced)
    return tuple(sources)


_KEYS = "provider, model, batch, day_from, day_to, above, up_to"


def _insert(connection: "DuckDBPyConnection", into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)


USD = "CAST(CAST(nano AS DECIMAL(18,0)) * CAST('0.000000001' AS DECIMAL(10,9)) AS DECIMAL(18,9))"
"""The SQL for USD out of ``nano``."""


def _grouped(
    traffic: Iterable[Traffic], today: date
) -> Iterator[tuple[tuple[str | None, str | None, bool], list[date]]]:
    """Each model with its days in order; an unknown day is today."""
    days: dict[tuple[str | None, str | None, bool], set[date]] = {}
    for one in traffic:
        days.setdefault((one.provider, one.model, one.batch), set()).add(one.day or today)
    for key, found in days.items():
        yield key, sorted(found)


def _stretches(
    found: Sequence[tuple[date, Price | None]],
) -> Iterator[tuple[date, date, Price | None]]:
    """Join days in a row under the same price; the first and the last have no end."""
    groups = [list(days) for _, days in groupby(found, key=lambda one: same_price(one[1]))]
    for index, days in enumerate(groups):
        first = days[0][0] if index else date.min
        yield first, days[-1][0] if index < len(groups) - 1 else date.max, days[0][1]


def same_price(price: Price | None) -> object:
    """Return what makes a price the same on another day."""
    if price is None:
        return None
    return price.ref, price.usd_per_hour, vars(price.rates) if price.rates else None


def _price(
    provider: str | None,
    model: str | None,
    batch: bool,
    targets: Mapping[str, TargetConfig],
    day: date,
) -> Price | None:
    """Return the price of a model of the log on a day; that of a batch where it ran in one."""
    found = _own(provider, model, targets, day) if model else None
    if found is None and model:
        refs = list(_refs(provider, model))
        found = next((price for ref in refs if (price := price_for(ref, on=day))), None)
    return batch_price(found) if found and batch else found


def _refs(provider: str | None, model: str) -> Iterator[str]:
    """How the price table may know a model that a log names."""
    maker, slash, name = model.partition("/")
    if provider:
        known = _PROVIDERS.get(provider.lower(), provider.lower())
        yield f"{known}:{model}"
        if slash:
            yield f"{known}:{name}"
        return
    yield model
    if slash:
        yield f"{_PROVIDERS.get(maker.lower(), maker.lower())}:{name}"


def _own(
    provider: str | None, model: str, targets: Mapping[str, TargetConfig], day: date
) -> Price | None:
    """The price of a target of the configuration that the log's model is."""
    target = next((one for one in targets.values() if _is(one, provider, model)), None)
    if target is None:
        return None
    ref = target.priced_as or target.model or target.name
    if target.usd_per_hour is not None:
        return price_for(ref, overrides={"usd_per_hour": target.usd_per_hour}, on=day)
    if target.price:
        price = price_for(ref, overrides=target.price, on=day)
        if price and target.batch_price:
            price = replace(price, batch=price_for(ref, overrides=target.batch_price, on=day))
        return price
    return price_for(ref, on=day) if target.priced_as else None


def _is(target: TargetConfig, provider: str | None, model: str) -> bool:
    names = {target.name, target.model}
    return model in names or (provider is not None and f"{provider}:{model}" in names)


def _bands(price: Price) -> tuple[tuple[Any, ...], ...]:
    """Return what single tokens cost, for each range of prompt lengths with rates of its own."""
    if price.usd_per_hour is not None:
        second = float(price.usd_per_hour * PICO / 3600)
        return ((-1, _ENDLESS, 0, 0, 0, 0, 0, 0, 0, second, False),)
    edges = [-1, *_tiers(price), _ENDLESS]
    bands = (_band(price, low, high) for low, high in pairwise(edges))
    return tuple(band for band in bands if band is not None)


_ENDLESS = 1 << 40


def _tiers(price: Price) -> list[int]:
    """The lengths above which another rate holds."""
    rates = vars(price.rates).values() if price.rates else ()
    return sorted({tier.start for rate in rates for tier in getattr(rate, "tiers", ())})


def _band(price: Price, low: int, high: int) -> tuple[Any, ...] | None:
    """What tokens cost where a prompt has more than ``low`` tokens: differences of whole costs."""
    n = low + 2
    base, more = usd(price, input=n, output=0), usd(price, input=n + 1, output=0)
    if base is None or more is None:
        return None
    each = more - base
    answer = usd(price, input=n, output=1)
    thought = usd(price, input=n, output=1, reasoning=1)
    write = _beyond(usd(price, input=n, output=0, cache_write=1), base)
    hour = hour_write(price.ref)
    rates = (
        base - each * n,
        each,
        _beyond(usd(price, input=n, output=0, cache_read=1), base),
        write,
        _beyond(answer, base),
        _beyond(thought, answer),
        Decimal(0) if hour is None else each * (hour - 1) - write,
        Decimal(0),
    )
    return (low, high, *(_pico(rate) for rate in rates), price.output is not None)


def _beyond(cost: Decimal | None, base: Decimal | None) -> Decimal:
    return Decimal(0) if cost is None or base is None else cost - base


def _pico(amount: Decimal) -> int:
    return int((amount * PICO).to_integral_value())


def log_price(targets: Mapping[str, TargetConfig]) -> Callable[[str, date], Price | None]:
    """Return what prices a model of a log, named ``provider:model`` as the log has it.

    Where the log names no provider it is ``:model``.

    Args:
        targets: ``[targets.*]`` of the configuration.
    """

    def price(ref: str, on: date) -> Price | None:
        provider, _, model = ref.partition(":")
        return _price(provider or None, model, False, targets, on)

    return price
