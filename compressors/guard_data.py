"""What may change of data: it may become CSV or TOON in a fence, if it reads back the same."""

from ..core.blocks import fences
from ..core.types import PromptTemplate
from .base import replace_content
from .data_blocks import all_blocks, holds, reading

LANGUAGES = ("csv", "toon")


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates with rewritten data made equal, or why the edit is refused.

    A fence of CSV or TOON that is new must read back as data that was there before (a JSON value,
    JSON lines, a Markdown table), in the same place among what was rewritten.
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
    blocks = iter(all_blocks(old))
    was: list[tuple[int, int]] = []
    now: list[tuple[int, int]] = []
    for fence in fences(new):
        if fence.language not in LANGUAGES or new[fence.start : fence.end].strip() in known:
            continue
        body = new[fence.body_start : fence.body_end].rstrip("\r\n")
        try:
            read = reading(body, fence.language)
        except ValueError as error:
            return f"a block of {fence.language.upper()} cannot be read back: {error}"
        block = next((b for b in blocks if holds(b, read)), None)
        if block is None:
            return f"a block of {fence.language.upper()} holds a value that was not there"
        was.append((block.start, block.end))
        now.append((fence.start, fence.end))
    return marked(old, was), marked(new, now)


def marked(text: str, ranges: list[tuple[int, int]]) -> str:
    """Return a text with an empty fence in the place of each range, so that data is left out."""
    parts: list[str] = []
    at = 0
    for start, end in ranges:
        parts += [text[at:start], "\n```data\n```\n"]
        at = end
    return "".join([*parts, text[at:]])
