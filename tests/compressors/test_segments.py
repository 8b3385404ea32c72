"""Segments: they cover a template, and leaving some out changes nothing else."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.compressors.contract import template_of
from costopt.compressors.segments import Segment, place, segments, without
from costopt.core.placeholders import contract
from costopt.core.types import Message, PromptTemplate, Source, Syntax

PIECES = st.sampled_from(
    [
        "# Rules", "## 2. Shape", "- Answer in one word.", "- Be kind. Never guess.", "1. Read it.",
        "Be brief. Use the notes, e.g. the first one.", "Ticket: {ticket}", "Say {name} hello.",
        "Q: one\nA: two", "Q: three\nA: four", "Example 1\nInput: a\nOutput: b", "---", "",
        "<rules>", "</rules>", "```\ncode {x}\n```", '{{"a": 1}}', "|a|b|\n|---|---|\n|1|2|",
        "A line that is\nbroken in two. And more:", "> quoted", "答えて。短く。", "Odd\r\nend.",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, min_size=1, max_size=12).flatmap(
    lambda pieces: st.sampled_from(["\n", "\n\n"]).map(lambda gap: gap.join(pieces))
)


def told(text: str) -> str:
    """A text without blanks: what leaving a segment out must not touch elsewhere."""
    return re.sub(r"\s+", "", text)


@given(TEXTS)
def test_segments_are_in_order_and_hold_every_word(text: str) -> None:
    template = template_of(text)
    at, between = 0, ""
    for one in segments(template):
        assert at <= one.start < one.end
        assert one.text == text[one.start : one.end] == one.text.strip()
        between += text[at : one.start]
        at = one.end
    between += text[at:]
    assert not re.search(r"[^\W\d]", between)  # bullets may hold digits


@given(TEXTS, st.data())
def test_what_is_left_is_the_rest_and_the_contract(text: str, data: st.DataObject) -> None:
    template = template_of(text)
    free = [one for one in segments(template) if one.kept is None]
    gone = [one for one in free if data.draw(st.booleans())]
    after = without(template, gone)
    # Only bullets and rules of lines of which nothing is left may go with them.
    kept = "".join(_outside(text, gone))
    assert re.sub(r"[\d.)#>*_+-]", "", told(after.text)) == re.sub(r"[\d.)#>*_+-]", "", told(kept))
    old = [c for m in template.messages for c in contract(m.content, template.syntax)]
    new = [c for m in after.messages for c in contract(m.content, template.syntax)]
    assert old == new


def _outside(text: str, gone: list[Segment]) -> list[str]:
    edges = [0, *(edge for one in gone for edge in (one.start, one.end)), len(text)]
    return [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]


@given(TEXTS, st.integers(min_value=1, max_value=6))
def test_no_more_than_asked_for_are_tried(text: str, most: int) -> None:
    assert sum(one.kept is None for one in segments(template_of(text), most)) <= most


def test_many_sentences_become_paragraphs_and_then_sections() -> None:
    part = "## Part\n\nOne. Two. Three.\n\nFour. Five."
    template = template_of("\n\n".join([part] * 4 + ["{x}"]))
    assert {one.kind for one in segments(template, 40)} == {"heading", "sentence"}
    assert {one.kind for one in segments(template, 15)} == {"heading", "paragraph"}
    assert {one.kind for one in segments(template, 5)} == {"section"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Hello {name}.", "it holds {name}"),
        ("<rules>\n\nBe kind.\n\n</rules>\n\n{x}", "it holds one half of a pair of tags"),
        ("All of it.", "something of its message has to stay"),
    ],
)
def test_what_cannot_go_says_why(text: str, reason: str) -> None:
    assert segments(template_of(text))[0].kept == reason


def test_statements_stay_and_what_they_enclose_may_go() -> None:
    text = "{% if vip %}\nBe very kind.\n{% endif %}\n\n{{ x }}"
    template = replace(template_of("{x}"), messages=(Message("user", text),), syntax=Syntax.JINJA)
    found = segments(template)
    (free,) = [one for one in found if one.kept is None]
    assert free.text == "Be very kind."
    assert without(template, [free]).text == "{% if vip %}\n{% endif %}\n\n{{ x }}"


def chat(*messages: tuple[str, str]) -> PromptTemplate:
    return replace(template_of("{x}"), messages=tuple(Message(*one) for one in messages), chat=True)


def test_turns_go_together_and_an_empty_system_message_goes() -> None:
    template = chat(
        ("system", "Be kind."), ("user", "2+2"), ("assistant", "4"), ("user", "Say: {x}")
    )
    system, turn, asked = segments(template)
    assert (turn.kind, turn.kept, asked.kept) == ("turn", None, "it holds {x}")
    assert [m.role for m in without(template, [turn]).messages] == ["system", "user"]
    assert [m.role for m in without(template, [system]).messages] == ["user", "assistant", "user"]


def test_what_was_said_before_is_no_example_and_stays() -> None:
    template = chat(("user", "I am {x}."), ("assistant", "Hello."), ("user", "Go on."))
    assert [one.kept for one in segments(template)[:2]] == ["it is a turn of the conversation"] * 2


def test_line_and_column_are_those_of_the_file() -> None:
    raw = "---\nname: a\n---\nBe kind. Be brief.\n\n{x}\n"
    template = replace(
        template_of("Be kind. Be brief.\n\n{x}\n"),
        source=Source(path="a.md", format="markdown", raw=raw, line=4),
    )
    assert [place(template, one) for one in segments(template)] == [(4, 1), (4, 10), (6, 1)]
