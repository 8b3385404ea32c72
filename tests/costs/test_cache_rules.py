"""The rules of providers' caches as data, and worked cases of what follows from them."""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costopt.costs import cache_rules
from costopt.costs.cache_rules import cache_rule
from costopt.costs.cost import cost_info, mean_request
from costopt.costs.hit_rates import break_even, cache_terms, flip_rate
from costopt.costs.prices import price_for

NOVEMBER = date(2026, 11, 1)
HAIKU = price_for("anthropic:claude-haiku-4-5", on=NOVEMBER)  # 1 in, 0.1 read, 1.25 write, 5 out
GEMINI = price_for("google:gemini-2.5-flash", on=NOVEMBER)  # 0.3 in, 0.03 read; batch 0.15 in
MINI = price_for("openai:gpt-5.4-mini", on=NOVEMBER)


def test_every_rule_says_where_it_is_from_and_when_it_held() -> None:
    for _, rule in cache_rules._RULES:
        assert re.search(r"https://[\w.-]+/\S+$", rule.source), rule
        assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", rule.as_of), rule
        assert rule.lifetimes, rule
        assert all(life.write is None or life.write >= 1 for life in rule.lifetimes), rule


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    page = (Path(__file__).parents[2] / "docs/money.md").read_text("utf-8")
    rows = re.findall(r"^\| .*? \| (\d+) \| .* \| (20\d\d-\d\d) \|$", page, re.MULTILINE)
    found = sorted((rule.floor, rule.as_of) for _, rule in cache_rules._RULES)
    assert sorted((int(floor), as_of) for floor, as_of in rows) == found


@pytest.mark.parametrize(
    ("ref", "write", "how"),
    [
        ("openai:gpt-4o-mini", "1", "automatic"),
        ("openai:gpt-5-2025-08-07", "1", "automatic"),
        ("openai:gpt-5.4-mini", "1", "automatic"),
        ("openai:gpt-5.6-luna", "1.25", "automatic"),
        ("openai:gpt-6.1-sol", "1.25", "automatic"),
        ("azure:gpt-35-turbo", "1", "automatic"),
        ("anthropic:claude-opus-4-7", "1.25", "asked for"),
        ("google-gla:gemini-2.5-pro", "1", "automatic"),
    ],
)
def test_what_writing_costs_is_per_family(ref: str, write: str, how: str) -> None:
    rule = cache_rule(ref)
    assert rule is not None
    assert rule.lifetimes[0].write == Decimal(write)
    assert rule.how == how


@pytest.mark.parametrize("ref", ["openai:gpt-5.6-luna", "openai:gpt-6-sol", "openai:gpt-5.4-mini"])
def test_the_price_list_agrees_with_the_rule_about_writes(ref: str) -> None:
    price, rule = price_for(ref, on=NOVEMBER), cache_rule(ref)
    assert price is not None
    assert rule is not None
    multiple = price.cache_write / price.input if price.cache_write else Decimal(1)
    assert multiple == rule.lifetimes[0].write


def test_a_prefix_cut_by_a_tenth_under_the_floor_is_dearer() -> None:
    """4,200 tokens cut to 3,780, under Claude Haiku 4.5's floor of 4,096, cost nine times as much.

    Anthropic, Prompt caching ("Cache limitations": the minimum cacheable prompt length; shorter
    prompts are processed without caching and no error is returned), read at 0.1 times the price of
    input: 420 token prices warm against 3,780.
    """
    long = mean_request(input_mean=4200, output_mean=0, price=HAIKU, prefix_tokens=4200)
    short = mean_request(input_mean=3780, output_mean=0, price=HAIKU, prefix_tokens=3780)
    assert short.cold < long.cold
    assert (long.line.warm, short.line.warm) == (Fraction(42, 100), Fraction(378, 100))
    # Cheaper only while few requests find the longer one cached:
    # 4200·(1.25 - 1.15·h) = 3780, h = 7/23.
    assert flip_rate(short.line, long.line) == Fraction(7, 23)


def test_a_write_surcharge_is_not_recovered_at_low_hit_rates() -> None:
    """With writes at 1.25 and reads at 0.1, caching loses below a hit rate of 21.7 %.

    Anthropic, Prompt caching ("Pricing": 5-minute cache writes are 1.25 times, 1-hour cache writes
    2 times, cache reads 0.1 times the base input price). Each miss pays 0.25 more, each hit 0.9
    less: 0.25·(1-h) = 0.9·h at h = 5/23. Kept for an hour, 1·(1-h) = 0.9·h at h = 10/19.
    """
    assert break_even(Fraction("1.25"), Fraction("0.1")) == Fraction(5, 23)
    assert break_even(Fraction(2), Fraction("0.1")) == Fraction(10, 19)
    terms = cache_terms(HAIKU)
    assert [(found.ttl_s, found.hit_rate) for found in terms.break_even] == [
        (300, pytest.approx(5 / 23)),
        (3600, pytest.approx(10 / 19)),
    ]

    def at(rate: float) -> Decimal:
        return cost_info(
            input_mean=6000,
            output_mean=0,
            price=HAIKU,
            prefix_tokens=5000,
            cache_hit_rate=rate,
        ).usd_per_1k

    cold = cost_info(input_mean=6000, output_mean=0, price=HAIKU).usd_per_1k
    assert at(0.2) > cold > at(0.23)


def test_openai_before_gpt_5_6_writes_for_nothing() -> None:
    """OpenAI, Prompt caching: no fee for writing before GPT-5.6, so that any hit is a gain."""
    assert [found.hit_rate for found in cache_terms(MINI).break_even] == [0.0]


def test_anthropics_batch_and_cache_discounts_stack() -> None:
    """A hit in a batch costs half of a hit: 0.05 times the price of input.

    Anthropic, Batch processing ("Using prompt caching with Message Batches": the discounts of
    prompt caching and of batches can stack).
    """
    found = cost_info(input_mean=5000, output_mean=0, price=HAIKU, prefix_tokens=5000).regimes
    assert found.warm == Decimal("0.5")
    assert found.warm_batch == found.warm / 2 == Decimal("0.25")


def test_googles_batch_and_cache_discounts_do_not_stack() -> None:
    """A hit in a batch costs what it costs outside of one; only the rest is halved.

    Google, Batch API ("Context caching": where a request of a batch hits the cache, the cached
    tokens are priced as outside of a batch).
    """
    found = cost_info(input_mean=6000, output_mean=0, price=GEMINI, prefix_tokens=5000).regimes
    assert found.warm == Decimal(5000) * Decimal("0.00003") + Decimal(1000) * Decimal("0.0003")
    cached, rest = Decimal(5000) * Decimal("0.00003"), Decimal(1000) * Decimal("0.00015")
    assert found.warm_batch == cached + rest
    assert found.warm_batch > found.warm / 2


def test_a_discount_that_no_list_has_is_not_made_up() -> None:
    """OpenAI's page does not say whether the discounts stack: its price list decides, or nothing.

    For GPT-5.4 mini it lists cached input in a batch; for GPT-4.1 it lists none.
    """
    listed = cost_info(input_mean=2000, output_mean=0, price=MINI, prefix_tokens=2000).regimes
    assert listed.warm_batch == listed.warm / 2
    older = price_for("openai:gpt-4.1", on=NOVEMBER)
    unlisted = cost_info(input_mean=2000, output_mean=0, price=older, prefix_tokens=2000).regimes
    assert unlisted.batch is not None
    assert unlisted.warm is not None
    assert unlisted.warm_batch is None


def test_no_warm_batch_below_the_floor_or_without_batches() -> None:
    below = cost_info(input_mean=3000, output_mean=0, price=HAIKU, prefix_tokens=3000).regimes
    assert (below.warm, below.warm_batch) == (None, None)
    own = price_for("openai:gpt-5.4-mini", overrides={"input": 1}, on=NOVEMBER)
    assert cost_info(
        input_mean=3000, output_mean=0, price=own, prefix_tokens=3000
    ).regimes.warm_batch is None  # fmt: skip


def test_terms_are_unknown_where_the_rules_or_the_price_are() -> None:
    assert cache_terms(None) is None
    assert cache_terms(price_for("deepseek:deepseek-chat", on=NOVEMBER)) is None
    assert cache_terms(price_for("mine", overrides={"usd_per_hour": 1})) is None
