"""The guard of the prefix: what falls under a floor, what is moved behind a placeholder."""

from datetime import date
from pathlib import Path

import pytest

from costopt.core.progress import Silent
from costopt.core.types import Message, PromptTemplate, Source, Syntax
from costopt.costs.cost import mean_request
from costopt.costs.prefix import moved_behind
from costopt.costs.prices import price_for
from costopt.costs.tokens import counter_for
from costopt.evals.analysis import analyze
from costopt.evals.caching import Beginning, beginning, prefix_info
from costopt.evals.options import AnalyzeOptions

NOVEMBER = date(2026, 11, 1)
HAIKU = price_for("anthropic:claude-haiku-4-5", on=NOVEMBER)
MINI = price_for("openai:gpt-5.4-mini", on=NOVEMBER)
RULES = (
    "Answer from the handbook only. Name the paragraph that you took it from. "
    "Never promise a date of delivery."
)


def template(*contents: str) -> PromptTemplate:
    return PromptTemplate(
        name="t",
        messages=tuple(Message("user", content) for content in contents),
        variables=("question",),
        syntax=Syntax.JINJA,
        source=Source(path="t.md", format="markdown", raw=""),
    )


def of(tokens: int, *, price=HAIKU, more: int = 100, moved: int = 0) -> Beginning:
    request = price and mean_request(
        input_mean=tokens + more, output_mean=50, price=price, prefix_tokens=tokens
    )
    return Beginning(tokens=tokens, moved=moved, request=request)


def test_a_prefix_under_the_floor_is_said_with_its_money() -> None:
    found = prefix_info(of(3780, more=0), of(4200, more=0), exact=True)
    assert found.cached is False
    assert found.warnings == (
        "its prefix of 3,780 tokens falls under the floor of 4,096 tokens of "
        "anthropic:claude-haiku-4-5: warm requests cost $4.03 instead of $0.67 per 1,000",
    )
    assert found.flip_hit_rate == pytest.approx(7 / 23)
    assert found.cheaper_below_flip is True


def test_an_estimated_count_is_called_one() -> None:
    (warning,) = prefix_info(of(3780), of(4200), exact=False).warnings
    assert warning.startswith("its prefix of about 3,780 tokens (estimated) falls under")


@pytest.mark.parametrize(
    ("variant", "baseline"),
    [
        (of(4100), of(4200)),  # both are cached
        (of(3000), of(3500)),  # neither is
        (of(4200), of(3780)),  # it comes over the floor
        (of(10, price=None), of(5000, price=None)),  # no price is known
        (
            of(10, price=price_for("deepseek:deepseek-chat", on=NOVEMBER)),
            of(5000, price=price_for("deepseek:deepseek-chat", on=NOVEMBER)),
        ),  # nor a floor
    ],
)
def test_no_warning_where_no_floor_is_crossed(variant: Beginning, baseline: Beginning) -> None:
    assert prefix_info(variant, baseline, exact=True).warnings == ()


def test_the_baseline_is_held_against_nothing() -> None:
    found = prefix_info(of(5000), None, exact=True)
    assert (found.tokens, found.cached, found.flip_hit_rate) == (5000, True, None)
    assert prefix_info(of(5000, price=None), None, exact=True).cached is None


def test_a_longer_prompt_above_the_floor_is_cheaper_above_the_flip() -> None:
    found = prefix_info(of(4200), of(3780), exact=True)
    assert found.cheaper_below_flip is False
    assert found.flip_hit_rate is not None


def test_volatile_text_before_the_rules_is_said_with_its_money() -> None:
    count = counter_for("openai:gpt-5.4-mini")
    long = " ".join(f"Rule {number} says that form {number} is filed." for number in range(150))
    before, after = template(long + "\n{{ question }}"), template("{{ question }}\n" + long)

    def held(one: PromptTemplate, prefix: int) -> Beginning:
        request = mean_request(
            input_mean=count(long) + 20, output_mean=0, price=MINI, prefix_tokens=prefix
        )
        return beginning(one, before, count, request)

    found = prefix_info(held(after, 0), held(before, count(long)), exact=True)
    assert found.moved_tokens > 1500
    moved, floor = found.warnings
    assert moved.startswith(
        f"it puts what changes with each request before {found.moved_tokens:,} tokens that do not"
    )
    assert "to 0 tokens: warm requests cost $" in moved
    assert floor.startswith("its prefix of 0 tokens falls under the floor of 1,024 tokens")


def test_only_what_still_stands_and_stands_behind_is_moved() -> None:
    before = template(RULES + "\n\n{{ question }}")
    behind = template("{{ question }}\n\n" + RULES)
    assert moved_behind(before, behind) == (
        "Answer from the handbook only.",
        "Name the paragraph that you took it from.",
        "Never promise a date of delivery.",
    )
    cut = template("Answer from the handbook only.\n\n{{ question }}\n\nBe brief.")
    assert moved_behind(before, cut) == ()  # Shorter, and nothing of it behind the placeholder.
    assert moved_behind(before, before) == ()
    assert moved_behind(behind, before) == ()  # The better way round.
    twice = template(RULES + "\n\n{{ question }}\n\n" + RULES)
    assert moved_behind(twice, template("{{ question }}\n\n" + RULES)) == ()


def test_part_of_the_rules_moved_behind() -> None:
    before = template(RULES + "\n\n{{ question }}")
    after = template(
        "Answer from the handbook only.\n\n{{ question }}\n\nNever promise a date of delivery."
    )
    assert moved_behind(before, after) == ("Never promise a date of delivery.",)


def test_an_analysis_warns_of_a_variant_under_the_floor(tmp_path: Path) -> None:
    """The default target is priced as a model of OpenAI's, which caches from 1,024 tokens on."""
    count = counter_for("openai:gpt-5.4-mini")
    filler = "Please note that it is very important that you read the whole form carefully.\n"
    text, number = "", 0
    while count(text + filler) < 1030:
        number += 1
        text += f"Form {number} is filed under letter {chr(65 + number % 26)}.\n"
    (tmp_path / "forms.md").write_text(f"{text}{filler}\n{{{{ form }}}}\n", encoding="utf-8")
    found = analyze(
        AnalyzeOptions(
            paths=(tmp_path / "forms.md",), strategies=("filler", "answer-only"), static=True
        ),
        Silent(),
    )
    baseline, *variants = found.prompts[0].variants
    named = {variant.name: variant for variant in variants}
    assert baseline.prefix is not None
    assert baseline.prefix.cached is True
    shorter = named["filler"].prefix
    assert shorter is not None
    assert shorter.tokens < 1024 <= baseline.prefix.tokens
    (warning,) = shorter.warnings
    assert "under the floor of 1,024 tokens of openai:gpt-5.4-mini" in warning
    assert "warm requests cost $" in warning
    assert shorter.cheaper_below_flip is True
    assert found.targets[0].cache is not None
    assert found.targets[0].cache.floor == 1024
