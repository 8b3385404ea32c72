"""Controls: strategies that stand in every comparison, for clever ones to be measured against."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import Strategy, StrategyContext
from .placement import add_instruction

HARMFUL = "empty-variables"
"""The control that must come out worse, or the metric cannot tell."""


@dataclass(frozen=True, kw_only=True)
class NoChange(Strategy):
    """Change nothing.

    The same prompt is asked a second time (A/A). What differs between the two is noise; a strategy
    whose effect is no larger has shown nothing.

    What it can break:
        Nothing.

    Reference:
        R. Kohavi et al., "Trustworthy Online Controlled Experiments", chapter 19: the A/A test.
    """

    name: ClassVar[str] = "none"
    code: ClassVar[str] = "CO001"
    safety: ClassVar[Safety] = "lossless"
    summary: ClassVar[str] = "changes nothing: shows the noise of the measurement"
    reference: ClassVar[str] = 'R. Kohavi et al., "Trustworthy Online Controlled Experiments"'
    example: ClassVar[str] = "Name the capital of {country}."

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template itself."""
        return template


@dataclass(frozen=True, kw_only=True)
class AnswerConcisely(Strategy):
    """Add one line, "Answer concisely", and nothing else.

    The simplest thing that shortens answers. A strategy of the output side that does no better than
    this line is not worth its own tokens.

    What it can break:
        Answers that need reasoning may lose it, and with it their correctness.

    Reference:
        M. Renze and E. Guven, "The Benefits of a Concise Chain of Thought on Problem-Solving in
        Large Language Models", arXiv:2401.05618.
    """

    name: ClassVar[str] = "answer-concisely"
    code: ClassVar[str] = "CO002"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = 'adds the one line "Answer concisely."'
    reference: ClassVar[str] = "arXiv:2401.05618"
    example: ClassVar[str] = "You answer questions about {topic}.\n\nQuestion: {question}"

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the line added to its static part."""
        return add_instruction(template, "Answer concisely.")


@dataclass(frozen=True, kw_only=True)
class EmptyVariables(Strategy):
    """Empty every variable when a sample is rendered.

    The template stays as it is; whoever renders it fills in empty values of the same type. A metric
    that does not come out worse then cannot tell good answers from bad ones on this prompt, and
    nothing is recommended by it.

    What it can break:
        Everything, on purpose. It is never recommended, and the guard does not look at it.

    Reference:
        Ablation of the input, as in "no passage" baselines of reading comprehension: D. Kaushik and
        Z. Lipton, "How Much Reading Does Reading Comprehension Require?", arXiv:1808.04926.
    """

    name: ClassVar[str] = HARMFUL
    code: ClassVar[str] = "CO003"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "empties every variable: shows whether the metric can tell"
    reference: ClassVar[str] = "arXiv:1808.04926"
    example: ClassVar[str] = "Name the capital of {country}."

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template itself: it is the variables that are emptied, at rendering."""
        return template
