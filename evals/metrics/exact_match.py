"""Exact match: the answer is one of the references, apart from how it is dressed.

Inputs: an answer and one or more accepted strings. Range: 0 or 1, higher is better.
Case, runs of white space, Unicode composition, surrounding quotes or emphasis and a final
punctuation mark do not count; anything else does.
Limitations: an answer in a whole sentence is wrong, even if it holds the reference; see `contains`.
Format audit: strictly, the answer is a reference to the letter, white space at its ends aside;
tolerantly, it contains one (`contains`).
Source: the exact match of Rajpurkar et al. 2016, *SQuAD: 100,000+ Questions for Machine
Comprehension of Text*, arXiv:1606.05250, but for articles and inner punctuation, which count here.
"""

from collections.abc import Sequence
from typing import Any

from ...core.types import Score
from .base import fraction_metric
from .contains import contains
from .text import as_text, clip, normalise


def exact_match(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return 1 where the normalised answer equals a normalised reference, else 0.

    Example:
        >>> exact_match('"Paris."', ["paris"]).value, exact_match("in Paris", ["paris"]).value
        (1.0, 0.0)
    """
    answer = normalise(text)
    hit = any(normalise(as_text(reference)) == answer for reference in references)
    return Score(float(hit), clip(answer), "equal" if hit else "not equal to a reference")


def to_the_letter(
    text: str, references: Sequence[Any], labels: Sequence[str] | None = None
) -> Score:
    r"""Return 1 where the answer is a reference, white space at its ends aside, else 0.

    Example:
        >>> to_the_letter("Paris\n", ["Paris"]).value, to_the_letter("Paris.", ["Paris"]).value
        (1.0, 0.0)
    """
    hit = text.strip() in {as_text(reference).strip() for reference in references}
    return Score(float(hit), clip(text))


METRIC = fraction_metric(
    "exact_match",
    "The answer equals a reference, apart from case, white space, quotes and a final stop.",
    exact_match,
    citation="Rajpurkar et al. 2016, arXiv:1606.05250",
    strict=to_the_letter,
    tolerant=contains,
)
