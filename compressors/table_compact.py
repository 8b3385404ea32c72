"""CO102: Markdown tables without padding."""

import re
from dataclasses import dataclass
from typing import ClassVar

from ..core.anchors import anchors, lost
from ..core.blocks import cells, fences, inline_code, lines, tables
from ..core.errors import CostoptError
from ..core.placeholders import scan
from ..core.protocols import TokenCounter
from ..core.ranges import Ranges
from ..core.types import PromptTemplate, Safety, Syntax
from .base import Strategy, StrategyContext, map_messages

# What, at the start of a line, would begin a list, a heading, a quote, code or HTML instead.
_BLOCK = re.compile(r"[-+*](?:\s|\Z)|\d{1,9}[.)](?:\s|\Z)|#|>|```|~~~|<|=|\[|:")


@dataclass(frozen=True, kw_only=True)
class TableCompact(Strategy):
    """Remove the padding of Markdown tables.

    Each cell keeps its text and the alignment of its column; blanks around it go, and rows of
    dashes shrink to three a column. Of the forms ``| a | b |``, ``|a|b|``, ``a | b`` and ``a|b``
    the one with the fewest tokens is taken; the pipes at both ends stay where a cell beside them
    is empty, holds a placeholder or would begin a list or a heading. A table is left alone where
    the cells would not read the same, inside code, and where it saves no tokens.

    What it can break:
        No parser sees a difference. A person who edits the file sees columns that no longer line
        up.

    Reference:
        GitHub Flavored Markdown 0.29, section 4.10: spaces between pipes and cell content are
        trimmed, and pipes at the ends of a row are optional.
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
    opaque, holes = _opaque(text, syntax)
    spread = (span for span in inline_code(text) if "\n" in text[slice(*span)])
    code = Ranges([*((fence.start, fence.end) for fence in fences(text)), *spread])
    parts: list[str] = []
    at = 0
    for table in tables(text):
        if code.touch(table.start, table.end):
            continue
        source = text[table.start : table.end]
        within = slice(table.start, table.end)
        shorter = _shorter(source, opaque[within], holes[within], count)
        parts += [text[at : table.start], shorter if _kept(source, shorter, syntax) else source]
        at = table.end
    return "".join([*parts, text[at:]])


def _kept(source: str, shorter: str, syntax: Syntax) -> bool:
    """Whether no literal is lost: quotation marks of two cells may hold the padding between."""
    try:
        return not lost(anchors(source, syntax), anchors(shorter, syntax))
    except CostoptError:  # a part of a template that does not parse by itself
        return False


def compact_table(source: str, count: TokenCounter) -> str:
    r"""Return a Markdown table without placeholders in the form with the fewest tokens.

    Example:
        >>> compact_table("| a  | b  |\n|----|----|\n| 1  | 2  |", len)
        'a|b\n---|---\n1|2'
    """
    opaque, holes = _opaque(source, Syntax.NONE)
    return _shorter(source, opaque, holes, count)


def _opaque(text: str, syntax: Syntax) -> tuple[bytearray, bytearray]:
    """Mark where a pipe parts no cells, and of that the placeholders and statements."""
    holes = bytearray(len(text))
    for token in scan(text, syntax):
        if token.kind != "text":
            holes[token.start : token.end] = b"\1" * (token.end - token.start)
    marks = bytearray(holes)
    for start, end in inline_code(text):
        marks[start:end] = b"\1" * (end - start)
    return marks, holes


def _shorter(source: str, opaque: bytearray, holes: bytearray, count: TokenCounter) -> str:
    best = source
    rows = list(lines(source))
    for edges in (True, False) if _open_ended(source, opaque, holes) else (True,):
        for pad in (" ", ""):
            short = "\n".join(
                _row(source, start, end, opaque, pad, edges, number == 1)
                for number, (start, end) in enumerate(rows)
            )
            if count(short) < count(best):
                best = short
    return best


def _open_ended(source: str, opaque: bytearray, holes: bytearray) -> bool:
    """Whether every row reads the same without the pipes at its ends."""
    for start, end in lines(source):
        found = cells(source, start, end, opaque)
        if len(found) < 2 or not (found[0] and found[-1]) or _BLOCK.match(found[0]):
            return False
        first = source.index(found[0], start, end)
        last = source.rindex(found[-1], start, end)
        if 1 in holes[first : first + len(found[0])] or 1 in holes[last : last + len(found[-1])]:
            return False
    return True


def _row(
    source: str, start: int, end: int, opaque: bytearray, pad: str, edges: bool, rule: bool
) -> str:
    """Write one row, its indentation and line ending kept, and with ``edges`` its outer pipes."""
    line = source[start:end]
    body = line.strip(" \t\r")
    found = cells(source, start, end, opaque)
    if rule:
        found = tuple(_rule(cell) for cell in found)
    inner = "|".join(f"{pad}{cell}{_gap(cell, pad)}" if cell else " " for cell in found)
    opening = "|" if edges and body.startswith("|") else ""
    closing = "|" if edges and _closed(body, source, start, end, opaque) else ""
    inner = inner if opening else inner.removeprefix(pad)
    inner = inner if closing else inner.removesuffix(pad)
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    return f"{indent}{opening}{inner}{closing}" + ("\r" if line.endswith("\r") else "")


def _gap(cell: str, pad: str) -> str:
    """Return what parts a cell from the next pipe: a backslash right before it would escape it."""
    return " " if cell.endswith("\\") else pad


def _closed(body: str, source: str, start: int, end: int, opaque: bytearray) -> bool:
    last = start + len(source[start:end].rstrip(" \t\r")) - 1
    return len(body) > 1 and body.endswith("|") and not opaque[last] and source[last - 1] != "\\"


def _rule(cell: str) -> str:
    return f"{':' if cell.startswith(':') else ''}---{':' if cell.endswith(':') else ''}"
