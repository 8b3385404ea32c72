"""Few-shot examples as units that may go: in a message's text, and as turns of a chat."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..core.blocks import lines
from ..core.examples import examples
from ..core.placeholders import scan
from ..core.types import Message, PromptTemplate, Syntax
from .base import replace_content, rewritable
from .fitted import Piece
from .units import Unit, cut_out

_ANNOUNCED = re.compile(
    r"[ \t#*_>-]{0,40}+(?:few-shot |worked )?(?:example|sample|demonstration|demo)"
    r"(?:[ \t]*#?\d{1,3}|[ \t]+(?-i:[A-Z]))[ \t]*[:.)]?[*_]{0,3}[ \t]*\r?",
    re.IGNORECASE,
)
_TAG = re.compile(r"<example\b[^<>]{0,200}>", re.IGNORECASE)
_WRAPPED = re.compile(r"<examples\b", re.IGNORECASE)


@dataclass(frozen=True)
class Turn(Piece):
    """A demonstration in chat form: the user's message at ``message`` and the answer after it."""


def example_units(template: PromptTemplate) -> tuple[Unit | Turn, ...]:
    """Return the examples that may go, in order: demonstrated turns, and those in prose."""
    found: list[Unit | Turn] = list(turns(template))
    for index in rewritable(template):
        text = template.messages[index].content
        found += [
            Unit(index, text[start:end], start, end) for start, end in ranges(text, template.syntax)
        ]
    return tuple(sorted(found, key=lambda unit: unit.message))


def turns(template: PromptTemplate) -> tuple[Turn, ...]:
    """Return the pairs of a user's and an assistant's message, with nothing filled in.

    The last user's message is asked, and demonstrates nothing.
    """
    messages = template.messages
    last = max((i for i, m in enumerate(messages) if m.role == "user"), default=-1)
    return tuple(
        Turn(i, f"{messages[i].content}\n{messages[i + 1].content}")
        for i in range(last)
        if (messages[i].role, messages[i + 1].role) == ("user", "assistant")
        and messages[min(i + 2, len(messages) - 1)].role != "tool"
        and not any(_filled(message, template.syntax) for message in messages[i : i + 2])
    )


def _filled(message: Message, syntax: Syntax) -> bool:
    return any(token.kind != "text" for token in scan(message.content, syntax))


def ranges(text: str, syntax: Syntax) -> tuple[tuple[int, int], ...]:
    r"""Return the ranges of examples in a message, with their tags and a heading of their own.

    Example:
        >>> text = "Add.\n\nExample 1\n\nInput: 1 1\nOutput: 2\n\nInput: {x}\nOutput:"
        >>> [text[start:end] for start, end in ranges(text, Syntax.FSTRING)]
        ['Example 1\n\nInput: 1 1\nOutput: 2']
    """
    holes = bytearray(len(text))
    for token in scan(text, syntax):
        if token.kind != "text":
            holes[token.start : token.end] = b"\1" * (token.end - token.start)
    taken = bytearray(len(text))
    found: list[tuple[int, int]] = []
    headings = _headings(text)
    # Tagged examples come first: a paragraph may hold several of them, or a part of one.
    for start, end in sorted(
        _tidy(text, bytes(holes)), key=lambda range_: not _tagged(text, range_)
    ):
        start = headings.get(start, start)
        if 1 in holes[start:end] or 1 in taken[start:end]:
            continue
        taken[start:end] = b"\1" * (end - start)
        found.append((start, end))
    return tuple(sorted(found))


def _tagged(text: str, found: tuple[int, int]) -> bool:
    return _TAG.match(text, found[0]) is not None and text[found[1] - 1] == ">"


def _tidy(text: str, holes: bytes) -> Iterator[tuple[int, int]]:
    """Yield examples; one in tags ends after its closing tag, a frame of several is left out."""
    for start, end in examples(text, holes):
        if _WRAPPED.match(text, start) and text.startswith("</", end):
            continue
        closing = text.find(">", end) + 1 if text.startswith("</", end) else 0
        yield (start, closing) if closing and _TAG.match(text, start) else (start, end)


def _headings(text: str) -> dict[int, int]:
    """Return by the start of a paragraph where a heading such as "Example 2" before it starts."""
    found: dict[int, int] = {}
    heading: int | None = None
    for start, end in lines(text):
        if not text[start:end].strip():
            continue
        if heading is not None:
            found[start] = heading
        heading = start if _ANNOUNCED.fullmatch(text, start, end) else None
    return found


def take_away(template: PromptTemplate, gone: Sequence[Unit | Turn]) -> PromptTemplate:
    """Return the template without the examples given."""
    cuts: dict[int, list[tuple[int, int]]] = {}
    dropped: set[int] = set()
    for unit in gone:
        if isinstance(unit, Unit):
            cuts.setdefault(unit.message, []).append((unit.start, unit.end))
        else:
            dropped |= {unit.message, unit.message + 1}
    after = replace_content(
        template, {i: cut_out(template.messages[i].content, found) for i, found in cuts.items()}
    )
    kept = tuple(m for i, m in enumerate(after.messages) if i not in dropped)
    return after if len(kept) == len(after.messages) else replace(after, messages=kept)
