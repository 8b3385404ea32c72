"""CO406: concise chain of thought."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .answer_form import add_reasoning_line
from .base import Strategy, StrategyContext

_LEAD = "Be concise: keep the reasoning to what the answer needs."


@dataclass(frozen=True, kw_only=True)
class ConciseCot(Strategy):
    """Keep the reasoning, and ask for it to be concise.

    For prompts that ask for reasoning. Adds one line to the end of the static part; the answer
    follows in the prompt's own format, or where it has none, on a last line "Answer: …". A prompt
    that asks for JSON, or for the answer alone, is left as it is.

    What it can break:
        Reasoning that people read. The paper found no loss on multiple-choice questions, except
        for mathematics with the smaller of its two models.

    Reference:
        M. Renze and E. Guven, "The Benefits of a Concise Chain of Thought on Problem-Solving in
        Large Language Models", arXiv:2401.05618.
    """

    name: ClassVar[str] = "concise-cot"
    code: ClassVar[str] = "CO406"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the reasoning, and asks for it to be concise"
    reference: ClassVar[str] = "arXiv:2401.05618"
    example: ClassVar[str] = "Solve the problem step by step.\n\nProblem: {problem}"

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the line added to its static part.

        Raises:
            NotApplicable: the prompt asks for no reasoning, or leaves no room for it.
        """
        return add_reasoning_line(template, _LEAD)
