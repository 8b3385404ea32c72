"""CO102: Markdown tables without padding."""

from dataclasses import dataclass
from typing import ClassVar

from ..core.blocks import cells, fences, inline_code, lines, tables
from ..core.placeholders import scan
from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate, Safety, Syntax
from .base import Strategy, StrategyContext, map_messages


@dataclass(frozen=True, kw_only=True)
class TableCompact(Strategy):
    """Remove the padding of Markdown tables.

    Each cell keeps its text and the alignment of its column; blanks around it go, and rows of
    dashes shrink to three a column. Of the forms ``| a | b |`` and ``|a|b|`` the one with fewer
    tokens is taken. A table is left alone where the cells would not read the same, inside code, and
    where it saves no tokens.

    What it can break:
        No parser sees a difference. A person who edits the file sees columns that no longer line
        up.

    Reference:
        GitHub Flavored Markdown 0.29, section 4.10: spaces between pipes and cell content are
        trimmed.
    """

    name: ClassVar[str] = "table-compact"
    code: ClassVar[str] = "CO102"
    safety: ClassVar[Safety] = "lossless"
    summary: ClassVar[str] = "removes the padding of Markdown tables"
    reference: ClassVar[str] = "GitHub Flavored Markdown 0.29, section 4.10"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    example: ClassVar[str] = (
        "| Plan       | Price     |\n| :--------- | --------: |\n| Basic      | $4.00     |\n\n"
        "Question: {question}"
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the tables of every message compacted."""
        return map_messages(template, lambda text, syntax: _compact(text, syntax, context.count))


def _compact(text: str, syntax: Syntax, count: TokenCounter) -> str:
    if "|" not in text:
        return text
    opaque = _opaque(text, syntax)
    code = [(fence.start, fence.end) for fence in fences(text)]
    code += [span for span in inline_code(text) if "\n" in text[slice(*span)]]
    parts: list[str] = []
    at = 0
    for table in tables(text):
        if any(start < table.end and end > table.start for start, end in code):
            continue
        source = text[table.start : table.end]
        parts += [text[at : table.start], _shorter(source, opaque[table.start : table.end], count)]
        at = table.end
    return "".join([*parts, text[at:]])


def _opaque(text: str, syntax: Syntax) -> bytearray:
    marks = bytearray(len(text))
    ranges = [(t.start, t.end) for t in scan(text, syntax) if t.kind != "text"]
    for start, end in [*ranges, *inline_code(text)]:
        marks[start:end] = b"\1" * (end - start)
    return marks


def _shorter(source: str, opaque: bytearray, count: TokenCounter) -> str:
    best = source
    for pad in (" ", ""):
        short = "\n".join(
            _row(source, start, end, opaque, pad, number == 1)
            for number, (start, end) in enumerate(lines(source))
        )
        if count(short) < count(best):
            best = short
    return best


def _row(source: str, start: int, end: int, opaque: bytearray, pad: str, rule: bool) -> str:
    """Write one row, its indentation, outer pipes and line ending kept."""
    line = source[start:end]
    body = line.strip(" \t\r")
    found = cells(source, start, end, opaque)
    if rule:
        found = tuple(_rule(cell) for cell in found)
    inner = "|".join(f"{pad}{cell}{pad}" if cell else " " for cell in found)
    if not body.startswith("|"):
        inner = inner.removeprefix(pad)
    if not _closed(body, source, start, end, opaque):
        inner = inner.removesuffix(pad)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    opening = "|" if body.startswith("|") else ""
    closing = "|" if _closed(body, source, start, end, opaque) else ""
    return f"{indent}{opening}{inner}{closing}" + ("\r" if line.endswith("\r") else "")


def _closed(body: str, source: str, start: int, end: int, opaque: bytearray) -> bool:
    last = start + len(source[start:end].rstrip(" \t\r")) - 1
    return len(body) > 1 and body.endswith("|") and not opaque[last] and source[last - 1] != "\\"


def _rule(cell: str) -> str:
    return f"{':' if cell.startswith(':') else ''}---{':' if cell.endswith(':') else ''}"
