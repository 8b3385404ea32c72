"""Units of prose that can be left out: sections, sentences and clauses of a message."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..core.blocks import lines
from ..core.spans import spans
from ..core.types import PromptTemplate, SpanKind, Syntax
from .base import replace_content, rewritable
from .fitted import Piece, matcher

_FIXED = frozenset(
    {
        SpanKind.PLACEHOLDER, SpanKind.CODE, SpanKind.DATA, SpanKind.MARKUP, SpanKind.EXAMPLE,
        SpanKind.FORMAT, SpanKind.CONTEXT, SpanKind.QUESTION,
    }
)  # fmt: skip
_ITEM = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•]|\d{1,3}[.)])[ \t]+")
_BULLET = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•][ \t]+|\d{1,3}[.)][ \t]+)?")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]")
_SENTENCE_END = re.compile(r"[.!?][)\"'”’*_]{0,3}[ \t]+(?=[*_\"'(]{0,3}[A-Z0-9])|[。！？]")
_CLAUSE = re.compile(
    r"[ \t]*(?:;|,|\s[–—-])[ \t]+(?=(?:and|but|or|because|since|so|which|due to|even if|even though"
    r"|although|though|in order|as|while|whereas|including|such as|for example|e\.g\.|with)\b)"
    r"|[ \t]+(?=(?:because|due to the fact|even if|even though|in order to)\b)"
)
_STOP = re.compile(r"[.!?:;]*[)\"'”’*_]{0,3}\s*\Z")


@dataclass(frozen=True)
class Unit(Piece):
    """A stretch of one message that may go; units of the same text go together."""

    start: int
    end: int


def sections(template: PromptTemplate) -> tuple[Unit, ...]:
    """Return the sections of prose: headings, list items, and paragraphs.

    What touches a placeholder, a statement, code, data, a tag, an example, a format specification,
    a question or context is none.
    """
    return tuple(
        Unit(index, text[start:end], start, end)
        for index, text, fixed, _ in _prose(template)
        for start, end in _blocks(text)
        if 1 not in fixed[start:end]
    )


def sentences(template: PromptTemplate) -> tuple[Unit, ...]:
    """Return the sentences of prose, a heading or a list item's sentence alike."""
    return tuple(
        Unit(index, text[start:end], start, end)
        for index, text, fixed, inside in _prose(template)
        for start, end in _sentences(text, inside)
        if 1 not in fixed[start:end]
    )


def clauses(template: PromptTemplate, of: Iterable[Unit]) -> tuple[Unit, ...]:
    """Return the last clauses of sentences: from a comma or a conjunction to before the stop."""
    marks = {index: (text, inside) for index, text, _, inside in _prose(template)}
    found: list[Unit] = []
    for unit in of:
        text, inside = marks[unit.message]
        stop = _STOP.search(text, unit.start, unit.end)
        end = stop.start() if stop else unit.end
        for cut in _CLAUSE.finditer(text, unit.start + 1, end):
            if inside[cut.start()] or inside[cut.end()]:
                continue
            found.append(Unit(unit.message, text[cut.start() : end], cut.start(), end))
            break
    return tuple(found)


def without(template: PromptTemplate, units: Sequence[Unit], ids: Iterable[str]) -> PromptTemplate:
    """Return the template without the units that ``ids`` name."""
    wanted = matcher(ids)
    ranges: dict[int, list[tuple[int, int]]] = {}
    for unit in units:
        if wanted(unit.digest):
            ranges.setdefault(unit.message, []).append((unit.start, unit.end))
    return replace_content(
        template, {i: cut_out(template.messages[i].content, found) for i, found in ranges.items()}
    )


def cut_out(text: str, ranges: Sequence[tuple[int, int]]) -> str:
    r"""Take ranges out of a text, and with them lines and bullets of which nothing is left.

    Example:
        >>> cut_out("a\n\n- b. c.\n\nd", [(3, 10)])
        'a\n\nd'
    """
    gone = bytearray(len(text))
    for start, end in ranges:
        gone[start:end] = b"\1" * (end - start)
    kept: list[str] = []
    opened = False
    for start, end in lines(text):
        if 1 in gone[start:end]:
            line = _left(text, start, end, gone)
            if not _BULLET.sub("", line, count=1).strip(" \t\r*_#>-"):
                opened = True
                continue
        else:
            line = text[start:end]
            if opened and not line.strip() and not (kept and kept[-1].strip()):
                continue
        opened = False
        kept.append(line)
    return "\n".join(kept)


def _left(text: str, start: int, end: int, gone: bytearray) -> str:
    left = "".join(text[a:b] for a, b in _runs(gone, start, end))
    if not gone[end - 1]:
        return left
    return left.rstrip() + ("\r" if text[end - 1] == "\r" else "")


def _runs(gone: bytearray, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges that are not marked."""
    while start < end:
        first = gone.find(0, start, end)
        if first == -1:
            return
        stop = gone.find(1, first, end)
        start = end if stop == -1 else stop
        yield first, start


def _prose(template: PromptTemplate) -> Iterator[tuple[int, str, bytearray, bytearray]]:
    """Yield index, text, what cannot go, and where no cut may be, of messages that instruct."""
    for index in rewritable(template):
        text = template.messages[index].content
        yield index, text, *_marks(text, template.syntax)


def _marks(text: str, syntax: Syntax) -> tuple[bytearray, bytearray]:
    fixed, inside = bytearray(len(text)), bytearray(len(text))
    for span in spans(text, syntax):
        ones = b"\1" * (span.end - span.start)
        if span.kind in _FIXED:
            fixed[span.start : span.end] = ones
        if span.protected:
            inside[span.start + 1 : span.end] = ones[1:]
    return fixed, inside


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    start: int | None = None
    stop = 0
    for first, end in lines(text):
        blank = not text[first:end].strip()
        heading = _HEADING.match(text, first, end) is not None
        if start is not None and (blank or heading or _ITEM.match(text, first, end)):
            yield start, stop
            start = None
        if blank:
            continue
        start, stop = first if start is None else start, end
        if heading:
            yield start, stop
            start = None
    if start is not None:
        yield start, stop


def _sentences(text: str, inside: bytearray) -> Iterator[tuple[int, int]]:
    for start, end in lines(text):
        bullet = _BULLET.match(text, start, end)
        first = bullet.end() if bullet else start
        if not text[first:end].strip():
            continue
        cuts = [m.end() for m in _SENTENCE_END.finditer(text, first, end) if _free(m, inside)]
        for a, b in pairwise([first, *cuts, end]):
            if text[a:b].strip():
                yield a, b


def _free(cut: re.Match[str], inside: bytearray) -> bool:
    return cut.end() >= len(inside) or not inside[cut.end()]
