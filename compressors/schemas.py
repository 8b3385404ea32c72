"""JSON Schemas without what does not constrain: which keywords those are, and where they stand."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.protocols import TokenCounter

__all__ = ["bare", "descriptions", "is_schemas", "slim"]

_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_ONE = (
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedProperties", "unevaluatedItems", "additionalItems",
)  # fmt: skip
_SEVERAL = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_NOTES = ("$comment", "title", "examples")
"""Annotations: no validator looks at them."""
_SAYS_NOTHING: Mapping[str, tuple[Any, ...]] = {
    "required": ([],), "additionalItems": (True,), "uniqueItems": (False,), "default": (None,),
    "minLength": (0, "0"), "minItems": (0, "0"), "minProperties": (0, "0"),
    "patternProperties": ({},), "deprecated": (False,), "readOnly": (False,), "writeOnly": (False,),
    "allOf": ([],), "dependentRequired": ({},), "dependentSchemas": ({},),
}  # fmt: skip
"""Values that constrain nothing; numbers as they are, and as they are written."""
_POINTER = re.compile(r"#/(?:\$defs|definitions)/([^/]+)(?:/.*)?")
_ARTICLES = frozenset({"the", "a", "an", "of", "this"})
_DEEPEST = 40


def is_schemas(value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Tell whether a JSON value is the schema of an object, a tool, or a list of tools.

    Example:
        >>> is_schemas({"type": "object", "properties": {"a": {"type": "string"}}})
        True
        >>> is_schemas({"type": "object", "name": "a"})
        False
    """
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) and _is_tool(item) for item in value)
    return isinstance(value, dict) and (_is_object(value) or _is_tool(value))


def _is_object(value: Mapping[str, Any]) -> bool:
    named = value.get("properties")
    return (
        isinstance(named, dict)
        and value.get("type", "object") in ("object", "dict", ["object"])
        and all(isinstance(inner, dict | bool) for inner in named.values())
    )


def _is_tool(value: Mapping[str, Any]) -> bool:
    inner = value.get("function")
    if value.get("type") == "function" and isinstance(inner, dict):
        return _is_tool(inner)
    parameters = value.get("parameters", value.get("input_schema"))
    return isinstance(value.get("name"), str) and isinstance(parameters, dict)


def slim(value: Any, count: TokenCounter) -> Any:  # noqa: ANN401 - any JSON
    """Return a schema, a tool or a list of tools without what does not constrain.

    Descriptions that say no more than the name go; one that repeats that of an earlier property
    becomes "As NAME.", where that takes fewer tokens.
    """
    return _each(value, lambda schema: _Diet(count).of(schema))


def bare(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what constrains of a schema, a tool or a list of tools: no descriptions at all.

    Two schemas whose bare forms are equal accept and reject the same values.
    """
    return _each(value, lambda schema: _Diet(None).of(schema))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """Apply ``change`` to each schema of tools, or to the one schema that ``value`` is."""
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if not isinstance(value, Mapping):
        return value
    inner = value.get("function")
    if value.get("type") == "function" and isinstance(inner, Mapping):
        return {**value, "function": _each(inner, change)}
    for key in ("parameters", "input_schema"):
        if isinstance(value.get("name"), str) and isinstance(value.get(key), Mapping):
            return {**value, key: change(value[key])}
    for key in ("json_schema", "schema"):
        if isinstance(value.get(key), Mapping) and not _is_object(value):
            return {**value, key: _each(value[key], change)}
    return change(value)


def descriptions(value: Any, depth: int = 0) -> Iterator[str]:  # noqa: ANN401
    """Yield every description in a JSON value."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "description" and isinstance(item, str):
                yield item
            else:
                yield from descriptions(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from descriptions(item, depth + 1)


@dataclass
class _Diet:
    """One schema on its diet; without a counter no description is left."""

    count: TokenCounter | None
    told: dict[str, str] = field(default_factory=dict[str, str])
    unevaluated: bool = False
    """Whether a keyword is used for which an open ``additionalProperties`` has a meaning."""

    def of(self, schema: Any) -> Any:  # noqa: ANN401
        text = repr(schema)
        self.unevaluated = "unevaluated" in text
        slimmed = self._schema(schema, None, 0)
        return _without_unused(slimmed) if isinstance(slimmed, dict) else slimmed

    def _schema(self, schema: Any, name: str | None, depth: int) -> Any:  # noqa: ANN401
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return schema
        found: dict[str, Any] = {}
        for key, value in schema.items():
            if key in _NOTES and not isinstance(value, Mapping):
                continue
            if self._idle(key, value):
                continue
            if key == "description" and isinstance(value, str):
                short = self._description(value, name)
                if short is not None:
                    found[key] = short
                continue
            found[key] = self._part(key, value, name, depth)
        return found

    def _idle(self, key: str, value: Any) -> bool:  # noqa: ANN401
        """Whether a keyword with this value constrains nothing."""
        if key == "additionalProperties":
            return value is True and not self.unevaluated
        return any(
            type(value) is type(one) and value == one for one in _SAYS_NOTHING.get(key, ())
        ) or (key in ("minLength", "minItems", "minProperties") and str(value) == "0")

    def _part(self, key: str, value: Any, name: str | None, depth: int) -> Any:  # noqa: ANN401
        if key in _NAMED and isinstance(value, Mapping):
            own = key == "properties"
            return {
                n: self._schema(s, str(n) if own else None, depth + 1) for n, s in value.items()
            }
        if key in _SEVERAL and isinstance(value, list | tuple):
            return [self._schema(item, None, depth + 1) for item in value]
        if key in _ONE:
            return self._schema(value, None, depth + 1)
        if key == "type" and isinstance(value, list | tuple) and len(value) == 1:
            return value[0]
        return value

    def _description(self, text: str, name: str | None) -> str | None:
        if self.count is None or not text.strip() or (name and _words(text) == _words(name)):
            return None
        first = self.told.setdefault(text, name or "")
        short = f"As {first}."
        repeats = bool(first) and name is not None and first != name
        return short if repeats and self.count(short) < self.count(text) else text


def _words(text: str) -> list[str]:
    """Return the words of a name or a description, articles aside."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return [word for word in re.findall(r"\w+", apart.replace("_", " ").lower())
            if word not in _ARTICLES]  # fmt: skip


def _without_unused(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without definitions that nothing refers to."""
    if any(key in ("$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "$id", "id")
           for key in _keywords(schema)):  # fmt: skip
        return schema
    while True:
        refs = list(_refs(schema))
        if any(not ref.startswith("#") for ref in refs):
            return schema
        used = {match.group(1) for ref in refs if (match := _POINTER.fullmatch(ref))}
        if any(not _POINTER.fullmatch(ref) and ref != "#" for ref in refs):
            return schema
        slimmed = dict(schema)
        for part in ("$defs", "definitions"):
            known = schema.get(part)
            if isinstance(known, Mapping):
                kept = {n: s for n, s in known.items() if _escaped(n) in used}
                slimmed[part] = kept
                if not kept:
                    del slimmed[part]
        if slimmed == schema:
            return schema
        schema = slimmed


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _keywords(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _keywords(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _keywords(item)


def _refs(value: Any) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "$ref":
                yield str(item)
            yield from _refs(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _refs(item)
