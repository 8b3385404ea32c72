"""CO202: embedded data in the format that takes the fewest tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ..core.errors import CostoptError
from ..core.placeholders import scan
from ..core.protocols import TokenCounter
from ..core.spans import spans
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .answer_json import is_schema
from .base import Strategy, StrategyContext, newline, replace_content, rewritable
from .encodings import FORMATS, decoded, encoded, load, same
from .guard_data import DataBlock, comparable, data_blocks

_FIXED = frozenset({SpanKind.FORMAT, SpanKind.EXAMPLE, SpanKind.QUESTION})
_SHOWN = re.compile(
    r"\b(?:output|format|return|respond|reply|answer|schema|example|template|structure|produce"
    r"|generate|like this|as follows|json)\b",
    re.IGNORECASE,
)
_LEAD = 240
_LARGEST = 500_000


@dataclass(frozen=True, kw_only=True)
class DataFormat(Strategy):
    """Write embedded data in the format that takes the fewest tokens.

    JSON objects and arrays that are data become compact JSON, CSV (a list of objects with the same
    names) or TOON, whichever has the fewest tokens by the target's own count. CSV and TOON stand in
    a fence that names them. Each must read back as the same value: types, names and their order
    are kept, in CSV by quoting strings that read as something else. What is an example or a schema
    of the answer stays JSON, and so does what the text before it calls JSON.

    What it can break:
        A model reads JSON most often in training: a small one may find a field less surely in CSV
        or TOON. Answers tend to imitate the form of the data. A program that cuts the JSON out of
        the prompt no longer finds it.

    Args:
        formats: Which are tried: of json, csv and toon, joined by ``;``.

    Reference:
        RFC 8259 (JSON); RFC 4180 (CSV); TOON specification 3.0.
    """

    name: ClassVar[str] = "data-format"
    code: ClassVar[str] = "CO202"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "writes embedded JSON as compact JSON, CSV or TOON"
    reference: ClassVar[str] = "RFC 8259; RFC 4180; TOON specification 3.0"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    rewrites: ClassVar[frozenset[str]] = frozenset({"data"})
    example: ClassVar[str] = (
        "These are our shops:\n\n[\n"
        '  {"city": "Hull", "street": "Quay Road", "open": true},\n'
        '  {"city": "Bath", "street": "Mill Lane", "open": false},\n'
        '  {"city": "Ayr", "street": "High Street", "open": true}\n]\n\n'
        "Where is the nearest to {place}?"
    )

    formats: str = ";".join(FORMATS)

    def __post_init__(self) -> None:
        """Check the names of the formats."""
        known = bool(self._kinds) and set(self._kinds) <= set(FORMATS)
        self._require("formats", known, f"of {', '.join(FORMATS)}, joined by ;")

    @property
    def _kinds(self) -> tuple[str, ...]:
        return tuple(kind.strip() for kind in self.formats.split(";") if kind.strip())

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the data of messages that instruct rewritten."""
        for index in rewritable(template):
            old = template.messages[index].content
            new = _rewritten(old, template.syntax, context.count, self._kinds)
            after = replace_content(template, {index: new})
            if new != old and not isinstance(comparable(template, after), str):
                template = after
        return template


def _rewritten(text: str, syntax: Syntax, count: TokenCounter, kinds: tuple[str, ...]) -> str:
    if "{" not in text and "[" not in text:
        return text
    parts: list[str] = []
    at = 0
    for block in _of_data(text, syntax):
        best = _shortest(text, block, syntax, count, kinds)
        if best is not None:
            parts += [text[at : block.start], best]
            at = block.end
    return "".join([*parts, text[at:]])


def _of_data(text: str, syntax: Syntax) -> Iterator[DataBlock]:
    """Yield the blocks that are data: no example of the answer, and nothing with a variable."""
    holes = [(t.start, t.end) for t in scan(text, syntax) if t.kind != "text"]
    holes += [(s.start, s.end) for s in spans(text, syntax) if s.kind in _FIXED]
    before = 0
    for block in data_blocks(text):
        # What leads up to a block is the paragraph before it, and its own line.
        lead = text[max(before, block.start - _LEAD) : block.start].rstrip().rpartition("\n\n")[2]
        before = block.end
        inside = any(a < block.end and b > block.start for a, b in holes)
        if not inside and not _SHOWN.search(lead) and len(block.source) <= _LARGEST:
            yield block


def _shortest(
    text: str, block: DataBlock, syntax: Syntax, count: TokenCounter, kinds: tuple[str, ...]
) -> str | None:
    """Return the block in the format with the fewest tokens; ``None`` where it is that already."""
    try:
        value = load(block.source)
    except ValueError:
        return None
    if is_schema(value):
        return None
    source = text[block.start : block.end]
    best, least = None, count(source)
    for kind in kinds:
        body = encoded(value, kind)
        if body is None or (kind != "json" and not _alone(text, block)):
            continue
        written = _placed(text, block, body, kind)
        if "```" in body or not _free(written, syntax):
            continue
        tokens = count(written)
        if tokens < least and _reads_back(body, kind, value):
            best, least = written, tokens
    return best


def _reads_back(body: str, kind: str, value: object) -> bool:
    try:
        return same(value, decoded(body, kind))
    except ValueError:
        return False


def _alone(text: str, block: DataBlock) -> bool:
    """Whether a block has its lines to itself, so that it can become a fence."""
    before = text[: block.start].rpartition("\n")[2]
    after = text[block.end :].partition("\n")[0]
    return not before and not after.strip()


def _placed(text: str, block: DataBlock, body: str, kind: str) -> str:
    eol = newline(text)
    if kind != "json":
        return f"```{kind}{eol}{body}{eol}```"
    if not block.fenced:
        return body
    head, _, rest = text[block.start : block.end].partition(block.source)
    return f"{head}{body}{rest}"


def _free(text: str, syntax: Syntax) -> bool:
    """Whether a text has no variable or statement, nor looks as if it had."""
    try:
        return all(token.kind == "text" for token in scan(text, syntax))
    except CostoptError:
        return False
