"""Blocks of a message that are no prose: fenced code, inline code, JSON, Markdown tables."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

_FENCE = re.compile(
    r"(?:^|(?<=\A\ufeff))[ \t]*(?:>[ \t]{0,3}){0,8}(`{3,}+|~{3,}+)([^\n`]*)$", re.MULTILINE
)
_TICKS = re.compile(r"`+|\n[ \t\r]*\n")
_JSON_START = re.compile(r"\{\s{0,200}[\"}]|\[\s{0,200}(?:[\[{\"\]\d-]|true|false|null)")
_SPACE = re.compile(r'"(?:[^"\\]|\\.)*"|\s+', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
MAX_DEPTH = 100
_WINDOW = 4_096


@dataclass(frozen=True)
class Fence:
    """A fenced code block: the lines from ``start`` to ``end``, and what they enclose."""

    start: int
    end: int
    body_start: int
    body_end: int
    language: str


def fences(text: str) -> Iterator[Fence]:
    r"""Yield fenced code blocks; one that is not closed runs to the end of the text.

    Example:
        >>> text = "a\n```py\nx = 1\n```\n"
        >>> [text[f.body_start:f.body_end] for f in fences(text)]
        ['x = 1\n']
    """
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        info = match.group(2).strip()
        if opened is None:
            opened = match
        elif not info and match.group(1).startswith(opened.group(1)):
            yield _fence(text, opened, match.start(), match.end())
            opened = None
    if opened is not None:
        yield _fence(text, opened, len(text), len(text))


def unfenced(text: str) -> Iterator[tuple[int, int]]:
    r"""Yield the ranges between fenced code blocks, from left to right; some may be empty.

    Example:
        >>> text = "a\n```\nx\n```\nb"
        >>> [text[start:end] for start, end in unfenced(text)]
        ['a\n', '\nb']
    """
    at = 0
    for fence in fences(text):
        yield at, fence.start
        at = fence.end
    yield at, len(text)


def _fence(text: str, opened: re.Match[str], body_end: int, end: int) -> Fence:
    words = opened.group(2).split()
    body_start = min(opened.end() + 1, body_end)
    return Fence(opened.start(), end, body_start, body_end, words[0].lower() if words else "")


def inline_code(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of inline code, backticks included; it does not span paragraphs.

    Example:
        >>> text = "use `a` or ``b`c``"
        >>> [text[start:end] for start, end in inline_code(text)]
        ['`a`', '``b`c``']
    """
    runs = list(_TICKS.finditer(text))
    following: list[int | None] = [None] * len(runs)
    last: dict[str, int] = {}
    for index in range(len(runs) - 1, -1, -1):
        if runs[index].group()[0] == "\n":
            last.clear()
            continue
        following[index] = last.get(runs[index].group())
        last[runs[index].group()] = index
    index = 0
    while index < len(runs):
        close = following[index]
        if close is not None:
            yield runs[index].start(), runs[close].end()
            index = close
        index += 1


def _refuse(constant: str) -> Any:  # noqa: ANN401
    raise ValueError(constant)


class _Pairs(tuple[Any, ...]):
    """An object's members in order, told apart from an array."""

    __slots__ = ()


def _number(text: str) -> tuple[str, str]:
    """Keep a number's text, so that 1.0 is not 1, and no digit of a long one is lost."""
    return ("number", text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=_number, parse_float=_number, parse_constant=_refuse
)


def parse_json(text: str, start: int = 0) -> tuple[Any, int]:
    """Parse the JSON object or array at ``start``; return it and the offset of its end.

    Made to be compared: members stay in order, duplicates are kept, numbers are as written.

    Raises:
        ValueError: there is none, or it is nested deeper than `MAX_DEPTH` levels, so that what
            walks through it cannot run out of stack.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, _Pairs | list):
        raise ValueError("neither an object nor an array")
    if _too_deep(text, start, end):
        raise json.JSONDecodeError("nested too deeply", text, end)
    return value, end


def _too_deep(text: str, start: int, end: int) -> bool:
    if text.count("{", start, end) + text.count("[", start, end) <= MAX_DEPTH:
        return False
    depth = 0
    for mark in _BRACKET.finditer(text, start, end):
        depth += mark.group() in ("{", "[")
        depth -= mark.group() in ("}", "]")
        if depth > MAX_DEPTH:
            return True
    return False


def json_blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of JSON objects and arrays, the outermost ones, from left to right.

    Work is bounded by a multiple of the text's length: in a text made to be slow, the search
    gives up and the rest counts as prose.

    Example:
        >>> text = 'Return {"a": [1, {}]} or [x].'
        >>> [text[start:end] for start, end in json_blocks(text)]
        ['{"a": [1, {}]}']
    """
    return iter(_json_blocks(text))


@lru_cache(maxsize=64)
def _json_blocks(text: str) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    budget = 8 * len(text) + 20_000
    step = max(_WINDOW, len(text) // 256)
    at, skipped, rest = 0, 0, text
    while budget > 0 and (match := _JSON_START.search(text, at)):
        start = match.start()
        if start - skipped > step:  # each error counts the lines before it
            skipped, rest = start, text[start:]
        try:
            _, end = parse_json(rest, start - skipped)
        except ValueError as error:
            budget -= getattr(error, "pos", start - skipped + 20_000) - start + skipped + 150
            at = start + 1
            continue
        at = end + skipped
        found.append((start, at))
    return tuple(found)


def json_in_prose(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of JSON that is no inline code; backticks in its strings are its own.

    Example:
        >>> text = 'Not `{"a": 1}`, but {"b": "see `c`"}.'
        >>> [text[start:end] for start, end in json_in_prose(text)]
        ['{"b": "see `c`"}']
    """
    code = list(inline_code(text))
    at = 0
    for start, end in json_blocks(text):
        while at < len(code) and code[at][1] <= start:
            at += 1
        begins_before = at < len(code) and code[at][0] < start
        while at < len(code) and code[at][1] <= end:
            at += 1
        ends_after = at < len(code) and code[at][0] < end
        if not begins_before and not ends_after:
            yield start, end


def minified(text: str) -> str:
    r"""Return JSON without the white space between its tokens; all else to the letter.

    Example:
        >>> minified('{ "a b" : [1.0,\n 2] }')
        '{"a b":[1.0,2]}'
    """
    return _SPACE.sub(lambda found: found.group() if found.group()[0] == '"' else "", text)


_DELIMITER = re.compile(r"[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*\|?[ \t]*\r?")


@dataclass(frozen=True)
class Table:
    """A Markdown table: its lines from ``start`` to ``end``, the last newline left out."""

    start: int
    end: int


def tables(text: str) -> Iterator[Table]:
    r"""Yield Markdown tables: a header, a row of dashes, and rows, each with a pipe.

    Example:
        >>> [text[t.start:t.end] for text in ["x\n|a|b|\n|-|-|\n|1|2|\n\ny"] for t in tables(text)]
        ['|a|b|\n|-|-|\n|1|2|']
    """
    before: tuple[int, int] | None = None
    table: Table | None = None
    for start, end in lines(text):
        piped = "|" in text[start:end]
        if table is not None and piped:
            table = Table(table.start, end)
            continue
        if table is not None:
            yield table
        table = None
        if before and piped and _DELIMITER.fullmatch(text, start, end):
            table = Table(before[0], end)
        before = (start, end) if piped else None
    if table is not None:
        yield table


def cells(text: str, start: int, end: int, opaque: bytes | bytearray) -> tuple[str, ...]:
    r"""Return the cells of one table row, without padding.

    Args:
        text: The text that holds the row.
        start: Where the row begins.
        end: Where it ends.
        opaque: One byte a character of ``text``: 1 where a pipe does not part cells.

    Example:
        >>> cells("| a | b |", 0, 9, bytes(9))
        ('a', 'b')
    """
    while start < end and text[start] in " \t":
        start += 1
    while end > start and text[end - 1] in " \t\r":
        end -= 1
    bars = [
        at
        for at in range(start, end)
        if text[at] == "|" and not opaque[at] and text[max(start, at - 1)] != "\\"
    ]
    edges = [-1 + start, *bars, end]
    found = [text[a + 1 : b].strip(" \t") for a, b in pairwise(edges)]
    if bars and bars[0] == start:
        found = found[1:]
    if bars and bars[-1] == end - 1 and found:
        found = found[:-1]
    return tuple(found)


def lines(text: str) -> Iterator[tuple[int, int]]:
    r"""Yield the ranges of lines, their ``\n`` left out.

    Example:
        >>> list(lines("ab\n\nc"))
        [(0, 2), (3, 3), (4, 5)]
    """
    start = 0
    while (end := text.find("\n", start)) != -1:
        yield start, end
        start = end + 1
    yield start, len(text)
