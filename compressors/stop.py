"""CO410: answers end where accepted answers end."""

from dataclasses import dataclass, replace
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .answer_form import asks_for_reasoning, strict_form
from .base import NotApplicable, Strategy, StrategyContext

_AUTO = "auto"
_MOST = 4
_WRITTEN = {"\\n": "\n", "\\t": "\t", "\\r": "\r"}


@dataclass(frozen=True, kw_only=True)
class Stop(Strategy):
    r"""Stop the answer where accepted answers end.

    Sets a stop sequence in the settings; the text stays as it is. ``auto`` takes the end of the
    line where every accepted answer of the eval set is one line, and the first blank line where
    none has one. What a model would write after that (an explanation, the next example) is not
    generated and not paid for. A sequence that stands in an accepted answer is never set.

    What it can break:
        A model that begins its answer with a line break answers nothing at all, and one that
        begins with "Sure, here it is:" nothing more. Right answers of a shape that no accepted
        answer has are cut off.

    Args:
        at: The sequence, ``\n`` written as a backslash and an n; or ``auto``.

    Reference:
        OpenAI API reference, ``stop``; Anthropic API reference, ``stop_sequences``.
    """

    name: ClassVar[str] = "stop"
    code: ClassVar[str] = "CO410"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "stops the answer where accepted answers end"
    reference: ClassVar[str] = "OpenAI API reference, stop"
    example: ClassVar[str] = "Name the capital.\n\nCountry: {country}\nCapital:"

    at: str = _AUTO

    def __post_init__(self) -> None:
        """Check that there is a sequence."""
        self._require("at", bool(self.at), "a text that ends the answer, or auto")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the sequence in its settings.

        Raises:
            NotApplicable: no sequence is known to end an answer and to stand in none.
        """
        sequence = self._sequence(template, context)
        own = template.settings.stop
        if any(sequence.startswith(one) for one in own):
            return template
        if any(sequence in reference.strip() for reference in context.references):
            raise NotApplicable(f"an accepted answer holds {sequence!r}")
        if len(own) >= _MOST:
            raise NotApplicable(f"the prompt sets {len(own)} stop sequences, and APIs take {_MOST}")
        return replace(template, settings=replace(template.settings, stop=(*own, sequence)))

    def _sequence(self, template: PromptTemplate, context: StrategyContext) -> str:
        if self.at != _AUTO:
            text = self.at
            for written, meant in _WRITTEN.items():
                text = text.replace(written, meant)
            return text
        if asks_for_reasoning(template):
            raise NotApplicable("the prompt asks for reasoning before the answer")
        references = [reference.strip() for reference in context.references]
        if not references:
            raise NotApplicable("it takes accepted answers (an eval set) to know where they end")
        form = strict_form(template)
        one_line = form in (None, "the answer alone") and not any("\n" in r for r in references)
        return "\n" if one_line else "\n\n"
