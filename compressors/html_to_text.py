"""CO104: embedded HTML as Markdown."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from html_to_markdown import ConversionOptions, PreprocessingOptions, convert

from ..core.blocks import fences, inline_code, json_blocks
from ..core.placeholders import scan
from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate, Safety, Syntax
from .base import Strategy, StrategyContext, newline, replace_content, rewritable
from .guard import check
from .guard_markup import formatting, map_elements

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,15})\b[^<>]{0,4000}>|<!--|-->|<!doctype[^<>]{0,200}>",
                  re.IGNORECASE)  # fmt: skip
_PAGE = re.compile(r"<!doctype\s+html|<html\b", re.IGNORECASE)
_GAP = re.compile(r"\n[ \t]*\r?\n")
_IMAGE = re.compile(r"!\[([^\[\]]{0,2000})\]\([^()\s]{0,4000}(?:[ \t]+\"[^\"]{0,2000}\")?\)")
_TITLE = re.compile(r"<title\b[^<>]{0,400}>([^<]{0,2000})</title>", re.IGNORECASE)
_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HOLES = 0xF0000
_MOST_HOLES = 0xFFF0
_LESS = chr(_HOLES + _MOST_HOLES + 1)
_ESCAPED = re.compile(r"&(?:lt|#60|#x3c);(?=[A-Za-z/!])", re.IGNORECASE)
_OPENING = re.compile(r"<(?=[A-Za-z/!])")
_LEGEND = re.compile(r"(</?)(?:legend|figcaption)\b", re.IGNORECASE)
_FOOT = re.compile(r"(</?)tfoot\b", re.IGNORECASE)
# Links that show nothing, the converter's name for one whose image has no source among them.
_UNSEEN = re.compile(r"(?<!!)\[(?:([^\[\]\s]{1,2000})\]\(\1|\]\([^()\s]{0,2000})\)")
_ALONE = re.compile(r">\s*([^<>\s]+)\s*<")
_TASK = re.compile(r"^([ \t]*-) \[[ x]\](?= )", re.MULTILINE)
_LEAST_TAGS = 2
_MOST_REGIONS = 40
_LARGEST = 3_000_000
_OPTIONS = ConversionOptions(
    extract_metadata=False,
    bullets="-",
    autolinks=False,  # an address in angle brackets would read as a tag
    expand_abbreviations=False,
    include_blockquote_citations=False,
    compact_tables=True,
    strip_tags=["audio", "video", "iframe", "kbd", "samp"],  # what is in them stays
    preprocessing=PreprocessingOptions(enabled=False, remove_forms=False, remove_navigation=False),
)


@dataclass(frozen=True, kw_only=True)
class HtmlToText(Strategy):
    """Write embedded HTML as Markdown.

    Whole pages and stretches of formatting tags become Markdown: headings, lists, links, tables and
    code keep their meaning with a fraction of the tokens; styles, scripts, classes and comments go;
    of an image its description stays. Code fences stay, and so do tags that name a section of the
    prompt (``<instructions>``), and what holds fewer than two tags. A stretch stays as it is
    where the guard does not see the same words and placeholders in the same order, and where it
    saves no tokens.

    What it can break:
        Prompts that ask about the markup itself (its classes, ids, forms or accessibility), or
        for HTML like that of the input.

    Reference:
        HTML Living Standard; CommonMark 0.31.2; the package html-to-markdown.
    """

    name: ClassVar[str] = "html-to-text"
    code: ClassVar[str] = "CO104"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "writes embedded HTML as Markdown"
    reference: ClassVar[str] = "HTML Living Standard; CommonMark 0.31.2"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    rewrites: ClassVar[frozenset[str]] = frozenset({"markup"})
    example: ClassVar[str] = (
        'Answer from this page:\n\n<div class="page"><h2 id="h1">Opening hours</h2>\n'
        '<p class="lead">The shop is open on <b>weekdays</b>.</p>\n'
        '<ul class="hours"><li>9:00 to 17:00</li></ul></div>\n\nQuestion: {question}'
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the HTML of messages that instruct written as Markdown."""
        for index in rewritable(template):
            text = template.messages[index].content
            if "<" not in text or len(text) > _LARGEST:
                continue
            regions = list(_regions(text, template.syntax))[:_MOST_REGIONS]
            after = self._replaced(template, index, regions, context.count)
            if after is None:  # one of them spoils it: each by itself, the last first
                after = template
                for region in reversed(regions):
                    after = self._replaced(after, index, [region], context.count) or after
            template = after
        return template

    def _replaced(
        self,
        template: PromptTemplate,
        index: int,
        regions: list[tuple[int, int]],
        count: TokenCounter,
    ) -> PromptTemplate | None:
        """Return the template with the regions converted; ``None`` if the guard would refuse."""
        text, parts, at = template.messages[index].content, list[str](), 0
        for start, end in regions:
            parts += [text[at:start], _converted(text[start:end], template.syntax, newline(text))]
            at = end
        new = "".join([*parts, text[at:]])
        if new == text or count(new) >= count(text):
            return template
        after = replace_content(template, {index: new})
        refused = check(template, after, self.safety, self.side, self.rewrites).rejected
        return None if refused or list(_regions(new, template.syntax)) else after


def _regions(text: str, syntax: Syntax) -> Iterator[tuple[int, int]]:
    """Yield the stretches of HTML that formats, from their first tag to their last."""
    names = formatting(text)
    solid = bytearray(len(text))
    for start, end in _solid(text):
        solid[start:end] = b"\1" * (end - start)
    page = any(not solid[match.start()] for match in _PAGE.finditer(text))
    begin, stop, tags = -1, -1, 0
    for tag in _TAG.finditer(text):
        if solid[tag.start()] and not page:
            continue
        name = tag.group(1)
        known = name is None or name.lower() in names
        apart = begin >= 0 and not page and _GAP.search(text, stop, tag.start()) is not None
        if begin >= 0 and (apart or not known):
            if tags >= _LEAST_TAGS:
                yield begin, stop
            begin, tags = -1, 0
        if known:
            begin = tag.start() if begin < 0 else begin
            stop, tags = tag.end(), tags + (name is not None)
    if begin >= 0 and tags >= _LEAST_TAGS:
        yield begin, stop


def _solid(text: str) -> Iterator[tuple[int, int]]:
    yield from ((fence.start, fence.end) for fence in fences(text))
    yield from inline_code(text)
    yield from json_blocks(text)


def _converted(source: str, syntax: Syntax, eol: str) -> str:
    """Return Markdown, with placeholders and statements as they were."""
    holes = [token for token in scan(source, syntax) if token.kind != "text"]
    if len(holes) > _MOST_HOLES or any(_HOLES <= ord(c) <= ord(_LESS) for c in source):
        return source
    parts, at = list[str](), 0
    for number, hole in enumerate(holes):
        parts += [source[at : hole.start], chr(_HOLES + number)]
        at = hole.end
    text = _shielded("".join([*parts, source[at:]]).replace("\r\n", "\n"))
    try:
        made = convert(text, _OPTIONS).content
    except Exception:  # whatever its parser does: the HTML then stays as it is
        return source
    made = _IMAGE.sub(r"\1", _FRONT.sub("", made or "", count=1))
    shown = frozenset(map(html.unescape, _ALONE.findall(text)))  # of links, their own address too
    made = _UNSEEN.sub(lambda link: link[1] if link[1] in shown else "", made).strip()
    if "checkbox" in text:
        made = _TASK.sub(r"\1", made)
    title = _TITLE.search(text)
    if title is not None:  # it is no part of the page's body
        made = f"{' '.join(html.unescape(title.group(1)).split())}\n\n{made}"
    made = _unshielded(re.sub(r"\n{3,}", "\n\n", made))
    for number, hole in enumerate(holes):
        made = made.replace(chr(_HOLES + number), source[hole.start : hole.end])
    return made.replace("\n", eol) if made else source


def _shielded(text: str) -> str:
    """Put one character in the place of a ``<`` that is text and would begin a tag.

    Feet of tables become bodies, for the converter would move them where they come first; legends
    become paragraphs, for it would emphasise them.
    """
    text = _LEGEND.sub(r"\1p", _FOOT.sub(r"\1tbody", text))
    return _ESCAPED.sub(_LESS, map_elements(text, "textarea", lambda s: _OPENING.sub(_LESS, s)))


def _unshielded(text: str) -> str:
    """Write ``<`` in code, and ``&lt;`` elsewhere, where it would read as a tag of the page's."""
    if _LESS not in text:
        return text
    parts: list[str] = []
    at = 0
    code = [*((fence.start, fence.end) for fence in fences(text)), *inline_code(text)]
    for start, end in sorted(code):
        if start >= at:
            parts += [text[at:start].replace(_LESS, "&lt;"), text[start:end].replace(_LESS, "<")]
            at = end
    return "".join([*parts, text[at:].replace(_LESS, "&lt;")])
