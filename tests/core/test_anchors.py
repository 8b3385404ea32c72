from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.core.anchors import anchors, lost
from costopt.core.blocks import inline_code, json_blocks, minified, parse_json, tables
from costopt.core.types import Syntax


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Do not guess.", ["do not"]),
        ("It can’t be, and it won't.", ["can't", "won't"]),
        ("No more than 3 items, at least 2.", ["no more than", "3 items", "at least", "2"]),
        ("Within 4 hours, only if asked, unless closed.", ["within", "4 hours", "only", "unless"]),
        ("Pay $1,000.50 or 12 % by 2026-01-31 10:30.",
         ["$1,000.50", "12 %", "2026-01-31", "10:30"]),
        ('Say "a b" and \'c d\', it\'s fine.', ['"a b"', "'c d'"]),
        ("See https://a.example/x?y=1. Mail a.b@c.example!",
         ["https://a.example/x?y=1", "a.b@c.example"]),
        ("1. First\n2) Second", []),
        ("Ticket LT-330 of v2.1", ["330", "v2.1"]),
        ("Code `never 5` and {x}, and {\"n\": 7}.", []),
        ("Mais jamais sans accord; nicht ohne Grund; nunca.",
         ["jamais", "sans", "nicht", "ohne", "nunca"]),
        ("不要超过30字", ["不", "不要超过30字"]),
    ],
)  # fmt: skip
def test_what_is_an_anchor(text, found):
    got = anchors(text, Syntax.FSTRING)
    if any(ord(char) > 0x3000 for char in text):  # no word boundaries: the number takes its word
        assert set(got) <= set(found)
        assert got
    else:
        assert got == Counter(found)


def test_lost_is_a_multiset_and_names_each_once():
    before = anchors("Never, never, never 5 kg.", Syntax.NONE)
    assert lost(before, anchors("Never 5 kg.", Syntax.NONE)) == ("never",)
    assert lost(before, before) == ()
    assert lost(anchors("", Syntax.NONE), before) == ()


@given(st.text(max_size=80))
@settings(deadline=None)
def test_any_text(text):
    found = anchors(text, Syntax.NONE)
    assert lost(found, found) == ()
    assert all(count > 0 for count in found.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1"), ("1", '"1"'), ('{"a":1,"b":2}', '{"b":2,"a":1}'), ('{"a":1,"a":2}', '{"a":2}'),
     ("[]", "{}"), ("1e2", "100"), ("12345678901234567890", "12345678901234567891")],
)  # fmt: skip
def test_json_is_compared_to_the_letter(one, other):
    assert parse_json(f"[{one}]")[0] != parse_json(f"[{other}]")[0]
    assert parse_json(f"[{one}]")[0] == parse_json(f" [ {one} ]".strip())[0]


@pytest.mark.parametrize("text", ["[NaN]", "[Infinity]", "[" * 5_000, '"text"', "12", "[1,]", ""])
def test_what_is_no_json(text):
    with pytest.raises(ValueError):
        parse_json(text)
    assert list(json_blocks(text)) == []


def test_strings_are_never_touched():
    assert minified('{"a \\" b" : "  x  "}') == '{"a \\" b":"  x  "}'


def test_inline_code_stays_in_its_paragraph():
    assert list(inline_code("a `b\n\nc` d")) == []
    assert list(inline_code("`a` `` b ` c ``")) == [(0, 3), (4, 15)]


def test_tables_need_a_row_of_dashes():
    assert list(tables("a | b\nc | d\n")) == []
    assert len(list(tables("a | b\n--|--\n1 | 2\n\nx | y\n-|-\n"))) == 2
