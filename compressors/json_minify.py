"""CO201: embedded JSON without indentation."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.blocks import fences, json_blocks, json_in_prose, minified, parse_json, unfenced
from ..core.placeholders import scan
from ..core.protocols import TokenCounter
from ..core.ranges import Ranges
from ..core.types import PromptTemplate, Safety, Syntax
from .base import Strategy, StrategyContext, map_messages


@dataclass(frozen=True, kw_only=True)
class JsonMinify(Strategy):
    """Write embedded JSON without indentation.

    Finds JSON objects and arrays in the text and in fenced blocks that hold nothing else (one, or
    several as in JSON lines), and takes out the white space between their tokens. Strings, the
    digits of numbers, the order of members and duplicate names stay to the letter; a block is left
    alone where the result would not parse to the same value, where it holds a placeholder, or where
    it saves no tokens.

    What it can break:
        No parser sees a difference. A model may imitate the form: where an example of the output is
        minified, answers tend to be, too.

    Reference:
        RFC 8259, section 2: insignificant whitespace is allowed before or after any of the six
        structural characters.
    """

    name: ClassVar[str] = "json-minify"
    code: ClassVar[str] = "CO201"
    safety: ClassVar[Safety] = "lossless"
    summary: ClassVar[str] = "writes embedded JSON without indentation"
    reference: ClassVar[str] = "RFC 8259"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    example: ClassVar[str] = (
        'Fill in this form:\n\n{\n    "name": "",\n    "tags": [\n        "a"\n    ]\n}\n\n'
        "Text: {text}"
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the JSON of every message minified."""
        return map_messages(template, lambda text, syntax: _minify(text, syntax, context.count))


def _minify(text: str, syntax: Syntax, count: TokenCounter) -> str:
    if "{" not in text and "[" not in text:
        return text
    holes = Ranges((t.start, t.end) for t in scan(text, syntax) if t.kind != "text")
    parts: list[str] = []
    at = 0
    for start, end in _values(text):
        if holes.touch(start, end):
            continue
        parts += [text[at:start], _smaller(text[start:end], count)]
        at = end
    return "".join([*parts, text[at:]])


def _values(text: str) -> list[tuple[int, int]]:
    """Return the ranges of JSON values: those that fill a fence, and those outside of fences."""
    found: list[tuple[int, int]] = []
    for fence in fences(text):
        body = text[fence.body_start : fence.body_end]
        inner = list(json_blocks(body))
        if not _outside(body, inner).strip():
            found += [(fence.body_start + a, fence.body_start + b) for a, b in inner]
    for start, end in unfenced(text):
        found += [(start + a, start + b) for a, b in json_in_prose(text[start:end])]
    return sorted(found)


def _outside(text: str, ranges: list[tuple[int, int]]) -> str:
    edges = [0, *(edge for pair in ranges for edge in pair), len(text)]
    return "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))


def _smaller(source: str, count: TokenCounter) -> str:
    short = minified(source)
    if short == source or parse_json(short)[0] != parse_json(source)[0]:
        return source
    return short if count(short) < count(source) else source
