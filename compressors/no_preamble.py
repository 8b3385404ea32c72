"""CO408: nothing before the answer, nothing after it."""

import re
from dataclasses import dataclass
from typing import ClassVar

from ..core.types import PromptTemplate, Safety, Side
from .answer_form import prose
from .base import NotApplicable, Strategy, StrategyContext
from .placement import add_instruction

_LINE = "No greeting, no restating of the question, no closing remark."
_WANTED = re.compile(
    r"\b(?:(?:greet|thank|welcome) (?:the|them|him|her|each|every|our|customers?|users?)"
    r"|with (?:a|an) (?:\w+ )?(?:greeting|salutation|introduction|closing|sign-?off|thank)"
    r"|(?:restate|repeat|rephrase|paraphrase) (?:the|their|his|her) (?:\w+ )?"
    r"(?:question|problem|request|query)"
    r"|(?:sign off|closing (?:remark|line|sentence)))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|n['’]t|never|no|without|avoid|nor|or)\b[^.!?\n]*$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class NoPreamble(Strategy):
    """Ask for no greeting, no restated question, no closing remark.

    Adds one line to the end of the static part. It takes nothing from the answer itself: reasoning
    and format stay as the prompt asks for them. A prompt that asks for a greeting, for the question
    to be restated or for a closing remark is left as it is.

    What it can break:
        The tone of answers that people read. It adds input tokens, so it pays only where the
        target adds such sentences of its own accord.

    Reference:
        Anthropic, "Reducing latency", and OpenAI, "Latency optimization": generate fewer tokens.
    """

    name: ClassVar[str] = "no-preamble"
    code: ClassVar[str] = "CO408"
    side: ClassVar[Side] = "output"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "asks for no greeting, no restated question, no closing remark"
    reference: ClassVar[str] = 'OpenAI, "Latency optimization": generate fewer tokens'
    example: ClassVar[str] = "Explain the term to a beginner.\n\nTerm: {term}"

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the line added to its static part.

        Raises:
            NotApplicable: the prompt asks for one of these.
        """
        text = prose(template)
        for found in _WANTED.finditer(text):
            if not _DENIED.search(text, max(0, found.start() - 60), found.start()):
                raise NotApplicable(f"the prompt asks for it: “{found[0].lower()}”")
        return add_instruction(template, _LINE)
