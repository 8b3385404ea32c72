"""CO324: words that are common everywhere, and so tell little, judged without a model."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.protocols import WordScore
from ..core.types import Safety
from ..core.words import words_of
from ..costs.rarity import rarity
from .base import ContextStrategy, StrategyContext
from .word_choice import drop, note
from .word_kinds import drop_order


@dataclass(frozen=True, kw_only=True)
class CommonWords(ContextStrategy):
    """Drop the most common words of a context, without a model and without knowing the question.

    Words go whole, until the value is down to ``rate`` of its tokens, in this order: articles;
    other small words of grammar, and commas; content words; names (capitalised words that follow
    one another go together, or not at all) and what ends a sentence. Within each kind the most
    common goes first, by its number in a tokenizer's vocabulary, which is learned by frequency.
    Numbers with their units, negations and limits, quoted literals, URLs, code, JSON, tables and
    tags stay. It is `self-information` without the language model: it cannot tell what is
    predictable in this text, and needs no extra and no reading.

    What it can break:
        It knows no question: what is dropped may be what is asked for, and at low rates much of
        what relates the names to each other is gone. Text in which wording matters (contracts,
        instructions, poems) suffers more than passages that facts are looked up in. Texts that are
        not English have no small words here, and go by how common their words are in the
        vocabulary, which says less of languages that it holds few words of.

    Args:
        on: The variable whose value is shortened.
        question: Not used.
        rate: Tokens after / tokens before; above 0 and at most 1.

    Reference:
        After Li et al., Compressing Context to Enhance Inference Efficiency of Large Language
        Models (Selective Context), EMNLP 2023, arXiv:2310.06201; ranks for frequencies after Zipf
        (1949).

    Example:
        >>> from costopt.compressors import get
        >>> text = "The old mill that stands by the river was built by Anna Brook in 1843."
        >>> get("common-words", rate=0.7)(text)
        'old mill stands river was built Anna Brook 1843.'
    """

    name: ClassVar[str] = "common-words"
    code: ClassVar[str] = "CO324"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops the words of a context that are most common"
    reference: ClassVar[str] = "arXiv:2310.06201; Zipf (1949)"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    reads_question: ClassVar[bool] = False
    example: ClassVar[str] = (
        "The ferry to Gull Island leaves the harbour of Lower Wick every hour in the summer, and "
        "it takes about 40 minutes. It was built by the shipwright Ada Corbin in 1931, and it has "
        "never been replaced."
    )

    rate: float = 0.75

    def __post_init__(self) -> None:
        """Check the rate."""
        self._require("rate", 0 < self.rate <= 1, "above 0 and at most 1")

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return ``text`` without its most common words."""
        del question
        if self.rate == 1 or not any(character.isalpha() for character in text):
            return text
        ranges = list(words_of(text, (), ()).ranges)
        words = [WordScore(start, end, rarity(text[start:end])) for start, end in ranges]
        result = drop(text, ranges, drop_order(text, words), rate=self.rate, count=context.count)
        note(self.name, self.rate, text, result, context)
        return result
