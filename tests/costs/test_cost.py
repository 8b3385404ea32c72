from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.report import CostInfo
from costopt.costs.cost import cost_info
from costopt.costs.prices import price_for

NOVEMBER = date(2026, 11, 1)
MINI = price_for("openai:gpt-5.4-mini", on=NOVEMBER)  # 0.75 in, 0.075 cached, 4.5 out
HAIKU = price_for("anthropic:claude-haiku-4-5", on=NOVEMBER)  # 1 in, 0.1 read, 1.25 write, 5 out


def info(price=MINI, *, input_mean=2000, output_mean=100, **more):
    return cost_info(input_mean=input_mean, output_mean=output_mean, price=price, **more)


def test_per_thousand_and_per_month():
    found = info(calls_per_month=420_000, evidence="measured")
    assert found.usd_per_1k == found.regimes.cold == Decimal("1.95")
    assert found.usd_per_month == Decimal("819")
    assert found.evidence == "measured"
    assert info().usd_per_month is None
    assert info(calls_per_month=0).usd_per_month == 0


def test_fractional_means_are_exact():
    assert info(input_mean=1000.5, output_mean=0.25).usd_per_1k == Decimal("0.7515")


@pytest.mark.parametrize(
    "missing", [{"price": None}, {"input_mean": None}, {"output_mean": None}], ids=str
)
def test_unknown_stays_unknown(missing):
    found = info(calls_per_month=10, prefix_tokens=1500, cache_hit_rate=0.5, **missing)
    assert found == CostInfo(evidence="estimated")


def test_warm_reads_the_prefix_from_the_cache():
    found = info(prefix_tokens=1500)
    assert found.regimes.warm == found.regimes.cold - 1500 * Decimal("0.675") / 1000
    assert found.usd_per_1k == found.regimes.cold
    assert found.regimes.hit_rate is None


def test_a_hit_rate_mixes_and_is_what_a_request_costs_then():
    found = info(prefix_tokens=1500, cache_hit_rate=0.8)
    cold, warm = found.regimes.cold, found.regimes.warm
    expected = Decimal("0.8") * warm + Decimal("0.2") * cold
    assert found.usd_per_1k == found.regimes.hit_rate == expected


def test_who_misses_a_cache_with_paid_writes_writes_it():
    found = info(HAIKU, input_mean=6000, prefix_tokens=5000, cache_hit_rate=0.5)
    miss = found.regimes.cold + 5000 * Decimal("0.25") / 1000
    assert found.regimes.hit_rate == (miss + found.regimes.warm) / 2


def test_below_the_floor_nothing_is_cached_and_shorter_can_be_dearer():
    over = info(HAIKU, input_mean=4200, output_mean=0, prefix_tokens=4200, cache_hit_rate=1.0)
    under = info(HAIKU, input_mean=3780, output_mean=0, prefix_tokens=3780, cache_hit_rate=1.0)
    assert under.regimes.warm is None
    assert under.usd_per_1k == under.regimes.hit_rate == under.regimes.cold
    # anchors: 420 units warm against 3,780 cold, nine times as much.
    assert under.usd_per_1k / over.usd_per_1k == 9


@pytest.mark.parametrize(
    ("ref", "prefix"),
    [
        ("openai:gpt-5.4-mini", None),
        ("openai:gpt-5.4-mini", 1023),
        ("deepseek:deepseek-chat", 5000),  # The floor is unknown.
        ("groq:llama-3.3-70b-versatile", 5000),  # No price for cached input.
    ],
)
def test_no_warm_cost_without_a_cache(ref, prefix):
    found = info(price_for(ref, on=NOVEMBER), input_mean=6000, prefix_tokens=prefix)
    assert found.regimes.warm is None
    assert found.regimes.cold is not None


@pytest.mark.parametrize(
    ("ref", "prefix"), [("openai:gpt-5.4-mini", None), ("groq:llama-3.3-70b-versatile", 5000)]
)
def test_a_hit_rate_where_nothing_is_known_of_the_cache(ref, prefix):
    found = info(price_for(ref, on=NOVEMBER), prefix_tokens=prefix, cache_hit_rate=0.9)
    assert found.regimes.hit_rate is None
    assert found.usd_per_1k == found.regimes.cold


def test_a_prompt_called_in_batches_costs_what_a_batch_costs():
    found = info(batch=True, cache_hit_rate=0.5, calls_per_month=1000)
    assert found.usd_per_1k == found.usd_per_month == found.regimes.batch
    assert found.regimes.batch == info().regimes.cold / 2
    # Where no price for batches is known, neither is the cost.
    unlisted = info(price_for("groq:llama-3.3-70b-versatile"), batch=True)
    assert (unlisted.usd_per_1k, unlisted.regimes.batch) == (None, None)
    assert unlisted.regimes.cold is not None
    own = price_for("x", overrides={"input": 1, "output": 4})
    given = replace(own, batch=price_for("x", overrides={"input": Decimal("0.2"), "output": 1}))
    assert info(own, batch=True).usd_per_1k is None
    assert info(given, batch=True).usd_per_1k == Decimal("0.5")


def test_batch_and_flex_only_where_they_are():
    assert info().regimes.batch == info().regimes.flex == info().regimes.cold / 2
    assert info(HAIKU).regimes.batch == info(HAIKU).regimes.cold / 2
    assert info(HAIKU).regimes.flex is None
    groq = info(price_for("groq:llama-3.3-70b-versatile", on=NOVEMBER)).regimes
    own = info(price_for("openai:gpt-5.4-mini", overrides={"input": 1}, on=NOVEMBER)).regimes
    assert (groq.flex, own.batch, own.flex) == (None, None, None)


def test_measured_reads_are_billed_as_if_every_request_were_the_first():
    assert info(cache_read_mean=1500) == info()
    # Ten requests: one wrote 5,000, nine read them.
    found = info(HAIKU, input_mean=6000, cache_read_mean=4500, cache_write_mean=500)
    plain = info(HAIKU, input_mean=6000)
    assert found.regimes.cold == plain.regimes.cold + 5000 * Decimal("0.25") / 1000


def test_by_the_hour():
    price = price_for("mine:llm", overrides={"usd_per_hour": 3.6}, on=NOVEMBER)
    assert info(price).usd_per_1k is None
    assert info(price, seconds_mean=2.5).usd_per_1k == Decimal("2.5")


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_hit_rate_is_a_share(rate):
    with pytest.raises(CostoptError):
        info(cache_hit_rate=rate)


def test_the_largest_price_and_volume_are_still_numbers():
    price = price_for("mine:llm", overrides={"input": 1e6, "output": 1e6}, on=NOVEMBER)
    found = info(price, input_mean=10**9, calls_per_month=10**15)
    assert found.usd_per_month.is_finite()


_MEAN = st.floats(0, 1e6, allow_nan=False)


@given(
    input_mean=_MEAN,
    output_mean=_MEAN,
    read=_MEAN,
    written=_MEAN,
    reasoning=_MEAN,
    prefix=st.integers(0, 10**6),
    rate=st.floats(0, 1),
)
def test_any_means_give_amounts(input_mean, output_mean, read, written, reasoning, prefix, rate):
    found = cost_info(
        input_mean=input_mean,
        output_mean=output_mean,
        cache_read_mean=read,
        cache_write_mean=written,
        reasoning_mean=reasoning,
        price=HAIKU,
        prefix_tokens=prefix,
        cache_hit_rate=rate,
        calls_per_month=1000,
    )
    amounts = [found.usd_per_1k, found.regimes.cold, found.regimes.hit_rate, found.regimes.batch]
    assert all(amount is not None and amount >= 0 for amount in amounts)
    if found.regimes.warm is not None:
        assert found.regimes.warm <= found.regimes.cold
