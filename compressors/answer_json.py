"""The JSON that a prompt asks for: where it says so, and the names and values in it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.blocks import json_blocks
from ..core.ranges import Ranges
from ..core.spans import spans
from ..core.types import PromptTemplate, SpanKind
from .answer_form import strict_form
from .base import rewritable

__all__ = ["AnswerJson", "answer_json", "is_schema"]

_SHOWS = frozenset({SpanKind.FORMAT, SpanKind.EXAMPLE})
_DEEPEST = 24


@dataclass(frozen=True, kw_only=True)
class AnswerJson:
    """What is known of the JSON that is asked for.

    Attributes:
        names: The names of all members, at any depth, in order of first use.
        values: Per name, the strings that a schema allows it to have.
        free: Names of members that hold objects with names of their own.
    """

    names: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    free: frozenset[str] = frozenset()


def is_schema(value: object) -> bool:
    """Tell whether a JSON value is the schema of an object.

    Example:
        >>> is_schema({"type": "object", "properties": {}}), is_schema({"type": "object"})
        (True, False)
    """
    return isinstance(value, dict) and isinstance(value.get("properties"), dict)


def answer_json(template: PromptTemplate) -> AnswerJson | None:
    r"""Return what is known of the JSON that a prompt asks for; ``None`` where that is not clear.

    The response schema of the settings says it, else a schema in the text, else JSON objects that
    stand in a format specification or in an example; where the prompt asks for JSON, any.

    Example:
        >>> from costopt.compressors.contract import template_of
        >>> answer_json(template_of('Return JSON: {"order_number": "A1"}\n\n{email}')).names
        ('order_number',)
    """
    schema = template.settings.response_schema
    if schema is not None:
        return _of_schema(_schema_in(schema))
    found = list(_objects(template))
    schemas = [value for value, _ in found if is_schema(value)]
    if schemas:
        return _of_schema(schemas[0]) if all(one == schemas[0] for one in schemas) else None
    shown = [value for value, shows in found if shows]
    if not shown and strict_form(template) in ("JSON", "JSON by a schema"):
        shown = [value for value, _ in found]
    if not shown or any(set(one) != set(shown[0]) for one in shown):
        return None
    return AnswerJson(names=tuple(dict.fromkeys(name for one in shown for name in _names(one))))


def _schema_in(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema itself, where an API's envelope holds it."""
    for name in ("json_schema", "schema"):
        inner = schema.get(name)
        if isinstance(inner, Mapping) and not is_schema(schema):
            return _schema_in(inner)
    return schema


def _objects(template: PromptTemplate) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield the JSON objects of messages that instruct, with whether they show the answer."""
    for index in rewritable(template):
        text = template.messages[index].content
        every = spans(text, template.syntax)
        shows = Ranges((s.start, s.end) for s in every if s.kind in _SHOWS)
        for start, end in json_blocks(text):
            try:
                value = json.loads(text[start:end])
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict) and value:
                yield value, shows.touch(start, end)


def _names(value: object, depth: int = 0) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _names(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item, depth + 1)


def _of_schema(schema: Mapping[str, Any]) -> AnswerJson | None:
    names: dict[str, None] = {}
    values: dict[str, tuple[str, ...]] = {}
    free: set[str] = set()
    _walk(schema, None, names, values, free, 0)
    if not names:
        return None
    return AnswerJson(names=tuple(names), values=values, free=frozenset(free))


def _walk(
    schema: Any,  # noqa: ANN401 - any JSON
    owner: str | None,
    names: dict[str, None],
    values: dict[str, tuple[str, ...]],
    free: set[str],
    depth: int,
) -> None:
    """Collect the names and allowed values of a schema and all that is nested in it."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        for name, inner in properties.items():
            names.setdefault(str(name))
            _walk(inner, str(name), names, values, free, depth + 1)
    allowed = schema.get("enum")
    if owner and isinstance(allowed, list) and allowed and all(isinstance(v, str) for v in allowed):
        # Two members of one name with different values are left as they are written.
        same = values.get(owner, tuple(allowed)) == tuple(allowed)
        values[owner] = tuple(allowed) if same else ()
    if owner and isinstance(schema.get("additionalProperties"), Mapping):
        free.add(owner)
    for part in ("items", "additionalProperties"):
        _walk(schema.get(part), owner, names, values, free, depth + 1)
    for part in ("anyOf", "oneOf", "allOf"):
        for inner in schema.get(part) or ():
            _walk(inner, owner, names, values, free, depth + 1)
    for part in ("$defs", "definitions"):
        for inner in (schema.get(part) or {}).values():
            _walk(inner, None, names, values, free, depth + 1)
