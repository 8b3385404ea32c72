"""Words, gaps and brackets: what LLMLingua's decisions become in the original text."""

from collections.abc import Sequence
from itertools import pairwise

import regex
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.words import Range, join, occurrences, tidy, union, words_of

SCRIPTS = st.sampled_from(
    [
        "Please read it.", "don't", "3.5", "a/b", " ", "\n", "\r\n", "  \n\n", "x", "\u00a0",
        "日本語の文", "ไทยนี้", "👩\u200d👩\u200d👧", "🇩🇪🇫🇷", "e\u0301a", "क्षि", "عربي", "「引用」",
        "**bold**", "(in brackets)", "- item\n",
    ]
)  # fmt: skip
TEXTS = st.lists(SCRIPTS, max_size=12).map("".join)


def byte_tokens(text: str, cuts: Sequence[int]) -> list[tuple[int, int]]:
    """Cut a text as a byte-level tokenizer may: also within a character."""
    owner = [index for index, char in enumerate(text) for _ in char.encode()]
    places = sorted({cut % len(owner) for cut in cuts} | {0, len(owner)}) if owner else []
    return [(owner[start], owner[end - 1] + 1) for start, end in pairwise(places)]


def is_subsequence(part: str, whole: str) -> bool:
    rest = iter(whole)
    return all(character in rest for character in part)


def graphemes(text: str) -> set[str]:
    return {found for found in regex.findall(r"\X", text) if not found.isspace()}


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=40), st.data())
def test_any_choice_of_words_gives_part_of_the_text(
    text: str, cuts: list[int], data: st.DataObject
) -> None:
    words = words_of(text, byte_tokens(text, cuts), [])
    chosen = data.draw(st.sets(st.sampled_from(words.ranges))) if words.ranges else set()
    result = join(text, tidy(text, chosen, []))
    assert is_subsequence(result, text)
    assert "\ufffd" not in result
    assert graphemes(result) <= graphemes(text)
    assert len(result) - len(result.lstrip()) >= len(text) - len(text.lstrip())


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=40))
def test_words_tile_all_that_is_no_white_space_and_cut_no_token(text: str, cuts: list[int]) -> None:
    tokens = byte_tokens(text, cuts)
    words = words_of(text, tokens, [])
    covered = "".join(text[start:end] for start, end in words.ranges)
    assert "".join(covered.split()) == "".join(text.split())
    assert all(a.end <= b.start for a, b in pairwise(words.ranges))
    for (start, end), word in zip(tokens, words.of_token, strict=True):
        inside = [i for i, w in enumerate(words.ranges) if w.start < end and w.end > start]
        assert inside == ([] if word is None else [word])


@given(TEXTS, st.lists(st.integers(0, 10_000), max_size=40), st.data())
def test_everything_kept_is_the_text_and_what_is_fixed_stays_whole(
    text: str, cuts: list[int], data: st.DataObject
) -> None:
    words = words_of(text, byte_tokens(text, cuts), [])
    assert join(text, tidy(text, words.ranges, [])) == text
    if not text:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    fixed = Range(start, data.draw(st.integers(start + 1, len(text))))
    result = join(text, tidy(text, [], [fixed]))
    assert text[fixed.start : fixed.end].strip() in result


def test_gaps_keep_the_strongest_white_space() -> None:
    def dropped(text: str, *words: str) -> str:
        kept = [Range(*m.span()) for m in regex.finditer(r"\w+|\*\*|[^\w\s]", text)]
        return join(text, [r for r in kept if text[r.start : r.end] not in words])

    assert dropped("Please read.\n\nThen answer.", "Then", ".") == "Please read\n\nanswer"
    assert dropped("a b  c", "b") == "a c"
    assert dropped("the (very) long, word.", "long") == "the (very), word."
    assert dropped("**very careful** work", "very") == "**careful** work"
    assert dropped("**one label**. Then", ".") == "**one label** Then"
    assert dropped("and/or", "/") == "and/or"
    assert dropped("one line  \n  two", "line") == "one\n  two"
    assert dropped("\n  drop it\n", "drop", "it") == "\n  \n"
    assert dropped("one\r\ntwo\r\nthree", "two") == "one\r\nthree"


def test_half_brackets_and_empty_lists_go() -> None:
    text = "- (see below)\n- **a b** c\n- d"

    def kept(*words: str, fixed: Sequence[Range] = ()) -> str:
        ranges = [
            Range(*m.span()) for word in words for m in regex.finditer(regex.escape(word), text)
        ]
        return join(text, tidy(text, union(ranges), fixed))

    assert kept("see", ")") == "- (see)"
    assert kept("(", "c") == "- c"
    assert kept("**", "d") == "- d"
    assert kept("a", "d") == "- a\n- d"
    assert kept("d", fixed=[Range(2, 3)]) == "- (\n- d"


def test_kept_strings_are_found_as_whole_words() -> None:
    text = "not a note; {x}not {x} at most 3 or 30"
    found = [
        text[r.start : r.end] for r in occurrences(text, ["not", "{x}", "at most 3", "3", " "])
    ]
    assert found == ["not", "{x}", "not", "{x}", "at most 3"]
