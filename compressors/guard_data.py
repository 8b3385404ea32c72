"""What may change of data: JSON may become CSV or TOON in a fence, if it reads back the same."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.blocks import fences, inline_code, json_blocks
from ..core.types import PromptTemplate
from .base import replace_content
from .encodings import decoded, load, same

LANGUAGES = ("csv", "toon")
_JSON_FENCES = ("", "json")


@dataclass(frozen=True)
class DataBlock:
    """A JSON value in a text: the range it fills, its fence included, and its text."""

    start: int
    end: int
    source: str
    fenced: bool


def data_blocks(text: str) -> Iterator[DataBlock]:
    """Yield JSON that fills a fence, and JSON in prose, from left to right."""
    found: list[DataBlock] = []
    outside: list[tuple[int, int]] = []
    at = 0
    for fence in fences(text):
        outside.append((at, fence.start))
        at = fence.end
        body = text[fence.body_start : fence.body_end]
        inner = list(json_blocks(body)) if fence.language in _JSON_FENCES else []
        if len(inner) == 1 and not (body[: inner[0][0]] + body[inner[0][1] :]).strip():
            source = body[inner[0][0] : inner[0][1]]
            found.append(DataBlock(fence.start, fence.end, source, True))
    outside.append((at, len(text)))
    for start, end in outside:
        prose = text[start:end]
        code = list(inline_code(prose))
        found += [
            DataBlock(start + a, start + b, prose[a:b], False)
            for a, b in json_blocks(prose)
            if not any(a < stop and b > begin for begin, stop in code)
        ]
    yield from sorted(found, key=lambda block: block.start)


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates with rewritten data made equal, or why the edit is refused.

    A fence of CSV or TOON that is new must read back as a JSON value that was there before, in the
    same place among those that were rewritten.
    """
    if before.syntax != after.syntax or len(before.messages) != len(after.messages):
        return before, after
    old: dict[int, str] = {}
    new: dict[int, str] = {}
    for index, (one, other) in enumerate(zip(before.messages, after.messages, strict=True)):
        if one.content == other.content:
            continue
        pair = _pair(one.content, other.content)
        if isinstance(pair, str):
            return pair
        old[index], new[index] = pair
    return replace_content(before, old), replace_content(after, new)


def _pair(old: str, new: str) -> tuple[str, str] | str:
    known = {old[fence.start : fence.end].strip() for fence in fences(old)}
    blocks = data_blocks(old)
    was: list[tuple[int, int]] = []
    now: list[tuple[int, int]] = []
    for fence in fences(new):
        if fence.language not in LANGUAGES or new[fence.start : fence.end].strip() in known:
            continue
        try:
            value = decoded(new[fence.body_start : fence.body_end].rstrip("\r\n"), fence.language)
        except ValueError as error:
            return f"a block of {fence.language.upper()} cannot be read back: {error}"
        block = next((b for b in blocks if _holds(b, value)), None)
        if block is None:
            return f"a block of {fence.language.upper()} holds a value that was not there"
        was.append((block.start, block.end))
        now.append((fence.start, fence.end))
    return marked(old, was), marked(new, now)


def _holds(block: DataBlock, value: object) -> bool:
    try:
        return same(load(block.source), value)
    except ValueError:
        return False


def marked(text: str, ranges: list[tuple[int, int]]) -> str:
    """Return a text with an empty fence in the place of each range, so that data is left out."""
    parts: list[str] = []
    at = 0
    for start, end in ranges:
        parts += [text[at:start], "\n```data\n```\n"]
        at = end
    return "".join([*parts, text[at:]])
