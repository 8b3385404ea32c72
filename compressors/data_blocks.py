"""Where data stands in a text: JSON values, JSON lines, and Markdown tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from ..core.blocks import (
    Fence,
    cells,
    fences,
    inline_code,
    json_blocks,
    json_in_prose,
    lines,
    tables,
    unfenced,
)
from ..core.ranges import Ranges
from .encodings import decoded, load, same, table_rows

__all__ = [
    "DataBlock", "Reading", "all_blocks", "alone", "as_objects", "data_blocks", "holds", "reading",
    "value_of",
]  # fmt: skip

_JSON_FENCES = ("", "json")
_LINE_FENCES = (*_JSON_FENCES, "jsonl", "ndjson", "jsonlines")
_NEXT_LINE = re.compile(r"[ \t]*\r?\n")
_REST = re.compile(r"[ \t\r]*(?:\n|\Z)")
_LEAST_LINES = 2


@dataclass(frozen=True)
class DataBlock:
    """Data in a text: the range it fills, its fence included, and its text."""

    start: int
    end: int
    source: str
    fenced: bool
    kind: Literal["json", "lines", "table"] = "json"


def data_blocks(text: str) -> Iterator[DataBlock]:
    """Yield JSON that fills a fence, and JSON in prose, from left to right."""
    found: list[DataBlock] = []
    for fence in fences(text):
        body = text[fence.body_start : fence.body_end]
        inner = list(json_blocks(body)) if fence.language in _JSON_FENCES else []
        if len(inner) == 1 and not (body[: inner[0][0]] + body[inner[0][1] :]).strip():
            source = body[inner[0][0] : inner[0][1]]
            found.append(DataBlock(fence.start, _end(text, fence), source, True))
    for start, end in unfenced(text):
        prose = text[start:end]
        found += [
            DataBlock(start + a, start + b, prose[a:b], False) for a, b in json_in_prose(prose)
        ]
    yield from sorted(found, key=lambda block: block.start)


def all_blocks(text: str) -> list[DataBlock]:
    r"""Return JSON values, runs of JSON lines, and tables; a table before the JSON in its cells.

    Example:
        >>> [block.kind for block in all_blocks('[1, 2]\n\n{"a": 1}\n{"a": 2}\n\na|b\n-|-\n1|2')]
        ['json', 'lines', 'table']
    """
    found = [*_joined(text), *_fenced_lines(text), *_tables(text)]
    return sorted(found, key=lambda block: (block.start, -block.end))


def _joined(text: str) -> Iterator[DataBlock]:
    """Yield JSON, with objects on lines that follow each other as one block."""
    run: list[DataBlock] = []
    for block in data_blocks(text) if "{" in text or "[" in text else ():
        if run and _follows(text, run[-1], block):
            run.append(block)
            continue
        yield from _as_one(text, run)
        run = [block]
    yield from _as_one(text, run)


def _follows(text: str, one: DataBlock, other: DataBlock) -> bool:
    if _NEXT_LINE.fullmatch(text, one.end, other.start) is None:
        return False
    return all(b.source[0] == "{" and not b.fenced and alone(text, b) for b in (one, other))


def alone(text: str, block: DataBlock) -> bool:
    """Whether a block has its lines to itself."""
    begins = block.start == 0 or text[block.start - 1] == "\n"
    return begins and _REST.match(text, block.end) is not None


def _as_one(text: str, run: list[DataBlock]) -> Iterator[DataBlock]:
    if len(run) < _LEAST_LINES:
        yield from run
    else:
        start, end = run[0].start, run[-1].end
        yield DataBlock(start, end, text[start:end], False, "lines")


def _fenced_lines(text: str) -> Iterator[DataBlock]:
    """Yield fences that hold nothing but JSON objects, two or more."""
    for fence in fences(text):
        body = text[fence.body_start : fence.body_end]
        if fence.language not in _LINE_FENCES or not body.lstrip().startswith("{"):
            continue
        inner = list(json_blocks(body))
        gaps = [body[a:b] for (_, a), (b, _) in pairwise(inner)]
        objects = all(body[start] == "{" for start, _ in inner)
        parted = all(_NEXT_LINE.fullmatch(gap) for gap in gaps)
        if len(inner) >= _LEAST_LINES and objects and parted and not body[inner[-1][1] :].strip():
            source = body[inner[0][0] : inner[-1][1]]
            yield DataBlock(fence.start, _end(text, fence), source, True, "lines")


def _end(text: str, fence: Fence) -> int:
    """Return where a fence ends, the line break left out."""
    return fence.end - text.endswith("\r", fence.start, fence.end)


def _tables(text: str) -> Iterator[DataBlock]:
    """Yield Markdown tables that have their lines to themselves, outside of code."""
    if "|" not in text:
        return
    spread = (span for span in inline_code(text) if "\n" in text[slice(*span)])
    code = Ranges([*((fence.start, fence.end) for fence in fences(text)), *spread])
    for table in tables(text):
        source = text[table.start : table.end]
        if not code.touch(table.start, table.end) and source[0] not in " \t>":
            yield DataBlock(table.start, table.end, source.rstrip("\r"), False, "table")


def value_of(block: DataBlock) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a block; of a table the texts of its cells, row by row.

    Raises:
        ValueError: it has none: a name stands twice, or a row is shorter than the header.
    """
    if block.kind == "json":
        return load(block.source)
    if block.kind == "lines":
        return [load(block.source[start:end]) for start, end in json_blocks(block.source)]
    return _cells(block.source)


def _cells(source: str) -> list[list[str]]:
    opaque = bytearray(len(source))
    for start, end in inline_code(source):
        opaque[start:end] = b"\1" * (end - start)
    rows = [list(cells(source, start, end, opaque)) for start, end in lines(source)]
    del rows[1]
    if len({len(row) for row in rows}) != 1:
        raise ValueError("rows of different lengths")
    return rows


@dataclass(frozen=True)
class Reading:
    """What a text in CSV or TOON reads as.

    Attributes:
        value: Its JSON value; ``None`` for a table with a name twice, which is no list of objects.
        rows: Of CSV the texts of its cells.
    """

    value: Any
    rows: list[list[str]]


def reading(body: str, kind: str) -> Reading:
    """Read a text in CSV or TOON.

    Raises:
        ValueError: it cannot be read.
    """
    if kind != "csv":
        return Reading(decoded(body, kind), [])
    rows = table_rows(body)
    named = len(set(rows[0])) == len(rows[0])
    return Reading(decoded(body, kind) if named else None, rows)


def holds(block: DataBlock, read: Reading) -> bool:
    """Tell whether what was read is the value of a block: of a table the texts of its cells."""
    try:
        value = value_of(block)
    except ValueError:
        return False
    if block.kind != "table":
        return same(value, read.value)
    return value == read.rows if read.rows else same(as_objects(value), read.value)


def as_objects(rows: list[list[str]]) -> list[dict[str, str]]:
    """Return the rows of a table by the names in its header."""
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
