"""Recommendations: ranked by money, with words that are defined and commands that exist."""

import json
import shlex
from dataclasses import replace
from decimal import Decimal

import pytest
from feature_log import featured
from typer.main import get_command

from costopt.cli.main import app
from costopt.costs.prices import price_for
from costopt.costs.suggest import Cheaper
from costopt.reports.usage.advice import advice_json, advice_markdown, advice_table
from costopt.usage.advice import advise
from costopt.usage.recommend import recommend
from costopt.usage.whatif import other_model
from costopt.usage.whatif.combined import what_if
from costopt.usage.whatif.known_quality import Known


@pytest.fixture(scope="module")
def advice():
    return advise(
        featured(),
        limits={"chat": Decimal(1), "nightly": Decimal(1000)},
        waits={"nightly": 86400},
    )


def test_the_dearest_comes_first_and_every_lever_is_there(advice):
    found = advice.recommendations
    money = [one.usd_per_month for one in found]
    assert money == sorted(money, reverse=True)
    assert {one.lever for one in found} == {
        "exact-cache", "prefix-cache", "batch", "output-cap", "other-model"
    }  # fmt: skip
    assert all(one.low is None or one.low <= one.usd_per_month for one in found)
    assert all(one.high is None or one.usd_per_month <= one.high for one in found)


def test_nothing_is_saved_twice(advice):
    found = advice.what_if
    assert found.usd == sum(step.usd or 0 for step in found.combined)
    assert found.usd <= found.spent_usd
    assert found.usd <= sum(alone.usd or 0 for alone in found.alone)


def test_every_command_exists_with_its_options(advice):
    analyze = get_command(app).commands["analyze"]
    for one in advice.recommendations:
        program, name, *words = shlex.split(one.command)
        assert (program, name) == ("costopt", "analyze")
        context = analyze.make_context("analyze", words)
        assert [str(path) for path in context.params["paths"]] == ["."]


def test_a_file_that_is_called_like_an_option_is_a_file(advice):
    analyze = get_command(app).commands["analyze"]
    for one in recommend(advice.what_if, paths={"chat": ["--write", "-x.md"]}):
        if one.feature == "chat":
            context = analyze.make_context("analyze", shlex.split(one.command)[2:])
            assert [str(path) for path in context.params["paths"]] == ["--write", "-x.md"]
            assert not context.params["write"]


def test_commands_name_the_prompts_of_a_feature(advice):
    found = recommend(advice.what_if, paths={"chat": ["prompts/it's.md"]})
    named = {one.feature: shlex.split(one.command)[2] for one in found}
    assert named == {"chat": "prompts/it's.md", "nightly": "."}


def test_the_strategy_of_a_cap_exists(advice):
    from costopt.compressors.registry import build, parse_spec

    words = next(
        shlex.split(one.command) for one in advice.recommendations if one.lever == "output-cap"
    )
    (spec,) = parse_spec(words[words.index("--strategy") + 1])
    assert build(spec).truncation == 0.01


def test_a_stored_run_decides_about_another_model():
    connection = featured()
    unknown = what_if(connection).alone[-1]
    assert unknown.certain_usd == 0
    assert unknown.month.low == 0
    swaps = {(f.now[0], f.to) for f in unknown.features}
    holds = {pair: Known("holds", "holds in a stored run") for pair in swaps}
    known = what_if(connection, known=holds)
    assert known.alone[-1].certain_usd == known.alone[-1].usd == unknown.usd
    best = next(one for one in recommend(known) if one.lever == "other-model")
    assert best.risk == "low"
    worse = {pair: Known("worse", "worse in a stored run") for pair in swaps}
    others = what_if(connection, known=worse).alone[-1].features
    assert not swaps & {(f.now[0], f.to) for f in others}


def test_all_of_it_is_json(advice):
    text = json.dumps(advice_json(advice), default=float)
    found = json.loads(text)
    assert found["recommendations"][0]["rank"] == 1
    assert {"usd_per_month", "low", "high", "effort", "risk", "evidence", "command"} <= set(
        found["recommendations"][0]
    )
    assert found["budgets"][0]["outcome"] == "over"


def test_the_gates(advice):
    assert advice.fails(["budget"])
    assert not advice.fails([])
    kept = replace(advice, budgets=())
    assert not kept.fails(["budget"])
    assert kept.fails(["anomaly"]) == bool(kept.anomalies.found)


PRICES = {
    "anthropic:claude-sonnet-4-5": ("3", "15"), "anthropic:claude-haiku-4-5": ("1", "5"),
    "openai:gpt-5.4": ("2.5", "15"), "openai:gpt-5.4-mini": ("0.75", "4.5"),
}  # fmt: skip
SMALLER = {
    "anthropic:claude-sonnet-4-5": "anthropic:claude-haiku-4-5",
    "openai:gpt-5.4": "openai:gpt-5.4-mini",
}


def fixed_price(ref, on):
    """A price that no later price table changes."""
    rates = dict(zip(("input", "output"), map(Decimal, PRICES[ref]), strict=True))
    rates |= {"cache_read": rates["input"] / 10, "cache_write": rates["input"] * 5 / 4}
    half = price_for(ref, overrides={key: rate / 2 for key, rate in rates.items()}, on=on)
    return replace(price_for(ref, overrides=rates, on=on), batch=half)


def fixed_smaller(ref, **given):
    price = fixed_price(SMALLER[ref], given["on"])
    return (Cheaper(model=SMALLER[ref], usd_per_1k=Decimal(1), ratio=0.3, price=price),)


def test_what_people_see(golden, monkeypatch):
    monkeypatch.setattr(other_model, "cheaper_models", fixed_smaller)
    advice = advise(
        featured(),
        price_of=fixed_price,
        limits={"chat": Decimal(1), "nightly": Decimal(1000)},
        waits={"nightly": 86400},
    )
    golden("usage-advice.txt", advice_table(advice, 100))
    golden("usage-advice.md", advice_markdown(advice))


def test_names_of_a_log_do_nothing_where_they_are_shown():
    evil = "\x1b[31m::error::x|`<b>[a](http://b)\n# c"
    connection = featured(chat=evil)
    found = advise(connection, limits={evil: Decimal(1)})
    for text in (advice_table(found, 100), advice_markdown(found)):
        assert "\x1b" not in text
        assert not any(line.startswith(("::", "# c")) for line in text.splitlines())
    assert "[a](http://b)" not in advice_markdown(found).replace("`", "").split("\n")
