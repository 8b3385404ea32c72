"""CO103: marks that decorate."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate, Safety, Syntax
from .base import Strategy, StrategyContext, replace_content, rewritable
from .guard_markup import comparable
from .marks import Mark, marks, without

_PASSES = 12
_AROUND = 24


@dataclass(frozen=True, kw_only=True)
class Markup(Strategy):
    r"""Remove emphasis, rules and other marks that decorate.

    Bold and italics lose their asterisks and underscores, and headings their closing marks; a
    heading that is underlined, or set between ``===``, is written with ``#``; horizontal rules and
    HTML comments go, drawn bullets become ``-``, and ``!!!`` becomes ``!``. Each is done only where
    it saves tokens by the target's own count. Headings, lists, tables, code, quotes, examples,
    format specifications and tags that name a section stay. So does a rule next to a placeholder,
    or one of a kind that the text speaks of ("between the dashes"): it delimits something.

    What it can break:
        Emphasis is information: a model may weigh a rule in bold more, and answers tend to imitate
        the prompt's own formatting, so that a skeleton of the answer in bold gets answers in bold.
        A comment that was meant for the model is gone.

    Reference:
        CommonMark 0.31.2, sections 4.1 to 4.3 (rules and headings), 6.2 (emphasis). On what
        formatting is worth: J. He et al., "Does Prompt Formatting Have Any Impact on LLM
        Performance?", arXiv:2411.10541.
    """

    name: ClassVar[str] = "markup"
    code: ClassVar[str] = "CO103"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "removes emphasis, rules and other marks that decorate"
    reference: ClassVar[str] = "CommonMark 0.31.2; arXiv:2411.10541"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    rewrites: ClassVar[frozenset[str]] = frozenset({"markup"})
    example: ClassVar[str] = (
        "Triage\n======\n\n**Important:** read the *whole* ticket!!!\n\n---\n\n"
        "## Labels ##\n\n- billing\n- delivery\n\nTicket: {ticket}"
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the marks removed from the messages that instruct."""
        for index in rewritable(template):
            old = template.messages[index].content
            new = _undecorated(old, template.syntax, context.count)
            after = replace_content(template, {index: new})
            # Marks can be nested so that what is left reads otherwise: then they stay.
            if new != old and not isinstance(comparable(template, after), str):
                template = after
        return template


def _undecorated(text: str, syntax: Syntax, count: TokenCounter) -> str:
    counted = cache(count)
    before = text
    for _ in range(_PASSES):
        saving = [mark for mark in marks(text, syntax) if _saves(text, mark, counted)]
        if not saving:
            break
        text = without(text, saving)
    else:
        return before
    return text if text.strip() and count(text) < count(before) else before


def _saves(text: str, mark: Mark, count: Callable[[str], int]) -> bool:
    """Tell whether taking a mark out saves tokens, counted with what stands around it."""
    start, end = max(0, mark[0].start - _AROUND), mark[-1].end + _AROUND
    head, tail = text[start : mark[0].start], text[mark[-1].end : end]
    old = text[mark[0].start : mark[-1].end]
    parts: list[str] = []
    at = mark[0].start
    for cut in mark:
        parts += [text[at : cut.start], cut.by]
        at = cut.end
    return count(f"{head}{''.join(parts)}{tail}") < count(f"{head}{old}{tail}")
