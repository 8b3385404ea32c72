"""How alike two texts are: the cosine of the sets of their pairs of neighbouring words.

Nothing is fetched for it, and it is whole numbers: two texts with ``a`` and ``b`` different pairs,
``c`` of them in common, are alike to c / sqrt(a * b). It sees words, not meaning: what is said in
other words is not found, and a number, a name or a "not" is one word among many.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

FROM_TEXTS = 20
"""From how many different texts on it is looked for what is the same in most of them."""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u31ff\u3400-\u9fff\uf900-\ufaff"
_SIGNS = r"[^\w\s.,;:!?'\"’“”()]"
_ASCII = re.compile(rf"[^\W_]+|{_SIGNS}")
_ANY = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])+|{_SIGNS}")


def words(text: str) -> list[str]:
    """Return a text's words in small letters, and signs that are not punctuation.

    Of scripts that are written without spaces every character is a word.

    Example:
        >>> words("Is 5 > 4, Ann? 東京"), words("It's so.")
        (['is', '5', '>', '4', 'ann', '東', '京'], ['it', 's', 'so'])
    """
    if text.isascii():
        return _ASCII.findall(text.lower())
    return _ANY.findall(normalize("NFC", text).casefold())


class Numbers(dict[str, int]):
    """A number for each word, from 1 on, in the order in which they come."""

    def __missing__(self, word: str) -> int:
        """Give a new word the next number."""
        number = self[word] = len(self) + 1
        return number


def pairs(text: str, numbers: Numbers) -> tuple[bytes, NDArray[np.int64]]:
    """Return a text's words, for telling whether they are the same, and its different pairs.

    The beginning and the end count as words, so that one word is two pairs.

    Args:
        text: The text.
        numbers: The words' numbers, which grow.
    """
    found = list(map(numbers.__getitem__, words(text)))
    ids = np.array([0, *found, 0], dtype=np.int64)
    return ids.tobytes(), np.unique((ids[:-1] << 32) | ids[1:])


@dataclass(frozen=True)
class Kind:
    """The different texts of one kind, ready to be compared.

    Attributes:
        sizes: How many pairs of each text count.
        shared: Of each text the pairs that other texts have too, as numbers, the rarest first.
        tokens: How many numbers of pairs there are: they lie below ``first + tokens``.
    """

    sizes: tuple[int, ...]
    shared: tuple[NDArray[np.int32], ...]
    tokens: int


def compared(texts: Sequence[NDArray[np.int64]], first: int) -> Kind:
    """Prepare the different texts of one kind.

    Pairs that stand in more than half of them are what all requests of this kind have in common,
    and do not count; of fewer than `FROM_TEXTS` texts this cannot be told, and all count.

    Args:
        texts: The pairs of each.
        first: The lowest number that a pair may get.
    """
    every = np.concatenate(texts)
    _, inverse, counts = np.unique(every, return_inverse=True, return_counts=True)
    common = counts > len(texts) / 2 if len(texts) >= FROM_TEXTS else np.zeros(len(counts), bool)
    rank = np.empty(len(counts), dtype=np.int32)
    rank[np.argsort(counts, kind="stable")] = np.arange(first, first + len(counts))
    sizes: list[int] = []
    shared: list[NDArray[np.int32]] = []
    for start, end in _bounds(texts):
        own = inverse[start:end]
        own = own[~common[own]]
        sizes.append(len(own))
        shared.append(np.sort(rank[own[counts[own] > 1]]))
    return Kind(tuple(sizes), tuple(shared), len(counts))


def _bounds(texts: Sequence[NDArray[np.int64]]) -> Iterator[tuple[int, int]]:
    start = 0
    for text in texts:
        yield start, start + len(text)
        start += len(text)
