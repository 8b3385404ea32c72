"""What may change of data: it may become CSV or TOON in a fence, if it reads back the same."""

from collections.abc import Iterator

from ..core.blocks import fences
from ..core.types import PromptTemplate
from .base import replace_content
from .data_blocks import DataBlock, Reading, all_blocks, data_blocks, holds, reading
from .encodings import load

LANGUAGES = ("csv", "toon")


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates with rewritten data made equal, or why the edit is refused.

    A fence of CSV or TOON that is new must read back as data that was there before (a JSON value,
    JSON lines, a Markdown table), in the same place among what was rewritten; JSON lines may become
    an array of their values.
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
    blocks = all_blocks(old)
    was: list[tuple[int, int]] = []
    now: list[tuple[int, int]] = []
    at = 0
    try:
        for start, end, read, kinds in _new_data(old, new, blocks):
            found = next((i for i in range(at, len(blocks)) if holds(blocks[i], read)), None)
            if found is None and "json" in kinds:
                return "a block of data holds a value that was not there"
            at = at if found is None else found + 1
            if found is not None and blocks[found].kind in kinds:
                was.append((blocks[found].start, blocks[found].end))
                now.append((start, end))  # any other array is compared as JSON
    except ValueError as error:
        return f"a block of data cannot be read back: {error}"
    return marked(old, was), marked(new, now)


def _new_data(
    old: str, new: str, blocks: list[DataBlock]
) -> Iterator[tuple[int, int, Reading, tuple[str, ...]]]:
    """Yield what is new, how it reads, and what it may have been, from left to right.

    Raises:
        ValueError: a fence of CSV or TOON cannot be read.
    """
    known = {old[fence.start : fence.end].strip() for fence in fences(old)}
    found = [
        (fence.start, fence.end, fence.language, new[fence.body_start : fence.body_end])
        for fence in fences(new)
        if fence.language in LANGUAGES and new[fence.start : fence.end].strip() not in known
    ]
    if any(block.kind == "lines" for block in blocks):
        known = {block.source for block in blocks}
        found += [
            (block.start, block.end, "", block.source)
            for block in data_blocks(new)
            if block.source[0] == "[" and not block.fenced and block.source not in known
        ]
    for start, end, language, body in sorted(found):
        if language:
            yield start, end, reading(body.rstrip("\r\n"), language), ("json", "lines", "table")
        else:
            yield start, end, Reading(load(body), []), ("lines",)


def marked(text: str, ranges: list[tuple[int, int]]) -> str:
    """Return a text with an empty fence in the place of each range, so that data is left out."""
    parts: list[str] = []
    at = 0
    for start, end in ranges:
        parts += [text[at:start], "\n```data\n```\n"]
        at = end
    return "".join([*parts, text[at:]])
