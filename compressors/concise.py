"""CO402: concise answers, in one of several styles."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import Strategy, StrategyContext
from .placement import add_instruction

STYLES = {
    "plain": "Be concise: answer directly, without introduction, repetition or closing remarks.",
    "sentence": "Answer in one short sentence.",
    "bullets": "Answer in short bullet points of a few words each.",
    "draft": "Think step by step, but keep each step to five words at most. Then give the answer.",
}
"""What each style asks for."""


@dataclass(frozen=True, kw_only=True)
class Concise(Strategy):
    """Ask for concise answers, in one of several styles.

    Adds one line to the end of the static part. ``plain`` asks for directness, ``sentence`` for one
    sentence, ``bullets`` for short points, and ``draft`` keeps step-by-step reasoning but asks for
    a few words a step, as in Chain of Draft.

    What it can break:
        Detail that the reader wanted; a format that the prompt asks for, where the style
        contradicts it (``sentence`` and ``bullets`` do not go with JSON); with ``sentence``, the
        correctness of answers that need reasoning.

    Args:
        style: One of ``plain``, ``sentence``, ``bullets``, ``draft``.

    Reference:
        M. Renze and E. Guven, "The Benefits of a Concise Chain of Thought on Problem-Solving in
        Large Language Models", arXiv:2401.05618; S. Xu et al., "Chain of Draft: Thinking Faster by
        Writing Less", arXiv:2502.18600.
    """

    name: ClassVar[str] = "concise"
    code: ClassVar[str] = "CO402"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "asks for concise answers, in one of several styles"
    reference: ClassVar[str] = "arXiv:2401.05618, arXiv:2502.18600"
    example: ClassVar[str] = "You answer questions about {topic}.\n\nQuestion: {question}"

    style: str = "plain"

    def __post_init__(self) -> None:
        """Check the style."""
        self._require("style", self.style in STYLES, f"one of {', '.join(STYLES)}")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the style's line added to its static part."""
        return add_instruction(template, STYLES[self.style])
