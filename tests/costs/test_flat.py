"""Flat rates by arithmetic alone: the same amounts, digit for digit, as the price library's."""

from decimal import Decimal

import pytest
from genai_prices import Usage
from genai_prices.types import ModelPrice, Tier, TieredPrices
from hypothesis import given
from hypothesis import strategies as st

from costopt.costs.flat import flat_usd

RATE = st.decimals(min_value=0, max_value=1000, places=4)
TOKENS = st.integers(min_value=0, max_value=10**7) | st.decimals(0, 10**6, places=3)


@given(RATE, RATE, st.none() | RATE, st.none() | RATE, st.lists(TOKENS, min_size=4, max_size=4))
def test_it_is_what_the_library_says(one, two, read, write, tokens):
    rates = ModelPrice(
        input_mtok=one,
        cache_write_mtok=write,
        cache_read_mtok=read,
        output_mtok=two,
        web_searches_kcount=two,
    )
    uncached, cache_read, cache_write, output = (Decimal(number) for number in tokens)
    counts = {
        "input_tokens": uncached + cache_read + cache_write,
        "cache_read_tokens": cache_read,
        "cache_write_tokens": cache_write,
        "output_tokens": output,
    }
    whole = rates.calc_price(Usage(**counts, output_reasoning_tokens=Decimal(0)))["total_price"]
    assert str(flat_usd(rates, counts)) == str(whole)


COUNTS = {
    "input_tokens": Decimal(10), "output_tokens": Decimal(1),
    "cache_read_tokens": Decimal(0), "cache_write_tokens": Decimal(0),
}  # fmt: skip


@pytest.mark.parametrize(
    "rates",
    [
        {"input_mtok": TieredPrices(Decimal(1), [Tier(100, Decimal(2))])},
        {"requests_kcount": Decimal(1)},
        {"input_mtok": None},
    ],
    ids=["tiers", "another unit", "unknown"],
)
def test_other_prices_are_left_to_the_library(rates):
    flat = {"input_mtok": Decimal(1), "output_mtok": Decimal(2)}
    assert flat_usd(ModelPrice(**flat), COUNTS) is not None
    assert flat_usd(ModelPrice(**{**flat, **rates}), COUNTS) is None


def test_more_cached_than_there_is_is_left_to_the_library():
    rates = ModelPrice(
        input_mtok=Decimal(1), output_mtok=Decimal(2), cache_read_mtok=Decimal("0.1")
    )
    assert flat_usd(rates, {**COUNTS, "cache_read_tokens": Decimal(11)}) is None
