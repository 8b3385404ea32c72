"""Prices as whole numbers for each token, so that a log can be priced in SQL to the last digit.

A price is linear between the lengths at which it changes. Its rates there are found by asking
`costs.prices.usd` for requests that differ by one token: so the two cannot come to differ.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...costs.cache_rules import cache_rule, hour_write
from ...costs.prices import Price, batch_price, price_for, usd, warm_batch_price
from ..pricing import same_price

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SCALE = 15
"""Money is in 10^-15 USD here: a rate of USD per million tokens with nine decimals is whole."""
_ENDLESS = 2**62

PriceOf = Callable[[str, date], Price | None]
"""Returns the price of ``provider:model`` on a day; ``None`` where it is unknown.

Where the log names no provider it is ``:model``.
"""


def list_price(ref: str, on: date) -> Price | None:
    """Return the list price of a model on a day."""
    return price_for(ref.removeprefix(":"), on=on)


def dollars(amount: int | None) -> Decimal:
    """Return USD.

    Example:
        >>> str(dollars(1_500_000_000_000_000))
        '1.500000000000000'
    """
    return Decimal(amount or 0).scaleb(-SCALE)


@dataclass(frozen=True)
class Rate:
    """What tokens cost for prompts of more than ``above`` and up to ``upto`` tokens.

    In 10^-15 USD a token; ``None`` where unknown. ``fee`` is for each request.
    """

    above: int
    upto: int
    fee: int
    input: int
    read: int | None
    write: int | None
    output: int | None
    write_1h: int | None
    """Written for an hour; ``None`` where the provider has no such cache."""


def rates_of(price: Price, warm: Price | None = None) -> Iterator[Rate]:
    """Yield a price's rates, from short prompts to long ones; none for a price by the hour.

    Args:
        price: The price.
        warm: The price for cached input, where that is another one.
    """
    starts = sorted({-1, *_starts(price)})
    for above, upto in zip(starts, [*starts[1:], _ENDLESS], strict=True):
        found = _rate(price, warm or price, above, upto)
        if found is not None:
            yield found


def _starts(price: Price) -> Iterator[int]:
    """Yield the prompt lengths above which a price changes."""
    for rate in vars(price.rates).values() if price.rates is not None else ():
        for tier in getattr(rate, "tiers", ()):
            yield int(tier.start)


def _rate(price: Price, warm: Price, above: int, upto: int) -> Rate | None:
    # Rates hold for a whole range, so that any length in it shows them; ten tokens are enough to
    # take some as read or written. A range that is shorter than this is of no price that exists.
    at = above + 11

    def cost(of: Price, **tokens: int) -> int | None:
        found = usd(of, input=at, **{"output": 0, **tokens})
        return None if found is None else int((found * 10**SCALE).to_integral_value())

    empty = cost(price)
    longer = usd(price, input=at + 1, output=0)
    if empty is None or longer is None:
        return None
    input_rate = int((longer * 10**SCALE).to_integral_value()) - empty

    hour = hour_write(price.ref)

    def than(base: int | None, other: int | None, plus: int = 0) -> int | None:
        return None if base is None or other is None else other - base + plus

    return Rate(
        above=above,
        upto=upto,
        fee=empty - at * input_rate,
        input=input_rate,
        read=than(cost(warm), cost(warm, cache_read=1), _input_rate(warm, at)),
        write=than(empty, cost(price, cache_write=1), input_rate),
        output=than(empty, cost(price, output=1)),
        write_1h=None if hour is None else int((input_rate * hour).to_integral_value()),
    )


def _input_rate(price: Price, at: int) -> int:
    one, more = usd(price, input=at, output=0), usd(price, input=at + 1, output=0)
    difference = (more or Decimal(0)) - (one or Decimal(0))
    return int((difference * 10**SCALE).to_integral_value())


def batch_rates(price: Price) -> Iterator[Rate]:
    """Yield the rates of asking in a batch; cached input is unknown where its price is."""
    found, warm = _in_batch(price)
    if found is None:
        return
    for rate in rates_of(found, warm):
        known = rate.read if warm is not None else None
        yield replace(rate, read=known)


def _in_batch(price: Price) -> tuple[Price | None, Price | None]:
    """Return the price of a batch, and that of one whose prefixes are found cached."""
    rule = cache_rule(price.ref)
    return batch_price(price), warm_batch_price(price, stacks=rule.batch_stacks if rule else None)


def _both(price: Price) -> Iterator[tuple[Any, ...]]:
    """Yield whether it is in a batch, and the rates."""
    for batch, rates in ((False, rates_of(price)), (True, batch_rates(price))):
        yield from ((batch, *vars(rate).values()) for rate in rates)


TABLE = """CREATE TEMP TABLE IF NOT EXISTS whatif_rates (
    ref VARCHAR, day DATE, batch BOOLEAN, above BIGINT, upto BIGINT, fee BIGINT, input BIGINT,
    read BIGINT, write BIGINT, output BIGINT, write_1h BIGINT)"""


def add_rates(
    connection: "DuckDBPyConnection", wanted: Iterable[tuple[str, date]], price_of: PriceOf
) -> None:
    """Put the rates of models on days into the table ``whatif_rates``; known ones are kept.

    Args:
        connection: The database.
        wanted: ``provider:model`` with the day.
        price_of: Returns the price.
    """
    connection.execute(TABLE)
    have = set(connection.execute("SELECT DISTINCT ref, day FROM whatif_rates").fetchall())
    rows: list[tuple[Any, ...]] = []
    last: tuple[object, list[tuple[Any, ...]]] = (None, [])
    for ref, day in sorted(set(wanted) - have):
        price = price_of(ref, day)
        if price is None:
            continue
        # Prices hold for months, and to find out what single tokens cost takes long.
        key = tuple(same_price(one) for one in (price, *_in_batch(price)))
        if key != last[0]:
            last = key, list(_both(price))
        rows += [(ref, day, *rate) for rate in last[1]]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        kinds = ("VARCHAR", "DATE", "BOOLEAN", *("BIGINT",) * 8)
        parts = ", ".join(f"unnest(${i + 1}::{kind}[])" for i, kind in enumerate(kinds))
        connection.execute(f"INSERT INTO whatif_rates SELECT {parts}", columns)
