"""Decorative marks of Markdown: what a text says without them, it says with them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..core.blocks import lines
from ..core.literals import quotes
from ..core.spans import mask, spans
from ..core.types import SpanKind, Syntax

_PASSES = 12
_NEAR = 200
_SOLID = (
    SpanKind.PLACEHOLDER, SpanKind.CODE, SpanKind.DATA, SpanKind.EXAMPLE, SpanKind.FORMAT,
    SpanKind.QUOTE, SpanKind.URL,
)  # fmt: skip
_RULE = re.compile(r"[ \t]*(?:([-=*_~#─━═⎯—–])\1{2,}|([-*_])(?:[ \t]\2){2,})[ \t]*\r?")
_BANNER = re.compile(
    r"[ \t]*([-=*_~─━═])\1{2,}[ \t]*(?P<title>[^\W_][^\n]{0,120}?)[ \t]*\1{3,}[ \t]*\r?"
)
_BOUNDARY = re.compile(r"\b(?:begin|beginning|end|ends|start|stop|eof)\b", re.IGNORECASE)
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+\S")
_LISTED = re.compile(r"[ \t]*(?:[-*+•>]|\d{1,3}[.)])[ \t]")
_BULLET = re.compile(r"[ \t]*([•‣⁃●○■□▪▫◾◽◆◇▶►➤➔➡★☆✦✧🔹🔸]\ufe0f?)[ \t]+(?=\S)")
_OPENS = r"(?<![^\s(\[{}\"'“‘—–:>|,.;*_])(?<!\\)"
_FIRST = r"(?=[^\W_]|[\"'“‘(\[{<`$@&+~¿¡])"
_LAST = r"(?<=[\w.!?:,;)\]}>\"'”’`%…])"
_EMPHASIS = re.compile(
    rf"{_OPENS}(?<!\*)(\*{{1,3}}){_FIRST}(?P<stars>[^\n*]{{1,600}}+){_LAST}(?<!\\)\1(?![\w*/])"
    rf"|{_OPENS}(?<!_)(_{{1,3}}){_FIRST}(?P<lines>[^\n_]{{1,600}}+){_LAST}(?<![_\\])\3(?![\w/])"
)
_IDENTIFIER = re.compile(r"[a-z0-9]+")
_FIELD = re.compile(r"\ufeff?(?:---|\s|#|-\s|[\w.\"'-]{1,80}\s?:)")
_ITEM = re.compile(r"\d{1,3}[.)]\s|[-+#>]\s")
_SHOUT = re.compile(r"(?<=[\w)\]}\"'”’*_])([!?！？])\1+(?=[\s\"'”’)\]*_]|\Z)")
_ABOUT = re.compile(
    r"\b(?:bold(?:ed|face)?|italic\w{0,5}|asterisks?|underscores?|emphasi[sz]\w{0,4}|markdown"
    r"|stars?)\b",
    re.IGNORECASE,
)
_ABOUT_RULES = re.compile(
    r"\b(?:dashes|hyphens|dashed lines?|equals?[ -]signs?|asterisks|hashes|tildes|underscores"
    r"|delimit\w{0,4}|divid(?:er|ing line)s?|separat(?:ors?|ed? by)|horizontal (?:rule|line)s?"
    r"|three (?:hash|dash|back|single|double)\w{0,8})\b",
    re.IGNORECASE,
)
_RUN = re.compile(r"([-=*_~#─━═⎯—–])\1{2,}")


@dataclass(frozen=True)
class Cut:
    """Replace ``[start, end)`` by ``by``."""

    start: int
    end: int
    by: str = ""


Mark = tuple[Cut, ...]
"""What goes together: the two ends of an emphasis, or one cut."""


def marks(text: str, syntax: Syntax) -> tuple[Mark, ...]:
    """Return the decorative marks of one message's text, in order and disjoint.

    They are emphasis, horizontal rules, heading underlines and closing marks, banners, bullets that
    are drawn, repeated exclamation and question marks, and HTML comments. Code, JSON, tables,
    examples, format specifications, quoted literals, URLs, tags and placeholders hold none; nor
    does a rule next to a placeholder, which delimits what is filled in.

    Args:
        text: One message's content.
        syntax: How it marks its variables.

    Raises:
        TemplateSyntaxError: a placeholder is not closed.

    Example:
        >>> [tuple((c.start, c.end) for c in mark) for mark in marks("**Go!!**", Syntax.NONE)]
        [((0, 2), (6, 8))]
    """
    solid = mask(text, syntax, _SOLID)
    front = _front_matter(text)
    solid[:front] = b"\1" * front
    found = [*_comments(text, solid)]
    for span in spans(text, syntax):
        if span.kind is SpanKind.MARKUP:
            solid[span.start : span.end] = b"\1" * (span.end - span.start)
    found += [*_emphasis(text, solid), *_shouts(text, solid), *_lines(text, syntax, solid)]
    return tuple(_disjoint(sorted(found, key=lambda mark: mark[0].start)))


def _front_matter(text: str) -> int:
    """Return where front matter between two lines of dashes ends, or 0; comments may precede it."""
    opened = False
    for start, end in lines(text):
        line = text[start:end].strip("\ufeff \t\r")
        if line == "---" and opened:
            return end
        opened = opened or line == "---"
        if not opened and line and not line.startswith(("#", "//", "<!--", "{{!")):
            return 0
        if opened and line and not _FIELD.match(text, start, end):
            return 0
    return 0


def _disjoint(found: Iterable[Mark]) -> Iterator[Mark]:
    """Leave out what crosses an earlier mark; an emphasis inside another one waits for its turn."""
    end = 0
    for mark in found:
        if mark[0].start >= end:
            yield mark
            end = mark[-1].end


def without(text: str, found: Iterable[Mark]) -> str:
    """Return ``text`` with these marks, in order and disjoint, taken out."""
    parts: list[str] = []
    at = 0
    for cut in (cut for mark in found for cut in mark):
        parts += [text[at : cut.start], cut.by]
        at = cut.end
    return "".join([*parts, text[at:]])


def plain(text: str, syntax: Syntax) -> str:
    r"""Return ``text`` without any decorative mark; itself where they are nested without end.

    Example:
        >>> plain("Title\n=====\n\n**Be *very* brief!!**", Syntax.NONE)
        '# Title\n\nBe very brief!'
    """
    before = text
    for _ in range(_PASSES):
        left = without(text, marks(text, syntax))
        if left == text:
            return text
        text = left
    return before


def _comments(text: str, solid: bytearray) -> Iterator[Mark]:
    quoted = _quoted(text) if "<!--" in text else bytearray()
    at = 0
    while (start := text.find("<!--", at)) != -1 and (end := text.find("-->", start)) != -1:
        at = end + 3
        if 1 in solid[start:at] or quoted[start]:
            continue
        first, last = _around(text, start, at)
        if _opens(text, start) and not text[at:last].strip() and last < at + _NEAR:
            yield (_line_cut(text, first, last),)
        elif text[first:start].endswith((" ", "\t")) and not text[at : at + 1].strip():
            yield (Cut(start - 1, at),)
        else:
            yield (Cut(start, at),)


def _quoted(text: str) -> bytearray:
    marked = bytearray(len(text))
    for start, end in quotes(text):
        marked[start:end] = b"\1" * (end - start)
    return marked


def _emphasis(text: str, solid: bytearray) -> Iterator[Mark]:
    for match in _EMPHASIS.finditer(text):
        inner = "stars" if match.group("stars") else "lines"
        (start, end), (first, last) = match.span(), match.span(inner)
        if 1 in solid[start:first] or 1 in solid[last:end]:
            continue
        lone = inner == "lines" and first - start > 1 and _IDENTIFIER.fullmatch(text, first, last)
        item = _opens(text, start) and _ITEM.match(text, first)
        if lone or item or _about(text, start, end):
            continue
        yield Cut(start, first), Cut(last, end)


def _about(text: str, start: int, end: int) -> bool:
    """Tell whether the words around an emphasis speak of emphasis: it illustrates, then."""
    return _ABOUT.search(text, *_around(text, start, end)) is not None


def _around(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range to its line, by no more than 200 characters on each side."""
    first, last = max(0, start - _NEAR), min(len(text), end + _NEAR)
    stop = text.find("\n", end, last)
    return max(first, text.rfind("\n", first, start) + 1), last if stop == -1 else stop


def _opens(text: str, at: int) -> bool:
    first = max(0, at - _NEAR)
    start = text.rfind("\n", first, at)
    return (start != -1 or not first) and not text[max(first, start + 1) : at].strip()


def _shouts(text: str, solid: bytearray) -> Iterator[Mark]:
    for match in _SHOUT.finditer(text):
        if 1 not in solid[match.start() : match.end()]:
            yield (Cut(match.start() + 1, match.end()),)


def _lines(text: str, syntax: Syntax, solid: bytearray) -> Iterator[Mark]:
    holes = mask(text, syntax, (SpanKind.PLACEHOLDER,))
    kept = _spoken_of(text, solid)
    every = [(start, end) for start, end in lines(text)]
    filled = [index for index, (start, end) in enumerate(every) if text[start:end].strip()]
    for number, index in enumerate(filled):
        start, end = every[index]
        if 1 in solid[start:end]:
            continue
        around = [every[filled[n]] for n in (number - 1, number + 1) if 0 <= n < len(filled)]
        delimits = any(1 in holes[a:b] for a, b in around)
        above = every[index - 1] if number and filled[number - 1] == index - 1 else None
        cut = _line(text, (start, end), above, kept, delimits)
        if cut:
            yield (cut,)


def _line(
    text: str, line: tuple[int, int], above: tuple[int, int] | None, kept: str, delimits: bool
) -> Cut | None:
    start, end = line
    if rule := _RULE.fullmatch(text, start, end):
        drawn = rule.group(1) or rule.group(2)
        if drawn in kept or delimits or (start == 0 and drawn == "-"):
            return None
        return _rule(text, start, end, above, drawn)
    if _HEADING.match(text, start, end):
        return _closed(text, start, end)
    if bullet := _BULLET.match(text, start, end):
        return Cut(bullet.start(1), bullet.end(1), "-")
    banner = _BANNER.fullmatch(text, start, end)
    if banner and banner.group(1) not in kept and not _BOUNDARY.search(banner.group("title")):
        return Cut(start, banner.end("title") + _blanks(text, banner.end("title"), end),
                   f"# {banner.group('title')}")  # fmt: skip
    return None


def _closed(text: str, start: int, end: int) -> Cut | None:
    """Take the closing marks of a heading out: the marks and the blanks before them."""
    line = text[start:end].rstrip()
    title = line.rstrip("#")
    closes = title != line and title.endswith((" ", "\t")) and title.strip(" \t#")
    return Cut(start + len(title.rstrip()), start + len(line)) if closes else None


def _blanks(text: str, start: int, end: int) -> int:
    """Return how much of ``[start, end)`` goes: all but a carriage return at its end."""
    return end - start - text[start:end].endswith("\r")


def _rule(text: str, start: int, end: int, above: tuple[int, int] | None, drawn: str) -> Cut:
    """Take a rule out; where it underlines a title, the title is marked as a heading instead."""
    single = above and not text[text.rfind("\n", 0, max(0, above[0] - 1)) + 1 : above[0]].strip()
    titled = above and single and drawn in "=-" and _title(text[above[0] : above[1]])
    if above and titled:
        title = text[above[0] : above[1]].rstrip()
        return Cut(above[0], end - text[start:end].endswith("\r"),
                   f"{'#' if drawn == '=' else '##'} {title.lstrip()}")  # fmt: skip
    return _line_cut(text, start, end)


def _title(line: str) -> bool:
    words = line.strip()
    plain_text = not _LISTED.match(line) and not _HEADING.match(line)
    return plain_text and len(words) <= 60 and words[-1:].isalnum() and not _RULE.fullmatch(line)


def _line_cut(text: str, start: int, end: int) -> Cut:
    """Take a line out: the paragraphs around it stay apart, by one blank line."""
    stop = min(end + 1, len(text))
    if start == 0 or stop == len(text):
        return Cut(start, stop)
    following = text[stop : text.find("\n", stop) + 1 or len(text)]
    before = text[text.rfind("\n", 0, start - 1) + 1 : start]
    if not before.strip() and not following.strip():
        return Cut(start, stop + len(following))
    if not before.strip() or not following.strip() or before.lstrip().startswith("#"):
        return Cut(start, stop)
    return Cut(start, end - text[start:end].endswith("\r"))


def _spoken_of(text: str, solid: bytearray) -> str:
    """Return what rules may be drawn with here, that the text itself speaks of; they stay."""
    found: set[str] = set()
    for match in _ABOUT_RULES.finditer(text):
        if not solid[match.start()]:
            return "-=*_~#─━═⎯—–"
    for start, end in lines(text):
        drawn = (pattern.fullmatch(text, start, end) for pattern in (_RULE, _BANNER))
        if not any(drawn) and not _HEADING.match(text, start, end):
            found.update(run.group(1) for run in _RUN.finditer(text, start, end))
    return "".join(sorted(found))
