"""What of a text answers a question, or says most of it: ranks pieces of text without a model."""

import re
from collections import Counter
from collections.abc import Sequence
from math import fsum, log
from statistics import fmean

from .sentences_of import stem

_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"  # Tibetan, Myanmar, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana, Han
    "\U00020000-\U0002ffff"
)
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_SMALL_WORDS = """
    a an the of in on at to for from by with and or but is are was were be been being it its
    this that these those as what which who whom whose when where why how do does did has have had
    i you he she they we not there than then so if into about after before
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_K1, _B = 1.2, 0.75


def terms(text: str) -> list[str]:
    """Return the words that a text is ranked by: folded, stemmed; pairs where there is no space.

    Example:
        >>> terms("The rivers of 東京都")
        ['river', '東京', '京都']
    """
    found: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if _IS_UNSPACED.match(word):
            found += [word[i : i + 2] for i in range(len(word) - 1)] or [word]
        elif word not in _SMALL:
            found.append(stem(word))
    return found


def relevance(pieces: Sequence[Sequence[str]], question: Sequence[str]) -> list[float]:
    """Return each piece's BM25 score for the question; rarity is taken from the pieces themselves.

    Args:
        pieces: The terms of each piece.
        question: The terms of the question.

    Reference:
        Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009).
    """
    wanted = dict.fromkeys(question)
    if not pieces:
        return []
    mean = fmean(map(len, pieces)) or 1.0
    counts = [Counter(term for term in piece if term in wanted) for piece in pieces]
    seen = Counter(term for count in counts for term in count)
    rarity = {t: log(1 + (len(pieces) - n + 0.5) / (n + 0.5)) for t, n in seen.items()}
    scores: list[float] = []
    for piece, count in zip(pieces, counts, strict=True):
        long = _K1 * (1 - _B + _B * len(piece) / mean)
        scores.append(fsum(rarity[t] * n * (_K1 + 1) / (n + long) for t, n in count.items()))
    return scores


def centrality(pieces: Sequence[Sequence[str]]) -> list[float]:
    """Return how much of what the whole text is about each piece says, a mean over its terms.

    Terms count by the pieces that have them (as in SumBasic), so that a piece that repeats one
    word gains nothing.

    Reference:
        Nenkova and Vanderwende, "The Impact of Frequency on Summarization" (2005).
    """
    spread = Counter(term for piece in pieces for term in set(piece))
    # Summed exactly: the order of a set differs between processes, and may have no part in it.
    return [
        fsum(log(1 + spread[t]) for t in set(piece)) / (len(set(piece)) + 3.0) for piece in pieces
    ]
