"""Writing back: only the slices that changed are replaced, everything else stays as it was."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..documents import Node
from ..errors import CostoptError, Where
from ..frontmatter import SETTINGS
from ..scanners import line_column
from ..types import GenerationSettings, PromptTemplate
from ._common import Parsed, Slot

_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NO_BLOCK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def quoted(text: str) -> str:
    """Return a double-quoted string that JSON and YAML read alike.

    Example:
        >>> quoted("Grüße")
        '"Grüße"'
    """
    source = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", source)


def _json_string(text: str, old: str) -> str:
    """Write as the file does: escaped to ASCII where the old literal was."""
    ascii_only = old.isascii() and "\\u" in old
    return json.dumps(text, ensure_ascii=ascii_only)


def _block(text: str, old: str) -> str | None:
    """Return a YAML literal block with the old one's indentation, where that is possible."""
    header, _, body = old.partition("\n")
    newline = "\r\n" if header.endswith("\r") else "\n"
    first = next((line for line in body.split("\n") if line.strip()), "")
    indent = re.match(" *", first)
    width = len(indent.group()) if indent else 0
    lines = text.split("\n")
    leading = next((line for line in lines if line), "")
    if not width or _NO_BLOCK.search(text) or not text.strip() or leading[0] in " \t":
        return None
    if re.search(r"[0-9]", header.split("#")[0]) or not lines[0]:
        return None
    stripped = text.rstrip("\n")
    ends = len(text) - len(stripped)
    mark = "|" + ("-" if ends == 0 else "" if ends == 1 else "+")
    comment = re.search(r"[ \t]+#[^\r\n]*", header)
    written = [mark + (comment.group() if comment else "")]
    written += [" " * width + line if line else "" for line in stripped.split("\n")]
    tail = newline * max(1, ends)
    if mark == "|" or mark == "|-":
        tail += _blank_tail(old, newline)
    return newline.join(written) + tail


def _blank_tail(old: str, newline: str) -> str:
    """Return the blank lines that a block's slice holds before the next key."""
    ends = len(old) - len(old.rstrip("\r\n"))
    return newline * max(0, old[len(old) - ends :].count("\n") - 1) if ends else ""


def _encode(text: str, old: str, slot: Slot) -> str:
    if slot.kind == "raw":
        return text
    if slot.kind == "json":
        return _json_string(text, old)
    if old[:1] in ("|", ">"):
        block = _block(text, old)
        newline = "\r\n" if "\r\n" in old else "\n"
        return block if block is not None else quoted(text) + newline + _blank_tail(old, newline)
    return quoted(text)


def write(parsed: Parsed, wanted: PromptTemplate) -> str:
    """Return the file's text with the changes from ``parsed.template`` to ``wanted``.

    Raises:
        CostoptError: the file has no place for a change.
    """
    old = parsed.template
    where = Where(old.source.path, old.source.line)
    if len(old.messages) != len(wanted.messages):
        raise CostoptError("the number of messages changed; it cannot be written back", where=where)
    raw = old.source.raw
    edits: list[tuple[int, int, str]] = []
    for before, after, slot in zip(old.messages, wanted.messages, parsed.slots, strict=True):
        if before.role != after.role:
            raise CostoptError("a role changed; it cannot be written back", where=where)
        if before.content == after.content:
            continue
        if slot.kind == "fixed":
            place = Where(old.source.path, *line_column(raw, slot.start))
            what = "this message is built from several parts; it cannot be written back"
            raise CostoptError(what, where=place)
        edits.append(
            (slot.start, slot.end, _encode(after.content, raw[slot.start : slot.end], slot))
        )
    edits += _settings_edits(parsed, wanted.settings)
    for start, end, text in sorted(edits, reverse=True):
        raw = raw[:start] + text + raw[end:]
    return raw


def _settings_edits(parsed: Parsed, wanted: GenerationSettings) -> list[tuple[int, int, str]]:
    old = parsed.template.settings
    changed = {
        item.name: getattr(wanted, item.name)
        for item in fields(wanted)
        if getattr(wanted, item.name) != getattr(old, item.name)
    }
    if not changed:
        return []
    missing = [key for key in changed if key not in parsed.places]
    if missing:
        source = parsed.template.source
        what = f"the {source.format} format has no place for the setting {missing[0]}"
        raise CostoptError(what, where=Where(source.path, 1), hint="set it in the calling code")
    if parsed.document is None or parsed.document.root.value is None:
        return [_new_front_matter(parsed, changed)]
    return _setting_edits(parsed, changed)


def _setting_edits(parsed: Parsed, changed: Mapping[str, object]) -> list[tuple[int, int, str]]:
    """Return replacements of values, and one insertion for each mapping that lacks some."""
    document = parsed.document
    assert document is not None
    edits: list[tuple[int, int, str]] = []
    missing: dict[int, tuple[Node, dict[str, Any]]] = {}
    for key, value in changed.items():
        path = parsed.places[key]
        node, rest = document.root, path
        while rest and (child := node.get(rest[0])) is not None:
            node, rest = child, rest[1:]
        if not rest:
            edits.append((node.start, node.end, _value(value)))
            continue
        if not isinstance(node.value, dict) or not node.keys:
            raise document.error(node, f"no place here for {'.'.join(path)}")
        tree = missing.setdefault(node.start, (node, {}))[1]
        for step in rest[:-1]:
            tree = tree.setdefault(step, {})
        tree[rest[-1]] = value
    return edits + [_insertion(document.text, node, tree) for node, tree in missing.values()]


def _value(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _new_front_matter(parsed: Parsed, changed: Mapping[str, object]) -> tuple[int, int, str]:
    source = parsed.template.source
    if parsed.insert_at is None:
        raise CostoptError("the file has no place for settings", where=Where(source.path, 1))
    newline = "\r\n" if "\r\n" in source.raw else "\n"
    lines = ["settings:"] + [
        f"  {key}: {_value(changed[key])}" for key in SETTINGS if key in changed
    ]
    if parsed.document is None:
        lines = ["---", *lines, "---"]
    return parsed.insert_at, parsed.insert_at, newline.join([*lines, ""])


def _insertion(raw: str, node: Node, tree: Mapping[str, Any]) -> tuple[int, int, str]:
    """Insert keys before the first one of a mapping, in the mapping's own style."""
    first = min(node.keys.values())
    if raw[node.start] == "{":
        gap = raw[node.start + 1 : first] or " "
        return first, first, "".join(f"{_flow({key: tree[key]})[1:-1]},{gap}" for key in tree)
    column = line_column(raw, first)[1] - 1
    newline = "\r\n" if "\r\n" in raw else "\n"
    lines = _lines(tree, column)
    return first, first, newline.join(lines).lstrip(" ") + newline + " " * column


def _flow(value: object) -> str:
    if not isinstance(value, dict):
        return _value(value)
    return (
        "{" + ", ".join(f"{json.dumps(key)}: {_flow(child)}" for key, child in value.items()) + "}"
    )


def _lines(tree: Mapping[str, Any], column: int) -> list[str]:
    lines: list[str] = []
    for key, value in tree.items():
        if isinstance(value, dict) and key not in SETTINGS:
            lines += [f"{' ' * column}{key}:", *_lines(value, column + 2)]
        else:
            lines.append(f"{' ' * column}{key}: {_value(value)}")
    return lines
