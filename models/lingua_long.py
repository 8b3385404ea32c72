"""LongLLMLingua on a loaded LLMLingua: imports torch and llmlingua.

LongLLMLingua: Accelerating and Enhancing LLMs in Long Context Scenarios via Prompt Compression.
Jiang et al., ACL 2024, arXiv:2310.06839. Documents are ranked by how probable they make the
question; of those that fit, the tokens go that become no more probable by the question. The
settings are those that the package recommends. What is adapted here beyond `lingua_engine`:

- its decisions are carried back to whole words of each document (it decodes what is left);
- the length of the question is counted, where upstream compares decoded texts and fails where
  the tokenizer joins characters across the border;
- segments are of equal length, since upstream never compresses a shorter last one.
"""

from collections.abc import Sequence
from typing import Any

import torch
from llmlingua import PromptCompressor

from ..core.words import Range, join, occurrences, tidy, words_of

_ALWAYS = 10000.0
_SEGMENT = 200
_GAP = "\n\n"


class Long(PromptCompressor):
    """LongLLMLingua that remembers which documents and tokens are left.

    Args:
        base: Whose model and tokenizer it shares.
    """

    _index: torch.Tensor
    _popped: list[int]
    _used: list[int]
    _first: int

    def __init__(self, base: PromptCompressor) -> None:
        vars(self).update(vars(base))

    def answering(
        self, documents: Sequence[str], question: str, rate: float, keep: Sequence[str]
    ) -> list[str]:
        """Return what is left of the documents, the most helpful first."""
        filled = [index for index, document in enumerate(documents) if document.strip()]
        texts = [documents[index].strip() for index in filled]
        self._used, self._first, self._popped = list(range(len(texts))), 0, []
        self._index = torch.arange(0)
        self.compress_prompt(
            texts,
            question=question.strip() or "?",
            rate=rate,
            rank_method="longllmlingua",
            condition_in_question="after_condition",
            condition_compare=True,
            reorder_context="sort",
            dynamic_context_compression_ratio=0.3,
            context_budget="+100",
            concate_question=False,
        )
        left = sorted({*self._popped, *self._index.tolist()})
        return self._documents(
            [question.strip() or "?", *(texts[u] for u in self._used)], left, keep
        )

    def _documents(
        self, texts: Sequence[str], left: Sequence[int], keep: Sequence[str]
    ) -> list[str]:
        """Return the words of each text but the first of which at least half is left."""
        joined = _GAP.join(texts)
        tokens = self._offsets(joined)
        words = words_of(joined, tokens, [])
        whole, kept = [0] * len(words.ranges), [0] * len(words.ranges)
        stay = set(left)
        for number, word in enumerate(words.of_token):
            if word is not None:
                whole[word] += 1
                kept[word] += number in stay
        ranges = [r for r, w, k in zip(words.ranges, whole, kept, strict=True) if 2 * k >= w]
        found: list[str] = []
        start = len(texts[0]) + len(_GAP)
        for text in texts[1:]:
            end = start + len(text)
            inside = [Range(a - start, b - start) for a, b in ranges if a >= start and b <= end]
            fixed = occurrences(text, keep)
            found.append(join(text, tidy(text, inside, fixed)))
            start = end + len(_GAP)
        return [text for text in found if text.strip()]

    def _offsets(self, text: str) -> list[tuple[int, int]]:
        tokenizer: Any = self.tokenizer
        found = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        return [(start, end) for start, end in found["offset_mapping"]]

    def get_prefix_length(self, prefix: str, text: str) -> int:
        """Return how many tokens begin in ``prefix``."""
        return sum(start < len(prefix) for start, _ in self._offsets(prefix + text[:100]))

    def control_context_budget(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Choose documents, and remember which."""
        texts, ratios, used = super().control_context_budget(*args, **kwargs)
        self._used = list(used)
        return texts, ratios, used

    def iterative_compress_prompt(self, context: list[str], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Drop tokens segment by segment."""
        total = len(self._offsets(_GAP.join(context)))
        self._first = int(kwargs.get("start", 0))
        self._index = torch.arange(total)
        free = max(1, total - self._first)
        kwargs["iterative_size"] = max(1, free // -(-free // _SEGMENT))
        self._size = int(kwargs["iterative_size"])
        return super().iterative_compress_prompt(context, *args, **kwargs)

    def get_ppl(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - upstream's signature
        """Return the surprise of each token itself; upstream's is that of the next one."""
        if kwargs.get("input_ids") is None or not kwargs.get("return_kv"):
            return super().get_ppl(*args, **kwargs)
        if kwargs["end"] is None:
            ids = args[2]
            conditioned = ids.shape[1] == len(self._index)
            kwargs["end"] = self._size + (self._first if conditioned else 0)
        loss, memory = super().get_ppl(*args, **kwargs)
        return torch.cat([loss.new_full((1,), _ALWAYS), loss[:-1]]), memory

    def get_estimate_threshold_base_distribution(
        self, ppl: torch.Tensor, ratio: float, condition_flag: bool = False
    ) -> float:
        """Return the threshold; one that drops nothing where there is nothing to compare."""
        if not bool((ppl != _ALWAYS).any()):
            return float("-inf")
        return super().get_estimate_threshold_base_distribution(ppl, ratio, condition_flag)

    def get_compressed_input(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Drop tokens, and remember which are left."""
        gone = len(self._index) - args[1].shape[1]
        if gone > 0:
            self._popped.extend(self._index[:gone].tolist())
            self._index = self._index[gone:]
        # LLMLingua carries this along with the tokens; 1 and 0 have a meaning to it.
        kwargs["keep_flag"] = -2 - self._index
        found: list[Any] = list(super().get_compressed_input(*args, **kwargs))
        self._index = -2 - found[2]
        found[2] = None
        return tuple(found)
