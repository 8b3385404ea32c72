"""CO230: what is the same in every request first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..core.errors import CostoptError
from ..core.types import PromptTemplate, Safety, Syntax
from ..costs.prefix import static_prefix
from .base import Strategy, StrategyContext, newline, replace_content, rewritable
from .guard import check
from .layout import Block, blocks

_REFERS = re.compile(
    r"\b(?:above|below|following|follows|preceding|previous(?:ly)?|prior|next|earlier|later|here"
    r"|now|again|remember|reminder|recap|finally|lastly|then|aforementioned|so far|once you"
    r"|these|those|this|that|it|they|them|before|after|begin|end|start|first|second|third|last"
    r"|former|latter|question|answer:|let's|step \d)\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(
    r"[\W_]{0,20}(?:phase|step|part|stage|section|round|chapter|task|level)\s{1,3}[\divx]{1,4}\b"
    r"|[\W_]{0,20}\d{1,3}[.):]",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)]|[a-z][.)])[ \t]")
_CUE = re.compile(r"[*_#> \t-]{0,8}[\w /'-]{1,40}[:：][*_]{0,3}\s*\Z")
_SENTENCE = re.compile(r"[.!?。！？][)\"'”’*_`]{0,4}\s*\Z")


@dataclass(frozen=True, kw_only=True)
class CacheOrder(Strategy):
    """Put what is the same in every request first, so that a prefix cache can hold it.

    Providers bill a repeated beginning of a prompt at a fraction of its price, from a minimum
    length on, and the beginning ends at the first variable. Paragraphs and sections that stand
    after a variable and hold none are moved before it, within their message. The order among them
    stays. Nothing moves that may refer to its place ("above", "this", "then", a list item), that is
    no sentence, an example, part of a tag, of a conditional or of a loop, or a closing label.

    What it can break:
        Instructions after a long text are sometimes followed better than before it. A
        reference that no word gives away. It saves nothing where the provider caches no prefix, or
        the prefix stays below its minimum.

    Reference:
        OpenAI, "Prompt caching"; Anthropic, "Prompt caching".
    """

    name: ClassVar[str] = "cache-order"
    code: ClassVar[str] = "CO230"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "puts what is the same in every request first"
    reference: ClassVar[str] = "OpenAI and Anthropic, Prompt caching"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    rewrites: ClassVar[frozenset[str]] = frozenset({"order"})
    example: ClassVar[str] = (
        "You answer customers of a bicycle shop.\n\nCustomer: {message}\n\n"
        "Write at most 60 words, and never promise a date of delivery.\n\nReply:"
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with static blocks first in each message that instructs."""
        before = template
        for index in rewritable(template):
            text = template.messages[index].content
            after = replace_content(template, {index: _ordered(text, template.syntax)})
            if after == template or context.count(after.text) > context.count(template.text):
                continue
            if not check(template, after, self.safety, self.side, self.rewrites).rejected:
                template = after
        if template != before:
            was, now = (context.count(static_prefix(one)) for one in (before, template))
            context.notes.append(
                f"{self.name}: the prefix that is the same in every request goes from {was:,} to "
                f"{now:,} tokens"
            )
        return template


def _ordered(text: str, syntax: Syntax) -> str:
    """Return a message with the static blocks that may move before its first volatile block."""
    try:
        found = blocks(text, syntax)
    except CostoptError:
        return text
    first = next((i for i, block in enumerate(found) if block.volatile), len(found))
    moved = _movable(found[first:])
    if not moved or any(_ORDINAL.match(block.text) for block in found):
        return text
    stay = [block for i, block in enumerate(found[first:]) if i not in moved]
    order = [*found[:first], *(found[first + i] for i in moved), *stay]
    eol = newline(text)
    lead = text[: len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()) :]
    return lead + (eol * 2).join(block.text for block in order).strip() + tail


def _movable(rest: Sequence[Block]) -> list[int]:
    """Return which blocks after the first volatile one may move; none behind one that may not."""
    moved: list[int] = []
    for i, block in enumerate(rest):
        if block.volatile:
            continue
        if not _free(block.text):
            break
        moved.append(i)
    return moved


def _free(text: str) -> bool:
    return (
        _SENTENCE.search(text) is not None
        and not _REFERS.search(text)
        and not _LISTED.match(text)
        and not _CUE.fullmatch(text.rpartition("\n")[2])
        and "```" not in text
        and "<" not in text
    )
