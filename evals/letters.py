"""Multiple-choice answers: which letter an answer names, and whether it names it as asked.

A rough reading, on purpose: the first capital letter of the choices that stands alone is taken to
be the answer, so that "Option B is correct" and "The answer is (C)." are read. An article "A" at
the beginning of a sentence is read as a choice too. It tells how much of a loss is the form of the
answers (the letter stands elsewhere than where the program looks) and how much is knowledge.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from ..core.types import Score
from .metrics import as_text
from .metrics.text import MOST_CHARACTERS

LEAST_CHOICES = 2


def choices(references: Iterable[Any]) -> tuple[str, ...]:
    """Return the letters that rows are answered by; none where they are not so answered.

    All from A to the last letter of a reference are choices, also those that no row has.

    Example:
        >>> choices(["A", "C", "c"]), choices(["A", "D"]), choices(["A", "yes"])
        ((), ('A', 'B', 'C', 'D'), ())
    """
    seen = {as_text(reference).strip() for reference in references}
    if len(seen) < LEAST_CHOICES or not all(re.fullmatch("[A-Z]", one) for one in seen):
        return ()
    return tuple(chr(code) for code in range(ord("A"), ord(max(seen)) + 1))


@lru_cache(maxsize=32)
def _alone(letters: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?<!')[{letters}](?![^\W_]|'\w)")


def first_letter(text: str, letters: Sequence[str]) -> str | None:
    """Return the first choice that stands alone in an answer.

    Example:
        >>> first_letter("Option B: because of D.", "ABCD"), first_letter("None of them", "ABCD")
        ('B', None)
    """
    found = _alone("".join(letters)).search(text[:MOST_CHARACTERS])
    return found[0] if found else None


def begins_with_letter(text: str, letters: Sequence[str]) -> bool:
    """Return whether an answer begins with a choice, as a program that reads it would want.

    Example:
        >>> [begins_with_letter(text, "ABCD") for text in (" B. Rain", "(C)", "Option B", "Bees")]
        [True, True, False, False]
    """
    start = text[:MOST_CHARACTERS].lstrip(" \t\r\n\"'([*")[:3]
    return _alone("".join(letters)).match(start) is not None


def by_letter(text: str, references: Sequence[Any], letters: Sequence[str]) -> Score:
    """Return 1 where the first choice that stands alone is a reference, else 0."""
    named = first_letter(text, letters)
    hit = named in {as_text(reference).strip() for reference in references}
    return Score(float(hit), named or "", "first letter" if named else "no letter in the answer")
