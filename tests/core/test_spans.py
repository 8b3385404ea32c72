import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.core.spans import editable, mask, spans
from costopt.core.types import SpanKind, Syntax

PIECES = st.sampled_from(
    ["a", " ", "\n", "\n\n", "`", "```", "{x}", '{"a": 1}', "[1]", "<b>", "</b>", "|", "|-|-|\n",
     '"', "'", "not ", "12 kg", "Q: ", "A: ", "Example 1\n", "Answer:\n", "Output format: x\n",
     "é", "👩‍👩‍👧", "不", "https://x.example", "\r\n",
     "respond in JSON. ", "<context>", "</context>", "?", "- "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60)


@given(TEXTS, st.sampled_from([Syntax.NONE, Syntax.FSTRING]))
@settings(deadline=None)
def test_spans_tile_any_text(text, syntax):
    found = spans(text, syntax)
    assert "".join(text[s.start : s.end] for s in found) == text
    assert all(s.start < s.end for s in found)
    assert [s.start for s in found] == sorted(s.start for s in found)


@given(TEXTS)
@settings(deadline=None)
def test_editable_is_what_the_mask_leaves(text):
    marks = mask(text, Syntax.FSTRING)
    free = bytearray(b"\1" * len(text))
    for start, end in editable(text, Syntax.FSTRING):
        free[start:end] = bytes(end - start)
    assert free == marks


def kinds(text, syntax=Syntax.FSTRING):
    return {text[s.start : s.end]: s.kind.value for s in spans(text, syntax) if s.protected}


@pytest.mark.parametrize(
    ("text", "piece", "kind"),
    [
        ("a {x} b", "{x}", "placeholder"),
        ("run `x` now", "`x`", "code"),
        ("so:\n```py\nx = 1\n```\nend", "```py\nx = 1\n```", "code"),
        ("so:\n~~~\nx\n", "~~~\nx\n", "code"),
        ('like {"a": [1]} ok', '{"a": [1]}', "data"),
        ("t\n|a|b|\n|-|-|\n|1|2|\n\nx", "|a|b|\n|-|-|\n|1|2|", "data"),
        ('in <doc id="1">x</doc>', '<doc id="1">', "markup"),
        ("see https://a.example/b. Go", "https://a.example/b", "url"),
        ("mail me@a.example now", "me@a.example", "url"),
        ("at 30 words", "30 words", "number"),
        ("by 31 January 2026 or so", "31 January 2026", "number"),
        ("pay $4.50 now", "$4.50", "number"),
        ('say "no way" now', '"no way"', "quote"),
        ("say “no way” now", "“no way”", "quote"),
        ("do it unless asked", "unless", "limit"),
        ("you don’t care", "don’t", "limit"),
        ("use at most a few", "at most", "limit"),
        ("x\n\nOutput format:\nlist", "Output format:", "format"),
        ("Sum up. Respond with valid JSON. Go.", "Respond with valid JSON.", "format"),
        ("Sum.\n\nText: {x}\nAnswer:", "Answer:", "format"),
        (
            "Sum.\n\nExample 1\nText: a\nSum: b\n\nText: {x}",
            "Example 1\nText: a\nSum: b",
            "example",
        ),
        ("Sum.\n\nTicket: a\nLabel: b\n\nTicket: {x}\nLabel:", "Ticket: a\nLabel: b", "example"),
        ("<example>\nabc\n</example> d", "\nabc\n", "example"),
        ("请不要猜", "不", "limit"),
    ],
)
def test_what_is_protected(text, piece, kind):
    found = kinds(text)
    if piece not in found and kind == "example":  # tags inside are markup of their own
        assert any(piece.strip() in key for key, value in found.items() if value == kind)
    else:
        assert found[piece] == kind


def test_free_prose_and_its_kinds():
    text = "Read it.\n<context>\nOld facts\n</context>\nIs it good?"
    free = {
        text[s.start : s.end].strip(): s.kind for s in spans(text, Syntax.NONE) if not s.protected
    }
    assert free["Read it."] is SpanKind.INSTRUCTION
    assert free["Old facts"] is SpanKind.CONTEXT
    assert free["Is it good?"] is SpanKind.QUESTION


def test_a_placeholder_in_json_or_an_example_keeps_its_kind():
    found = kinds('{"a": "{x}", "b": 1}')
    assert found["{x}"] == "placeholder"
    assert found['{"a": "'] == "data"


def test_markup_in_code_is_code():
    assert kinds("```\n<b>not 12 kg</b>\n```") == {"```\n<b>not 12 kg</b>\n```": "code"}


@pytest.mark.parametrize(
    "hard",
    ["[" * 30_000, '{"' * 15_000, "<a " * 15_000, "<!--" * 10_000, " " * 60_000 + "x",
     "` `` " * 8_000,
     "'a " * 15_000, "# " * 20_000, "|\n|-" * 10_000, "a" * 100_000, "- " * 30_000, "a. " * 20_000,
     "\n" * 50_000, "> " * 20_000, "Ab " * 15_000, "1," * 20_000, "a@" * 20_000, "return " * 8_000],
)  # fmt: skip
def test_texts_made_to_be_slow_are_read(hard):
    # No clock here: the quadratic readings of these take minutes, and would be seen.
    assert sum(s.end - s.start for s in spans(hard, Syntax.NONE)) == len(hard)


@pytest.mark.parametrize("text", ["<example>" * 200_000, "<example>" * 100_000 + "</example>"])
def test_many_opening_tags_end(text):
    from costopt.core.examples import examples

    found = list(examples(text, bytes(len(text))))
    assert all(text[end:].startswith("</example>") for _, end in found)
