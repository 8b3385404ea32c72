"""The guard: refuses an edit that breaks a template's contract, and says what was lost."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..core.anchors import anchors, lost
from ..core.blocks import (
    cells,
    fences,
    inline_code,
    json_blocks,
    json_in_prose,
    lines,
    parse_json,
    tables,
    unfenced,
)
from ..core.errors import CostoptError
from ..core.placeholders import contract, scan, variables
from ..core.spans import spans
from ..core.types import Message, PromptTemplate, Safety, Side, SpanKind, Syntax

Comparable = Callable[[PromptTemplate, PromptTemplate], tuple[PromptTemplate, PromptTemplate] | str]
"""Of a part that an edit may change: both templates with it made equal, or why it is refused."""


_BLANKS = re.compile(r"\s*")


@dataclass(frozen=True)
class GuardResult:
    """What the guard says.

    Attributes:
        rejected: Why the edit is refused, in one sentence, or ``None``.
        dropped: Anchors that a lossy edit lost.
    """

    rejected: str | None = None
    dropped: tuple[str, ...] = ()


def _shown(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= limit else line[: limit - 1] + "…")


def check(
    before: PromptTemplate,
    after: PromptTemplate,
    safety: Safety,
    side: Side,
    rewrites: frozenset[str] = frozenset(),
) -> GuardResult:
    """Check an edit of a template.

    Variables, statements and their order, roles, code, JSON, tables, tags and format
    specifications must survive any edit. Anchors (numbers with units, negations and limits, quoted
    literals, URLs) must survive a lossless one; of a lossy one they are listed. An edit of the
    output side may add lines and change settings, and takes no line away; one of the input side
    changes no setting.

    Args:
        before: The template.
        after: The edited one.
        safety: What the edit claims to be.
        side: Which side the edit is of.
        rewrites: Parts of the contract that the edit may change (`Strategy.rewrites`). Each has a
            module ``guard_PART`` whose ``comparable`` checks what was changed, and returns both
            templates with that part made equal, so that all else is compared as ever.
    """
    for part in sorted(rewrites):
        pair = _comparable(part)(before, after)
        if isinstance(pair, str):
            return GuardResult(pair)
        before, after = pair
    problem = _structure(before, after) or _side(before, after, side)
    if problem:
        return GuardResult(problem)
    for old, new in zip(before.messages, after.messages, strict=True):
        if old.content == new.content:
            continue
        problem = _message(old.content, new.content, before.syntax)
        if problem:
            where = f" (in the {old.role} message)" if len(before.messages) > 1 else ""
            return GuardResult(problem + where)
    gone = dropped(before, after)
    if gone and safety == "lossless":
        named = ", ".join(_shown(anchor) for anchor in gone[:3])
        return GuardResult(f"a lossless edit lost {named}")
    return GuardResult(None, gone)


def _comparable(part: str) -> Comparable:
    return import_module(f".guard_{part}", __package__).comparable


def dropped(
    before: PromptTemplate, after: PromptTemplate, rewrites: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """Return the anchors that the edited template has fewer of, each once.

    Args:
        before: The template.
        after: The edited one.
        rewrites: Parts that the edit may change: data in another format has lost nothing.
    """
    pair = _comparable("data")(before, after) if "data" in rewrites else (before, after)
    before, after = (before, after) if isinstance(pair, str) else pair
    return lost(_anchors(before), _anchors(after))


def _anchors(template: PromptTemplate) -> Counter[str]:
    total: Counter[str] = Counter()
    for message in template.messages:
        total.update(anchors(message.content, template.syntax))
    return total


def _roles(messages: Iterable[Message]) -> str:
    return ", ".join(message.role for message in messages) or "none"


def _structure(before: PromptTemplate, after: PromptTemplate) -> str | None:
    old, new = _roles(before.messages), _roles(after.messages)
    if old != new:
        return f"the roles changed from {old} to {new}"
    if before.syntax != after.syntax or before.variables != after.variables:
        return "the declared variables changed"
    for one, other in zip(before.messages, after.messages, strict=True):
        if one.content.strip() and not other.content.strip():
            return f"nothing is left of the {one.role} message"
    return None


def _side(before: PromptTemplate, after: PromptTemplate, side: Side) -> str | None:
    if side == "input":
        return None if before.settings == after.settings else "an input-side edit changed settings"
    for old, new in zip(before.messages, after.messages, strict=True):
        left = iter(_lines(new.content))
        for line in _lines(old.content):
            if line.strip() and line not in left:
                return f"an output-side edit took away the line {_shown(line)}"
    return None


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n")]


def _message(old: str, new: str, syntax: Syntax) -> str | None:
    try:
        scan(new, syntax)
        variables(new, syntax)
    except CostoptError as error:
        return f"the template no longer parses: {error.what}"
    for what, read in _PARTS:
        problem = _compare(what, read(old, syntax), read(new, syntax))
        if problem:
            return problem
    return _formats(old, new, syntax)


def _compare(what: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> str | None:
    if old == new:
        return None
    missing = Counter(map(repr, old)) - Counter(map(repr, new))
    if missing:
        return f"{what} was lost or changed: {_shown(next(iter(missing)))}"
    added = Counter(map(repr, new)) - Counter(map(repr, old))
    if added:
        return f"{what} appeared that was not there: {_shown(next(iter(added)))}"
    return f"the order of {what} changed"


def _code(text: str, syntax: Syntax) -> tuple[Any, ...]:
    found: list[Any] = []
    for fence in fences(text):
        body = text[fence.body_start : fence.body_end]
        found.append((fence.language, _json_values(body) or body))
    return tuple(found)


def _json_values(text: str) -> list[Any]:
    """Return the JSON values that ``text`` is, as JSON lines are several; none if it is other."""
    found: list[Any] = []
    text = text.strip()
    at = 0
    while at < len(text):
        try:
            value, end = parse_json(text, at)
        except ValueError:
            return []
        found.append(("json", value))
        blanks = _BLANKS.match(text, end)
        at = blanks.end() if blanks else end
    return found


def _outside_fences(text: str) -> str:
    return "\n\n".join(text[start:end] for start, end in unfenced(text))


def _inline(text: str, syntax: Syntax) -> tuple[Any, ...]:
    prose = _outside_fences(text)
    solid = bytearray(len(prose))
    for start, end in json_in_prose(prose):  # compared as JSON
        solid[start:end] = b"\1" * (end - start)
    return tuple(prose[start:end] for start, end in inline_code(prose) if not solid[start])


def _json(text: str, syntax: Syntax) -> tuple[Any, ...]:
    prose = _outside_fences(text)
    return tuple(parse_json(prose, start)[0] for start, _ in json_blocks(prose))


def _tags(text: str, syntax: Syntax) -> tuple[Any, ...]:
    return tuple(
        text[span.start : span.end] for span in spans(text, syntax) if span.kind is SpanKind.MARKUP
    )


def _tables(text: str, syntax: Syntax) -> tuple[Any, ...]:
    opaque = bytearray(len(text))
    for token in scan(text, syntax):
        if token.kind != "text":
            opaque[token.start : token.end] = b"\1" * (token.end - token.start)
    for start, end in inline_code(text):
        opaque[start:end] = b"\1" * (end - start)
    found: list[Any] = []
    for table in tables(text):
        rows = [
            cells(text, table.start + start, table.start + end, opaque)
            for start, end in lines(text[table.start : table.end])
        ]
        rows[1] = tuple(cell[:1].strip("-") + "-" + cell[-1:].strip("-") for cell in rows[1])
        found.append(tuple(rows))
    return tuple(found)


_PARTS: tuple[tuple[str, Callable[[str, Syntax], tuple[Any, ...]]], ...] = (
    ("a placeholder or statement", contract),
    ("a code block", _code),
    ("inline code", _inline),
    ("a JSON value", _json),
    ("a table", _tables),
    ("a tag", _tags),
)


def _formats(old: str, new: str, syntax: Syntax) -> str | None:
    left = " ".join(new.split())
    wanted = Counter(
        " ".join(old[span.start : span.end].split())
        for span in spans(old, syntax)
        if span.kind is SpanKind.FORMAT
    )
    for line, count in wanted.items():
        if line and left.count(line) < count:
            return f"a format specification was lost or changed: {_shown(line)}"
    return None
