"""What may change of schemas: annotations may go; what they accept and reject stays."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..core.types import GenerationSettings, PromptTemplate
from .base import replace_content
from .data_blocks import DataBlock, data_blocks
from .encodings import load, same
from .guard_data import marked
from .schemas import bare, descriptions, is_schemas

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_DEEPEST = 100
_REFERS = re.compile(r"As [^.]{1,120}\.")


def schema_blocks(text: str) -> Iterator[tuple[DataBlock, Any]]:
    """Yield the JSON of a text that is a schema, a tool or a list of tools, with its value."""
    if "{" not in text:
        return
    for block in data_blocks(text):
        try:
            value = load(block.source)
        except ValueError:
            continue
        if is_schemas(value) and _depth(block.source) <= _DEEPEST:
            yield block, value


def _depth(source: str) -> int:
    """Return how deep the brackets of a JSON text are nested at most."""
    depth = deepest = 0
    for bracket in _BRACKETS.findall(source):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(bracket, 0)
        deepest = max(deepest, depth)
    return deepest


def comparable(
    before: PromptTemplate, after: PromptTemplate
) -> tuple[PromptTemplate, PromptTemplate] | str:
    """Return both templates without their schemas, or why the edit of the schemas is refused.

    The schemas of both, in the settings and in the messages, must be equal apart from annotations
    and from keywords that constrain nothing, and no description may be new.
    """
    if before.syntax != after.syntax or len(before.messages) != len(after.messages):
        return before, after
    if problem := _settings_problem(before.settings, after.settings):
        return problem
    old: dict[int, str] = {}
    new: dict[int, str] = {}
    for index, (one, other) in enumerate(zip(before.messages, after.messages, strict=True)):
        if one.content == other.content:
            continue
        was, now = list(schema_blocks(one.content)), list(schema_blocks(other.content))
        if len(was) != len(now):
            return "a schema was lost or added"
        for (_, left), (_, right) in zip(was, now, strict=True):
            if problem := _problem(left, right):
                return problem
        old[index] = marked(one.content, [(block.start, block.end) for block, _ in was])
        new[index] = marked(other.content, [(block.start, block.end) for block, _ in now])
    settings = replace(
        after.settings,
        tools=before.settings.tools,
        response_schema=before.settings.response_schema,
    )
    after = replace(after, settings=settings)
    return replace_content(before, old), replace_content(after, new)


def _settings_problem(before: GenerationSettings, after: GenerationSettings) -> str | None:
    if before == after:
        return None
    if (before.response_schema is None) != (after.response_schema is None):
        return "the response schema was lost or added"
    if len(before.tools) != len(after.tools):
        return "a tool was lost or added"
    pairs = [*zip(before.tools, after.tools, strict=True)]
    pairs.append((before.response_schema or {}, after.response_schema or {}))
    problems = (_problem(one, other) for one, other in pairs if one != other)
    return next((problem for problem in problems if problem), None)


def _problem(before: Any, after: Any) -> str | None:  # noqa: ANN401 - any JSON
    if not same(bare(before), bare(after)):
        return "a schema would accept or reject other values, or a tool changed"
    added = Counter(descriptions(after)) - Counter(descriptions(before))
    told = [text for text in added if not _REFERS.fullmatch(text)]
    return f"a description changed: {told[0][:60]!r}" if told else None
