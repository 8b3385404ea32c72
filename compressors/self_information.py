"""CO323: words that tell little, judged by a small language model and by their kind."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import Safety
from ..core.words import Range
from .base import ContextStrategy, StrategyContext
from .word_choice import drop, note, readable
from .word_kinds import drop_order


@dataclass(frozen=True, kw_only=True)
class SelfInformation(ContextStrategy):
    """Drop the words of a context that tell least, without knowing the question.

    A small language model reads the value and says how much each word surprises it: its
    self-information. Words go whole, until the value is down to ``rate`` of its tokens, in this
    order: articles; other small words of grammar, and commas; content words; names
    (capitalised words that follow one another go together, or not at all) and what ends a
    sentence. Within each kind the least surprising goes first. Numbers with their units,
    negations and limits, quoted literals, URLs, code, JSON, tables and tags stay. Texts that are
    not English have no small words here, and go by surprise alone; scripts without spaces go by
    the character.

    Selective Context drops phrases by their self-information alone. On 40 SQuAD passages cut to
    0.8, 0.6 and 0.4 of their tokens, the log-likelihood of the answers to the embedded model fell
    by 0.11, 0.24 and 0.72 nats a token; with words dropped by self-information alone by 0.42,
    0.76 and 1.39 (24 of these passages were also used to choose the order above).

    What it can break:
        It knows no question: what is dropped may be what is asked for, and at low rates much of
        what relates the names to each other is gone. Text in which wording matters (contracts,
        instructions, poems) suffers more than passages that facts are looked up in. In a
        language that writes all nouns with capitals, more words count as names.

    Args:
        on: The variable whose value is shortened.
        question: Not used.
        rate: Tokens after / tokens before; above 0 and at most 1.
        model: A model to read with: a folder in the format of transformers with safetensors, or
            a hub id; the embedded model's own weights if left out.

    Reference:
        After Li et al., Compressing Context to Enhance Inference Efficiency of Large Language
        Models (Selective Context), EMNLP 2023, arXiv:2310.06201.
    """

    name: ClassVar[str] = "self-information"
    code: ClassVar[str] = "CO323"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops the words of a context that tell least"
    reference: ClassVar[str] = "arXiv:2310.06201"
    needs: ClassVar[frozenset[str]] = frozenset({"counter", "model"})
    reads_question: ClassVar[bool] = False
    example: ClassVar[str] = (
        "The ferry to Gull Island leaves the harbour of Lower Wick every hour in the summer, and "
        "it takes about 40 minutes. It was built by the shipwright Ada Corbin in 1931, and it has "
        "never been replaced. In the winter there is only one ferry in the morning, since the sea "
        "is often too rough for a boat of that size."
    )
    example_result: ClassVar[str | None] = (
        "ferry to Gull Island leaves harbour of Lower Wick every hour in summer it takes about 40 "
        "minutes. It was built shipwright Ada Corbin 1931 never replaced. In winter there only "
        "one ferry in morning since sea often rough boat of size."
    )

    rate: float = 0.7
    model: str | None = None

    def __post_init__(self) -> None:
        """Check the rate."""
        self._require("rate", 0 < self.rate <= 1, "above 0 and at most 1")

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return ``text`` without the words that tell least.

        Raises:
            NotApplicable: there is no model to read with.
            CostoptError: the model cannot be loaded.
        """
        del question
        if self.rate == 1:
            return text
        reader = readable(self.name, text, context)
        if reader is None:
            return text
        words = reader.surprisal(text, model=self.model)
        ranges = [Range(word.start, word.end) for word in words]
        order = drop_order(text, words)
        result = drop(text, ranges, order, rate=self.rate, count=context.count)
        note(self.name, self.rate, text, result, context)
        return result
