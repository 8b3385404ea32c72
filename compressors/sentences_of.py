"""Sentences and list items of a prompt: what they are compared by, and how to take them out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ..core.anchors import anchors
from ..core.blocks import lines
from ..core.spans import spans
from ..core.types import SpanKind, Syntax

_SENTENCE_END = re.compile(r"[.!?][)\"'”’*_]{0,3}[ \t]+(?=[*_\"'(]{0,3}[A-Z0-9])")
_BULLET = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•][ \t]+|\d{1,3}[.)][ \t]+)?")
_WORD = re.compile(r"[^\W_]+(?:['’][a-z]+)?")
REMINDER = re.compile(
    r"[*_]{0,3}(?:please[ ,]+)?(?:once (?:again|more)|again,|as (?:has )?(?:already )?(?:been )?"
    r"(?:mentioned|stated|noted|said|described|explained)\b|as a (?:final )?reminder|reminder:"
    r"|to (?:repeat|reiterate|summari[sz]e|recap)\b|remember\b|(?:always )?(?:also )?(?:keep|bear)"
    r" in mind|(?:also )?keep in mind|in summary|finally, remember)",
    re.IGNORECASE,
)
_SMALL_WORDS = """
    a an the this that these those it its is are was were be been being of in on at to for from by
    with and or but as so if then than which who whom whose you your yours i we our us me my they
    them their he she his her do does did have has had will would should shall can could may might
    please kindly note again once reminder remember remind mind keep keeping very really important
    crucial essential vital extremely also just make sure ensure certain above below before earlier
    mentioned stated noted said described already there here what when where how any some such
"""
_LIGHT = frozenset(_SMALL_WORDS.split())
_ENDINGS = ("ings", "ing", "edly", "ed", "ies", "es", "ly", "s", "e")
_SOLID = frozenset(
    {
        SpanKind.PLACEHOLDER, SpanKind.CODE, SpanKind.DATA, SpanKind.MARKUP, SpanKind.EXAMPLE,
        SpanKind.FORMAT,
    }
)  # fmt: skip
_ITEM = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•]|\d{1,3}[.)])[ \t]+")
_WHOLE = re.compile(r"[.!?][)\"'”’*_]{0,3}\s*\Z")
_BLANK = ("\n", "\r\n")
_ITEM_WORDS = 4


@dataclass(frozen=True)
class Sentence:
    """A sentence or list item, and what it is compared by."""

    source: str
    start: int = 0
    end: int = 0
    readable: bool = True
    """Whether it is prose: no placeholder, code, data or tag."""
    free: bool = True
    """Whether it may be dropped."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The stems of its content words, in order."""
        words = (word.lower().replace("’", "'") for word in _WORD.findall(self.source))
        return tuple(stem(word) for word in words if word not in _LIGHT)

    @cached_property
    def said(self) -> frozenset[str]:
        """The stems of its content words."""
        return frozenset(self.words)

    @cached_property
    def anchors(self) -> Counter[str]:
        """Its numbers, limits, quoted literals and URLs."""
        return anchors(self.source, Syntax.NONE)


def sentences(text: str, syntax: Syntax) -> Iterator[Sentence]:
    """Yield the sentences and list items of one message's text; headings are none.

    Raises:
        TemplateSyntaxError: a placeholder is not closed.

    Example:
        >>> [(s.source, s.free) for s in sentences("Be kind. Read {x}.", Syntax.FSTRING)]
        [('Be kind. ', True), ('Read {x}.', False)]
    """
    solid, joined = bytearray(len(text)), bytearray(len(text))
    for span in spans(text, syntax):
        marks = solid if span.kind in _SOLID else joined if span.kind is SpanKind.QUOTE else None
        if marks is not None:
            marks[span.start : span.end] = b"\1" * (span.end - span.start)
    for start, end in lines(text):
        yield from _line(text, start, end, solid, joined)


def _line(
    text: str, start: int, end: int, solid: bytearray, joined: bytearray
) -> Iterator[Sentence]:
    bullet = _BULLET.match(text, start, end)
    first = bullet.end() if bullet else start
    if text.startswith("#", first) or not text[first:end].strip():
        return
    cuts = [
        stop.end()
        for stop in _SENTENCE_END.finditer(text, first, end)
        if not solid[stop.start()] and not joined[stop.start()]
    ]
    item = _ITEM.match(text, start, end) is not None
    numbered = item and text[start:first].strip()[:1].isdigit()
    for begin, stop in pairwise([first, *cuts, end]):
        source = text[begin:stop]
        readable = 1 not in solid[begin:stop]
        # A sentence of a longer list item speaks of that item: only a reminder speaks of others.
        alone = not (item and cuts) or REMINDER.match(source) is not None
        whole = _WHOLE.search(source) is not None or (item and len(source.split()) > _ITEM_WORDS)
        yield Sentence(source, begin, stop, readable, readable and alone and whole and not numbered)


def stem(word: str) -> str:
    """Return a word in lower case without its ending.

    Example:
        >>> stem("labels"), stem("labelled")
        ('label', 'labell')
    """
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def without(text: str, gone: Sequence[Sentence]) -> str:
    r"""Take sentences out, and with them lines and bullets of which nothing is left.

    Args:
        text: One message's content.
        gone: Some of its sentences, in order.

    Example:
        >>> text = "Be kind. Be kind.\n\n- Be brief.\n\nGo."
        >>> _, two, three, _ = sentences(text, Syntax.NONE)
        >>> without(text, [two, three])
        'Be kind.\n\nGo.'
    """
    every = [text[start : end + 1] for start, end in lines(text)]
    out: list[str] = []
    at, number, skip = 0, 0, False
    for index, line in enumerate(every):
        end = at + len(line)
        here = number
        while number < len(gone) and gone[number].start < end:
            number += 1
        left = _line_without(line, at, gone[here:number])
        at = end
        if skip:
            skip = False
        elif left is not None:
            out.append(left)
        else:
            after = index + 1 < len(every) and every[index + 1] in _BLANK
            skip = after and (not out or (len(out) > 1 and out[-1] in _BLANK))
    return "".join(out)


def _line_without(line: str, at: int, gone: Sequence[Sentence]) -> str | None:
    """Return a line, which starts ``at``, without sentences; ``None`` if nothing is left of it."""
    if not gone:
        return line
    parts: list[str] = []
    begin = 0
    for rule in gone:
        parts.append(line[begin : rule.start - at])
        begin = rule.end - at
    head, tail = "".join(parts), line[begin:]
    if not _BULLET.sub("", head + tail, count=1).strip(" \t\r\n*_"):
        return None
    return head.rstrip(" \t") + _newline(line) if not tail.strip() else head + tail


def _newline(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
