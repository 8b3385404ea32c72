"""Token F1: how far the answer's words and a reference's words overlap.

Inputs: an answer and one or more accepted strings; the best reference counts. Range: [0, 1], higher
is better. Words are compared as bags, without case, punctuation and English articles; characters of
Chinese and Japanese are words of their own.
Limitations: word order, negation and paraphrase are not seen; a sentence around a short answer
costs precision, so a variant that answers more briefly scores higher without knowing more.
Format audit: strictly, the F1 itself, which counts every word around the answer against it;
tolerantly, the part of the reference's words that stand in the answer (recall).
Source: Rajpurkar et al. 2016, *SQuAD: 100,000+ Questions for Machine Comprehension of Text*,
arXiv:1606.05250.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...core.types import Score
from .base import fraction_metric
from .text import as_text, clip, words


def f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall of two bags of words, in [0, 1].

    Two empty bags agree.

    Example:
        >>> f1(["red", "house"], ["house"])
        0.6666666666666666
    """
    if not answer or not reference:
        return float(not answer and not reference)
    common = sum((Counter(answer) & Counter(reference)).values())
    return 2.0 * common / (len(answer) + len(reference))


def token_f1(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return the best F1 over the references.

    Example:
        >>> token_f1("It was the red house", ["red house", "the barn"]).value
        0.6666666666666666
    """
    answer = words(text)
    value = max((f1(answer, words(as_text(reference))) for reference in references), default=0.0)
    return Score(value, clip(text), f"{len(answer)} words")


def recall(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return the largest part of a reference's words that the answer has, in [0, 1].

    Example:
        >>> recall("It was the red house", ["red house", "the barn"]).value
        1.0
    """
    answer = Counter(words(text))
    wanted = [Counter(words(as_text(reference))) for reference in references]
    parts = (((some & answer).total() / some.total()) for some in wanted if some)
    return Score(max(parts, default=float(not answer)), clip(text))


METRIC = fraction_metric(
    "token_f1",
    "Overlap of the answer's words with the best reference's, as in SQuAD.",
    token_f1,
    scale="bounded",
    citation="Rajpurkar et al. 2016, arXiv:1606.05250",
    strict=token_f1,
    tolerant=recall,
)
