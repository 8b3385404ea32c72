"""CO320 with compressors made for the test; the real one is in tests/models."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.llmlingua import LLMLingua
from costopt.compressors.registry import get, parse_spec
from costopt.compressors.variants import propose
from costopt.core.errors import CostoptError
from costopt.core.protocols import ContextCompressor
from costopt.core.types import Message, PromptTemplate, Source, StrategySpec, Syntax

PROSE = "Please read the whole message of the customer with great care before you do anything. " * 5


@dataclass
class Words:
    """Counts words."""

    tokenizer: str = "words"
    exact: bool = True

    def __call__(self, text: str) -> int:
        return len(text.split())


@dataclass
class Recorder:
    """Drops one phrase."""

    asked: list[tuple[float, tuple[str, ...], str | None]] = field(default_factory=list)

    def compress(
        self, text: str, *, rate: float, keep: Sequence[str], model: str | None = None
    ) -> str:
        self.asked.append((rate, tuple(keep), model))
        return text.replace("with great care ", "")


@dataclass
class Fixed:
    """Answers the same to everything."""

    answer: str

    def compress(
        self, text: str, *, rate: float, keep: Sequence[str], model: str | None = None
    ) -> str:
        return self.answer


def template(*messages: tuple[str, str]) -> PromptTemplate:
    made = tuple(Message(role, content) for role, content in messages)
    source = Source(path="p.md", format="markdown", raw="")
    return PromptTemplate(
        name="p", messages=made, variables=("x",), syntax=Syntax.FSTRING, source=source
    )


def context(compressor: ContextCompressor | None) -> StrategyContext:
    return StrategyContext(count=Words(), compressor=compressor)


def test_protected_spans_are_handed_over_and_both_rates_are_noted() -> None:
    compressor = Recorder()
    given = context(compressor)
    before = template(("user", f"{PROSE}Never use more than 30 words.\n\nText: {{x}}"))
    after = LLMLingua(rate=0.5, model="some/model").apply(before, given)
    ((rate, keep, model),) = compressor.asked
    assert (rate, model) == (0.5, "some/model")
    assert "{x}" in keep
    assert any("Never" in string for string in keep)
    assert Words()(after.text) < Words()(before.text)
    assert after.text.endswith("{x}")
    (note,) = given.notes
    assert "rate 0.5 requested" in note
    assert "achieved over" in note


def test_without_a_compressor_it_says_what_is_missing() -> None:
    with pytest.raises(NotApplicable, match=r"costopt\[llmlingua\]"):
        LLMLingua().apply(template(("user", PROSE)), context(None))


def test_short_prose_is_left_alone() -> None:
    with pytest.raises(NotApplicable, match="40 tokens of free prose"):
        LLMLingua().apply(template(("user", "Answer: {x}")), context(Recorder()))


def test_answers_of_few_shot_turns_are_left_alone() -> None:
    before = template(
        ("system", PROSE), ("user", PROSE), ("assistant", PROSE), ("user", PROSE + "{x}")
    )
    after = LLMLingua().apply(before, context(Recorder()))
    changed = [a != b for a, b in zip(before.messages, after.messages, strict=True)]
    assert changed == [True, False, False, True]


def test_a_result_that_lost_a_span_or_is_no_shorter_is_not_used() -> None:
    before = template(("user", f"{PROSE}\n\nText: {{x}}"))
    lost = context(Fixed("short"))
    assert LLMLingua().apply(before, lost) == before
    assert any("lost a span" in note for note in lost.notes)
    longer = context(Fixed(before.text + " and more"))
    assert LLMLingua().apply(before, longer) == before


def test_what_loses_a_variable_twice_over_is_caught() -> None:
    before = template(("user", f"{{x}} {PROSE} {{x}}"))
    assert LLMLingua().apply(before, context(Fixed("{x} short"))) == before


@pytest.mark.parametrize("rate", [0.0, 1.5, -0.5, float("nan")])
def test_a_rate_out_of_range_is_an_error(rate: float) -> None:
    with pytest.raises(CostoptError, match="rate"):
        LLMLingua(rate=rate)


def test_it_is_written_on_the_command_line() -> None:
    assert parse_spec("llmlingua:rate=0.5,model=org/name") == (
        StrategySpec("llmlingua", {"rate": 0.5, "model": "org/name"}),
    )
    assert get("CO320", rate=0.3).get_params() == {
        "on": None, "question": None, "rate": 0.3, "model": None,
    }  # fmt: skip


def test_a_variant_carries_the_note() -> None:
    before = template(("user", f"{PROSE}\n\nText: {{x}}"))
    (variant,) = propose(before, ((StrategySpec("llmlingua"),),), context(Recorder()))
    assert variant.rejected is None
    assert variant.safety == "lossy"
    assert "requested" in variant.notes[0]
