"""CO411: less reasoning, by the API's own setting."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .base import NotApplicable, Strategy, StrategyContext

LEVELS = ("minimal", "low", "medium", "high")
"""From the least reasoning to the most."""


@dataclass(frozen=True, kw_only=True)
class Effort(Strategy):
    """Ask a reasoning model for less reasoning, by the API's own setting.

    Sets ``effort`` in the settings, which is sent as ``reasoning_effort``. The text stays as it is.
    It never raises an effort that the prompt sets itself. Tokens of reasoning are billed as output,
    and are often most of it.

    What it can break:
        Answers to problems that need the reasoning. Not every model takes every level.

    Args:
        level: One of ``minimal``, ``low``, ``medium``, ``high``.

    Reference:
        OpenAI API reference, ``reasoning_effort``.
    """

    name: ClassVar[str] = "effort"
    code: ClassVar[str] = "CO411"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "asks a reasoning model for less reasoning"
    reference: ClassVar[str] = "OpenAI API reference, reasoning_effort"
    example: ClassVar[str] = "Solve the problem.\n\nProblem: {problem}"

    level: str = "low"

    def __post_init__(self) -> None:
        """Check the level."""
        self._require("level", self.level in LEVELS, f"one of {', '.join(LEVELS)}")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the effort in its settings.

        Raises:
            NotApplicable: the target has no such setting.
        """
        if "effort" not in context.capabilities:
            raise NotApplicable("the target takes no reasoning effort")
        own = template.settings.effort
        if own is not None and (own not in LEVELS or self._no_lower_than(own)):
            return template
        return replace(template, settings=replace(template.settings, effort=self.level))

    def _no_lower_than(self, own: str) -> bool:
        return LEVELS.index(self.level) >= LEVELS.index(own)
