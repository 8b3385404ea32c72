import pickle
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.types import Usage
from costopt.costs import price_table
from costopt.costs.prices import (
    batch_price,
    cost_of,
    default_priced_as,
    flex_price,
    price_for,
)
from costopt.costs.tokens import counter_for

NOVEMBER = date(2026, 11, 1)


def listed(ref, **more):
    price = price_for(ref, on=NOVEMBER, **more)
    assert price is not None
    return price


def test_a_cached_request_costs_what_genai_prices_says():
    import genai_prices

    price = listed("openai:gpt-4o-mini")
    usage = Usage(input=1000, cache_read=800, output=50)
    theirs = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=1000, cache_read_tokens=800, output_tokens=50),
        "gpt-4o-mini",
        provider_id="openai",
    )
    assert cost_of(usage, price) == theirs.total_price == Decimal("0.00012")
    # Totals are inclusive: 200 of the 1,000 are billed in full.
    by_hand = 200 * price.input + 800 * price.cache_read + 50 * price.output
    assert cost_of(usage, price) == by_hand / 1_000_000


def test_the_price_says_what_it_is():
    price = price_for("openai:gpt-4o-mini", on=NOVEMBER)
    assert (price.input, price.output, price.cache_read, price.cache_write) == (
        Decimal("0.15"),
        Decimal("0.6"),
        Decimal("0.075"),
        None,
    )
    assert price.as_of == "2026-11-01"
    assert price.source.startswith("genai-prices ")
    assert price.info.input == price.input
    assert pickle.loads(pickle.dumps(price)) == price


def test_prices_are_dated():
    assert price_for("openai:o3", on=date(2025, 5, 1)).input == 10
    assert price_for("openai:o3", on=NOVEMBER).input == 2


def test_a_price_by_the_time_of_day_is_that_of_noon():
    from genai_prices.types import (
        ClauseEquals,
        ConditionalPrice,
        ModelInfo,
        ModelPrice,
        TimeOfDateConstraint,
    )

    night = TimeOfDateConstraint(start_time=time(16, 30), end_time=time(0, 30))
    model = ModelInfo(
        id="owl",
        match=ClauseEquals(equals="owl"),
        prices=[
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(2))),
            ConditionalPrice(night, prices=ModelPrice(input_mtok=Decimal(1))),
        ],
    )
    entry = price_table.Entry(model, own=True)
    assert price_table.rates(entry, NOVEMBER).input_mtok == 2


def test_tiers_count():
    price = listed("google:gemini-2.5-pro")
    assert cost_of(Usage(input=100_000, output=0), price) == Decimal("0.125")
    assert cost_of(Usage(input=300_000, output=0), price) == Decimal("0.75")
    assert any("200,000" in note for note in price.notes)


def test_cache_writes_have_their_own_rate():
    price = listed("anthropic:claude-haiku-4-5")
    usage = Usage(input=1000, cache_read=600, cache_write=300, output=0)
    assert cost_of(usage, price) == Decimal("100e-6") + Decimal("60e-6") + Decimal("375e-6")


def test_without_a_rate_for_cached_input_it_is_billed_as_input_and_said():
    price = listed("groq:llama-3.3-70b-versatile")
    assert price.cache_read is None
    assert any("billed as input" in note for note in price.notes)
    assert cost_of(Usage(input=1000, cache_read=800, output=0), price) == cost_of(
        Usage(input=1000, output=0), price
    )


@pytest.mark.parametrize(
    "ref",
    [
        *("embedded", "ollama:llama3.2", "openai:gpt-99", "nobody:nothing"),
        *("o200k_base", "", ":", "a:"),
        # A name that merely contains a provider's is somebody's own server.
        *("my-openai-proxy:gpt-4o-mini", "openai-compatible:gpt-4o"),
        # Priced by the hour of audio, not by the token.
        "openai:whisper-1",
    ],
)
def test_unknown_is_none(ref):
    assert price_for(ref, on=NOVEMBER) is None


@pytest.mark.parametrize(
    ("ref", "as_if"),
    [
        ("google-gla:gemini-2.5-flash", "google:gemini-2.5-flash"),
        ("openai-responses:gpt-4o", "openai:gpt-4o"),
        ("gpt-4o-mini", "openai:gpt-4o-mini"),
        ("claude-haiku-4-5", "anthropic:claude-haiku-4-5"),
    ],
)
def test_other_names_of_the_same(ref, as_if):
    assert listed(ref).input == listed(as_if).input


def test_a_needed_rate_that_is_unknown_makes_the_cost_unknown():
    price = listed("openai:text-embedding-3-small")
    assert price.output is None
    assert cost_of(Usage(input=1000, output=0), price) == Decimal("0.00002")
    assert cost_of(Usage(input=1000, output=1), price) is None


def test_batch_and_flex_exist_only_where_they_are_listed():
    mini = listed("openai:gpt-5.4-mini")
    assert batch_price(mini).input == flex_price(mini).input == mini.input / 2
    usage = Usage(input=1000, cache_read=800, output=50)
    assert cost_of(usage, batch_price(listed("openai:gpt-4o-mini"))) == Decimal("0.00009")
    assert flex_price(listed("openai:gpt-4o-mini")) is None
    # genai-prices would give the standard price without a word.
    assert batch_price(listed("openrouter:deepseek/deepseek-chat-v3-0324")) is None
    assert batch_price(listed("deepseek:deepseek-chat")) is None
    # The table knows batch prices from October 2026.
    assert batch_price(price_for("openai:gpt-4o-mini", on=date(2026, 1, 1))) is None


def test_a_makers_batch_price_says_nothing_about_a_resellers():
    resold = price_table.Entry(price_table.find("openai:gpt-4o-mini").model, own=False)
    assert price_table.variant_rates(resold, NOVEMBER, "batch") is None


def test_ones_own_price_goes_first_and_the_rest_stays():
    price = listed("openai:gpt-4o-mini", overrides={"input": 0.1})
    assert (price.input, price.output) == (Decimal("0.1"), Decimal("0.6"))
    assert price.overridden == {"input"}
    assert price.source.startswith("configuration, else genai-prices")
    usage = Usage(input=1000, cache_read=800, output=50)
    assert cost_of(usage, price) == Decimal("0.00011")
    assert batch_price(price) is None
    # The table itself is untouched.
    assert listed("openai:gpt-4o-mini").input == Decimal("0.15")


def test_ones_own_price_keeps_the_tiers_of_the_other_rates():
    price = listed("google:gemini-2.5-pro", overrides={"input": 1})
    list_price = listed("google:gemini-2.5-pro")
    usage = Usage(input=300_000, output=1000)
    without_input = cost_of(usage, list_price) - Decimal("0.75")
    assert cost_of(usage, price) == Decimal("0.3") + without_input


def test_ones_own_price_of_an_unknown_model():
    price = listed("mine:llm", overrides={"input": Decimal("0.2"), "output": 1})
    assert price.source == "configuration"
    assert cost_of(Usage(input=1000, output=100), price) == Decimal("0.0003")
    half = listed("mine:llm", overrides={"input": 1})
    assert cost_of(Usage(input=1, output=1), half) is None


def test_a_price_of_zero_is_zero():
    price = listed("mine:llm", overrides={"input": 0, "output": 0})
    assert cost_of(Usage(input=1000, output=100), price) == 0


def test_a_price_by_the_hour_needs_the_time():
    price = listed("mine:llm", overrides={"usd_per_hour": 1.8})
    usage = Usage(input=1000, output=100)
    assert cost_of(usage, price) is None
    assert cost_of(usage, price, seconds=2) == Decimal("0.001")
    assert batch_price(price) is None


@pytest.mark.parametrize(
    "value", [-1, -0.001, float("nan"), float("inf"), "0.15", None, True, [1], Decimal("NaN"), 1e30]
)
def test_a_price_that_is_none_is_refused(value):
    with pytest.raises(CostoptError) as caught:
        price_for("mine:llm", overrides={"input": value}, on=NOVEMBER)
    assert "mine:llm" in caught.value.what
    assert "USD per million tokens" in caught.value.hint


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"inpt": 1}, "input"),
        ({"usd_per_hour": 1, "input": 1}, "usd_per_hour alone"),
        ({"cache_read": 1}, "give input too"),
    ],
)
def test_prices_that_do_not_fit_together_are_refused(overrides, said):
    with pytest.raises(CostoptError) as caught:
        price_for("mine:llm", overrides=overrides, on=NOVEMBER)
    assert said in caught.value.hint


@pytest.mark.parametrize(
    ("value", "warned"), [(15.1, True), (14.9, False), (0.0014, True), (0, False)]
)
def test_a_slip_of_the_unit_is_noted(value, warned):
    price = listed("openai:gpt-4o-mini", overrides={"input": value})
    assert any("100 times off" in note for note in price.notes) is warned


def test_the_default_has_exact_tokens_and_every_part_of_a_price():
    ref = default_priced_as("embedded")
    assert counter_for(ref).exact
    price = listed(ref)
    assert None not in (price.input, price.output, price.cache_read)
    assert batch_price(price)
    assert flex_price(price)


_TOKENS = st.integers(0, 200_000)
_OWN = {"input": 3, "cache_read": 0.3, "cache_write": 3.75, "output": 15}


@given(fresh=_TOKENS, read=_TOKENS, written=_TOKENS, output=_TOKENS)
def test_every_token_is_billed_once(fresh, read, written, output):
    price = listed("mine:llm", overrides=_OWN)
    usage = Usage(input=fresh + read + written, cache_read=read, cache_write=written, output=output)
    by_hand = fresh * 3 + read * Decimal("0.3") + written * Decimal("3.75") + output * 15
    assert cost_of(usage, price) == by_hand / 1_000_000
