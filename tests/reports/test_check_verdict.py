"""The verdict's words for every way in which a check can end."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
import sample_check as samples

from costopt.core.checked import CheckReport, Gate, Outcome, PromptChange
from costopt.core.money import CostInfo
from costopt.core.report import TargetInfo, VariantReport
from costopt.core.types import Message
from costopt.reports.checks.pairs import pairs
from costopt.reports.checks.verdict import (
    changed_line,
    gates_line,
    headline,
    money_note,
    reproduce,
    state,
    unfilled_note,
)

Edit = Callable[[VariantReport], VariantReport]
STILL = tuple(
    replace(samples.version(name, 10, None, "3"), messages=(Message("user", "Hi."),))
    for name in ("baseline", "head")
)


def edited(base: Edit, head: Edit, *, target: TargetInfo = samples.TARGET) -> CheckReport:
    """Return the passing check with other versions."""
    check = samples.passing_check()
    one = check.report.prompts[0]
    variants = (base(one.variants[0]), head(one.variants[1]))
    report = replace(check.report, targets=(target,), prompts=(replace(one, variants=variants),))
    return replace(check, report=report)


def same(variant: VariantReport) -> VariantReport:
    return variant


def costs(usd: str | None, month: str | None, evidence: str = "measured") -> Edit:
    found = CostInfo(
        usd_per_1k=None if usd is None else Decimal(usd),
        usd_per_month=None if month is None else Decimal(month),
        evidence=evidence,
    )
    return lambda variant: replace(variant, cost=found)


def said(check: CheckReport) -> str:
    return headline(check, pairs(check))


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        (costs("1", "10"), costs("2", "22.4"), "merging costs $12.40 more a month (measured)"),
        (costs("2", "20"), costs("1", "10"), "merging saves $10.00 a month (measured)"),
        (costs("1", "10"), costs("1", "10"), "merging costs the same a month (measured)"),
        (costs("1", None), costs("1.5", None), "a request costs 50.0 % more (measured)"),
        (costs("1", None), costs("1", None), "a request costs the same (measured)"),
        (
            costs("1", None), costs("1.0004", None),
            "a request costs less than 0.1 % more (measured)",
        ),
        (costs(None, None), costs(None, None), "what it costs is not known"),
        (
            costs("1", "10", "replayed"), costs("2", "20", "replayed"),
            "merging costs $10.00 more a month (replayed)",
        ),
        (
            costs("1", "10", "list"), costs("2", "20", "list"),
            "merging costs $10.00 more a month (input alone, at list price)",
        ),
        (costs("1", "10", "list"), costs("2", "20"), "what it costs is not known"),
    ],
)  # fmt: skip
def test_money_says_how_it_is_known(base: Edit, head: Edit, words: str) -> None:
    assert said(edited(base, head)) == f"Passed: {words} and quality holds"


def test_money_of_a_model_that_is_only_stood_in_for_is_estimated() -> None:
    target = replace(samples.TARGET, priced_as="openai:gpt-4.1-mini")
    check = edited(costs("1", "10"), costs("2", "20"), target=target)
    assert "merging costs $10.00 more a month (estimated)" in said(check)


def test_money_of_the_input_alone_is_called_so_where_it_is_estimated_too() -> None:
    target = replace(samples.TARGET, priced_as="openai:gpt-4.1-mini")
    check = edited(costs("1", "10", "list"), costs("2", "20", "list"), target=target)
    assert "merging costs $10.00 more a month (input alone, estimated)" in said(check)


def test_what_stays_as_it_was_does_not_weaken_what_was_measured() -> None:
    check = edited(costs("1", "10"), costs("2", "20"))
    still = replace(
        samples.prompt("still", *map(costs("3", "30", "list"), STILL)),
        path="prompts/still.md",
    )
    change = replace(check.changes[0], name="still", path="prompts/still.md", why=("margin",))
    report = replace(check.report, prompts=(*check.report.prompts, still))
    check = replace(check, report=report, changes=(*check.changes, change))
    assert "merging costs $10.00 more a month (measured)" in said(check)


def new(usd: str | None) -> CheckReport:
    """Return a check of one new prompt."""
    found = samples.version("baseline", 300, None, usd, None)
    prompt = samples.prompt("summary", found, calls=None)
    check = samples.passing_check()
    change = PromptChange(name="summary", path=prompt.path, status="added")
    return replace(check, changes=(change,), report=replace(check.report, prompts=(prompt,)))


def test_a_new_prompt_has_a_price_and_no_growth() -> None:
    assert said(new("0.075")) == (
        "Passed: a new prompt costs $0.0750 for 1,000 requests (input alone, at list price) and "
        "quality is not measured"
    )
    assert "what it costs is not known" in said(new(None))


def test_what_says_no_without_a_changed_prompt_is_not_called_unchanged() -> None:
    check = samples.nothing_changed()
    assert said(check) == "Passed: no prompt changed"
    assert said(replace(check, unchanged=0)) == "Passed: no prompt was found"
    assert changed_line(replace(check, unchanged=0)) == "there is no prompt that can be read"
    gate = Gate(prompt=None, gate="readable", outcome="failed", message="no YAML", path="a.md")
    check = replace(check, gates=(gate,), exit=1)
    assert said(check) == "Failed: what changed cannot be read"


def test_quality_is_judged_by_the_gate_of_the_same_file() -> None:
    check = edited(same, lambda variant: replace(variant, verdict="not measured"))
    gate = Gate(prompt=check.changes[0].name, gate="quality", outcome="passed", message="same",
                target="big", path="prompts/of-the-same-name.md")  # fmt: skip
    assert said(replace(check, gates=(gate,))).endswith("and quality is not measured")
    own = replace(gate, path=check.changes[0].path)
    assert said(replace(check, gates=(own,))).endswith("and quality holds")


def test_a_metric_that_sees_no_harm_is_not_said_to_hold() -> None:
    check = edited(same, lambda variant: replace(variant, verdict="holds"))
    change = check.changes[0]
    gate = Gate(prompt=change.name, gate="quality", outcome="inconclusive", target="big",
                path=change.path, message="the metric tells nothing")  # fmt: skip
    check = replace(check, gates=(gate,), exit=3)
    assert said(check).endswith("but there is not enough data to say that quality holds")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("better", "and quality holds"),
        ("worse", "but quality is worse"),
        ("not enough data", "but there is not enough data to say that quality holds"),
        ("not measured", "and quality is not measured"),
    ],
)
def test_quality_says_no_more_than_was_shown(verdict: str, words: str) -> None:
    check = edited(same, lambda variant: replace(variant, verdict=verdict))
    assert said(check).endswith(f" {words}")


@pytest.mark.parametrize(
    ("outcomes", "exit", "found", "words"),
    [
        (("failed", "inconclusive"), 1, "failed", "1 gate says no, 1 gate lacks data"),
        (("inconclusive", "passed"), 3, "inconclusive", "1 gate lacks data, 1 gate passed"),
        (("inconclusive",), 0, "passed", "1 gate lacks data, which stops nothing here"),
        (("skipped", "skipped"), 0, "passed", "2 gates skipped"),
    ],
)
def test_gates_decide_the_first_word(
    outcomes: tuple[Outcome, ...], exit: int, found: str, words: str
) -> None:
    check = samples.passing_check()
    gates = tuple(replace(check.gates[0], outcome=outcome) for outcome in outcomes)
    check = replace(check, gates=gates, exit=exit)
    assert state(check) == found
    assert gates_line(check) == words


def test_several_prompts_without_calls_are_counted() -> None:
    check = samples.sample_check()
    prompts = tuple(
        replace(
            one,
            variants=tuple(
                replace(variant, cost=replace(variant.cost, usd_per_month=None))
                for variant in one.variants
            ),
        )
        for one in check.report.prompts
    )
    check = replace(check, report=replace(check.report, prompts=prompts))
    assert "1 prompt dearer, 2 cheaper, 1 new (measured)" in said(check)


def test_what_the_money_is_not_of_is_said() -> None:
    check = samples.sample_check()
    assert money_note(check, pairs(check)) == (
        "the money is that of the 3 of 4 prompts of which it is known, without deleted prompts"
    )
    passing = samples.passing_check()
    assert money_note(passing, pairs(passing)) is None


def test_tokens_of_a_template_are_called_so() -> None:
    assert unfilled_note(pairs(samples.passing_check())) is None
    check = edited(
        same, lambda variant: replace(variant, tokens=replace(variant.tokens, input_mean=None))
    )
    assert unfilled_note(pairs(check)) is not None


def test_how_to_reproduce_quotes_the_base() -> None:
    check = replace(samples.static_check(), base="a; rm -rf ~ $(id)")
    assert reproduce(check, None) == "costopt check --base 'a; rm -rf ~ $(id)' --static"
    assert reproduce(check, "costopt check\n::error::x") == "costopt check ::error::x"


def test_the_worst_prompt_comes_first() -> None:
    names = [pair.change.name for pair in pairs(samples.sample_check())]
    assert names == ["support-triage", "faq", "summary", "meeting-notes"]
