"""CO401: the answer alone."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import Strategy, StrategyContext
from .placement import add_instruction

_LINE = "Give only the answer, in the format asked for: no introduction, no explanation."


@dataclass(frozen=True, kw_only=True)
class AnswerOnly(Strategy):
    """Ask for the answer alone, in the format asked for.

    Adds one line. It goes to the end of the static part (of the system message, where there is one;
    before the first placeholder otherwise), so that what is the same in every request stays in
    front and a provider's prefix cache still matches.

    What it can break:
        Answers that reason before they conclude may lose the reasoning, and with it their
        correctness; answers that are read by people may turn curt. It adds input tokens, so it pays
        only where answers get shorter by more than these cost.

    Reference:
        M. Renze and E. Guven, "The Benefits of a Concise Chain of Thought on Problem-Solving in
        Large Language Models", arXiv:2401.05618.
    """

    name: ClassVar[str] = "answer-only"
    code: ClassVar[str] = "CO401"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "asks for the answer alone, in the format asked for"
    reference: ClassVar[str] = "arXiv:2401.05618"
    example: ClassVar[str] = "You label support tickets.\n\nTicket: {ticket}\nLabel:"

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the line added to its static part."""
        return add_instruction(template, _LINE)
