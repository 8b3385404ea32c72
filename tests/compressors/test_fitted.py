"""Strategies that are fitted: against a scripted bench, they find the edit that the rows allow."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.base import NotApplicable, StrategyContext
from costopt.compressors.contract import SAMPLES, PieceCounter, check_strategy, template_of
from costopt.compressors.example_units import ranges
from costopt.compressors.guard import check
from costopt.compressors.registry import build, get, parse_spec
from costopt.core.errors import CostoptError
from costopt.core.protocols import TargetError
from costopt.core.types import PromptTemplate, StrategySpec, Syntax

CONTEXT = StrategyContext(count=PieceCounter())


@dataclass
class ScriptedBench:
    """A fake for injecting scores: ``worth`` says what a template scores on every row."""

    worth: Callable[[str], float]
    writes: Callable[[str, int], str] = lambda prompt, replicate: ""
    margin: float = 0.1
    rows: int = 12
    asked: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    async def scores(self, template: PromptTemplate) -> tuple[float | None, ...]:
        text = shown(template)
        if text not in self.asked:
            self.asked.append(text)
        return (self.worth(text),) * self.rows

    async def write(self, prompt: str, *, max_output_tokens: int = 1024, replicate: int = 0) -> str:
        self.prompts.append(prompt)
        return self.writes(prompt, replicate)


def shown(template: PromptTemplate) -> str:
    return "\n\n".join(message.content for message in template.messages)


def needs(*pieces: str) -> Callable[[str], float]:
    """Every piece that is missing costs a whole point."""
    return lambda text: -float(sum(piece not in text for piece in pieces))


def fitted(name, template, bench, **params):
    return asyncio.run(get(name, **params).fit(template, CONTEXT, bench))


def again(strategy, template):
    """Apply what was learned by what is written on a command line."""
    params = {k: v for k, v in strategy.get_params().items() if v is not None}
    written = ",".join(f"{key}={value}" for key, value in params.items())
    (spec,) = parse_spec(f"{strategy.name}:{written}")
    assert build(spec) == strategy == build(StrategySpec(strategy.name, params))
    return build(spec).apply(template, CONTEXT)


PROMPT = template_of(
    "# Task\n\nAnswer with one label. Never invent one.\n\nWe are a friendly company.\n\n"
    "- Read the ticket, because it matters.\n- Mind the tone.\n\nTicket: {ticket}\nAnswer:"
)
SHOTS = template_of(
    "Name the topic.\n\nInput: My mouse broke.\nOutput: laptop\n\n"
    "Input: No paper.\nOutput: printer\n\nInput: Ink is out.\nOutput: printer\n\n"
    "Input: {ticket}\nOutput:"
)
CHAT = template_of(
    "Add.", "1 1", "2", "2 2", "4", "{q}",
    roles=("system", "user", "assistant", "user", "assistant", "user"),
)  # fmt: skip


@pytest.mark.parametrize("name", ["sections", "minimise", "examples"])
def test_unfitted_it_says_what_it_needs(name):
    with pytest.raises(NotApplicable, match="needs eval rows"):
        get(name).apply(PROMPT, CONTEXT)


def test_sections_drops_what_the_rows_do_not_miss():
    bench = ScriptedBench(needs("Answer with one label", "Mind the tone"))
    strategy = fitted("sections", PROMPT, bench)
    after = again(strategy, PROMPT)
    assert shown(after) == (
        "Answer with one label. Never invent one.\n\n- Mind the tone.\n\nTicket: {ticket}\nAnswer:"
    )


def test_minimise_drops_sentences_and_then_clauses():
    bench = ScriptedBench(needs("Answer with one label", "Read the ticket"))
    after = again(fitted("minimise", PROMPT, bench), PROMPT)
    assert shown(after) == (
        "Answer with one label.\n\n- Read the ticket.\n\nTicket: {ticket}\nAnswer:"
    )


def test_examples_keeps_one_of_two_that_teach_the_same():
    bench = ScriptedBench(lambda text: needs("laptop")(text) - ("printer" not in text))
    strategy = fitted("examples", SHOTS, bench)
    after = again(strategy, SHOTS)
    assert shown(after).count("printer") == 1
    assert "My mouse broke.\nOutput: laptop" in shown(after)


@pytest.mark.parametrize(
    ("heading", "own"),
    [("Example 1", True), ("## Example B:", True), ("Example #2", True),
     ("## Examples", False), ("Samples", False), ("Example b", False)],
)  # fmt: skip
def test_a_heading_of_all_examples_is_no_examples_own(heading, own):
    shot = "Input: 1 1\nOutput: 2"
    text = f"Add.\n\n{heading}\n\n{shot}\n\nInput: {{q}}\nOutput:"
    (found,) = ranges(text, Syntax.FSTRING)
    assert text[slice(*found)] == (f"{heading}\n\n{shot}" if own else shot)


def test_examples_of_a_chat_go_by_pairs():
    after = again(fitted("examples", CHAT, ScriptedBench(needs("2 2"))), CHAT)
    assert [message.content for message in after.messages] == ["Add.", "2 2", "4", "{q}"]
    none = again(fitted("examples", CHAT, ScriptedBench(needs())), CHAT)
    assert [message.content for message in none.messages] == ["Add.", "{q}"]


@pytest.mark.parametrize(
    ("name", "template"), [("sections", PROMPT), ("minimise", PROMPT), ("examples", SHOTS)]
)
@pytest.mark.parametrize("budget", [2, 3, 5, 9, 40])
def test_the_budget_is_kept_and_the_same_is_learned_again(name, template, budget):
    first, second = (ScriptedBench(lambda text: -float(len(text) % 7 > 2)) for _ in range(2))

    def learn(bench):
        try:
            return fitted(name, template, bench, budget=budget)
        except NotApplicable as error:
            return error.reason

    assert learn(first) == learn(second)
    assert first.asked == second.asked
    assert len(first.asked) <= budget + 1


@pytest.mark.parametrize(
    ("name", "template"), [("sections", PROMPT), ("minimise", PROMPT), ("examples", SHOTS)]
)
def test_where_everything_matters_nothing_is_learned(name, template):
    with pytest.raises(NotApplicable, match="earns its place"):
        fitted(name, template, ScriptedBench(lambda text: float(text == shown(template))))


WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven")
"""One a section, by which it is known."""


def section(word, shape):
    return {
        "paragraph": f"The {word} rule says that all of it is read with care.",
        "item": f"- Mind the {word} rule at all times.",
        "heading": f"## The {word} rule",
    }[shape]


@given(
    shapes=st.lists(
        st.sampled_from(["paragraph", "item", "heading"]), min_size=1, max_size=len(WORDS)
    ),
    data=st.data(),
    name=st.sampled_from(["sections", "minimise"]),
)
def test_what_matters_stays_and_all_else_goes(shapes, data, name):
    words = WORDS[: len(shapes)]
    vital = data.draw(st.sets(st.sampled_from(words)))
    parts = [section(word, shape) for word, shape in zip(words, shapes, strict=True)]
    template = template_of("\n\n".join([*parts, "Ticket: {ticket}"]))
    bench = ScriptedBench(needs(*vital))
    if len(vital) == len(words):
        with pytest.raises(NotApplicable):
            fitted(name, template, bench, budget=200)
        return
    after = again(fitted(name, template, bench, budget=200), template)
    assert {word for word in words if word in shown(after)} == vital
    assert "Ticket: {ticket}" in shown(after)


@given(count=st.integers(1, 6), data=st.data(), chat=st.booleans())
def test_the_examples_that_matter_stay(count, data, chat):
    words = WORDS[:count]
    vital = data.draw(st.sets(st.sampled_from(words)))
    pairs = [(f"Say {word}", f"{word}!") for word in words]
    if chat:
        contents = ["Echo.", *(part for pair in pairs for part in pair), "{q}"]
        roles = ("system", *("user", "assistant") * count, "user")
        template = template_of(*contents, roles=roles)
    else:
        shots = [f"Input: {asked}\nOutput: {answer}" for asked, answer in pairs]
        template = template_of("\n\n".join(["Echo.", *shots, "Input: {q}\nOutput:"]))
    bench = ScriptedBench(needs(*vital))
    if len(vital) == count:
        with pytest.raises(NotApplicable):
            fitted("examples", template, bench)
        return
    after = again(fitted("examples", template, bench), template)
    assert {word for word in words if word in shown(after)} == vital


LOSSES = st.lists(st.floats(-0.1, 0.2, allow_nan=False), min_size=6, max_size=6)


@given(losses=LOSSES, budget=st.integers(2, 30), name=st.sampled_from(["sections", "minimise"]))
def test_the_loss_of_what_was_learned_stays_within_the_margin(losses, budget, name):
    words = WORDS[: len(losses)]
    template = template_of("\n\n".join(section(word, "paragraph") for word in words) + "\n\n{q}")

    def worth(text):
        return -math.fsum(
            loss for word, loss in zip(words, losses, strict=True) if word not in text
        )

    bench = ScriptedBench(worth)
    try:
        after = again(fitted(name, template, bench, budget=budget), template)
    except NotApplicable:
        return
    assert worth(shown(after)) >= worth(shown(template)) - bench.margin / 2 - 1e-6
    assert len(bench.asked) <= budget + 1


def test_a_row_that_fails_without_a_section_speaks_against_dropping_it():
    class Failing(ScriptedBench):
        async def scores(self, template):
            scores = await super().scores(template)
            return (None, *scores[1:]) if "friendly" not in shown(template) else scores

    strategy = fitted("sections", PROMPT, Failing(lambda text: 0.0))
    assert "friendly company" in shown(again(strategy, PROMPT))


def test_rows_without_any_score_teach_nothing():
    class Silent(ScriptedBench):
        async def scores(self, template):
            return (None,) * self.rows

    with pytest.raises(NotApplicable, match="no score"):
        fitted("sections", PROMPT, Silent(lambda text: 0.0))


def test_what_must_stay_is_no_section():
    template = template_of(
        "Use `code` here.\n\nAnswer in JSON format.\n\n<rules>\n\nBe kind.\n\n</rules>\n\n"
        '{"a": 1}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx\n\ny\n```\n\n'
        "<context>\nThe sea is blue.\n</context>\n\nSee {text} first.\n\n"
        "What colour is it?\n\n{text}"
    )
    after = again(fitted("sections", template, ScriptedBench(needs())), template)
    assert shown(after) == shown(template).replace("Be kind.\n\n", "")


def test_what_a_name_is_too_short_for_is_noted():
    parts = [section(word, "paragraph") for word in WORDS]
    template = template_of("\n\n".join([*parts, "One more.", "Keep me.", "{q}"]))
    strategy = fitted("sections", template, ScriptedBench(needs("Keep me")))
    context = StrategyContext(count=PieceCounter())
    strategy.apply(template, context)
    assert context.notes == [f"drop={strategy.get_params()['drop']}"]
    get("sections", drop="12345678").apply(template, context)
    assert context.notes[1:] == ["nothing here is named by drop=12345678"]


def test_equal_sections_go_together():
    template = template_of("Be kind to all.\n\nRead it.\n\nBe kind to all.\n\n{q}")
    after = again(fitted("sections", template, ScriptedBench(needs("Read"))), template)
    assert shown(after) == "Read it.\n\n{q}"


def test_windows_newlines_stay():
    template = template_of(PROMPT.messages[0].content.replace("\n", "\r\n"))
    for name in ("sections", "minimise"):
        after = again(fitted(name, template, ScriptedBench(needs("Mind the tone"))), template)
        assert "\n" not in shown(after).replace("\r\n", "")


def test_anchors_that_go_with_a_section_are_listed():
    template = template_of("Never use more than 30 words.\n\nRead it.\n\n{q}")
    after = again(fitted("sections", template, ScriptedBench(needs("Read"))), template)
    assert check(template, after, "lossy", "input").dropped == ("30 words", "never", "more than")


# -- the guard of examples -----------------------------------------------------------------


def judged(after):
    return check(SHOTS, after, "lossy", "input", frozenset({"examples"})).rejected


def edited(old, new):
    return template_of(SHOTS.messages[0].content.replace(old, new))


def test_an_example_may_go_but_not_change():
    assert judged(SHOTS) is None
    assert judged(edited("Input: No paper.\nOutput: printer\n\n", "")) is None
    assert "example" in (judged(edited("No paper", "No ink")) or "")
    assert "example" in (judged(edited("Input: {", "Input: A\nOutput: b\n\nInput: {")) or "")
    assert "placeholder" in (judged(edited("{ticket}", "{ticket} {ticket}")) or "")
    first, second = "Input: My mouse broke.\nOutput: laptop", "Input: No paper.\nOutput: printer"
    swapped = edited(first, "X").messages[0].content.replace(second, first).replace("X", second)
    assert "example" in (judged(template_of(swapped)) or "")


def test_demonstrated_turns_may_go_but_not_change():
    def refused(*contents):
        roles = ("system", *("user", "assistant") * (len(contents) // 2 - 1), "user")
        after = template_of(*contents, roles=roles)
        return check(CHAT, after, "lossy", "input", frozenset({"examples"})).rejected

    assert refused("Add.", "2 2", "4", "{q}") is None
    assert "example" in (refused("Add.", "2 2", "5", "{q}") or "")
    assert "example" in (refused("Add.", "2 2", "4", "1 1", "2", "{q}") or "")


def test_examples_in_tags_go_with_their_tags():
    template = template_of(
        "Sort.\n\n<examples>\n<example>\nInk? printer\n</example>\n<example>\nMail? `email`\n"
        "</example>\n</examples>\n\n{q}"
    )
    after = again(fitted("examples", template, ScriptedBench(needs("Ink"))), template)
    assert shown(after) == (
        "Sort.\n\n<examples>\n<example>\nInk? printer\n</example>\n</examples>\n\n{q}"
    )


def test_examples_that_were_learned_elsewhere_are_refused():
    strategy = fitted("examples", SHOTS, ScriptedBench(needs("laptop")))
    other = template_of("Input: a\nOutput: b\n\nInput: {x}\nOutput:")
    with pytest.raises(NotApplicable, match="none of the examples"):
        strategy.apply(other, CONTEXT)


# -- rewriting -----------------------------------------------------------------------------

WORDY = template_of(
    "I would like you to read the ticket very carefully and then to choose its topic.\n\n"
    "Output format: JSON\n\nTicket: {ticket}"
)
TERSE = "Choose the ticket's topic.\n\n⟦1⟧\n\nTicket: ⟦2⟧"


def test_a_shorter_text_is_kept_and_written_again_without_a_model():
    bench = ScriptedBench(needs("topic"), writes=lambda prompt, i: TERSE)
    strategy = fitted("rewrite", WORDY, bench)
    after = again(strategy, WORDY)
    assert shown(after) == ("Choose the ticket's topic.\n\nOutput format: JSON\n\nTicket: {ticket}")
    assert len(bench.prompts) == 3
    assert all("{ticket}" not in prompt for prompt in bench.prompts)
    name = str(StrategySpec("rewrite", {"text": strategy.get_params()["text"]}))
    assert len(name) == len("rewrite:text=") + 8


def test_the_shortest_text_that_the_rows_confirm_is_taken():
    texts = [TERSE, "Read.\n\n⟦1⟧\n\nTicket: ⟦2⟧", "Choose a topic.\n\n⟦1⟧\n\nTicket: ⟦2⟧"]
    bench = ScriptedBench(needs("topic"), writes=lambda prompt, i: texts[i])
    assert "Choose a topic." in shown(again(fitted("rewrite", WORDY, bench), WORDY))


@pytest.mark.parametrize(
    "answer",
    [
        "", "   ", "Sure!", "⟦1⟧", TERSE.replace("⟦1⟧", "⟦2⟧"), TERSE + " ⟦3⟧", TERSE + " ⟦",
        TERSE + " {more}", TERSE.replace("⟦2⟧", "{ticket}"), TERSE + "\n```\nx\n```",
    ],
)  # fmt: skip
def test_texts_that_break_the_contract_are_refused(answer):
    bench = ScriptedBench(needs(), writes=lambda prompt, i: answer)
    with pytest.raises(NotApplicable, match="3 candidates, none kept the contract"):
        fitted("rewrite", WORDY, bench)
    assert bench.asked == []


def test_reasons_are_counted():
    long = "So, please be so kind as to read and choose.\n" * 3 + TERSE
    texts = ["Sure!", long, "Read.\n\n⟦1⟧\n\n⟦2⟧"]
    bench = ScriptedBench(needs("topic"), writes=lambda prompt, i: texts[i])
    with pytest.raises(NotApplicable) as caught:
        fitted("rewrite", WORDY, bench)
    assert caught.value.reason == (
        "3 candidates: 1 broke the contract, 1 saved no tokens, 1 lost quality on the rows"
    )


def test_a_writer_that_fails_is_a_candidate_less():
    class Broken(ScriptedBench):
        async def write(self, prompt, *, max_output_tokens=1024, replicate=0):
            if replicate < 2:
                raise TargetError("no", kind="rejected")
            return TERSE

    assert fitted("rewrite", WORDY, Broken(needs("topic"))).fitted


def test_markers_that_are_repeated_are_taken_off():
    def writes(prompt, i):
        mark = prompt.partition("<<<")[2].partition("\n")[0]
        return f"Here it is:\n<<<{mark}\n{TERSE}\n{mark}>>>"

    assert fitted("rewrite", WORDY, ScriptedBench(needs("topic"), writes=writes)).fitted


@pytest.mark.parametrize("text", ["x", "e30", "!!", "W10", "eyJhIjoiYiJ9", "eyIwIjoxfQ", "é"])
def test_what_is_no_text_of_messages_is_refused(text):
    with pytest.raises(CostoptError, match="base64"):
        get("rewrite", text=text)


# -- all of them ---------------------------------------------------------------------------

HOSTILE = [
    "", " ", "x", "\ufeff", "👩‍👩‍👧", "\ud800 lone. And more.",
    "a\r\n\r\nb\r\n\r\n{q}", "- \n- \n- \n",
    "# \n#\n##  x\n", "``` \n\nx", "<a>\n\n</b>", "* a\n\n\n\n* a\n", "Q: a\nA: b\n\nQ: c\nA: d",
    "Example 1\n\nExample 2\n\nA: b", "<example><example></example>", "a. B. c. D.\n" * 5,
    "⟦1⟧ many words are here in this one text to be read", "x" * 200_000, "Ab. " * 20_000,
]  # fmt: skip
NAMES = ("sections", "minimise", "examples", "rewrite")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_prompts_are_fitted_or_left(name, text):
    template = template_of(text, syntax=Syntax.NONE)
    bench = ScriptedBench(lambda text: 0.0, writes=lambda prompt, i: "No.")
    try:
        strategy = fitted(name, template, bench, **({} if name == "rewrite" else {"budget": 4}))
    except NotApplicable:
        return
    check_strategy(strategy, [template, *SAMPLES], CONTEXT)


@given(
    text=st.text(st.sampled_from('aB.,; \n\r-#*<>/`|{}"1:'), max_size=60), seed=st.integers(0, 9)
)
def test_what_is_learned_keeps_the_contract(text, seed):
    template = template_of(
        f"{text}\n\nBe kind. Read it, because it counts.\n\n", syntax=Syntax.NONE
    )
    for name in ("sections", "minimise", "examples"):
        bench = ScriptedBench(lambda text: -float((len(text) + seed) % 3 == 0))
        try:
            strategy = fitted(name, template, bench)
        except NotApplicable:
            continue
        check_strategy(strategy, [template], CONTEXT)


@pytest.mark.parametrize("drop", ["xyz", "12", "abcd;zz", "ABCD"])
def test_ids_are_checked(drop):
    for name in ("sections", "minimise"):
        with pytest.raises(CostoptError, match="hex digits"):
            get(name, drop=drop)
    with pytest.raises(CostoptError, match="hex digits"):
        get("examples", keep=drop)
