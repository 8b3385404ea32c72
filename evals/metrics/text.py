"""What the text metrics share: bounded, normalised text."""

import json
import re
import string
import unicodedata
from typing import Any

MOST_CHARACTERS = 200_000
"""Longer answers are cut here before they are scored."""

_PIECE = 1024
_QUOTES = "\"'`*_“”‘’«»„‚‹›"
_TRAILING = _QUOTES + ".,;:!?。，！？、"
_ARTICLES = frozenset({"a", "an", "the"})


class _Punctuation(dict[int, int | None]):
    """A translation table that drops ASCII and Unicode punctuation, filled as it is used."""

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        dropped = character in string.punctuation or unicodedata.category(character)[0] == "P"
        value = None if dropped else code
        self[code] = value
        return value


_PUNCTUATION = _Punctuation()

_CJK = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
"""Scripts written without spaces, in which a character stands for a word."""


def as_text(reference: Any) -> str:  # noqa: ANN401
    """Return a reference as a model would write it.

    Example:
        >>> as_text(True), as_text("yes"), as_text(42)
        ('true', 'yes', '42')
    """
    return reference if isinstance(reference, str) else json.dumps(reference, ensure_ascii=False)


def compose(text: str) -> str:
    """Return text in Unicode's composed form (NFC).

    In pieces, since normalising takes quadratic time in a run of combining marks: a mark that
    begins a piece stays apart from its letter.
    """
    if text.isascii():
        return text
    return "".join(
        unicodedata.normalize("NFC", text[at : at + _PIECE]) for at in range(0, len(text), _PIECE)
    )


def fold(text: str) -> str:
    r"""Return text without differences of case, white space and Unicode composition.

    Example:
        >>> fold("  Late\tDelivery ")
        'late delivery'
    """
    return " ".join(compose(text[:MOST_CHARACTERS].casefold()).split())


def normalise(text: str) -> str:
    r"""Return folded text without surrounding quotes and emphasis, and without a final stop.

    A leading minus or point is kept: it belongs to a number. Text of nothing but such marks is
    kept as it is.

    Example:
        >>> normalise(' "Shipping."\n'), normalise("-5"), normalise("?")
        ('shipping', '-5', '?')
    """
    folded = fold(text)
    return folded.lstrip(_QUOTES + " ").rstrip(_TRAILING + " ") or folded


def words(text: str) -> list[str]:
    """Return the words as SQuAD's evaluation does: no case, punctuation or English articles.

    Characters of scripts written without spaces are words of their own.

    Example:
        >>> words("The cat, a dog!")
        ['cat', 'dog']
    """
    plain = fold(text).translate(_PUNCTUATION)
    if not plain.isascii():
        plain = _CJK.sub(r" \1 ", plain)
    return [word for word in plain.split() if word not in _ARTICLES]


def clip(text: str) -> str:
    """Return the part of an answer that is shown with its score, at most 200 characters."""
    return text if len(text) <= 200 else text[:199] + "…"
