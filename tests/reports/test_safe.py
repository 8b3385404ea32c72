"""Data never controls the terminal, the log or the Markdown around it."""

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.reports.safe import clean, code, inert, visible

FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@given(st.text(st.characters(codec=None, categories=None)))
def test_clean_leaves_one_line_without_controls(text: str) -> None:
    line = clean(text)
    assert not FORBIDDEN.search(line)
    assert not line.startswith("::")
    assert "##[" not in line


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_clean_keeps_its_limit(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= max(limit, 1)


@given(st.text(st.characters(categories=["L", "N"])))
def test_clean_keeps_letters_and_digits(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "\u202egnp.exe", "x\x9b31m", "t\tab\nline"])
def test_visible_shows_what_it_escapes(text: str) -> None:
    shown = visible(text)
    assert not FORBIDDEN.search(shown)
    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in shown)


def test_visible_names_the_character() -> None:
    assert visible("a\x1b[31m\u202e") == "a\\x1b[31m\\u202e"


@given(st.text(st.sampled_from("`ab |\\\n@<")))
def test_code_spans_cannot_be_left(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None
    inside = span[len(fence[0]) : -len(fence[0])]
    assert span.endswith(fence[0])
    assert fence[0] not in re.findall("`+", inside)
    assert "\n" not in span


def test_pipes_are_escaped_in_tables_only() -> None:
    assert code("a|b") == "`a|b`"
    assert code("a|b", table=True) == "`a\\|b`"


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.just("##[error]\x9b\u202e\U000e0041")))
def test_inert_json_says_the_same_and_holds_nothing_live(texts: list[str]) -> None:
    shown = inert(json.dumps(texts, ensure_ascii=False, indent=2))
    assert json.loads(shown) == texts
    assert not FORBIDDEN.search(shown.replace("\n", ""))
    assert "##[" not in shown
