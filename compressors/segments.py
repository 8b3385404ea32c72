"""Segments: a template cut into what its author could leave out, and the template without some.

Unlike the strategies, which never touch an example or a format specification, this asks what each
part is worth: whatever holds no placeholder and leaves the template whole is a segment to try.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ..core.blocks import fences, json_blocks, lines, tables
from ..core.placeholders import contract, scan
from ..core.scanners import TemplateSyntaxError, line_column
from ..core.spans import spans
from ..core.types import PromptTemplate, Syntax
from .base import replace_content, rewritable
from .example_units import ranges as example_ranges
from .example_units import turns
from .units import cut_out

MOST = 40
"""Segments that are tried at most: where there are more, coarser ones are."""

_ITEM = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•]|\d{1,3}[.)])[ \t]+")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]")
_TAG_LINE = re.compile(r"[ \t]*</?[A-Za-z][^<>\n]{0,200}>[ \t]*\r?")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]{0,80})(?:\s[^<>]{0,2000})?>")
_STOP = re.compile(
    r"[.!?][)\"'”’*_]{0,3}(?:[ \t]+(?=[*_\"'(]{0,3}[A-Z0-9])|[ \t]*\r?\n)|[。！？]|:[ \t]*\r?\n"
)
_WORD = re.compile(r"\w")
_SHOWN = 40


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A half-open range of one message; a ``turn`` is two whole messages, this and the next.

    Attributes:
        message: The index of the message.
        start: Where it begins in the message's content, in characters.
        end: Where it ends.
        kind: ``sentence``, ``item``, ``heading``, ``paragraph``, ``section``, ``example``, ``turn``
            or ``block`` (code, JSON, a table).
        text: Its text.
        kept: Why it cannot be left out; ``None`` where it can.
    """

    message: int
    start: int
    end: int
    kind: str
    text: str
    kept: str | None = None


def segments(template: PromptTemplate, most: int = MOST) -> tuple[Segment, ...]:
    r"""Cut a template into segments: sentences, or where those are too many coarser ones.

    In each message they are in order and do not overlap, and what lies between them holds no word.

    Args:
        template: Any template.
        most: How many of them may be left out; where even sections are more, the shortest stay.

    Raises:
        TemplateSyntaxError: a placeholder is not closed.

    Example:
        >>> from costopt.compressors.contract import template_of
        >>> for one in segments(template_of("Be kind. Be brief.\n\nTicket: {ticket}")):
        ...     print(one.kind, repr(one.text), one.kept)
        sentence 'Be kind.' None
        sentence 'Be brief.' None
        sentence 'Ticket: {ticket}' it holds {ticket}
    """
    found: tuple[Segment, ...] = ()
    for cuts in (_sentence_cuts, _paragraph_cuts, _section_cuts):
        found = tuple(_all(template, cuts))
        if sum(one.kept is None for one in found) <= most:
            return found
    return _longest(found, most)


def without(template: PromptTemplate, gone: Iterable[Segment]) -> PromptTemplate:
    """Return the template without segments; what they leave empty goes with them."""
    cuts: dict[int, list[tuple[int, int]]] = {}
    dropped: set[int] = set()
    for one in gone:
        if one.kind == "turn":
            dropped |= {one.message, one.message + 1}
        else:
            cuts.setdefault(one.message, []).append((one.start, one.end))
    after = replace_content(
        template, {i: cut_out(template.messages[i].content, found) for i, found in cuts.items()}
    )
    dropped |= {i for i in cuts if not after.messages[i].content.strip()}
    if not dropped:
        return after
    return replace(
        after, messages=tuple(m for i, m in enumerate(after.messages) if i not in dropped)
    )


def place(template: PromptTemplate, segment: Segment) -> tuple[int, int]:
    """Return line and column, from 1, at which a segment stands in its file.

    Exact where the file holds the message as it is; where the format escapes or indents it, the
    line is found by its words, and the column is 1.
    """
    raw, at = template.source.raw, 0
    for message in template.messages[: segment.message]:
        found = raw.find(message.content, at)
        at = found + len(message.content) if found >= 0 else at
    content = template.messages[segment.message].content
    start = raw.find(content, at)
    if start >= 0:
        return line_column(raw, start + segment.start)
    line = segment.text.split("\n", 1)[0].strip()
    start = raw.find(line, at) if line else -1
    return (line_column(raw, start)[0] if start >= 0 else template.source.line), 1


_Cuts = Callable[[str, Syntax], set[int]]


def _all(template: PromptTemplate, cuts: _Cuts) -> Iterator[Segment]:
    demonstrated = {turn.message for turn in turns(template)}
    instructs = set(rewritable(template))
    for index, message in enumerate(template.messages):
        text = message.content
        if index in instructs:
            yield from _standing(template, index, list(_of_text(template, index, cuts)))
        elif index in demonstrated:
            yield Segment(message=index, start=0, end=len(text), kind="turn", text=text)
        elif index - 1 not in demonstrated and text.strip():
            reason = "it is a turn of the conversation"
            yield Segment(
                message=index, start=0, end=len(text), kind="turn", text=text, kept=reason
            )


def _of_text(template: PromptTemplate, index: int, cuts: _Cuts) -> Iterator[Segment]:
    text, syntax = template.messages[index].content, template.syntax
    whole = dict(_whole(text, syntax, cuts))
    edges = {0, len(text), *whole, *(end for end, _ in whole.values()), *cuts(text, syntax)}
    closed = _closed(text, syntax, whole)
    for start, end in pairwise(sorted(at for at in edges if not closed[at])):
        kind = whole[start][1] if start in whole and whole[start][0] == end else None
        one = _trimmed(text, start, end)
        if one is not None:
            first, stop = one
            piece = Segment(
                message=index,
                start=first,
                end=stop,
                kind=kind or _kind(text, start, stop, cuts),
                text=text[first:stop],
            )
            yield replace(piece, kept=_kept(template, piece))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return a range without outer blanks and without its bullet; ``None`` if it holds no word."""
    while start < end and text[start].isspace() and "\n" in text[start:end]:
        after = text.find("\n", start, end) + 1
        if text[start:after].strip():
            break
        start = after
    bullet = _ITEM.match(text, start, end)
    start = bullet.end() if bullet else start
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if _WORD.search(text, start, end) else None


def _kind(text: str, start: int, end: int, cuts: _Cuts) -> str:
    if cuts is _section_cuts:
        return "section"
    line = text[start:end].lstrip("\r\n")
    if _HEADING.match(line):
        return "heading"
    if _ITEM.match(line):
        return "item"
    return "sentence" if cuts is _sentence_cuts else "paragraph"


def _kept(template: PromptTemplate, segment: Segment) -> str | None:
    """Say why a segment cannot be left out."""
    text = template.messages[segment.message].content
    for token in scan(text, template.syntax):
        inside = token.start < segment.end and token.end > segment.start
        if inside and token.kind in ("variable", "statement", "comment"):
            return f"it holds {text[token.start : token.end][:_SHOWN]}"
    if _halved(text, segment):
        return "it holds one half of a pair of tags"
    after = without(template, [segment])
    if len(after.messages) == len(template.messages) and not _same_contract(template, after):
        return "the rest would not read as the same template"
    return None


def _halved(text: str, segment: Segment) -> bool:
    names: dict[str, int] = {}
    for closing, name in _TAG.findall(segment.text):
        names[name] = names.get(name, 0) + (-1 if closing else 1)
    return any(number and f"</{name}" in text for name, number in names.items())


def _same_contract(before: PromptTemplate, after: PromptTemplate) -> bool:
    try:
        return all(
            contract(old.content, before.syntax) == contract(new.content, before.syntax)
            for old, new in zip(before.messages, after.messages, strict=True)
        )
    except TemplateSyntaxError:
        return False


def _standing(template: PromptTemplate, index: int, found: Sequence[Segment]) -> Sequence[Segment]:
    """Keep the longest segment of a message that has to say something, where all could go."""
    needed = template.messages[index].role not in ("system", "developer")
    needed = needed or len(template.messages) == 1
    if not needed or not found or any(one.kept for one in found):
        return found
    longest = max(found, key=lambda one: (one.end - one.start, -one.start))
    reason = "something of its message has to stay"
    return [replace(one, kept=reason) if one is longest else one for one in found]


def _longest(found: Sequence[Segment], most: int) -> tuple[Segment, ...]:
    free = [one for one in found if one.kept is None]
    chosen = {id(one) for one in sorted(free, key=lambda one: one.start - one.end)[:most]}
    reason = f"not tried: there are more than {most}, and it is one of the shortest"
    return tuple(
        one if one.kept is not None or id(one) in chosen else replace(one, kept=reason)
        for one in found
    )


def _whole(text: str, syntax: Syntax, cuts: _Cuts) -> Iterator[tuple[int, tuple[int, str]]]:
    """Yield what is a segment of its own by start: examples, code, JSON and tables."""
    if cuts is _section_cuts:
        return
    taken = 0
    blocks = [(f.start, f.end) for f in fences(text)]
    blocks += [*json_blocks(text), *((t.start, t.end) for t in tables(text))]
    tokens = [(t.start, t.end) for t in scan(text, syntax) if t.kind != "text"]
    found = [(*one, "example") for one in example_ranges(text, syntax)]
    found += [(*one, "block") for one in blocks]
    for start, end, kind in sorted(found, key=lambda one: (one[0], -one[1])):
        lonely = not text[text.rfind("\n", 0, start) + 1 : start].strip()
        broken = any(a < start < b or a < end < b for a, b in tokens)
        if start >= taken and lonely and not broken:
            taken = end
            yield start, (end, kind)


def _closed(text: str, syntax: Syntax, whole: dict[int, tuple[int, str]]) -> bytearray:
    """Return one byte a position: 1 where no cut may be, as it lies inside of something."""
    closed = bytearray(len(text) + 1)
    inner = [(start, end) for start, (end, _) in whole.items()]
    inner += [(t.start, t.end) for t in scan(text, syntax) if t.kind != "text"]
    inner += [(f.start, f.end) for f in fences(text)]
    inner += [(s.start, s.end) for s in spans(text, syntax) if s.protected and s.kind != "example"]
    for start, end in inner:
        closed[start + 1 : end] = b"\1" * max(end - start - 1, 0)
    return closed


def _section_cuts(text: str, syntax: Syntax) -> set[int]:
    del syntax
    found = {start for start, end in lines(text) if _HEADING.match(text, start, end)}
    return found or {start for start, _, blank in _after_blank(text) if blank}


def _paragraph_cuts(text: str, syntax: Syntax) -> set[int]:
    found = {edge for edges in _unsent(text, syntax) for edge in edges}
    for start, end, blank in _after_blank(text):
        alone = _HEADING.match(text, start, end) or _TAG_LINE.fullmatch(text, start, end)
        if blank or alone or _ITEM.match(text, start, end):
            found.add(start)
        if alone:
            found.add(min(end + 1, len(text)))
    return found


def _unsent(text: str, syntax: Syntax) -> Iterator[tuple[int, int]]:
    """Yield the ranges of comments, and of statements that have their lines to themselves."""
    for token in scan(text, syntax):
        if token.kind == "comment":
            yield token.start, token.end
        elif token.kind == "statement":
            start = text.rfind("\n", 0, token.start) + 1
            end = text.find("\n", token.end)
            end = len(text) if end == -1 else end + 1
            if not (text[start : token.start] + text[token.end : end]).strip():
                yield start, end


def _sentence_cuts(text: str, syntax: Syntax) -> set[int]:
    found: set[int] = set()
    for stop in _STOP.finditer(text):
        first = text.rfind("\n", 0, stop.start()) + 1
        bullet = _ITEM.match(text, first)
        numbered = bullet is not None and stop.start() < bullet.end()
        if not numbered and not _HEADING.match(text, first):
            found.add(stop.end())
    return found | _paragraph_cuts(text, syntax)


def _after_blank(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the range of each line that is not blank, and whether one before it is."""
    blank = False
    for start, end in lines(text):
        if text[start:end].strip():
            yield start, end, blank
            blank = False
        else:
            blank = True
