"""CO405: reasoning in drafts of a few words."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .answer_form import add_reasoning_line
from .base import Strategy, StrategyContext

_LEAD = "Think step by step, but write each step as a draft of at most"


@dataclass(frozen=True, kw_only=True)
class ChainOfDraft(Strategy):
    """Keep the reasoning, in drafts of a few words a step.

    For prompts that ask for reasoning. Adds one line to the end of the static part: each step is a
    draft of at most ``words`` words, then the answer follows in the prompt's own format; where the
    prompt has none, on a last line "Answer: …", so that it can still be read out. A prompt that
    asks for JSON, or for the answer alone, is left as it is.

    What it can break:
        Reasoning that people read; problems that need more than a few words a step. The paper's
        prompts show examples of drafts; without any, and with small models, gains are smaller and
        answers may get worse. A prompt's own examples of long reasoning speak against the line.

    Args:
        words: Words a step at most, 1 or more.

    Reference:
        S. Xu et al., "Chain of Draft: Thinking Faster by Writing Less", arXiv:2502.18600.
    """

    name: ClassVar[str] = "chain-of-draft"
    code: ClassVar[str] = "CO405"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the reasoning, in drafts of a few words a step"
    reference: ClassVar[str] = "arXiv:2502.18600"
    example: ClassVar[str] = "Solve the problem step by step.\n\nProblem: {problem}"

    words: int = 5

    def __post_init__(self) -> None:
        """Check the range."""
        self._require("words", self.words >= 1, "at least 1")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the line added to its static part.

        Raises:
            NotApplicable: the prompt asks for no reasoning, or leaves no room for it.
        """
        unit = "word" if self.words == 1 else "words"
        return add_reasoning_line(template, f"{_LEAD} {self.words} {unit}.")
