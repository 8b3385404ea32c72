"""CO407: reasoning as a sketch."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .answer_form import add_reasoning_line
from .base import Strategy, StrategyContext

STYLES = {
    "symbols": "Reason in a sketch: variables, numbers and equations, no sentences.",
    "chunks": "Reason in a sketch: key terms joined by arrows (→), no sentences.",
    "expert": "Reason in a sketch: an expert's abbreviations and notation, no sentences.",
}
"""What each style asks for."""


@dataclass(frozen=True, kw_only=True)
class Sketch(Strategy):
    """Keep the reasoning, as a sketch instead of sentences.

    For prompts that ask for reasoning. Adds one line to the end of the static part, in one of the
    three forms of Sketch-of-Thought: ``symbols`` (chunked symbolism, for arithmetic), ``chunks``
    (conceptual chaining, for facts that lead to one another) and ``expert`` (expert lexicons, for
    technical fields). The answer follows in the prompt's own format, or where it has none, on a
    last line "Answer: …". A prompt that asks for JSON, or for the answer alone, is left as it is.

    What it can break:
        Reasoning that people read; questions that the style does not suit. The paper chooses a
        style for each question with a small model and shows examples; this is one line, and the
        same style for all.

    Args:
        style: One of ``symbols``, ``chunks``, ``expert``.

    Reference:
        S. A. Aytes et al., "Sketch-of-Thought: Efficient LLM Reasoning with Adaptive
        Cognitive-Inspired Sketching", arXiv:2503.05179.
    """

    name: ClassVar[str] = "sketch"
    code: ClassVar[str] = "CO407"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the reasoning, as a sketch instead of sentences"
    reference: ClassVar[str] = "arXiv:2503.05179"
    example: ClassVar[str] = "Solve the problem step by step.\n\nProblem: {problem}"

    style: str = "symbols"

    def __post_init__(self) -> None:
        """Check the style."""
        self._require("style", self.style in STYLES, f"one of {', '.join(STYLES)}")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the style's line added to its static part.

        Raises:
            NotApplicable: the prompt asks for no reasoning, or leaves no room for it.
        """
        return add_reasoning_line(template, STYLES[self.style])
