"""Drafts: a message as a model sees it that writes it anew, its fixed parts as blank tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..core.spans import spans
from ..core.types import PromptTemplate, SpanKind, Syntax
from .base import newline, rewritable

_HELD = frozenset(
    {
        SpanKind.PLACEHOLDER, SpanKind.CODE, SpanKind.DATA, SpanKind.MARKUP, SpanKind.EXAMPLE,
        SpanKind.FORMAT, SpanKind.URL, SpanKind.QUOTE, SpanKind.CONTEXT,
    }
)  # fmt: skip
_TOKEN = re.compile(r"⟦(\d+)⟧")
_FEWEST_WORDS = 8


@dataclass(frozen=True)
class Draft:
    """A message as the writer sees it, and what its tokens stand for."""

    message: int
    shown: str
    held: tuple[str, ...]
    head: str
    tail: str
    """Blanks around the message, which stay."""
    newline: str

    def restored(self, answer: str) -> str | None:
        """Return the answer with its tokens replaced; ``None`` if one is lost, moved or added."""
        numbers = [int(number) for number in _TOKEN.findall(answer)]
        if not answer or numbers != list(range(1, len(self.held) + 1)):
            return None
        bare = _TOKEN.sub("", answer)
        if "⟦" in bare or "⟧" in bare:
            return None
        lines = answer.replace("\r\n", "\n").replace("\n", self.newline)
        filled = _TOKEN.sub(lambda found: self.held[int(found.group(1)) - 1], lines)
        return f"{self.head}{filled}{self.tail}"


def drafts(template: PromptTemplate) -> Iterator[Draft]:
    """Yield the messages that can be written anew: those that instruct, with some prose."""
    for index in rewritable(template):
        text = template.messages[index].content
        if "⟦" in text or "⟧" in text:
            continue
        draft = _draft(index, text, template.syntax)
        if len(_TOKEN.sub(" ", draft.shown).split()) >= _FEWEST_WORDS:
            yield draft


def _draft(index: int, text: str, syntax: Syntax) -> Draft:
    body = text.strip()
    start = text.find(body)
    shown: list[str] = []
    held: list[str] = []
    at = start
    for first, end in _held(text, syntax):
        shown += [text[at:first], f"⟦{len(held) + 1}⟧"]
        held.append(text[first:end])
        at = end
    shown.append(text[at : start + len(body)])
    written = "".join(shown).replace("\r\n", "\n")
    return Draft(
        index, written, tuple(held), text[:start], text[start + len(body) :], newline(text)
    )


def _held(text: str, syntax: Syntax) -> Iterator[tuple[int, int]]:
    """Yield the ranges that the writer does not see; those with only blanks between are one."""
    first: int | None = None
    end = 0
    for span in spans(text, syntax):
        if span.kind not in _HELD or not text[span.start : span.end].strip():
            continue
        if first is not None and text[end : span.start].strip():
            yield _stripped(text, first, end)
            first = None
        first, end = span.start if first is None else first, span.end
    if first is not None:
        yield _stripped(text, first, end)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), end - (len(body) - len(body.rstrip()))
