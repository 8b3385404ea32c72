"""Which tokenizer counts for which model, and whether its counts are the model's own."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer to count with.

    ``library`` is ``tiktoken`` or ``splintr``; ``name`` is the library's name for it.
    """

    library: str
    name: str
    exact: bool
    nfc: bool = False
    """Whether the model's tokenizer normalises text to NFC before it splits it."""


ESTIMATE = Tokenizer("tiktoken", "o200k_base", exact=False)
"""What counts for a model without a public tokenizer of its own."""

_LLAMA3 = Tokenizer("splintr", "llama3", exact=True)
_DEEPSEEK = Tokenizer("splintr", "deepseek_v3", exact=True)
_MISTRAL = Tokenizer("splintr", "mistral_v3", exact=True)
_QWEN = Tokenizer("splintr", "qwen3", exact=True, nfc=True)

BARE = {
    "o200k_base": Tokenizer("tiktoken", "o200k_base", exact=True),
    "cl100k_base": Tokenizer("tiktoken", "cl100k_base", exact=True),
    "llama3": _LLAMA3,
    "deepseek": _DEEPSEEK,
    "deepseek_v3": _DEEPSEEK,
    "mistral": _MISTRAL,
    "mistral_v3": _MISTRAL,
    "qwen": _QWEN,
    "claude": ESTIMATE,
    "gemini": ESTIMATE,
}
"""Tokenizers and families that may be named without a provider."""

# Exact only where splintr's vocabulary was compared with the publisher's own file. A family's
# other generations are counted with the nearest vocabulary, and called estimated: Llama 4,
# Qwen 3.5 and later and Mistral's SentencePiece models split text otherwise, and names such as
# "mistral-small-latest" or "deepseek-chat" move from one generation to the next.
_FAMILIES: tuple[tuple[str, Tokenizer], ...] = (
    (r"deepseek.*distill", ESTIMATE),
    (r"llama-?3(\.[123])?(?![.\d])", _LLAMA3),
    (r"deepseek-?v3(?![.\d])", _DEEPSEEK),
    (r"mistral-nemo|ministral-8b-2410|pixtral-12b|mistral-small-24b", _MISTRAL),
    (r"qwen-?(2|2\.5|3)(?![.\d])", _QWEN),
    (r"llama-?[4-9]", Tokenizer("splintr", "llama3", exact=False)),
    (r"deepseek(?![a-z])", Tokenizer("splintr", "deepseek_v3", exact=False)),
    (r"(mi[sx]tral|ministral|magistral|pixtral|codestral|devstral)(?![a-z])",
     Tokenizer("splintr", "mistral_v3", exact=False)),
    (r"(qwen|qwq)(?![a-z])", Tokenizer("splintr", "qwen3", exact=False, nfc=True)),
    (r"(claude|gemini|gemma)(?![a-z])", ESTIMATE),
)  # fmt: skip


def tokenizer_of(model: str) -> Tokenizer | None:
    """Return the tokenizer for a model's name; ``None`` where the name says nothing.

    OpenAI's models follow tiktoken's own table. Fine-tunes that others made are assumed to keep
    the tokenizer of the model that they are named after.

    Example:
        >>> tokenizer_of("gpt-4o-mini").name, tokenizer_of("gpt-4").name
        ('o200k_base', 'cl100k_base')
        >>> tokenizer_of("Llama-3.3-70B-Instruct").exact, tokenizer_of("llama-4-scout").exact
        (True, False)
    """
    name = model.lower()
    if found := BARE.get(name):
        return found
    if found := _openai(name) or _openai(name.rpartition("/")[2]):
        return found
    matches = (tokenizer for pattern, tokenizer in _FAMILIES if re.search(pattern, name))
    return next(matches, None)


def _openai(name: str) -> Tokenizer | None:
    """Return the tokenizer of one of OpenAI's models."""
    from tiktoken.model import encoding_name_for_model

    try:
        encoding = encoding_name_for_model(name)
    except KeyError:
        return None
    if encoding == "o200k_harmony":  # o200k_base with more special tokens, which count as text.
        encoding = "o200k_base"
    if encoding not in BARE:  # The vocabularies of before 2023 cannot be had offline.
        return Tokenizer("tiktoken", "cl100k_base", exact=False)
    return BARE[encoding]
