"""Counting tokens as a model does, with no network."""

import hashlib
import re
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from ..core.errors import CostoptError, nearest
from ..core.protocols import TokenCounter
from .families import BARE, ESTIMATE, Tokenizer, tokenizer_of
from .vocabulary import ensure_tiktoken

_REMEMBERED = 65_536
_LONGEST_RUN = 900_000
# The look-behind keeps the search linear: a run is tried at its first character only.
_WHITESPACE_RUN = re.compile(rf"(?<!\s)\s{{{_LONGEST_RUN + 1},}}")


def counter_for(ref: str) -> TokenCounter:
    """Return the token counter for a model or a tokenizer.

    Nothing is loaded before the first count. Counts are remembered within the process by the
    text's hash. Special tokens such as ``<|endoftext|>`` count as the text that they are, and no
    beginning-of-text token is added: these are the tokens of a text, not of a request.

    Args:
        ref: ``provider:model``, a tokenizer (``o200k_base``), or a model or family that is known
            by its name alone (``gpt-4o``, ``llama3``). For a provider's model without a public
            tokenizer the counter is an estimate by ``o200k_base``: its ``exact`` is False, and
            its ``tokenizer`` says so. Measured against such models that estimate tends to be too
            low, for recent Claude models by a third or more.

    Raises:
        CostoptError: ``ref`` has no provider and is no known name.

    Example:
        >>> counter_for("openai:gpt-4o-mini")("Hello, world!")
        4
        >>> counter_for("anthropic:claude-haiku-4-5").tokenizer
        'o200k_base (estimated)'
    """
    provider, colon, model = ref.partition(":")
    # The model first; but a colon may also be part of its name, as in "llama3.2:1b".
    tokenizer = (tokenizer_of(model) if colon else None) or tokenizer_of(ref)
    if tokenizer is None and not (provider and model):
        raise CostoptError(
            f'"{ref}" is no known model or tokenizer',
            hint=f"{nearest(ref, _known_names())}; or name it as provider:model",
        )
    return _counter(tokenizer or ESTIMATE)


def server_counter_for(model: str) -> TokenCounter:
    """Return the counter of a model behind a server of one's own.

    Where its name alone tells nothing, that is an estimate, which says so.

    Example:
        >>> server_counter_for("llama3").exact, server_counter_for("our-model").tokenizer
        (True, 'o200k_base (estimated)')
    """
    try:
        return counter_for(model)
    except CostoptError:
        return counter_for(f"compatible:{model}")


def _known_names() -> set[str]:
    """Return the names that need no provider."""
    from tiktoken.model import MODEL_TO_ENCODING

    current = {name for name, encoding in MODEL_TO_ENCODING.items() if encoding in BARE}
    return {*BARE, *current}


@cache
def _counter(tokenizer: Tokenizer) -> TokenCounter:
    """Return the one counter of a tokenizer, so that its memory is shared."""
    label = tokenizer.name if tokenizer.exact else f"{tokenizer.name} (estimated)"
    return _Counter(label, tokenizer.exact, lambda text: _loaded(tokenizer)(text))


@dataclass(frozen=True)
class _Counter:
    """Counts, and remembers the counts of the texts it saw last."""

    tokenizer: str
    exact: bool
    _count: Callable[[str], int] = field(repr=False)
    _seen: OrderedDict[bytes, int] = field(default_factory=OrderedDict[bytes, int], repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __call__(self, text: str) -> int:
        """Return the number of tokens in ``text``."""
        # Hashes, not texts: the memory stays small whatever the prompts are.
        key = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            if (known := self._seen.get(key)) is not None:
                self._seen.move_to_end(key)
                return known
        count = self._count(text)
        with self._lock:
            self._seen[key] = count
            if len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return count


@cache
def _loaded(tokenizer: Tokenizer) -> Callable[[str], int]:
    """Load the tokenizer (some 0.3 s) and return its counting function."""
    if tokenizer.library == "tiktoken":
        return _tiktoken(tokenizer.name)
    return _splintr(tokenizer.name, nfc=tokenizer.nfc)


def _tiktoken(name: str) -> Callable[[str], int]:
    """Return the counting function of one of OpenAI's encodings."""
    ensure_tiktoken((name,))
    import tiktoken

    encode = tiktoken.get_encoding(name).encode_ordinary

    def count(text: str) -> int:
        if len(text) <= _LONGEST_RUN:
            return len(encode(text))
        return sum(len(encode(part)) for part in _parts(text))

    return count


def _splintr(name: str, *, nfc: bool) -> Callable[[str], int]:
    """Return the counting function of another family."""
    from splintr import Tokenizer as Splintr

    encode = Splintr.from_pretrained(name).encode_ordinary

    def count(text: str) -> int:
        clean = _without_lone_surrogates(text)
        return len(encode(unicodedata.normalize("NFC", clean) if nfc else clean))

    return count


def _parts(text: str) -> Iterator[str]:
    """Cut runs of whitespace that tiktoken cannot take; any other text stays whole.

    Its regular expression overflows its stack from 999,999 whitespace characters in a row.
    """
    start = 0
    for run in _WHITESPACE_RUN.finditer(text):
        for end in range(run.start() + _LONGEST_RUN, run.end(), _LONGEST_RUN):
            yield text[start:end]
            start = end
    yield text[start:]


def _without_lone_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs by U+FFFD, as tiktoken does."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
