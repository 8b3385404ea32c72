"""Spans: what each stretch of a message is, and what an edit must leave alone."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from .blocks import fences, inline_code, json_blocks, lines, tables
from .examples import examples
from .literals import limits, numbers, quotes, urls
from .placeholders import scan
from .types import Span, SpanKind, Syntax

_TAG = re.compile(r"</?[A-Za-z][\w:.-]{0,80}(?:\s[^<>]{0,2000})?/?>", re.DOTALL)

_ANSWERS = (
    r"answers?|outputs?|responses?|results?|labels?|json|summary|function|category|class|reply"
    r"|solution|sentiment|translation|explanation|reasoning|sql|code|(?:final|short|your)\ \w+"
)
_FORMAT_LINE = re.compile(
    r"^[ \t#>*_-]{0,40}+(?:[^\n]{0,40}\b(?:output|response|answer|return|reply)[ -]format\b"
    r"[^\n]{0,200}|[^\n]{0,40}\bformat\b[^\n]{0,40}:[*_]{0,3}"
    rf"|[*_]{{0,3}}(?:{_ANSWERS})[*_]{{0,3}}:[*_]{{0,3}}(?:[ \t]*<[^<>\n]{{1,80}}>)?)[ \t]*\r?$",
    re.IGNORECASE | re.MULTILINE,
)
_FORMAT_VERB = re.compile(
    r"\b(?:respond|reply|answer|return|output|provide|produce|format|formatted|print)\b"
    r"[^.!?\n]{0,60}?\b(?:json|xml|ya?ml|csv|tsv|html|markdown|latex|plain\ text|code\ block"
    r"|bullet(?:ed)?\ (?:points?|lists?)|numbered\ list)\b",
    re.IGNORECASE,
)
_FORMATS = ("json", "xml", "yml", "yaml", "csv", "tsv", "html", "markdown", "latex", "plain text",
            "code block", "bullet", "numbered")  # fmt: skip
"""One of these stands in every match of the pattern above."""
_NEXT_SENTENCE = re.compile(r"(?<![.!?])[.!?]++[*_)\"'”’]{0,3}[ \t]+")
_SENTENCE_END = re.compile(r"(?<![.!?])[.!?]++[*_)\"'”’]{0,3}(?=\s|\Z)|\n|\Z")
_CONTEXT_TAG = re.compile(
    r"<(context|documents?|passages?|data|input|source|article|text)>", re.IGNORECASE
)


def _sentence(text: str, start: int, end: int, floor: int) -> tuple[int, int]:
    """Widen a range to its sentence, at most to its line, and back to ``floor``."""
    line = text.rfind("\n", floor, start) + 1
    begin = line or floor
    while not line and floor and begin < start and text[begin] in " \t":
        begin += 1
    for match in _NEXT_SENTENCE.finditer(text, begin, start):
        begin = match.end()
    closing = _SENTENCE_END.search(text, end)
    stop = len(text) if closing is None else closing.end()
    while stop > end and text[stop - 1].isspace():
        stop -= 1
    return begin, stop


def _formats(text: str) -> Iterator[tuple[int, int]]:
    for start, stop in lines(text):
        line = text[start:stop]
        # Most lines are none, and to see that is much cheaper than the pattern.
        if line.rstrip(" \t\r*_").endswith((":", ">")) or "format" in line.lower():
            match = _FORMAT_LINE.match(text, start)
            if match:
                yield match.span()
    end = 0
    low = text.lower()
    for match in _FORMAT_VERB.finditer(text) if any(map(low.__contains__, _FORMATS)) else ():
        if match.start() >= end:
            start, end = _sentence(text, *match.span(), floor=end)
            yield start, end


def _markup(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (start := text.find("<!--", at)) != -1 and (end := text.find("-->", start)) != -1:
        at = end + 3
        yield start, at
    for match in _TAG.finditer(text):
        yield match.span()


def _placeholders(text: str, syntax: Syntax) -> Iterator[tuple[int, int]]:
    return ((t.start, t.end) for t in scan(text, syntax) if t.kind != "text")


_Finder = Callable[[str], Iterable[tuple[int, int]]]
_LAYERS: tuple[tuple[SpanKind, _Finder | None], ...] = (
    (SpanKind.CODE, lambda text: ((f.start, f.end) for f in fences(text))),
    (SpanKind.CODE, inline_code),
    (SpanKind.DATA, json_blocks),
    (SpanKind.DATA, lambda text: ((t.start, t.end) for t in tables(text))),
    (SpanKind.MARKUP, _markup),
    (SpanKind.EXAMPLE, None),  # found with the placeholders at hand, see `examples`
    (SpanKind.FORMAT, _formats),
    (SpanKind.URL, urls),
    (SpanKind.QUOTE, quotes),
    (SpanKind.NUMBER, numbers),
    (SpanKind.LIMIT, limits),
)
# Found in another language's text or in code, these mean nothing: blocks are claimed first.


class _Claims:
    """Ranges taken so far; a later claim gets what is left of its range."""

    def __init__(self, length: int) -> None:
        self.taken = bytearray(length)
        self.spans: list[Span] = []

    def claim(self, start: int, end: int, kind: SpanKind, protected: bool = True) -> None:
        at = start
        while at < end:
            if self.taken[at]:
                free = self.taken.find(0, at, end)
                at = end if free == -1 else free
                continue
            stop = self.taken.find(1, at, end)
            stop = end if stop == -1 else stop
            self.spans.append(Span(at, stop, kind, protected))
            self.taken[at:stop] = b"\1" * (stop - at)
            at = stop


@lru_cache(maxsize=64)
def spans(text: str, syntax: Syntax) -> tuple[Span, ...]:
    """Cut one message's text into spans that tile it.

    Protected are placeholders, statements and comments; fenced and inline code; JSON that
    parses; Markdown tables; XML and HTML tags; format specifications; few-shot examples; URLs;
    quoted literals; numbers with their units; negations and limits. The rest is free prose:
    context (inside tags such as ``<context>``), question, or instruction.

    Args:
        text: One message's content.
        syntax: How it marks its variables.

    Returns:
        Spans in order, none empty; their ranges tile ``text``.

    Raises:
        TemplateSyntaxError: a placeholder is not closed.

    Example:
        >>> [(s.kind.value, s.protected) for s in spans("Never guess {x}", Syntax.FSTRING)]
        [('limit', True), ('instruction', False), ('placeholder', True)]
    """
    claims = _claimed(text, syntax, len(_LAYERS))
    _claim_rest(text, claims)
    return tuple(sorted(claims.spans, key=lambda span: span.start))


def _claimed(text: str, syntax: Syntax, layers: int) -> _Claims:
    """Claim what is protected, by the first ``layers`` finders: a later one changes none of it."""
    claims = _Claims(len(text))
    for start, end in _placeholders(text, syntax):
        claims.claim(start, end, SpanKind.PLACEHOLDER)
    holes = bytes(claims.taken)
    for kind, finder in _LAYERS[:layers]:
        for start, end in examples(text, holes) if finder is None else finder(text):
            claims.claim(start, end, kind)
    return claims


def _claim_rest(text: str, claims: _Claims) -> None:
    ends: dict[str, int] = {}
    for match in _CONTEXT_TAG.finditer(text):
        name, end = match.group(1), ends.get(match.group(1), 0)
        if end != -1 and end < match.end():
            end = ends[name] = text.find(f"</{name}>", match.end())
        if end != -1:
            claims.claim(match.end(), end, SpanKind.CONTEXT, protected=False)
    at = 0
    while (start := claims.taken.find(0, at)) != -1:
        end = claims.taken.find(1, start)
        end = len(text) if end == -1 else end
        asked = text[start:end].rstrip().endswith("?")
        kind = SpanKind.QUESTION if asked else SpanKind.INSTRUCTION
        claims.claim(start, end, kind, protected=False)
        at = end


def editable(text: str, syntax: Syntax) -> tuple[tuple[int, int], ...]:
    """Return the ranges of free prose: what a strategy may rewrite.

    Raises:
        TemplateSyntaxError: a placeholder is not closed.

    Example:
        >>> editable("Keep {x} short", Syntax.FSTRING)
        ((0, 5), (8, 14))
    """
    ranges: list[tuple[int, int]] = []
    for span in spans(text, syntax):
        if span.protected:
            continue
        if ranges and ranges[-1][1] == span.start:
            ranges[-1] = (ranges[-1][0], span.end)
        else:
            ranges.append((span.start, span.end))
    return tuple(ranges)


def mask(text: str, syntax: Syntax, kinds: Iterable[SpanKind] | None = None) -> bytearray:
    r"""Return one byte a character: 1 where it lies in a protected span of one of ``kinds``.

    Args:
        text: One message's content.
        syntax: How it marks its variables.
        kinds: The kinds to mark; ``None`` for all.

    Example:
        >>> mask("a {x}", Syntax.FSTRING)
        bytearray(b'\x00\x00\x01\x01\x01')
    """
    wanted = frozenset(kind for kind, _ in _LAYERS) if kinds is None else frozenset(kinds)
    if kinds is None:
        wanted |= {SpanKind.PLACEHOLDER}
    marks = bytearray(len(text))
    for span in _protected(text, syntax, _layers_of(wanted)):
        if span.kind in wanted:
            marks[span.start : span.end] = b"\1" * (span.end - span.start)
    return marks


def _layers_of(kinds: frozenset[SpanKind]) -> int:
    """Return how many finders there are up to the last one of these kinds."""
    return max((at + 1 for at, (kind, _) in enumerate(_LAYERS) if kind in kinds), default=0)


@lru_cache(maxsize=64)
def _protected(text: str, syntax: Syntax, layers: int) -> tuple[Span, ...]:
    return tuple(_claimed(text, syntax, layers).spans)
