"""CO403: a stated budget."""

import math
import statistics
from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import NotApplicable, Strategy, StrategyContext
from .placement import add_instruction

_WORDS_PER_TOKEN = 0.75


@dataclass(frozen=True, kw_only=True)
class TokenBudget(Strategy):
    """State how long the answer may be.

    Adds one line such as "Use at most 40 words for the whole answer.". The budget is ``rate`` times
    the median length of the baseline's measured answers, or ``tokens``; it is stated in words, of
    which models keep count better than of tokens (0.75 words a token, rounded to two digits).

    What it can break:
        Reasoning that needs more room; complete lists; a prompt's own statement of length, which it
        may contradict. A budget far too small can lengthen answers instead (token elasticity).

    Args:
        tokens: The budget in tokens, at least 1; ``None`` takes it from the measured lengths.
        rate: The budget as a part of the measured median, in (0, 1].

    Reference:
        T. Han et al., "Token-Budget-Aware LLM Reasoning", arXiv:2412.18547.
    """

    name: ClassVar[str] = "token-budget"
    code: ClassVar[str] = "CO403"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "states how long the answer may be"
    reference: ClassVar[str] = "arXiv:2412.18547"
    needs: ClassVar[frozenset[str]] = frozenset({"lengths"})
    example: ClassVar[str] = "Explain the term to a beginner.\n\nTerm: {term}"

    tokens: int | None = None
    rate: float = 0.7

    def __post_init__(self) -> None:
        """Check the ranges."""
        self._require("tokens", self.tokens is None or self.tokens >= 1, "at least 1")
        self._require("rate", 0 < self.rate <= 1, "in (0, 1]")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the budget's line added to its static part.

        Raises:
            NotApplicable: neither ``tokens`` nor measured output lengths are there.
        """
        budget = self.tokens
        if budget is None:
            if not context.output_lengths:
                raise NotApplicable("no output lengths were measured, and tokens= is not given")
            budget = max(1, round(self.rate * statistics.median(context.output_lengths)))
        words = _rounded(budget * _WORDS_PER_TOKEN)
        context.notes.append(f"budget of {budget} tokens, stated as {words} words")
        unit = "word" if words == 1 else "words"
        return add_instruction(template, f"Use at most {words} {unit} for the whole answer.")


def _rounded(words: float) -> int:
    """Round to two significant digits, and to at least 1."""
    if words < 1:
        return 1
    step = 10 ** max(0, math.floor(math.log10(words)) - 1)
    return round(words / step) * step
