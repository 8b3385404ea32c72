"""``.prompty`` files, version 1 (``model.parameters``) and 2 (``model.options``).

Roles are lines such as ``system:``, ``# user:`` or ``user[name="A"]:``; text before the
first of them is a system message, as prompty's own parser has it, and a file without any
is one user message. Sample inputs of version 1 are examples, not defaults, and are not read.
See https://prompty.ai/docs/prompty-file-format.
"""

import re
from typing import Any

from ..documents import Document, Node
from ..errors import CostoptError, Where
from ..frontmatter import SETTINGS, Meta, read_meta, settings_of, split
from ..placeholders import TemplateSyntaxError, scan
from ..types import GenerationSettings, Syntax
from ._blocks import with_depth
from ._common import Draft, File, Part, Reading, Slot, build, relocated
from .chat import ROLES
from .text import front_matter

_ROLE = re.compile(
    r"^[ \t]*(?:#[ \t]*)?(system|developer|user|assistant|tool|function)[ \t]*"
    r"(?:\[[^\]\r\n]*\])?[ \t]*:[ \t]*\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_SYNTAXES = {"jinja2": Syntax.JINJA, "jinja": Syntax.JINJA, "mustache": Syntax.MUSTACHE}
_PLACES: dict[str, tuple[tuple[str, ...], ...]] = {
    "max_output_tokens": (
        ("model", "parameters", "max_tokens"),
        ("model", "parameters", "max_completion_tokens"),
        ("model", "options", "maxOutputTokens"),
    ),
    "temperature": (("model", "parameters", "temperature"), ("model", "options", "temperature")),
    "stop": (("model", "parameters", "stop"), ("model", "options", "stopSequences")),
    "seed": (("model", "parameters", "seed"), ("model", "options", "seed")),
    "effort": (("model", "parameters", "reasoning_effort"),),
}


def load_prompty(file: File) -> Reading:
    """Read a ``.prompty`` file.

    Raises:
        CostoptError: broken YAML or placeholders, a role inside a block, an input that is
            no text, or an unknown template kind; with file, line and column.
    """
    if not split(file.raw).closed:
        raise CostoptError("the front matter is not closed by ---", where=Where(file.shown, 1))
    document, parts = front_matter(file)
    meta = read_meta(document) if document else Meta()
    syntax = meta.placeholders or (_syntax(document) if document else Syntax.JINJA)
    messages = _messages(file, parts.body, syntax)
    places = _places(document)
    draft = Draft(
        file=file,
        format="prompty",
        parts=messages or [_whole(file, parts.body)],
        chat=bool(messages),
        meta=meta,
        settings=_settings(document, places) if document else None,
        syntax=syntax,
        defaults=_defaults(document) if document else {},
        document=document,
        places=places,
        insert_at=parts.start,
    )
    parsed = build(draft)
    if document:
        _refuse_media(document, parsed.template.variables)
    return Reading(parsed=(parsed,))


def _places(document: Document | None) -> dict[str, tuple[str, ...]]:
    """Return where each setting stands; where it is missing, where it belongs."""
    places: dict[str, tuple[str, ...]] = {key: ("settings", key) for key in SETTINGS}
    model = document.root.get("model") if document else None
    if document is None or model is None or not isinstance(model.value, dict):
        return places
    modern = model.get("options") is not None
    for key, paths in _PLACES.items():
        own = document.root.get("settings", key)
        found = next((path for path in paths if document.root.get(*path)), None)
        natural = next((path for path in paths if modern == (path[1] == "options")), paths[0])
        places[key] = places[key] if own else found or natural
    return places


def _settings(document: Document, places: dict[str, tuple[str, ...]]) -> GenerationSettings:
    nodes = {key: document.root.get(*path) for key, path in places.items()}
    known = {key: node for key, node in nodes.items() if not _is_reference(node)}
    return settings_of(document, known)


def _is_reference(node: Node | None) -> bool:
    """Return whether a value is filled in from the environment (``${env:NAME}``)."""
    return bool(node and isinstance(node.value, str) and node.value.startswith("${"))


def _syntax(document: Document) -> Syntax:
    node = document.root.get("template")
    for key in ("format", "kind", "type"):
        if node is not None and isinstance(node.value, dict):
            node = node.get(key) or node
    if node is None or not isinstance(node.value, str):
        return Syntax.JINJA
    if node.value not in _SYNTAXES:
        raise document.error(node, f"the template kind {node.value[:40]!r} is not supported")
    return _SYNTAXES[node.value]


def _inputs(document: Document) -> dict[str, Node]:
    """Return the input declarations by name, of either version."""
    node = document.root.get("inputs") or document.root.get("inputSchema")
    if node is not None and isinstance(node.value, dict):
        properties = node.get("properties")
        if properties is not None:
            node = properties
    if node is None:
        return {}
    if isinstance(node.value, dict):
        return {str(key): child for key, child in node.fields.items()}
    named = ((item.get("name"), item) for item in node.items)
    return {str(name.value): item for name, item in named if name is not None}


def _defaults(document: Document) -> dict[str, Any]:
    declared = ((name, node.get("default")) for name, node in _inputs(document).items())
    return {name: node.value for name, node in declared if node is not None}


def _refuse_media(document: Document, variables: tuple[str, ...]) -> None:
    for name, node in _inputs(document).items():
        kind = node.get("kind") or node.get("type")
        if name in variables and kind and kind.value in ("image", "audio", "file", "video"):
            raise document.error(node, f'the input "{name}" is of kind {kind.value}, not text')


def _whole(file: File, body: int) -> Part:
    return _part(file, "user", body, len(file.raw))


def _part(file: File, role: str, start: int, end: int) -> Part:
    """Return a part without the blank lines around it."""
    text = file.raw[start:end]
    start += len(text) - len(text.lstrip("\r\n"))
    content = file.raw[start:end].rstrip()
    return Part(role, content, Slot(start, start + len(content)))


def _messages(file: File, body: int, syntax: Syntax) -> list[Part]:
    """Cut the body at its role lines; none where there are no role lines."""
    markers = list(_markers(file, body, syntax))
    if not markers:
        return []
    parts: list[Part] = []
    if file.raw[body : markers[0].start()].strip():
        parts.append(_part(file, "system", body, markers[0].start()))
    ends = [marker.start() for marker in markers[1:]] + [len(file.raw)]
    for marker, end in zip(markers, ends, strict=True):
        part = _part(file, ROLES[marker.group(1).lower()], marker.end(), end)
        if part.content:
            parts.append(part)
    return parts


def _markers(file: File, body: int, syntax: Syntax) -> list[re.Match[str]]:
    text = file.raw[body:]
    try:
        tokens = scan(text, syntax)
    except TemplateSyntaxError as error:
        raise relocated(error, file, Part("user", text, Slot(body, len(file.raw)))) from None
    markers: list[re.Match[str]] = []
    for token, depth in with_depth(tokens, syntax):
        if token.kind != "text":
            continue
        for marker in _ROLE.finditer(file.raw, body + token.start, body + token.end):
            if not _alone(file.raw, marker, body):
                continue
            if depth:
                line = file.raw.count("\n", 0, marker.start()) + 1
                what = f'the role "{marker.group(1)}" begins inside a block, which is not supported'
                raise CostoptError(what, where=Where(file.shown, line))
            markers.append(marker)
    return markers


def _alone(raw: str, marker: re.Match[str], body: int) -> bool:
    """Return whether a marker fills its line (a search's borders match ^ and $ too)."""
    before, after = raw[body : marker.start()], raw[marker.end() : marker.end() + 1]
    return (not before or before.endswith("\n")) and after in ("", "\n")
