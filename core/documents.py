r"""YAML and JSON read into plain data that remembers where each value stands.

The reading is stricter than the libraries': duplicate keys, cycles, expansion beyond
100,000 values, nesting beyond 50 levels, custom tags and numbers of absurd length are
refused, each with its place. YAML scalars follow the 1.2 core schema, so ``yes`` and
``12:30:00`` are strings and ``012`` is twelve, whoever wrote the file.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from .errors import CostoptError, Where
from .scanners import line_column

YamlNode: TypeAlias = Any  # PyYAML brings no types

MAX_VALUES = 100_000
MAX_DEPTH = 50
MAX_DIGITS = 300


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place ``[start, end)`` in the text, in characters."""

    value: Any
    start: int
    end: int
    style: str = ""
    """``json``, or YAML's: ``|``, ``>``, ``'``, ``"``, empty for plain."""
    fields: Mapping[Any, "Node"] = field(default_factory=dict[Any, "Node"])
    items: tuple["Node", ...] = ()
    keys: Mapping[Any, int] = field(default_factory=dict[Any, int])
    """Where each field's key stands."""

    def get(self, *path: str | int) -> "Node | None":
        """Return the node at a path of keys and positions, if there is one."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if isinstance(step, int):
                node = node.items[step] if step < len(node.items) else None
            else:
                node = node.fields.get(step)
        return node


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed stretch of a file: ``root`` holds offsets into the whole ``text``."""

    text: str
    path: str
    root: Node

    def where(self, offset: int) -> Where:
        """Return the place of a character of the file."""
        return Where(self.path, *line_column(self.text, offset))

    def error(self, node: "Node | int", what: str, hint: str | None = None) -> CostoptError:
        """Return (not raise) an error at a node or an offset."""
        offset = node if isinstance(node, int) else node.start
        return CostoptError(what, where=self.where(offset), hint=hint)


class _Text:
    """The text being parsed, and how errors in it are named."""

    def __init__(self, text: str, path: str, offset: int, kind: str) -> None:
        self.text, self.path, self.offset, self.kind = text, path, offset, kind

    def fail(self, at: int, what: str, hint: str | None = None) -> NoReturn:
        where = Where(self.path, *line_column(self.text, min(at, len(self.text))))
        raise CostoptError(f"{self.kind}: {what}", where=where, hint=hint)


_DEPTH = "maximum nesting depth"
"""What libyaml 0.2.6 and later say of their own limit, which may come before ours."""


def load_yaml(text: str, path: str, start: int = 0, end: int | None = None) -> Document:
    """Parse the YAML document in ``text[start:end]``; an empty one is ``None``.

    Raises:
        CostoptError: it is broken, or holds what is refused; with line and column.
    """
    import yaml

    source = text[start:end]
    at = _Text(text, path, start, "broken YAML")
    try:
        _check_events(source, at)
        node = yaml.compose(source, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.problem, error.context) if part)
        if _DEPTH in what:
            what = f"nested deeper than {MAX_DEPTH} levels"
        at.fail(start + (mark.index if mark else 0), what or "cannot be read")
    except (yaml.YAMLError, ValueError) as error:
        at.fail(start, str(error).splitlines()[0])
    if node is None:
        return Document(text, path, Node(None, start, start))
    return Document(text, path, _YamlTree(at).build(node))


def _check_events(source: str, at: _Text) -> None:
    """Refuse deep nesting and huge documents before anything is built."""
    import yaml

    depth = 0
    for count, event in enumerate(yaml.parse(source, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            mark = event.start_mark
            at.fail(at.offset + mark.index, f"nested deeper than {MAX_DEPTH} levels")
        if count > 3 * MAX_VALUES:
            at.fail(at.offset, f"more than {MAX_VALUES:,} values")


_CORE = "tag:yaml.org,2002:"
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def _core_scalar(text: str) -> object:
    """Return a plain scalar's value by YAML 1.2's core schema.

    Example:
        >>> [_core_scalar(text) for text in ("yes", "012", "12:30", "1e3", "~")]
        ['yes', 12, '12:30', 1000.0, None]
    """
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) <= MAX_DIGITS:
        if _INT.fullmatch(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        if _FLOAT.fullmatch(text):
            return float(text)
        if special := _SPECIAL.fullmatch(text):
            return float(f"{special.group(1) or ''}{'nan' if special.group(3) else 'inf'}")
    return text


class _YamlTree:
    """Builds nodes from composed YAML; aliases share them."""

    def __init__(self, at: _Text) -> None:
        self.at = at
        self.done: dict[int, tuple[Node, int]] = {}
        self.open: set[int] = set()

    def build(self, node: YamlNode) -> Node:
        built, size = self._node(node)
        if size > MAX_VALUES:
            self.fail(node, f"expands to more than {MAX_VALUES:,} values")
        return built

    def fail(self, node: YamlNode, what: str) -> NoReturn:
        self.at.fail(self.at.offset + node.start_mark.index, what)

    def _node(self, node: YamlNode) -> tuple[Node, int]:
        key = id(node)
        if key in self.done:
            return self.done[key]
        if key in self.open or len(self.open) > MAX_DEPTH:
            self.fail(node, "an alias refers to itself, or is nested too deeply")
        self.open.add(key)
        kind = type(node).__name__
        if kind != "ScalarNode" and node.tag not in (f"{_CORE}seq", f"{_CORE}map"):
            self.fail(node, f"the tag {node.tag} is not supported")
        make = {"ScalarNode": self._scalar, "SequenceNode": self._sequence}.get(kind, self._mapping)
        built = make(node)
        if built[1] > MAX_VALUES:
            self.fail(node, f"expands to more than {MAX_VALUES:,} values")
        self.open.discard(key)
        self.done[key] = built
        return built

    def _span(self, node: YamlNode) -> tuple[int, int]:
        return self.at.offset + node.start_mark.index, self.at.offset + node.end_mark.index

    def _scalar(self, node: YamlNode) -> tuple[Node, int]:
        style = node.style or ""
        if node.tag.removeprefix(_CORE) not in _TAGS:
            self.fail(node, f"the tag {node.tag} is not supported")
        source = self.at.text[slice(*self._span(node))]
        tagged = source.startswith("!")
        value: Any = node.value
        if style == "" and not tagged:
            value = _core_scalar(value)
        return Node(value, *self._span(node), style), 1

    def _sequence(self, node: YamlNode) -> tuple[Node, int]:
        built = [self._node(item) for item in node.value]
        items = tuple(item for item, _ in built)
        value = [item.value for item in items]
        return Node(value, *self._span(node), "", items=items), 1 + sum(size for _, size in built)

    def _mapping(self, node: YamlNode) -> tuple[Node, int]:
        fields: dict[Any, Node] = {}
        keys: dict[Any, int] = {}
        merged: dict[Any, Node] = {}
        size = 1
        for key_node, value_node in node.value:
            key = self._key(key_node)
            value, count = self._node(value_node)
            size += count + 1
            if key == "<<" and not key_node.style:
                merged = self._merge(value_node, value) | merged
            elif key in fields:
                self.fail(key_node, f"the key {str(key)[:60]!r} stands here twice")
            else:
                fields[key] = value
                keys[key] = self.at.offset + key_node.start_mark.index
        fields = {**{k: v for k, v in merged.items() if k not in fields}, **fields}
        data = {name: value.value for name, value in fields.items()}
        return Node(data, *self._span(node), "", fields=fields, keys=keys), size

    def _key(self, node: YamlNode) -> str:
        if type(node).__name__ != "ScalarNode":
            self.fail(node, "a key must be a string")
        value = self._scalar(node)[0].value
        return value if isinstance(value, str) else node.value

    def _merge(self, node: YamlNode, value: Node) -> dict[Any, Node]:
        sources = value.items or (value,)
        if any(not isinstance(source.value, dict) for source in sources):
            self.fail(node, "<< merges mappings only")
        return {key: child for source in reversed(sources) for key, child in source.fields.items()}


_TAGS = {"str", "int", "float", "bool", "null", "timestamp", "merge", "value"}


def load_json(text: str, path: str, start: int = 0, end: int | None = None) -> Document:
    """Parse the JSON document in ``text[start:end]``.

    Raises:
        CostoptError: it is broken, or holds what is refused; with line and column.
    """
    at = _Text(text, path, start, "broken JSON")
    stop = len(text) if end is None else end
    parser = _Json(at, stop)
    root = parser.value(parser.blank(start), 0)
    if (rest := parser.blank(root.end)) < stop:
        at.fail(rest, "more text after the end of the document")
    return Document(text, path, root)


_BLANK = re.compile(r"[ \t\r\n]*")
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")


class _Json:
    """A small recursive parser that keeps places; strings are read by the library."""

    def __init__(self, at: _Text, stop: int) -> None:
        self.at, self.text, self.stop, self.count = at, at.text, stop, 0
        self.end = 0

    def blank(self, at: int) -> int:
        match = _BLANK.match(self.text, at, self.stop)
        return match.end() if match else at

    def value(self, at: int, depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH:
            self.at.fail(at, f"nested deeper than {MAX_DEPTH} levels")
        if self.count > MAX_VALUES:
            self.at.fail(at, f"more than {MAX_VALUES:,} values")
        first = self.text[at : at + 1] if at < self.stop else ""
        if first == "{":
            return self._object(at, depth)
        if first == "[":
            return self._array(at, depth)
        return self._string(at) if first == '"' else self._literal(at)

    def _string(self, at: int) -> Node:
        try:
            value, end = json.decoder.scanstring(self.text, at + 1, True)  # pyright: ignore
        except json.JSONDecodeError as error:
            self.at.fail(error.pos, error.msg)
        if end > self.stop:
            self.at.fail(at, "unterminated string")
        return Node(value, at, end, "json")

    def _literal(self, at: int) -> Node:
        match = _LITERAL.match(self.text, at, self.stop)
        if not match or not match.group() or len(match.group()) > MAX_DIGITS:
            what = "the document ends too early" if at >= self.stop else "expected a value"
            self.at.fail(at, what)
        return Node(json.loads(match.group()), at, match.end(), "json")

    def _array(self, start: int, depth: int) -> Node:
        items: list[Node] = []
        for at in self._members(start, "]"):
            items.append(self.value(at, depth + 1))
            self.end = items[-1].end
        return Node([i.value for i in items], start, self.end, "json", items=tuple(items))

    def _object(self, start: int, depth: int) -> Node:
        fields: dict[Any, Node] = {}
        keys: dict[Any, int] = {}
        for at in self._members(start, "}"):
            if self.text[at : at + 1] != '"':
                self.at.fail(at, "expected a key in double quotes")
            key = self._string(at)
            if key.value in fields:
                self.at.fail(at, f"the key {key.value[:60]!r} stands here twice")
            colon = self.blank(key.end)
            if self.text[colon : colon + 1] != ":":
                self.at.fail(colon, "expected a colon")
            keys[key.value] = at
            fields[key.value] = self.value(self.blank(colon + 1), depth + 1)
            self.end = fields[key.value].end
        data = {name: node.value for name, node in fields.items()}
        return Node(data, start, self.end, "json", fields=fields, keys=keys)

    def _members(self, start: int, close: str) -> Iterator[int]:
        """Yield where each member begins; the caller sets ``end`` to where it ended."""
        at = self.blank(start + 1)
        if self.text[at : at + 1] == close and at < self.stop:
            self.end = at + 1
            return
        while True:
            yield at
            at = self.blank(self.end)
            found = self.text[at : at + 1] if at < self.stop else ""
            if found == close:
                self.end = at + 1
                return
            if found != ",":
                self.at.fail(at, f"expected a comma or {close}")
            at = self.blank(at + 1)
