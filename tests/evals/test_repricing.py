"""A saved report at other prices: same tokens and verdicts, other money, chosen anew."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from costopt.core.errors import CostoptError
from costopt.core.money import CostInfo, Payback, PrefixInfo, PriceInfo
from costopt.core.report import (
    Across,
    AcrossRow,
    Cascade,
    Delta,
    PromptReport,
    Recommendation,
    Report,
    Spent,
    StrategyInfo,
    TargetInfo,
    Tokens,
    VariantReport,
)
from costopt.core.types import GenerationSettings, Message
from costopt.costs.prices import price_for
from costopt.evals.repriced import Counts, Recounted
from costopt.evals.repricing import Wanted, reprice

NOVEMBER = date(2026, 11, 1)
MINI = "openai:gpt-5.4-mini"


def variant(name: str, input_: float, output: float | None, **more: object) -> VariantReport:
    side = "output" if name == "brief" else "input"
    values: dict[str, object] = {
        "target": "t",
        "name": name,
        "strategies": (StrategyInfo(name=name, params={}, side=side, safety="lossy"),),
        "messages": (Message("user", "{{ x }}"),),
        "chat": False,
        "settings": GenerationSettings(),
        "tokens": Tokens(
            template=10, tokenizer="o200k_base", exact=True, input_mean=input_, output_mean=output
        ),
        "cost": CostInfo(evidence="measured"),
        "verdict": "holds",
        "delta": Delta(input_tokens=0.0),
        "prefix": PrefixInfo(tokens=5),
        "confirmed": True,
        "harm_seen": True,
    }
    return VariantReport(**{**values, **more})  # type: ignore[arg-type]


def report(*variants: VariantReport, **more: object) -> Report:
    base = variant(
        "baseline", 1000, 100, verdict="baseline", delta=None, strategies=(), confirmed=False
    )
    prompt = PromptReport(
        name="p",
        path="p.md",
        format="markdown",
        feature=None,
        calls_per_month=1000,
        eval_set=None,
        findings=(),
        variants=(base, *variants),
        recommended=(
            Recommendation(
                target="t", variant="short", reason="x", payback=Payback(answers=7, usd=Decimal(2))
            ),
        ),
    )
    found = price_for(MINI, on=NOVEMBER)
    assert found is not None
    target = TargetInfo(name="t", model="m", priced_as=MINI, price=found.info)
    return Report(
        costopt_version="0",
        created="",
        seed=0,
        partial=False,
        targets=(target,),
        spent=Spent(),
        skipped=(),
        prompts=(replace(prompt, **more),),  # type: ignore[arg-type]
    )


def own(**rates: str) -> Wanted:
    return Wanted(prices={MINI: {key: Decimal(rate) for key, rate in rates.items()}})


SHORT, BRIEF = variant("short", 700, 100), variant("brief", 1010, 50)


def costs(found: Report) -> dict[str, Decimal | None]:
    return {v.name: v.cost.usd_per_1k for v in found.prompts[0].variants}


def test_costs_follow_from_the_tokens_and_the_prices() -> None:
    found = reprice(report(SHORT, BRIEF), own(input="1", output="20"))
    assert costs(found) == {
        "baseline": Decimal(3), "short": Decimal("2.7"), "brief": Decimal("2.01")
    }  # fmt: skip
    first, short, brief = found.prompts[0].variants
    assert short.cost.usd_per_month == Decimal("2.7")
    assert short.delta.usd_per_1k == pytest.approx(-0.1)
    assert brief.delta.usd_per_1k == pytest.approx(-0.33)
    assert brief.delta.input_tokens == pytest.approx(0.01)
    assert brief.delta.output_tokens == -0.5
    assert [v.pareto for v in (first, short, brief)] == [True, False, False]


def test_the_recommendation_follows_the_prices_and_so_does_payback() -> None:
    dear_input = reprice(report(SHORT, BRIEF), own(input="10", output="1")).prompts[0]
    dear_output = reprice(report(SHORT, BRIEF), own(input="1", output="20")).prompts[0]
    assert [r.variant for r in dear_input.recommended] == ["short"]
    assert [r.variant for r in dear_output.recommended] == ["brief"]
    # 2 dollars at 0.99 dollars for 1,000 calls.
    assert dear_output.recommended[0].payback == Payback(
        answers=7, usd=Decimal(2), calls=2021, months=2.021
    )


def test_where_nothing_is_cheaper_any_more_the_baseline_stays() -> None:
    found = reprice(report(BRIEF), own(input="100", output="0")).prompts[0]
    assert found.recommended[0].variant == "baseline"
    assert found.recommended[0].payback == Payback(answers=7, usd=Decimal(2))


@pytest.mark.parametrize(
    "changes", [{"verdict": "worse"}, {"confirmed": False}, {"harm_seen": False}, {"control": True}]
)
def test_verdicts_decide_as_they_did(changes: dict[str, object]) -> None:
    found = reprice(report(variant("short", 700, 100, **changes)), own(input="10", output="1"))
    assert found.prompts[0].recommended[0].variant == "baseline"


def test_the_report_says_from_what_to_what() -> None:
    found = reprice(report(SHORT), replace(own(input="1"), source="prices of c.toml"))
    (target,) = found.targets
    assert target.repriced_from is not None
    assert target.repriced_from.price == report().targets[0].price
    assert target.price is not None
    assert target.price.input == 1
    assert target.price.output == Decimal("4.5")  # as the list has it
    (note,) = found.notes
    assert note.startswith(
        "t: re-priced from openai:gpt-5.4-mini at $0.75 in, $0.075 cached, $4.5 out ("
    )
    assert "to openai:gpt-5.4-mini at $1 in, $0.075 cached, $4.5 out (prices of c.toml, " in note
    assert note.endswith("; no model was asked")


def test_a_day_of_the_price_list() -> None:
    before = replace(report(SHORT), targets=(replace(report().targets[0], priced_as="openai:o3"),))
    found = reprice(before, Wanted(on=date(2025, 5, 1)))
    assert found.targets[0].price.input == 10
    assert found.targets[0].price.as_of == "2025-05-01"
    assert costs(found)["baseline"] == Decimal(14)  # 10 in, 40 out


def test_measured_tokens_at_another_price_are_a_replay() -> None:
    found = reprice(report(SHORT), own(input="1")).prompts[0].variants[1]
    assert found.cost.evidence == "replayed"
    other = reprice(report(SHORT), Wanted(priced_as={"": "openai:gpt-4.1"})).prompts[0].variants[1]
    assert other.cost.evidence == "estimated"
    estimated = variant("short", 1, 1, cost=CostInfo(evidence="estimated"))
    found = reprice(report(estimated), own(input="1")).prompts[0].variants[1]
    assert found.cost.evidence == "estimated"


def test_an_answer_length_that_was_not_measured() -> None:
    quiet, brief = variant("short", 700, None), variant("brief", 1010, None)
    found = costs(reprice(report(quiet, brief), own(input="1", output="20")))
    assert found["short"] == Decimal("2.7")  # the baseline's length
    assert found["brief"] is None  # it is what the variant is for


def test_batches_and_hit_rates_of_the_prompt_hold() -> None:
    long = replace(variant("short", 5000, 100), prefix=PrefixInfo(tokens=4000))
    batch = reprice(report(long, batch=True), Wanted(on=NOVEMBER)).prompts[0].variants[1].cost
    assert batch.usd_per_1k == batch.regimes.batch == batch.regimes.cold / 2
    at = reprice(report(long, cache_hit_rate=0.0), Wanted(on=NOVEMBER)).prompts[0].variants[1].cost
    assert at.usd_per_1k == at.regimes.hit_rate == at.regimes.cold
    full = reprice(report(long, cache_hit_rate=1.0), Wanted(on=NOVEMBER)).prompts[0].variants[1]
    assert full.cost.usd_per_1k == full.cost.regimes.warm < full.cost.regimes.cold


def test_the_guard_speaks_of_the_new_prices() -> None:
    def prefixed(name: str, tokens: int, **more: object) -> VariantReport:
        return variant(name, 5000, 10, prefix=PrefixInfo(tokens=tokens), **more)

    base = prefixed("baseline", 4200, verdict="baseline", delta=None, strategies=())
    found = reprice(
        report(variants=(base, prefixed("short", 3780))),
        Wanted(priced_as={"t": "anthropic:claude-haiku-4-5"}, on=NOVEMBER),
        lambda prompt, target, model: Counts(
            found={
                v.name: Recounted(tokens=v.tokens, prefix=v.prefix.tokens, moved=0)
                for v in prompt.variants
            }
        ),
    )
    (warning,) = found.prompts[0].variants[1].prefix.warnings
    assert "under the floor of 4,096 tokens of anthropic:claude-haiku-4-5" in warning
    assert found.targets[0].cache.floor == 4096


def test_other_tokens_need_the_texts() -> None:
    found = reprice(report(SHORT, BRIEF), Wanted(priced_as={"": "deepseek:deepseek-chat"}))
    assert set(costs(found).values()) == {None}
    assert found.notes[-1] == (
        "p: without money: its texts are not at hand to be counted with another tokenizer"
    )
    (kept,) = found.prompts[0].recommended
    assert kept.variant == "short"
    assert "not known" in kept.reason
    assert kept.payback == Payback(answers=7, usd=Decimal(2))


def test_what_could_be_counted_is_priced_and_the_rest_is_named() -> None:
    def recount(prompt: PromptReport, target: TargetInfo, model: str) -> Counts:
        assert model == "deepseek:deepseek-chat"
        tokens = Tokens(template=9, tokenizer="new", exact=True, input_mean=500, output_mean=50)
        one = Recounted(tokens=tokens, prefix=3, moved=0)
        return Counts(found={"baseline": one, "short": one}, why="the answers are gone")

    found = reprice(report(SHORT, BRIEF), Wanted(priced_as={"": "deepseek:deepseek-chat"}), recount)
    assert costs(found)["short"] == costs(found)["baseline"] == Decimal("0.19")
    assert costs(found)["brief"] is None
    assert found.prompts[0].variants[1].tokens.tokenizer == "new"
    assert found.prompts[0].variants[1].prefix.tokens == 3
    assert found.notes[-1] == "p: without money: brief: the answers are gone"


def test_an_older_report_keeps_its_recommendation_and_says_so() -> None:
    old = report(variant("short", 700, 100, prefix=None, confirmed=False))
    found = reprice(old, own(input="1"))
    assert found.prompts[0].recommended == old.prompts[0].recommended
    assert any("older costopt" in note for note in found.notes)
    assert found.prompts[0].variants[1].cost.regimes.warm is None


def test_what_changes_nothing_or_is_unknown_is_an_error() -> None:
    with pytest.raises(CostoptError, match="of no target of this report") as error:
        reprice(report(SHORT), Wanted(prices={"openai:gpt-4.1": {"input": Decimal(1)}}))
    assert error.value.hint == "it has openai:gpt-5.4-mini"
    with pytest.raises(CostoptError, match='no target "u"'):
        reprice(report(SHORT), Wanted(priced_as={"u": MINI}))
    with pytest.raises(CostoptError, match="no price of openai:nothing-1 is known"):
        reprice(report(SHORT), Wanted(priced_as={"": "openai:nothing-1"}))


def test_a_target_with_a_price_of_its_own_needs_one_in_the_file() -> None:
    info = PriceInfo(input=Decimal(1), output=Decimal(2), source="configuration")
    mine = replace(report(SHORT), targets=(TargetInfo(name="t", model="m", price=info),))
    with pytest.raises(CostoptError, match="of no target of this report"):
        reprice(mine, Wanted(on=NOVEMBER))
    prices = {"t": {"input": Decimal(2), "output": Decimal(0)}}
    assert costs(reprice(mine, Wanted(prices=prices)))["short"] == Decimal("1.4")


def across(best: str | None) -> Across:
    def row(name: str, variant_: str, verdict: str, usd: str, **more: object) -> AcrossRow:
        return AcrossRow(
            name=name,
            target="t",
            variant=variant_,
            verdict=verdict,  # type: ignore[arg-type]
            usd_per_1k=Decimal(usd),
            **more,  # type: ignore[arg-type]
        )

    rows = (
        row("t: baseline", "baseline", "baseline", "9"),
        row("t: short", "short", "holds", "1"),
        row("t: brief", "brief", "holds", "2"),
        row("c", "baseline", "holds", "3", cascade=Cascade(to="u", check="format")),
    )
    return Across(baseline="t", metric="m", candidates=2, rows=rows, best=best, reason="r")


def test_the_table_over_all_targets_has_the_new_costs() -> None:
    found = reprice(report(SHORT, BRIEF, across=across("t: short")), own(input="10", output="1"))
    table = found.prompts[0].across
    assert [row.usd_per_1k for row in table.rows] == [
        Decimal("10.1"), Decimal("7.1"), Decimal("10.15"), None
    ]  # fmt: skip
    assert table.best == "t: short"
    assert "70 % of its cost" in table.reason


@pytest.mark.parametrize("best", ["t: short", "c", None])
def test_a_choice_that_prices_changed_is_left_open(best: str | None) -> None:
    found = reprice(report(SHORT, BRIEF, across=across(best)), own(input="1", output="20"))
    table = found.prompts[0].across
    assert table.best is None
    assert "run analyze again" in table.reason
