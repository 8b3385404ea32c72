"""Forecasts are sums of requests: low never above high, and nothing known is made up."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from costopt.costs.forecast import Lengths, Part, forecast
from costopt.costs.prices import price_for

PRICE = price_for("openai:gpt-4o-mini", on=date(2026, 11, 1))
parts = st.lists(
    st.builds(
        Part,
        requests=st.integers(0, 1000),
        certain=st.booleans(),
        input_mean=st.floats(0, 10_000),
        output_most=st.integers(0, 4096),
        stored=st.floats(0, 1),
    ),
    max_size=12,
)
lengths = st.builds(Lengths, mean=st.none() | st.floats(0, 5000), stored=st.integers(0, 100))


@given(parts, lengths)
def test_low_is_never_above_high(found: list[Part], known: Lengths) -> None:
    seen = forecast("t", found, known, PRICE)
    for one in (seen.requests, seen.input_tokens, seen.output_tokens):
        assert 0 <= one.low <= one.high
    assert seen.usd_low is not None
    assert seen.usd_high is not None
    assert 0 <= seen.usd_low <= seen.usd_high
    assert seen.requests.high <= sum(part.requests for part in found)


@given(parts, lengths)
def test_what_is_stored_is_asked_for_no_more(found: list[Part], known: Lengths) -> None:
    done = [
        Part(
            requests=part.requests, certain=part.certain, input_mean=part.input_mean,
            output_most=part.output_most, stored=1.0,
        )
        for part in found
    ]  # fmt: skip
    seen = forecast("t", done, known, PRICE)
    assert (seen.requests.high, seen.usd_high) == (0, 0)
    assert seen.stored_answers == sum(part.requests for part in found)


def test_an_unknown_price_is_unknown_and_a_free_target_costs_nothing() -> None:
    part = Part(requests=3, certain=True, input_mean=10, output_most=5)
    assert forecast("t", [part], Lengths(), None).usd_high is None
    assert forecast("t", [part], Lengths(), None, free=True).usd_high == Decimal(0)


def test_the_money_is_that_of_the_tokens() -> None:
    certain = Part(requests=1000, certain=True, input_mean=1000, output_most=100)
    perhaps = Part(requests=1000, certain=False, input_mean=1000, output_most=100)
    seen = forecast("t", [certain, perhaps], Lengths(mean=10.0, stored=4), PRICE)
    # 0.15 USD for a million tokens in, 0.60 for a million out.
    assert seen.usd_low == Decimal("0.156")
    assert seen.usd_high == Decimal("0.42")
    assert (seen.output_tokens.low, seen.output_tokens.high) == (10_000, 200_000)
