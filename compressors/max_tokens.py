"""CO404: a cap on the answer."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import NotApplicable, Strategy, StrategyContext


@dataclass(frozen=True, kw_only=True)
class MaxTokens(Strategy):
    """Cap the answer at what the baseline's answers needed.

    Sets ``max_output_tokens`` to a quantile of the measured lengths of the baseline's answers,
    times ``slack``. The text stays as it is. Nothing changes where the prompt's own cap is as low.

    What it can break:
        An answer that is longer than all those measured is cut off in the middle, which breaks
        JSON. It bounds the cost of runaway answers; ordinary answers cost what they did before.

    Args:
        quantile: Which quantile of the lengths, in (0, 1]; 1 is the longest.
        slack: The factor on top of it, at least 1.

    Reference:
        OpenAI API reference, ``max_completion_tokens``: an upper bound on generated tokens.
    """

    name: ClassVar[str] = "max-tokens"
    code: ClassVar[str] = "CO404"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "caps the answer at what the baseline's answers needed"
    reference: ClassVar[str] = "OpenAI API reference, max_completion_tokens"
    needs: ClassVar[frozenset[str]] = frozenset({"lengths"})
    example: ClassVar[str] = "Label the ticket.\n\nTicket: {ticket}\nLabel:"

    quantile: float = 0.95
    slack: float = 1.25

    def __post_init__(self) -> None:
        """Check the ranges."""
        self._require("quantile", 0 < self.quantile <= 1, "in (0, 1]")
        self._require("slack", self.slack >= 1, "at least 1")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with a lower cap in its settings.

        Raises:
            NotApplicable: no output lengths were measured.
        """
        if not context.output_lengths:
            raise NotApplicable("no output lengths were measured")
        ordered = sorted(context.output_lengths)
        longest = ordered[math.ceil(self.quantile * len(ordered)) - 1]
        cap = max(1, math.ceil(longest * self.slack))
        cut = sum(length > cap for length in ordered)
        if cut:
            context.notes.append(f"{cut} of {len(ordered)} measured answers are over the cap {cap}")
        if cap >= template.settings.max_output_tokens:
            return template
        return replace(template, settings=replace(template.settings, max_output_tokens=cap))
