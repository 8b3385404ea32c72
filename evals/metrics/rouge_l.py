"""ROUGE-L: the longest common subsequence of words, as an F-measure.

Inputs: an answer and one or more accepted texts; the best counts. Range: [0, 1], higher is better.
Words are runs of letters and digits without case, not stemmed; characters of Chinese and Japanese
are words of their own. Precision and recall weigh the same. Of each text the first 20,000 words
are read.
Limitations: paraphrase and wrong facts in the right words are not seen; longer answers lose
precision.
Source: Lin 2004, *ROUGE: A Package for Automatic Evaluation of Summaries*, ACL W04-1013. The
length of the subsequence is found with one bit a word (Hyyro 2004, *Bit-parallel LCS-length
computation revisited*, AWOCA).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...core.types import Score
from .base import fraction_metric
from .text import as_text, clip, fold

MOST_WORDS = 20_000
_WORD = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\\W_]+")


def tokens(text: str) -> list[str]:
    """Return the words that are compared.

    Example:
        >>> tokens("Re-paired, for £860.")
        ['re', 'paired', 'for', '860']
    """
    return _WORD.findall(fold(text))[:MOST_WORDS]


def common_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest common subsequence.

    Example:
        >>> common_length("a b c d".split(), "b x d".split())
        2
    """
    places: dict[str, int] = {}
    for index, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << index
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        matches = row & places.get(word, 0)
        row = (row + matches | row - matches) & full
    return len(first) - row.bit_count()


@lru_cache(maxsize=1024)
def _reference_tokens(text: str) -> tuple[str, ...]:
    return tuple(tokens(text))


def rouge_l(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Score:
    """Return the best F-measure over the references; two texts without words agree.

    Example:
        >>> rouge_l("Walter repairs the pipe", ["Walter lets the plumber repair the pipe"]).value
        0.5454545454545454
    """
    answer, value = tokens(text), 0.0
    for reference in references:
        wanted = _reference_tokens(as_text(reference))
        total = len(answer) + len(wanted)
        value = max(value, 2.0 * common_length(wanted, answer) / total if total else 1.0)
    return Score(value, clip(text), f"{len(answer)} words")


METRIC = fraction_metric(
    "rouge_l",
    "F-measure of the longest common subsequence of words with the best reference.",
    rouge_l,
    scale="bounded",
    citation="Lin 2004, ACL W04-1013",
)
