"""How rare a word is, by a tokenizer's own vocabulary: no model, no list of frequencies."""

from collections.abc import Callable
from functools import cache, lru_cache
from math import log

from .vocabulary import ensure_tiktoken

_ENCODING = "o200k_base"
_LONGEST = 64


@lru_cache(maxsize=65_536)
def rarity(word: str) -> float:
    """Return how rare a word is, in nats of about its rank among all words; at least 0.

    Byte pair encoding learns frequent words first, so that a token's number in the vocabulary is
    about its rank by frequency; by Zipf's law the logarithm of that rank is, but for a constant,
    the word's self-information without any text before it. A word of several tokens is the sum of
    theirs.

    Args:
        word: One word; only its first 64 characters are read.

    Reference:
        Zipf, *Human Behavior and the Principle of Least Effort* (1949); Sennrich et al., "Neural
        Machine Translation of Rare Words with Subword Units", ACL 2016, arXiv:1508.07909.

    Example:
        >>> rarity("of") < rarity("river") < rarity("Corrow")
        True
    """
    return sum(log(1 + token) for token in _encoder()(f" {word[:_LONGEST]}"))


@cache
def _encoder() -> Callable[[str], list[int]]:
    import tiktoken

    ensure_tiktoken((_ENCODING,))
    return tiktoken.get_encoding(_ENCODING).encode_ordinary
