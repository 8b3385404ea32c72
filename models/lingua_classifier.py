"""LLMLingua-2, loaded: imports torch, transformers and llmlingua.

LLMLingua-2: Data Distillation for Efficient and Faithful Task-Agnostic Prompt Compression. Pan et
al., Findings of ACL 2024, arXiv:2403.12968. A token classifier says how probable it is that each
token should stay. The package reads and judges; its probabilities are carried back to whole words
of the original text. What is adapted here, and why:

- it tells tokenizers apart by the model's name, and refuses a folder of another name;
- it joins a text's tokens again before it reads them, which adds blanks; here it reads the text;
- it drops words that its tokenizer does not know without a word: here they stay, with
  probability 1.
"""

import random
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
from llmlingua import PromptCompressor

from ..core.protocols import WordScore
from ..core.words import words_of
from .lingua_engine import LOCK, Length, cut_before, quiet

_BATCH = 4
_SPARE = 8
"""Tokens that begin and end what is read, and what a cut may add."""


class Classifier:
    """LLMLingua-2 on one model, on the CPU.

    Args:
        folder: A token classifier in the format of transformers, with safetensors.
    """

    def __init__(self, folder: Path) -> None:
        with LOCK, quiet(), _random_left_alone():
            self._lingua = _Lingua2(str(folder))

    def worth(self, text: str) -> list[WordScore]:
        """Return how probable it is that each word should stay; see `ContextCompressor`."""
        with LOCK, quiet():
            judged = self._lingua.judged(text)
        tokens = [(start, end) for start, end, _ in judged]
        words = words_of(text, tokens, [])
        found: list[list[float]] = [[] for _ in words.ranges]
        for word, (_, _, chance) in zip(words.of_token, judged, strict=True):
            if word is not None:
                found[word].append(chance)
        return [
            WordScore(start, end, sum(each) / len(each) if each else 1.0)
            for (start, end), each in zip(words.ranges, found, strict=True)
        ]


class _Lingua2(PromptCompressor):
    """LLMLingua-2 that remembers what its model says of each token."""

    _seen: list[list[float]]

    def __init__(self, folder: str) -> None:
        config = {"trust_remote_code": False, "local_files_only": True, "use_safetensors": True}
        super().__init__(
            folder,
            device_map="cpu",
            model_config=config,
            use_llmlingua2=True,
            llmlingua2_config={"max_batch_size": _BATCH, "max_force_token": 0},
        )
        self.oai_tokenizer = Length()
        model: Any = self.model
        self.model = model.eval()
        tokenizer: Any = self.tokenizer
        pieces: list[str] = tokenizer.tokenize("internationalisation unbelievably")
        marked = any(piece.startswith("▁") for piece in pieces)
        # Upstream reads the way of marking words out of the model's name.
        self.model_name = "xlm-roberta-large" if marked else "bert-base-multilingual-cased"
        self.max_seq_len = min(self.max_seq_len, self.max_position_embeddings - 2)

    def judged(self, text: str) -> list[WordScore]:
        """Return for each token how probable it is that it should stay."""
        parts = list(self._parts(text))
        self._seen = []
        if parts:
            texts = [text[start:end] for start, end in parts]
            self.compress_prompt(texts, rate=0.5, use_context_level_filter=False)
        result: list[WordScore] = []
        for (start, end), seen in zip(parts, self._seen, strict=True):
            # A part's tokens may differ from the text's at its ends.
            tokens = self._offsets(text[start:end])
            chances = seen if len(seen) == len(tokens) else [1.0] * len(tokens)
            result.extend(
                WordScore(start + a, start + b, chance)
                for (a, b), chance in zip(tokens, chances, strict=True)
            )
        return result

    def _offsets(self, text: str) -> list[tuple[int, int]]:
        tokenizer: Any = self.tokenizer
        found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return [(start, end) for start, end in found["offset_mapping"]]

    def _parts(self, text: str) -> Iterator[tuple[int, int]]:
        """Cut the text into what fits the model."""
        tokens = self._offsets(text)
        limit = self.max_seq_len - _SPARE
        start = first = 0
        while len(tokens) - first > limit:
            end = cut_before(text, start, max(tokens[first + limit][0], start + 1))
            yield start, end
            start = end
            while first < len(tokens) and tokens[first][0] < start:
                first += 1
        if text[start:].strip():
            yield start, len(text)

    def _PromptCompressor__chunk_context(  # noqa: N802 - upstream's private name
        self,
        origin_text: str,
        chunk_end_tokens: Any,  # noqa: ANN401
    ) -> list[str]:
        """Return the text as it is: it was cut to fit before."""
        del chunk_end_tokens
        return [origin_text]

    def _PromptCompressor__merge_token_to_word(  # noqa: N802
        self,
        tokens: list[str],
        token_probs: list[Any],
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Remember the probabilities, but for the tokens at both ends."""
        chances = [float(chance) for chance in token_probs[1:-1]]
        unknown = [token in self.special_tokens for token in tokens[1:-1]]
        self._seen.append([1.0 if u else c for u, c in zip(unknown, chances, strict=True)])
        upstream: Any = super()
        words, *chosen = upstream._PromptCompressor__merge_token_to_word(
            tokens, token_probs, **kwargs
        )
        # Upstream takes a percentile of the words, and there is none of nothing.
        return (words, *chosen) if words else (["-"], [[1.0]], [[1.0]])


@contextmanager
def _random_left_alone() -> Generator[None]:
    """LLMLingua-2 seeds every random number of the process when it is loaded."""
    before, numbers = random.getstate(), numpy.random.get_state()
    try:
        yield
    finally:
        random.setstate(before)
        numpy.random.set_state(numbers)
