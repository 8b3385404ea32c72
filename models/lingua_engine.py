"""LLMLingua itself, loaded: imports torch, transformers and llmlingua.

LLMLingua: Compressing Prompts for Accelerated Inference of Large Language Models. Jiang et al.,
EMNLP 2023, arXiv:2310.05736. A small language model reads the text in segments; in each, the
tokens that surprise it least are dropped. What is adapted here, and why:

- its model keeps its memory in a form that transformers no longer takes (issue #210);
- a segment's threshold is drawn from that segment alone, as pull request #208 proposes: upstream
  drops ever more of a long text (issues #61 and #195). Its last, shorter segment is never
  compressed there; here segments are of equal length;
- a token is judged by its own surprise; upstream takes that of the token after it. On 30 SQuAD
  passages cut to 0.57 of their tokens, the log-likelihood of the answers fell by 0.92 nats a
  token with its own and by 1.50 with the next one's (difference 0.58, standard error 0.17);
- words stay whole, judged by their most surprising token: the mean of their tokens cost another
  0.23 nats (0.09) there, the sum nothing. Protected ones are set to the value that upstream
  leaves out of its thresholds and always keeps.
"""

import os
import threading
import warnings
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from llmlingua import PromptCompressor
from transformers import DynamicCache
from transformers.utils import logging as transformers_logging

from ..core.protocols import WordScore
from ..core.words import Range, Words, join, layout, tidy, union, words_of

_ALWAYS = 10000.0
"""The surprise that LLMLingua leaves out of its thresholds, and that is above all of them."""
_SEGMENT = 200
_CHUNK = 1000
_WINDOW = 1024
"""Tokens judged at once, of which a quarter was judged before and is read as context."""
"""Tokens read at once: the first pass holds a row of the whole vocabulary for each of them."""
LOCK = threading.Lock()


class Engine:
    """LLMLingua on one model, on the CPU.

    Args:
        folder: A model in the format of transformers, with safetensors.
    """

    def __init__(self, folder: Path) -> None:
        with LOCK, quiet():
            self._lingua = _Lingua(str(folder))

    def compress(self, text: str, rate: float, kept: Sequence[Range]) -> str:
        """Return ``text`` with about ``rate`` of the tokens outside ``kept``."""
        with LOCK, quiet():
            ranges = [
                Range(chunk.start + word.start, chunk.start + word.end)
                for chunk in self._chunks(text)
                for word in self._kept_words(text, chunk, rate, kept)
            ]
        return join(text, tidy(text, ranges, kept))

    def surprisal(self, text: str) -> list[WordScore]:
        """Return each word's self-information in nats; see `ContextCompressor`."""
        with LOCK, quiet():
            encoded = self._lingua.tokenizer(
                text, add_special_tokens=False, return_offsets_mapping=True
            )
            tokens = [(start, end) for start, end in encoded["offset_mapping"]]
            words = words_of(text, tokens, [])
            nats = [0.0] * len(words.ranges)
            for word, value in zip(words.of_token, self._nats(encoded["input_ids"]), strict=True):
                if word is not None:
                    nats[word] += value
        return [
            WordScore(start, end, value)
            for (start, end), value in zip(words.ranges, nats, strict=True)
        ]

    def answering(
        self, documents: Sequence[str], question: str, rate: float, keep: Sequence[str]
    ) -> list[str]:
        """Return what LongLLMLingua leaves of the documents, the most helpful first."""
        from .lingua_long import Long

        with LOCK, quiet():
            return Long(self._lingua).answering(documents, question, rate, keep)

    def _nats(self, ids: Sequence[int]) -> Iterator[float]:
        """Yield each token's negative log-probability, a window of the text at a time."""
        size = min(_WINDOW, self._lingua.max_position_embeddings - 1)
        first = self._lingua.first_token()
        done = 0
        while done < len(ids):
            begin = max(0, min(done - size // 4, len(ids) - size))
            window = [first, *ids[begin : begin + size]]
            losses = self._lingua.losses(window)
            yield from losses[done - begin :]
            done = begin + len(window) - 1

    def _kept_words(
        self, text: str, chunk: Range, rate: float, kept: Sequence[Range]
    ) -> list[Range]:
        part = text[chunk.start : chunk.end]
        inside = [
            Range(max(r.start - chunk.start, 0), min(r.end, chunk.end) - chunk.start)
            for r in kept
            if r.start < chunk.end and r.end > chunk.start
        ]
        tokens = self._tokens(part)
        words = words_of(part, tokens, union([*inside, *layout(part)]))
        if len(words.protected) < len(words.ranges):
            # What follows the last word that may be dropped need not be read, but for one word:
            # upstream never drops the last.
            last = max(set(range(len(words.ranges))) - words.protected)
            part = part[: words.ranges[min(last + 1, len(words.ranges) - 1)].end]
            tokens = self._tokens(part)
            words = words_of(part, tokens, union([*inside, *layout(part)]))
        chosen = self._lingua.choose(part, words, rate, _outside(tokens, inside))
        return [word for index, word in enumerate(words.ranges) if index in chosen]

    def _tokens(self, text: str) -> list[tuple[int, int]]:
        found = self._lingua.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return [(start, end) for start, end in found["offset_mapping"]]

    def _chunks(self, text: str) -> Iterator[Range]:
        """Cut the text where the model's memory ends: at a paragraph, a line or a space."""
        limit = min(_CHUNK, self._lingua.max_position_embeddings - 8)
        tokens = self._tokens(text)
        start, position = 0, 0
        while len(tokens) - position > limit:
            hard = tokens[position + limit][0]
            end = cut_before(text, start, max(hard, start + 1))
            yield Range(start, end)
            start = end
            while position < len(tokens) and tokens[position][0] < start:
                position += 1
        yield Range(start, len(text))


def _outside(tokens: Sequence[tuple[int, int]], kept: Sequence[Range]) -> int:
    """Return how many tokens lie outside of what is kept anyway."""
    starts = [place.start for place in kept]
    count = 0
    for start, end in tokens:
        before = bisect_left(starts, end) - 1
        count += before < 0 or kept[before].end <= start
    return count


def cut_before(text: str, start: int, hard: int) -> int:
    """Return the best place to cut in the second half of ``text[start:hard]``."""
    half = (start + hard) // 2
    for mark in ("\n\n", "\n", ". ", " "):
        place = text.rfind(mark, half, hard)
        if place >= 0:
            return place + len(mark)
    return hard


class _Lingua(PromptCompressor):
    """LLMLingua with a word's surprise in the place of a token's; see the module's notes."""

    _index: torch.Tensor
    """Each token that is left: its number in the text."""
    _words: Words
    _word: torch.Tensor
    """Each token's word, -1 for white space."""
    _fixed: torch.Tensor
    """Whether each token of the text has to stay."""
    _done: int
    _size: int

    def __init__(self, folder: str) -> None:
        config = {"trust_remote_code": False, "local_files_only": True, "use_safetensors": True}
        super().__init__(folder, device_map="cpu", model_config=config)
        self.oai_tokenizer = Length()
        model: Any = self.model
        self.model = PairsModel(model.eval())

    def first_token(self) -> int:
        """Return the token that texts begin with, so that the first word is judged, too."""
        tokenizer: Any = self.tokenizer
        for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        return 0

    def losses(self, ids: Sequence[int]) -> list[float]:
        """Return the negative log-probability of each token but the first."""
        given = torch.tensor([list(ids)])
        mask = torch.ones_like(given)
        found: Any = super().get_ppl("", "token", input_ids=given, attention_mask=mask)
        return [float(value) for value in found]

    def choose(self, text: str, words: Words, rate: float, prose: int) -> frozenset[int]:
        """Return the numbers of the words that stay: ``rate`` of ``prose`` tokens."""
        total = len(words.of_token)
        everything = frozenset(range(len(words.ranges)))
        if len(everything) < 2 or total < 2 or words.protected == everything:
            return everything
        self._words, self._size, self._done = words, total // -(-total // _SEGMENT), 0
        self._index = torch.arange(total)
        self._word = torch.tensor([-1 if word is None else word for word in words.of_token])
        fixed = [word is None or word in words.protected for word in words.of_token]
        self._fixed = torch.tensor(fixed)
        self.compress_prompt(
            [text],
            rate=self._effective(rate, prose),
            iterative_size=self._size,
            use_context_level_filter=False,
        )
        return self._mostly_left() | words.protected

    def _effective(self, rate: float, prose: int) -> float:
        """Return the rate of what may be dropped that leaves ``rate`` of ``prose`` tokens."""
        free = int((~self._fixed).sum())
        return min(1.0, max(0.02, (rate * prose - (prose - free)) / free))

    def _mostly_left(self) -> frozenset[int]:
        """Return the words of which at least half the tokens are left."""
        whole, left = _counts(self._words.of_token), _counts(self._word[self._index].tolist())
        return frozenset(word for word in left if word >= 0 and 2 * left[word] >= whole[word])

    def get_ppl(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - upstream's signature
        """Return the surprise of each token's word."""
        past = kwargs.get("past_key_values")
        start = past[0][0].shape[2] if past is not None else 0
        # Upstream's first pass reads the whole text, of which it needs the first segment.
        kwargs["end"] = kwargs["end"] or self._size
        loss, memory = super().get_ppl(*args, **kwargs)
        return self._by_word(loss, start), memory

    def _by_word(self, loss: torch.Tensor, start: int) -> torch.Tensor:
        # Upstream's entry i is the surprise of token i + 1, and decides on token i.
        own = torch.cat([loss.new_full((1,), _ALWAYS), loss[:-1]])
        index = self._index[start : start + len(own)]
        word = self._word[index] + 1
        highest = own.new_zeros(len(self._words.ranges) + 1).scatter_reduce(0, word, own, "amax")
        result = highest[word]
        place = torch.arange(start, start + len(own))
        outside = (place < self._done) | (place >= self._done + self._size)
        result[outside | self._fixed[index]] = _ALWAYS
        return result.clamp(max=_ALWAYS)

    def get_estimate_threshold_base_distribution(
        self, ppl: torch.Tensor, ratio: float, condition_flag: bool = False
    ) -> float:
        """Return the threshold; where nothing may be dropped, one that drops nothing."""
        if not bool((ppl != _ALWAYS).any()):
            return _ALWAYS - 1
        return super().get_estimate_threshold_base_distribution(ppl, ratio, condition_flag)

    def get_compressed_input(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Drop tokens, and remember which are left."""
        # LLMLingua carries this along with the tokens; 1 and 0 have a meaning to it.
        kwargs["keep_flag"] = -2 - self._index
        found: list[Any] = list(super().get_compressed_input(*args, **kwargs))
        self._index = -2 - found[2]
        self._done = int(found[3])
        found[2] = None
        return tuple(found)


def _counts(words: Sequence[int | None]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for word in words:
        if word is not None:
            counts[word] = counts.get(word, 0) + 1
    return counts


class Length:
    """Stands in for the tokenizer that LLMLingua reports its savings with; they are not used."""

    def encode(self, text: str) -> str:
        """Return something as long as ``text``, whatever special tokens it names."""
        return text


class PairsModel:
    """A model that takes and gives its memory as pairs of keys and values, layer by layer.

    That is the form that LLMLingua 0.2.2 cuts and passes on; transformers wants a `DynamicCache`.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - transformers' models have no one type
        self._model = model

    def __call__(self, input_ids: torch.Tensor, **kwargs: Any) -> Any:  # noqa: ANN401
        """Run the model."""
        pairs = kwargs.pop("past_key_values", None)
        cache = DynamicCache([(key, value) for key, value in pairs] if pairs else None)
        output = self._model(input_ids, past_key_values=cache, **kwargs)
        layers: Any = cache.layers
        output.past_key_values = [(layer.keys, layer.values) for layer in layers]
        return output


@contextmanager
def quiet() -> Generator[None]:
    """Leave random numbers, threads, log levels and warnings of the process as they were."""
    threads, level = torch.get_num_threads(), transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(_cpus())
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_num_threads(threads)
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()


def _cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)
