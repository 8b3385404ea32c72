"""Accuracy over labels: the label that the answer names first is a reference.

Inputs: an answer, the accepted label(s), and where known all labels of the eval set. Range: 0 or 1,
higher is better. Case, white space, hyphens and underscores do not count. Where all labels are
known, the one that stands first in the answer (the longest, if several begin there) is the
prediction, so that "Category: billing" and "billing, because ..." are read, and an answer that
names another label first is wrong. Where they are not known, the answer has to begin with the
reference, or with a few words and a colon before it.
Limitations: "not billing but shipping" is read as billing; a label that is a common word ("other")
may be found in a sentence that means something else.
Format audit: strictly, the label is all there is in the answer; tolerantly, it stands anywhere in
it, also behind another label, which is an upper bound.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...core.types import Score
from .base import fraction_metric
from .contains import find_whole
from .text import as_text, clip, normalise

_LEAD_WORDS = 4


def _plain_text(text: str) -> str:
    return " ".join(normalise(text).replace("_", " ").replace("-", " ").split())


_plain = lru_cache(maxsize=4096)(_plain_text)


def first_label(text: str, labels: Sequence[str]) -> str | None:
    """Return the plain form of the label that stands first, the longest of those at one place.

    Example:
        >>> first_label("Category: Late-delivery.", ["late_delivery", "late", "other"])
        'late delivery'
    """
    answer = _plain_text(text)
    plain = {label for label in map(_plain, labels) if label}
    found = [(find_whole(answer, label), -len(label), label) for label in plain]
    found = [entry for entry in found if entry[0] >= 0]
    return min(found)[2] if found else None


def accuracy(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return 1 where the first label of the answer is a reference, else 0.

    Example:
        >>> accuracy("Label: Billing", ["billing"], ["billing", "shipping"]).value
        1.0
        >>> accuracy("shipping or billing", ["billing"], ["billing", "shipping"]).value
        0.0
        >>> accuracy("Billing. They paid twice.", ["billing"]).value
        1.0
    """
    wanted = {_plain(as_text(reference)) for reference in references}
    if labels:
        named = first_label(text, [*labels, *wanted])
        if named is None:
            return Score(0.0, clip(normalise(text)), "no label in the answer")
        hit = named in wanted
        return Score(float(hit), named, "right label" if hit else "another label")
    hit = any(_begins(text, label) for label in wanted if label)
    return Score(float(hit), clip(normalise(text)), "begins with it" if hit else "begins otherwise")


def label_alone(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return 1 where the answer is a right label and nothing else, else 0.

    Example:
        >>> [label_alone(text, ["late"]).value for text in ("Late.", "Label: late")]
        [1.0, 0.0]
    """
    answer = _plain_text(text)
    hit = any(_plain(as_text(reference)) == answer for reference in references)
    return Score(float(hit), clip(answer))


def label_anywhere(
    text: str, references: Sequence[Any], labels: Sequence[str] | None = None
) -> Score:
    """Return 1 where a right label stands anywhere in the answer, else 0.

    Example:
        >>> label_anywhere("Not shipping but billing.", ["billing"]).value
        1.0
    """
    answer = _plain_text(text)
    wanted = (_plain(as_text(reference)) for reference in references)
    hit = any(find_whole(answer, label) >= 0 for label in wanted if label)
    return Score(float(hit), clip(answer))


def is_label(text: str, labels: Sequence[str] | None) -> bool | None:
    """Return whether the answer is one of all labels and nothing else; ``None`` without labels.

    Example:
        >>> is_label("Late.", ["late", "lost"]), is_label("Label: late", ["late"])
        (True, False)
    """
    return _plain_text(text) in {_plain(label) for label in labels} if labels else None


def _begins(text: str, label: str) -> bool:
    line = next((line for line in text[:10_000].splitlines() if line.strip()), "")
    head, colon, tail = line.partition(":")
    starts = [line, tail] if colon and len(head.split()) <= _LEAD_WORDS else [line]
    return any(find_whole(_plain_text(start), label) == 0 for start in starts)


METRIC = fraction_metric(
    "accuracy",
    "The first label that the answer names is a reference.",
    accuracy,
    strict=label_alone,
    tolerant=label_anywhere,
    well_formed=is_label,
)
