"""Thirty scripts, emoji, CRLF and byte-order marks: no strategy breaks a character apart."""

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from costopt.compressors.base import ContextStrategy, NotApplicable, StrategyContext
from costopt.compressors.contract import PieceCounter, check_strategy, template_of
from costopt.compressors.registry import entries, get
from costopt.core.types import Syntax

SCRIPTS = (
    "Latin", "Greek", "Cyrillic", "Armenian", "Hebrew", "Arabic", "Syriac", "Thaana", "Devanagari",
    "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam",
    "Sinhala", "Thai", "Lao", "Tibetan", "Myanmar", "Georgian", "Hangul", "Ethiopic", "Cherokee",
    "Khmer", "Mongolian", "Hiragana", "Katakana", "Han", "Adlam",
)  # fmt: skip
ALPHABETS = {
    name: "".join(regex.findall(rf"(?V1)[\p{{Script={name}}}&&[\p{{L}}\p{{M}}]]", everything))
    for everything in ["".join(map(chr, (*range(0x20, 0x3200), *range(0x4E00, 0x4F00),
                                         *range(0xAC00, 0xAD00), *range(0x1E900, 0x1E950))))]
    for name in SCRIPTS
}  # fmt: skip
BETWEEN = (
    " ", " ", "  ", "\r\n", "\n\n\n\n", ". ", "? ", "！", "，", "**", "🇩🇪", "👩‍👩‍👧", "👍🏽", "1️⃣",
    "{x}", "\u200d", "\u00a0", "\ufeff",
)  # fmt: skip
INPUT_SIDE = [e.name for e in entries() if e.extra is None and e.side == "input" and not e.control]
CONTEXT = StrategyContext(count=PieceCounter(), output_lengths=(5, 9))


def test_every_script_has_letters():
    assert len(SCRIPTS) >= 30
    assert all(len(letters) > 20 for letters in ALPHABETS.values())


@st.composite
def texts(draw):
    letters = ALPHABETS[draw(st.sampled_from(SCRIPTS))]
    first = "".join(regex.findall(r"\p{L}", letters))
    # A mark has a letter before it, as in any text that was typed.
    words = st.builds(str.__add__, st.sampled_from(first), st.text(alphabet=letters, max_size=6))
    pieces = draw(st.lists(words | st.sampled_from(BETWEEN), min_size=1, max_size=24))
    return draw(st.sampled_from(["", "\ufeff"])) + "".join(pieces)


def graphemes(text):
    return set(regex.findall(r"\X", text))


@pytest.mark.parametrize("name", INPUT_SIDE)
@given(text=texts())
@settings(max_examples=60, deadline=None)
def test_no_character_is_broken_apart(name, text):
    strategy = get(name)
    template = template_of(text, syntax=Syntax.NONE)
    check_strategy(strategy, [template], CONTEXT)
    if isinstance(strategy, ContextStrategy):
        after = strategy(text, context=CONTEXT) if "model" not in strategy.needs else text
    else:
        try:
            after = strategy.apply(template, CONTEXT).text
        except NotApplicable:
            return
    new = graphemes(after) - graphemes(text)
    # What a cut brings together may be one cluster, such as CR and LF; no letter is new.
    assert all(set(cluster) <= set(text) for cluster in new)
    marks = [c for c in new if regex.match(r"\p{M}", c)]
    assert not marks, f"combining marks that lost their letter: {marks!r}"
