"""Contains: a reference stands somewhere in the answer.

Inputs: an answer and one or more accepted strings. Range: 0 or 1, higher is better.
Case, white space and Unicode composition do not count. A match may not begin or end inside a word
or a number: "5" is not in "15", "12" not in "12.5".
Limitations: an answer that denies the reference, or lists every option, counts as right; a longer
answer has more chances. Compare lengths beside it.
Format audit: strictly, the whole answer is the reference, case and white space aside; tolerantly,
words are compared without punctuation and articles, so that "1,200" is in "1200 dollars".
"""

from collections.abc import Sequence
from typing import Any

from ...core.types import Failure, FailureKind, Score
from .base import Result, fraction_metric
from .text import as_text, clip, fold, normalise, words


def contains(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Result:
    """Return 1 where the answer holds a reference as whole words, else 0.

    Example:
        >>> contains("It costs $0.25 a day.", ["$0.25"]).value, contains("15 days", ["5"]).value
        (1.0, 0.0)
    """
    answer = fold(text)
    wanted = [needle for needle in (normalise(as_text(item)) for item in references) if needle]
    if not wanted:
        return Failure(FailureKind.SCORER, "the reference is empty: every answer would contain it")
    for needle in wanted:
        if find_whole(answer, needle) >= 0:
            return Score(1.0, clip(needle), "found")
    return Score(0.0, clip(answer), "no reference in the answer")


def find_whole(text: str, needle: str) -> int:
    """Return where ``needle`` first stands in ``text`` as whole words, or -1.

    Example:
        >>> find_whole("cats and a cat", "cat")
        11
    """
    at = text.find(needle)
    while at >= 0:
        if not _joined_before(text, at) and not _joined_after(text, at + len(needle)):
            return at
        at = text.find(needle, at + 1)
    return -1


def _joined_before(text: str, at: int) -> bool:
    """Whether the character at ``at`` continues a word or number begun before it."""
    if at == 0 or not text[at].isalnum():
        return False
    before = text[at - 1]
    return before.isalnum() or (
        before in ".," and text[at].isdigit() and at > 1 and text[at - 2].isdigit()
    )


def _joined_after(text: str, end: int) -> bool:
    if end >= len(text) or not text[end - 1].isalnum():
        return False
    after = text[end]
    return after.isalnum() or (
        after in ".," and text[end - 1].isdigit() and text[end + 1 : end + 2].isdigit()
    )


def is_all(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return 1 where a reference is all there is in the answer, else 0."""
    answer = normalise(text)
    hit = any(normalise(as_text(reference)) == answer for reference in references)
    return Score(float(hit), clip(answer))


def has_words(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return 1 where a reference's words stand in the answer in a row, else 0.

    Example:
        >>> has_words("1200 dollars", ["$1,200"]).value, has_words("12", ["1,200"]).value
        (1.0, 0.0)
    """
    answer = f" {' '.join(words(text))} "
    wanted = [words(as_text(reference)) for reference in references]
    hit = any(f" {' '.join(some)} " in answer for some in wanted if some)
    return Score(float(hit), clip(text))


METRIC = fraction_metric(
    "contains",
    "A reference stands in the answer as whole words, whatever its case.",
    contains,
    strict=is_all,
    tolerant=has_words,
)
