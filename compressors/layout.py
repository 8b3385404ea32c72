"""Blocks of a message: paragraphs and sections, and which of them differ between requests."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..core.blocks import fences, lines
from ..core.placeholders import scan
from ..core.spans import spans
from ..core.types import SpanKind, Syntax

__all__ = ["Block", "blocks"]

_HEADING = re.compile(r"[ \t]{0,3}(?:#{1,6}[ \t]|[=*_-]{5,}[ \t]*\r?$)")
_OPENING = re.compile(r"[ \t]*<([A-Za-z][\w.-]{0,60})(?:\s[^<>]{0,200})?>", re.ASCII)
_LEADS = re.compile(r"[:：][*_]{0,3}\s*\Z|^\s*<[^<>/][^<>]*>\s*\Z")


@dataclass(frozen=True)
class Block:
    """A stretch of a message that stands or moves as a whole; blank lines are around it."""

    text: str
    volatile: bool
    """Whether requests differ in it: it holds a variable or a statement, or leads up to one."""


def blocks(text: str, syntax: Syntax) -> tuple[Block, ...]:
    r"""Return the blocks of a message, from its first line to its last.

    Sections are blocks where there are headings, else paragraphs are. A fence, what a tag encloses,
    few-shot examples and all from the first to the last statement is one block; a paragraph that
    ends with a colon belongs to the next.

    Example:
        >>> [(b.text, b.volatile) for b in blocks("Be kind.\n\nText:\n\n{x}\n\nEnd.",
        ...                                       Syntax.FSTRING)]
        [('Be kind.', False), ('Text:\n\n{x}', True), ('End.', False)]
    """
    marks = [t.start for t in scan(text, syntax) if t.kind in ("variable", "statement")]
    starts = _starts(text, _joined(text, syntax))
    found: list[Block] = []
    for start, end in pairwise([*starts, len(text)]):
        part = text[start:end].strip("\r\n")
        if not part.strip():
            continue
        following = bisect_left(marks, start)
        found.append(Block(part, following < len(marks) and marks[following] < end))
    return tuple(found)


def _starts(text: str, joined: bytearray) -> list[int]:
    """Return the offsets at which blocks begin."""
    sections = any(
        _HEADING.match(text, start, end) and not joined[start] for start, end in lines(text)
    )
    starts, blank, last = [0], True, ""
    for start, end in lines(text):
        line = text[start:end]
        if not line.strip():
            blank = True
            continue
        opens = _HEADING.match(line) is not None if sections else blank
        if opens and blank and not joined[start] and not (last and _LEADS.search(last)):
            starts.append(start)
        blank, last = False, line
    return sorted(set(starts))


def _joined(text: str, syntax: Syntax) -> bytearray:
    """Mark the offsets at which no block can begin."""
    joined = bytearray(len(text) + 1)
    for start, end in _whole(text, syntax):
        joined[start + 1 : end] = b"\1" * max(0, end - start - 1)
    return joined


def _whole(text: str, syntax: Syntax) -> Iterator[tuple[int, int]]:
    """Yield ranges that are not parted."""
    yield from ((fence.start, fence.end) for fence in fences(text))
    statements = [token for token in scan(text, syntax) if token.kind == "statement"]
    if statements:
        yield statements[0].start, statements[-1].end
    examples = [span for span in spans(text, syntax) if span.kind is SpanKind.EXAMPLE]
    if examples:
        yield examples[0].start, examples[-1].end
    at, unclosed = 0, set[str]()
    for start, end in lines(text):
        tag = _OPENING.match(text, start, end) if start >= at else None
        if tag is None or tag.group(1) in unclosed:
            continue
        close = text.find(f"</{tag.group(1)}>", tag.end())
        if close == -1:  # nor is there one further on
            unclosed.add(tag.group(1))
        else:
            at = close
            yield start, close + len(tag.group(1)) + 3
