"""CO202: embedded data in the format that takes the fewest tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from ..core.errors import CostoptError
from ..core.placeholders import scan
from ..core.protocols import TokenCounter
from ..core.ranges import Ranges
from ..core.spans import spans
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .answer_json import is_schema
from .base import Strategy, StrategyContext, newline, replace_content, rewritable
from .data_blocks import DataBlock, all_blocks, alone, as_objects, holds, reading, value_of
from .encodings import FORMATS, encodings, load, same, written_rows
from .guard import check
from .table_compact import compact_table

_FIXED = frozenset({SpanKind.FORMAT, SpanKind.EXAMPLE, SpanKind.QUESTION})
_SHOWN = re.compile(
    r"\b(?:output|format|return|respond|reply|answer|schema|example|template|structure|produce"
    r"|generate|like this|as follows|json)\b",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^[ \t>]*```", re.MULTILINE)
_FENCED = ("csv", "toon")
_LEAD = 240
_LARGEST = 500_000


@dataclass(frozen=True, kw_only=True)
class DataFormat(Strategy):
    """Write embedded data in the format that takes the fewest tokens.

    JSON objects and arrays that are data become compact JSON, CSV (a list of objects with the same
    names) or TOON, whichever has the fewest tokens by the target's own count. Objects on lines that
    follow each other (JSON lines) become one table or one array; a Markdown table becomes CSV, or
    loses its padding. CSV and TOON stand in a fence that names them; TOON is indented by one blank,
    and parted by commas or by tabs. Each must read back as the same value: types, names and their
    order are kept, in CSV by quoting strings that read as something else; of a Markdown table the
    texts of its cells are. What is an example or a schema of the answer stays as it is, and so does
    what the text before it calls JSON.

    What it can break:
        A model reads JSON most often in training: a small one may find a field less surely in CSV
        or TOON. Answers tend to imitate the form of the data. A program that cuts the JSON out of
        the prompt no longer finds it. A Markdown table loses the alignment of its columns.

    Args:
        formats: Which are tried: of json, csv and toon, joined by ``;``.

    Reference:
        RFC 8259 (JSON); RFC 4180 (CSV); JSON Lines; TOON specification 4.4.
    """

    name: ClassVar[str] = "data-format"
    code: ClassVar[str] = "CO202"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "writes embedded data as compact JSON, CSV or TOON"
    reference: ClassVar[str] = "RFC 8259; RFC 4180; TOON specification 4.4"
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
            if new != old and self._passes(template, after):
                template = after
        return template

    def _passes(self, before: PromptTemplate, after: PromptTemplate) -> bool:
        """Whether the guard lets it through: fences in fences may read as other ones after it."""
        return check(before, after, self.safety, self.side, self.rewrites).rejected is None


def _rewritten(text: str, syntax: Syntax, count: TokenCounter, kinds: tuple[str, ...]) -> str:
    if not any(mark in text for mark in "{[|"):
        return text
    parts: list[str] = []
    at = 0
    for block in _of_data(text, syntax):
        if block.start < at:  # JSON in a cell of a table that was rewritten
            continue
        best = _shortest(text, block, syntax, count, kinds)
        if best is not None:
            parts += [text[at : block.start], best]
            at = block.end
    return "".join([*parts, text[at:]])


def _of_data(text: str, syntax: Syntax) -> Iterator[DataBlock]:
    """Yield the blocks that are data: no example of the answer, and nothing with a variable."""
    holes = [(t.start, t.end) for t in scan(text, syntax) if t.kind != "text"]
    holes += [(s.start, s.end) for s in spans(text, syntax) if s.kind in _FIXED]
    taken = Ranges(holes)
    before = 0
    for block in all_blocks(text):
        # What leads up to a block is the paragraph before it, and its own line.
        lead = text[max(before, block.start - _LEAD) : block.start].rstrip().rpartition("\n\n")[2]
        before = block.end
        inside = taken.touch(block.start, block.end)
        if not inside and not _SHOWN.search(lead) and len(block.source) <= _LARGEST:
            yield block


def _shortest(
    text: str, block: DataBlock, syntax: Syntax, count: TokenCounter, kinds: tuple[str, ...]
) -> str | None:
    """Return the block in the format with the fewest tokens; ``None`` where it is that already."""
    source = text[block.start : block.end]
    best, least = None, count(source)
    if not alone(text, block):
        kinds = tuple(kind for kind in kinds if kind not in _FENCED)
    for body, kind in _bodies(block, kinds, count):
        written = _placed(text, block, body, kind)
        if written == source or _FENCE.search(body) or not _free(written, syntax):
            continue
        tokens = count(written)
        if tokens < least and _reads_back(block, body, kind):
            best, least = written, tokens
    return best


def _bodies(
    block: DataBlock, kinds: tuple[str, ...], count: TokenCounter
) -> Iterator[tuple[str, str]]:
    """Yield the ways to write a block, each with the format it is in."""
    try:
        value = value_of(block)
    except ValueError:
        return
    if block.kind == "table":
        yield from _of_table(block, value, kinds, count)
        return
    values = value if block.kind == "lines" else [value]
    if any(map(is_schema, values)):
        return
    for kind in kinds:
        if kind in _FENCED:
            yield from ((body, kind) for body in encodings(value, kind))
            continue
        yield "\n".join(next(encodings(item, kind)) for item in values), kind
        if block.kind == "lines" and not block.fenced:
            yield next(encodings(value, kind)), kind


def _of_table(
    block: DataBlock, rows: list[list[str]], kinds: tuple[str, ...], count: TokenCounter
) -> Iterator[tuple[str, str]]:
    yield compact_table(block.source, count), "table"
    if "csv" in kinds:
        yield written_rows(rows), "csv"
    if "toon" in kinds and len(set(rows[0])) == len(rows[0]):
        yield from ((body, "toon") for body in encodings(as_objects(rows), "toon"))


def _reads_back(block: DataBlock, body: str, kind: str) -> bool:
    if kind == "table":
        return True
    try:
        if kind in _FENCED:
            return holds(block, reading(body, kind))
        lines = block.kind == "lines" and body[0] == "{"
        return same(value_of(block), [*map(load, body.split("\n"))] if lines else load(body))
    except ValueError:
        return False


def _placed(text: str, block: DataBlock, body: str, kind: str) -> str:
    eol = newline(text)
    if kind in _FENCED:
        return f"```{kind}{eol}{body}{eol}```"
    body = body.replace("\n", eol)
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
