"""Hit rates: exact, between miss and warm, and the flip that makes two costs equal."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costopt.costs.cost import cost_info, mean_request
from costopt.costs.hit_rates import HitLine, break_even, flip_rate
from costopt.costs.prefix import cache_floor
from costopt.costs.prices import price_for

NOVEMBER = date(2026, 11, 1)
PRICES = [
    price_for(ref, on=NOVEMBER)
    for ref in (
        "anthropic:claude-haiku-4-5",
        "openai:gpt-5.4-mini",
        "openai:gpt-5.6-luna",
        "google:gemini-2.5-pro",  # its rates rise above 200,000 tokens
    )
]
price = st.sampled_from(PRICES)
tokens = st.integers(0, 400_000)
rate = st.fractions(0, 1, max_denominator=1000)
amount = st.fractions(0, 1000, max_denominator=10**6)


@given(price, tokens, tokens, tokens, tokens)
def test_money_is_monotone_in_tokens(price, input_, output, more_in, more_out):
    def money(input_, output):
        return cost_info(input_mean=input_, output_mean=output, price=price).regimes

    less, more = money(input_, output), money(input_ + more_in, output + more_out)
    assert less.cold <= more.cold
    assert less.batch <= more.batch


@given(price, st.integers(0, 100_000), st.integers(1, 50_000), st.integers(0, 1000), rate)
def test_the_cost_at_a_hit_rate_lies_between_miss_and_warm(price, prefix, rest, output, rate):
    found = mean_request(
        input_mean=prefix + rest, output_mean=output, price=price, prefix_tokens=prefix
    )
    line = found.line
    assert line.warm <= line.at(rate) <= line.miss
    assert (line.at(Fraction(0)), line.at(Fraction(1))) == (line.miss, line.warm)
    shown = found.regimes(float(rate)).hit_rate
    assert abs(Fraction(shown) - line.at(Fraction(str(float(rate))))) <= Fraction(1, 10**9)
    if not found.cached:
        assert line.miss == line.warm == Fraction(found.cold)


@given(amount, amount, amount, amount)
def test_the_flip_rate_makes_the_costs_equal(miss, warm, other_miss, other_warm):
    one, other = HitLine(miss=miss, warm=warm), HitLine(miss=other_miss, warm=other_warm)
    flip = flip_rate(one, other)
    assert flip == flip_rate(other, one)
    if flip is None:  # Then the one is never dearer, or never cheaper.
        signs = {(one.at(h) > other.at(h)) - (one.at(h) < other.at(h)) for h in _grid()}
        assert not {-1, 1} <= signs
        return
    assert 0 < flip < 1
    assert one.at(flip) == other.at(flip)
    below, above = (
        one.at(flip / 2) - other.at(flip / 2),
        one.at((flip + 1) / 2) - other.at((flip + 1) / 2),
    )
    assert below * above < 0


def _grid():
    return [Fraction(step, 20) for step in range(21)]


@given(price, st.integers(0, 60), st.integers(1, 500), st.integers(0, 500))
def test_a_prompt_cut_under_the_floor_flips_where_it_costs_the_same(price, over, under, output):
    def line(prefix):
        request = mean_request(
            input_mean=prefix + 100, output_mean=output, price=price, prefix_tokens=prefix
        )
        return request.line

    floor = cache_floor(price.ref)
    whole, shorter = line(floor + over), line(floor - under)
    flip = flip_rate(shorter, whole)
    # Without a hit the longer is dearer, and a tenth of its price at every hit is less.
    assert flip is not None
    assert shorter.at(flip) == whole.at(flip)


@given(st.fractions(1, 4, max_denominator=100), st.fractions(0, 1, max_denominator=100))
def test_at_the_break_even_caching_costs_what_not_caching_costs(write, read):
    found = break_even(write, read)
    if read >= 1:
        assert found is None
        return
    assert 0 <= found < 1
    assert found * read + (1 - found) * write == 1


def test_a_hit_rate_is_taken_as_it_is_written():
    mini = PRICES[1]
    found = cost_info(
        input_mean=2000, output_mean=0, price=mini, prefix_tokens=2000, cache_hit_rate=0.1
    )
    assert found.usd_per_1k == Decimal("1.365")  # 1.5·0.9 + 0.15·0.1
