"""The money lines: golden pages, hostile names, and what is said in which case."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from costopt.core.money import (
    BreakEven,
    CacheTerms,
    Payback,
    PrefixInfo,
    PricedBefore,
    PriceInfo,
    Regimes,
)
from costopt.core.report import PromptReport, Recommendation, Report, VariantReport
from costopt.reports.json import from_json, to_json
from costopt.reports.markdown import to_markdown
from costopt.reports.money import cache_lines, flip_line, payback_line, regimes_line, terms_line
from costopt.reports.terminal import render

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")
FLOOR = (
    "its prefix of about 3,780 tokens (estimated) falls under the floor of 4,096 tokens of "
    "anthropic:claude-haiku-4-5: warm requests cost $3.78 instead of $0.42 per 1,000"
)


def _money(
    variant: VariantReport, cold: str, warm: str | None, prefix: PrefixInfo
) -> VariantReport:
    amounts = Regimes(
        cold=Decimal(cold),
        warm=None if warm is None else Decimal(warm),
        batch=Decimal(cold) / 2,
        warm_batch=None if warm is None else Decimal(warm) / 2,
    )
    month = Decimal(cold) * 420
    cost = replace(variant.cost, usd_per_1k=Decimal(cold), usd_per_month=month, regimes=amounts)
    return replace(variant, cost=cost, prefix=prefix)


@pytest.fixture
def cached(sample_report: Report) -> Report:
    """A report on a cached prompt whose recommended variant falls under the floor; re-priced."""
    prompt = sample_report.prompts[0]
    base, best, *others = prompt.variants
    base = _money(base, "4.20", "0.42", PrefixInfo(tokens=4200, cached=True))
    under = PrefixInfo(
        tokens=3780,
        cached=False,
        flip_hit_rate=7 / 23,
        cheaper_below_flip=True,
        warnings=(FLOOR,),
    )
    best = _money(best, "3.78", None, under)
    assert best.delta is not None
    best = replace(best, delta=replace(best.delta, usd_per_1k=-0.1))
    chosen = replace(
        prompt.recommended[0],
        reason="the cheapest variant that holds: 10.0 % of the cost per request saved",
        payback=Payback(answers=412, usd=Decimal("1.20"), calls=2858, months=2858 / 420_000),
    )
    (target,) = sample_report.targets
    terms = CacheTerms(
        floor=4096,
        how="asked for",
        break_even=(
            BreakEven(ttl_s=300, write=Decimal("1.25"), hit_rate=5 / 23),
            BreakEven(ttl_s=3600, write=Decimal(2), hit_rate=10 / 19),
        ),
        batch_stacks=True,
        as_of="2026-07",
        source="Anthropic, Prompt caching: https://platform.claude.com/docs",
        note="in a batch, cache hits are best effort",
    )
    before = PricedBefore(price=PriceInfo(input=Decimal(1), output=Decimal(5)))
    return replace(
        sample_report,
        targets=(replace(target, cache=terms, repriced_from=before),),
        prompts=(replace(prompt, variants=(base, best, *others), recommended=(chosen,)),),
        notes=("embedded: re-priced from $1 in, $5 out to $0.15 in, $0.6 out; no model was asked",),
    )


@pytest.mark.parametrize("width", [80, 120])
def test_golden_pages(cached: Report, golden: Callable[[str, str], None], width: int) -> None:
    page = render(cached, width, False)
    golden(f"money-{width}.txt", page)
    assert all(len(line) <= width for line in page.splitlines())


def test_golden_markdown(cached: Report, golden: Callable[[str, str], None]) -> None:
    golden("money.md", to_markdown(cached))


def test_round_trip(cached: Report) -> None:
    assert from_json(to_json(cached)) == cached


def test_a_hit_rate_of_none_at_all_is_kept(cached: Report) -> None:
    """0 is what somebody said, and not the same as nothing."""
    zero = replace(cached, prompts=(replace(cached.prompts[0], cache_hit_rate=0.0, batch=True),))
    assert from_json(to_json(zero)) == zero


def test_a_guard_stands_in_every_format(cached: Report) -> None:
    said = f"whitespace+filler: {FLOOR}"
    assert said in " ".join(render(cached, 80, False).split())
    assert said in to_markdown(cached)
    assert FLOOR in to_json(cached)


def test_hostile_texts_stay_where_they_are(cached: Report) -> None:
    hostile = "\x1b[2J\u202e`](http://x) <img> @all\n::error::x ##[group]"
    prompt = cached.prompts[0]
    variants = tuple(
        replace(
            v,
            name=v.name if v.verdict == "baseline" else f"{v.name}{hostile}",
            prefix=PrefixInfo(tokens=1, flip_hit_rate=0.5, warnings=(hostile,)),
        )
        for v in prompt.variants
    )
    (target,) = cached.targets
    assert target.cache is not None
    terms = replace(target.cache, source=hostile, note=hostile, how=hostile, as_of=hostile)
    chosen = replace(prompt.recommended[0], variant=variants[1].name)
    report = replace(
        cached,
        targets=(replace(target, cache=terms),),
        prompts=(replace(prompt, variants=variants, recommended=(chosen,)),),
    )
    page, marked = render(report, 80, False), to_markdown(report)
    for text in (page, marked):
        assert not CONTROL.search(text)
        assert "##[" not in text
        assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", marked)
    assert "](" not in outside
    assert "<img" not in outside
    assert "@all" not in outside


def test_a_warm_request_of_a_prompt_that_is_not_cached_costs_what_a_cold_one_does(
    cached: Report,
) -> None:
    prompt = cached.prompts[0]
    line = regimes_line(prompt, prompt.variants, "whitespace+filler")
    assert line == (
        "per 1,000 requests, baseline → whitespace+filler: cold $4.20 → $3.78, warm $0.4200 → "
        "$3.78, in a batch $2.10 → $1.89, in a warm batch $0.2100 → $1.89"
    )


def test_the_hit_rate_is_named_where_there_is_one(cached: Report) -> None:
    prompt = cached.prompts[0]
    base = prompt.variants[0]
    regimes = replace(base.cost.regimes, hit_rate=Decimal("1.5"))
    base = replace(base, cost=replace(base.cost, regimes=regimes))
    line = regimes_line(replace(prompt, cache_hit_rate=0.8), (base,), None)
    assert line is not None
    assert "at 80.0 % hits $1.50" in line


@pytest.mark.parametrize(("rate", "loses"), [(0.2, True), (0.22, False), (None, False)])
def test_a_hit_rate_at_which_caching_loses_is_said(
    cached: Report, rate: float | None, loses: bool
) -> None:
    prompt = replace(cached.prompts[0], cache_hit_rate=rate)
    line = terms_line(prompt, cached.targets[0], prompt.variants)
    assert line is not None
    assert ("at 20.0 % hits it costs more than it saves" in line) is loses


def test_no_terms_where_no_prompt_is_cached(cached: Report) -> None:
    prompt = cached.prompts[0]
    assert terms_line(prompt, cached.targets[0], prompt.variants[1:]) is None
    assert terms_line(prompt, replace(cached.targets[0], cache=None), prompt.variants) is None


def test_one_way_of_calling_stands_in_the_table_alone(sample_report: Report) -> None:
    prompt: PromptReport = sample_report.prompts[1]
    assert regimes_line(prompt, prompt.variants, None) is None


def test_many_warnings_are_counted(cached: Report) -> None:
    variants = [
        replace(v, prefix=PrefixInfo(tokens=1, warnings=("w",)), rejected=None, control=False)
        for v in cached.prompts[0].variants
    ]
    lines = cache_lines(variants, None)
    assert len(lines) == 5
    assert lines[-1] == f"and {len(variants) - 4} warnings more of this kind (--format json)"


@pytest.mark.parametrize(
    ("rate", "below", "said"),
    [
        (0.31, False, "than the baseline above a cache hit rate of 31.0 %, and dearer below"),
        (0.00001, True, "below a cache hit rate of less than 0.1 %"),
        (0.99999, True, "below a cache hit rate of more than 99.9 %"),
    ],
)
def test_flips(cached: Report, rate: float, below: bool, said: str) -> None:
    found = PrefixInfo(tokens=1, flip_hit_rate=rate, cheaper_below_flip=below)
    line = flip_line(replace(cached.prompts[0].variants[1], prefix=found))
    assert line is not None
    assert said in line


@pytest.mark.parametrize(
    ("payback", "said"),
    [
        (Payback(answers=2, usd=None), "what measuring cost (2 answers) is not known, so neither"),
        (Payback(answers=2, usd=Decimal(1)), "nothing is saved that is known to pay for it"),
        (Payback(answers=2, usd=Decimal(0), calls=0, months=0.0), "all that is saved is gained"),
        (Payback(answers=2, usd=Decimal(1), calls=9), "paid for after 9 calls"),
        (Payback(answers=2, usd=Decimal(1), calls=9, months=0.001), "9 calls, within a day"),
        (Payback(answers=2, usd=Decimal(1), calls=9, months=0.5), "9 calls, 15.2 days"),
        (Payback(answers=2, usd=Decimal(1), calls=9, months=7.25), "9 calls, 7.2 months"),
    ],
)
def test_paybacks(payback: Payback, said: str) -> None:
    chosen = Recommendation(target="t", variant="short", reason="", payback=payback)
    line = payback_line(chosen)
    assert line is not None
    assert said in line
    assert payback_line(replace(chosen, variant="baseline")) is None
    assert payback_line(replace(chosen, payback=None)) is None
