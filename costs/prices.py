"""What a model's tokens cost: dated list prices, one's own prices, and unknown ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..core.errors import CostoptError, nearest
from ..core.report import PriceInfo
from ..core.types import Usage
from . import price_table
from .flat import flat_usd

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_RATES = ("input", "cache_read", "cache_write", "output")
_KEYS = (*_RATES, "usd_per_hour")
_SUSPICIOUS = 100
_HIGHEST = 1_000_000

Amount = int | float | Decimal


@dataclass(frozen=True, kw_only=True)
class Price:
    """USD per million tokens, as in force on ``as_of``; ``None`` where unknown, never 0 for it.

    Where a price depends on the length of the prompt, the rates shown are those of a short one,
    and ``notes`` says so; `cost_of` applies the tiers all the same.
    """

    ref: str
    """``provider:model``."""
    input: Decimal | None
    output: Decimal | None
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    usd_per_hour: Decimal | None = None
    """For a server of one's own; then the token rates are ``None``."""
    batch: "Price | None" = None
    """For requests in a batch, where the user gave it."""
    as_of: str
    """ISO date."""
    source: str
    notes: tuple[str, ...] = ()
    overridden: frozenset[str] = frozenset()
    """Which rates the user gave."""
    rates: "ModelPrice | None" = field(default=None, repr=False, compare=False)
    """The rates with their tiers, as genai-prices computes with them."""

    @property
    def info(self) -> PriceInfo:
        """The price as the report holds it."""
        return PriceInfo(
            input=self.input,
            output=self.output,
            cache_read=self.cache_read,
            cache_write=self.cache_write,
            as_of=self.as_of,
            source=self.source,
            usd_per_hour=self.usd_per_hour,
        )


def price_for(
    ref: str, *, overrides: Mapping[str, Any] | None = None, on: date | None = None
) -> Price | None:
    """Return the price of a model; ``None`` where it is unknown.

    Args:
        ref: ``provider:model``. A bare model name is looked up where the table can tell whose it
            is. A local server's model has no price but what ``overrides`` says.
        overrides: Prices that go before the table's: ``input``, ``cache_read``, ``cache_write``,
            ``output`` in USD per million tokens, or ``usd_per_hour`` alone. Rates that are left
            out stay as the table has them.
        on: The day; today where left out.

    Raises:
        CostoptError: an override is no number from 0 to a million, or its name is unknown.

    Example:
        >>> str(price_for("openai:o3", on=date(2025, 5, 1)).input)
        '10'
        >>> str(price_for("openai:o3", on=date(2026, 11, 1)).input)
        '2'
        >>> price_for("ollama:llama3.2") is None
        True
    """
    on = on or date.today()
    own = _checked(ref, overrides or {})
    if "usd_per_hour" in own:
        return _hourly(ref, own, on)
    entry = price_table.find(ref)
    listed = _priced(ref, price_table.rates(entry, on), on) if entry else None
    return _merged(ref, listed, own, on) if own else listed


def cost_of(usage: Usage, price: Price, *, seconds: Amount | None = None) -> Decimal | None:
    """Return what one request costs, in USD; ``None`` where a rate that it needs is unknown.

    Cached input is billed at its own rate, and where the price has none, as input. Tiers by
    prompt length count.

    Args:
        usage: The request's tokens; totals are inclusive.
        price: The model's price.
        seconds: How long the request kept the server busy; needed for a price by the hour.

    Example:
        >>> price = price_for("openai:gpt-4o-mini", on=date(2026, 11, 1))
        >>> str(cost_of(Usage(input=1000, cache_read=800, output=50), price))
        '0.00012'
    """
    return usd(
        price,
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        reasoning=usage.reasoning,
        seconds=seconds,
    )


def usd(
    price: Price,
    *,
    input: Amount,
    output: Amount,
    cache_read: Amount = 0,
    cache_write: Amount = 0,
    reasoning: Amount = 0,
    seconds: Amount | None = None,
) -> Decimal | None:
    """Return what a request of these tokens costs, in USD; they may be means.

    ``input`` includes the cached parts, ``output`` the reasoning. ``None`` where a rate that it
    needs is unknown.
    """
    if price.usd_per_hour is not None:
        return None if seconds is None else price.usd_per_hour * _decimal(seconds) / 3600
    if price.rates is None or (price.input is None and input) or (price.output is None and output):
        return None
    counts = {
        "input_tokens": _decimal(input),
        "cache_read_tokens": _decimal(cache_read),
        "cache_write_tokens": _decimal(cache_write),
        "output_tokens": _decimal(output),
    }
    found = flat_usd(price.rates, counts)
    if found is not None:
        return found
    from genai_prices import Usage as Counted

    counted = Counted(**counts, output_reasoning_tokens=_decimal(reasoning))
    return price.rates.calc_price(counted)["total_price"]


def batch_price(price: Price) -> Price | None:
    """Return the price of asking in a batch; ``None`` where the provider lists none.

    One's own prices have none but the one that was given with them: what a contract grants is
    not in any table.
    """
    if price.batch is not None:
        return price.batch
    return _variant(price, "batch")


def warm_batch_price(price: Price, *, stacks: bool | None) -> Price | None:
    """Return the price of a batch whose prefixes are found cached; ``None`` where it is unknown.

    Args:
        price: The price of ordinary calls.
        stacks: Whether the provider gives the discounts for cached input and for a batch
            together. False: cached input costs what it costs outside of a batch. ``None``: the
            provider does not say, and what its price list has for cached input in a batch holds.
    """
    from genai_prices.types import ModelPrice

    found = batch_price(price)
    if found is None or found.rates is None or price.rates is None or price.cache_read is None:
        return None
    if stacks is not False:
        return found if _has_cached_rate(price, found) else None
    rates = {**vars(found.rates), "cache_read_mtok": price.rates.cache_read_mtok}
    return replace(found, cache_read=price.cache_read, rates=ModelPrice(**rates))


def _has_cached_rate(price: Price, batch: Price) -> bool:
    """Whether a batch's rate for cached input is its own, and not that of ordinary calls."""
    if price.batch is not None:
        return "cache_read" in batch.overridden
    entry = price_table.find(price.ref)
    on = date.fromisoformat(price.as_of)
    return entry is not None and price_table.lists_cached_input(entry, on, "batch")


def flex_price(price: Price) -> Price | None:
    """Return the price of the slower "flex" tier; ``None`` where the provider lists none."""
    return _variant(price, "flex")


def default_priced_as(target: str = "embedded") -> str:
    """Return the hosted model as which a target without a price is priced.

    ``openai:gpt-5.4-mini``, for every target: a small model of OpenAI's that many use for the
    kind of work that prompts in production do. OpenAI's vocabularies are public, so that its
    tokens are exact and not estimated, and the newest small model whose vocabulary tiktoken
    names is of this family (GPT-6 is not in tiktoken's table). Its price has every part: cache
    reads, batch and flex. And it does not reason unless asked to, so that the answer that one
    sees is the answer that would be billed.
    """
    del target  # One default for all today; a target's own default would stand here.
    return "openai:gpt-5.4-mini"


def _variant(price: Price, way: str) -> Price | None:
    """Return a way of asking as a price of its own."""
    if price.overridden or not (entry := price_table.find(price.ref)):
        return None
    on = date.fromisoformat(price.as_of)
    found = price_table.variant_rates(entry, on, way)
    return _priced(price.ref, found, on) if found else None


def _priced(ref: str, rates: "ModelPrice", on: date) -> Price | None:
    """Return the table's rates as a price; ``None`` where it is not by the token."""
    if rates.input_mtok is None and rates.output_mtok is None:
        return None
    return Price(
        ref=ref,
        input=_base(rates.input_mtok),
        output=_base(rates.output_mtok),
        cache_read=_base(rates.cache_read_mtok),
        cache_write=_base(rates.cache_write_mtok),
        as_of=on.isoformat(),
        source=price_table.version(),
        notes=tuple(_notes(rates)),
        rates=rates,
    )


def _base(rate: object) -> Decimal | None:
    """Return the rate of a short prompt."""
    found = getattr(rate, "base", rate)
    return found if isinstance(found, Decimal) else None


def _notes(rates: "ModelPrice") -> Iterable[str]:
    """Say what the four rates do not show."""
    if rates.input_mtok is not None and rates.cache_read_mtok is None:
        yield "no price for cached input: it is billed as input"
    for tier in getattr(rates.input_mtok, "tiers", ()):
        yield f"above {tier.start:,} input tokens: {tier.price} USD per million input tokens"
    if per_request := _base(rates.requests_kcount):
        yield f"and {per_request} USD per 1,000 requests"


def _checked(ref: str, overrides: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the user's prices as decimals."""
    for key in overrides:
        if key not in _KEYS:
            raise CostoptError(f'unknown price "{key}" for {ref}', hint=nearest(key, _KEYS))
    own = {key: _amount(ref, key, value) for key, value in overrides.items()}
    if "usd_per_hour" in own and len(own) > 1:
        raise CostoptError(
            f"the price of {ref} is by the hour and by the token at once",
            hint="give usd_per_hour alone, or input, output, cache_read and cache_write",
        )
    return own


def _amount(ref: str, key: str, value: object) -> Decimal:
    """Return a price that the user gave."""
    amount = Decimal("NaN")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        amount = _decimal(value)
    if not amount.is_finite() or not 0 <= amount <= _HIGHEST:
        unit = "USD an hour" if key == "usd_per_hour" else "USD per million tokens"
        raise CostoptError(
            f'the price "{key}" of {ref} must be a number from 0 to a million, not {value!r:.40}',
            hint=f"in {unit}, such as {key} = 0.15",
        )
    return amount


def _decimal(value: Amount) -> Decimal:
    """Return a number as it is written, not as binary fractions have it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _hourly(ref: str, own: Mapping[str, Decimal], on: date) -> Price:
    """Return the price of a server that is paid by the hour."""
    return Price(
        ref=ref,
        input=None,
        output=None,
        usd_per_hour=own["usd_per_hour"],
        as_of=on.isoformat(),
        source="configuration",
        overridden=frozenset(own),
    )


def _merged(ref: str, listed: Price | None, own: dict[str, Decimal], on: date) -> Price:
    """Return the table's price with the user's before it."""
    from genai_prices.types import ModelPrice

    table = listed or Price(ref=ref, input=None, output=None, as_of=on.isoformat(), source="")
    rates = ModelPrice(**(dict(vars(listed.rates)) if listed and listed.rates else {}))
    for key, value in own.items():
        setattr(rates, f"{key}_mtok", value)
    _require_input(ref, rates)
    source = "configuration" + (f", else {listed.source}" if listed else "")
    notes = (*_notes(rates), *_suspicions(table, own))
    merged: dict[str, Any] = dict(own)
    return replace(
        table, **merged, source=source, notes=notes, overridden=frozenset(own), rates=rates
    )


def _require_input(ref: str, rates: "ModelPrice") -> None:
    """Refuse a price for cached input without one for input."""
    cached = rates.cache_read_mtok is not None or rates.cache_write_mtok is not None
    if rates.input_mtok is None and cached:
        raise CostoptError(
            f"the price of {ref} has cached input, but no input",
            hint="give input too, in USD per million tokens",
        )


def _suspicions(table: Price, own: Mapping[str, Decimal]) -> Iterable[str]:
    """Name prices that look like a slip of the unit (per 1,000 tokens, or in cents)."""
    for key, value in own.items():
        listed: Decimal | None = getattr(table, key)
        if not listed:
            continue
        if value > listed * _SUSPICIOUS or (value and value * _SUSPICIOUS < listed):
            yield (
                f"{key} = {value} is more than {_SUSPICIOUS} times off the list price of {listed}: "
                "prices are in USD per million tokens"
            )
