"""``.prompt`` files (dotprompt): YAML front matter and Handlebars.

Roles are ``{{role "…"}}``; ``{{history}}`` and ``{{section …}}`` add no text of their own.
What the file itself does not hold (partials, media) is a named error. See
https://github.com/google/dotprompt and its specification of helpers.
"""

import re
from collections.abc import Iterator
from typing import Any

from ..documents import Document, Node
from ..errors import CostoptError, Where
from ..frontmatter import SETTINGS, Meta, read_meta, settings_of, split
from ..placeholders import TemplateSyntaxError, Token, line_column, scan
from ..types import Syntax
from ._blocks import with_depth
from ._common import Draft, File, Part, Reading, Slot, build, relocated
from .chat import ROLES
from .text import front_matter

_PLACES = {
    "max_output_tokens": ("config", "maxOutputTokens"),
    "temperature": ("config", "temperature"),
    "stop": ("config", "stopSequences"),
    "seed": ("config", "seed"),
}


def load_dotprompt(file: File) -> Reading:
    """Read a ``.prompt`` file.

    Raises:
        CostoptError: broken YAML or Handlebars, a partial, media, or a role inside a block;
            with file, line and column.
    """
    if not split(file.raw, comments=True).closed:
        raise CostoptError("the front matter is not closed by ---", where=Where(file.shown, 1))
    document, parts = front_matter(file, comments=True)
    meta = read_meta(document) if document else Meta()
    messages, chat = _messages(file, parts.body)
    places = {key: _PLACES.get(key, ("settings", key)) for key in SETTINGS}
    nodes: dict[str, Node | None] = {}
    if document:
        own = document.root.get("settings")
        places |= {key: ("settings", key) for key in SETTINGS if own and key in own.fields}
        nodes = {key: document.root.get(*path) for key, path in places.items()}
    draft = Draft(
        file=file,
        format="dotprompt",
        parts=messages,
        chat=chat,
        meta=meta,
        settings=settings_of(document, nodes) if document else None,
        syntax=Syntax.HANDLEBARS,
        defaults=_defaults(document) if document else {},
        document=document,
        places=places,
        insert_at=parts.start,
    )
    return Reading(parsed=(build(draft),))


def _defaults(document: Document) -> dict[str, Any]:
    """Return ``input.default``, and ``None`` for what the schema marks as optional."""
    found = document.root.get("input", "default")
    given = dict(found.value) if found and isinstance(found.value, dict) else {}
    schema = document.root.get("input", "schema")
    return dict.fromkeys(_optional(schema)) | given


def _optional(schema: Node | None) -> Iterator[str]:
    if schema is None or not isinstance(schema.value, dict):
        return
    required = schema.get("required")
    properties = schema.get("properties")
    if properties is not None and isinstance(properties.value, dict):
        needed = required.value if required and isinstance(required.value, list) else None
        for name in properties.fields:
            if str(name).endswith("?") or (needed is not None and name not in needed):
                yield str(name).removesuffix("?")
        return
    yield from (str(name)[:-1] for name in schema.fields if str(name).endswith("?"))


def _fail(file: File, body: int, token: Token, what: str, hint: str | None = None) -> CostoptError:
    where = Where(file.shown, *line_column(file.raw, body + token.start))
    return CostoptError(what, where=where, hint=hint)


def _refuse(file: File, body: int, token: Token) -> None:
    """Refuse what brings in text or media that the file does not hold."""
    if token.kind != "statement":
        return
    if ">" in token.name[:2]:
        name = token.name.lstrip("#>")
        hint = "write its text into the prompt"
        raise _fail(file, body, token, f'the partial "{name}" is not supported', hint)
    if token.name == "media":
        raise _fail(file, body, token, "{{media}} is not supported; only text is")
    if token.name == "#role":
        hint = '{{role "system"}} begins a message that ends at the next one'
        raise _fail(file, body, token, "{{#role}} as a block is not supported", hint)


def _messages(file: File, body: int) -> tuple[list[Part], bool]:
    text = file.raw[body:]
    try:
        tokens = scan(text, Syntax.HANDLEBARS)
    except TemplateSyntaxError as error:
        raise relocated(error, file, Part("user", text, Slot(body, len(file.raw)))) from None
    parts: list[Part] = []
    role, start, chat = "user", body, False
    for token, depth in with_depth(tokens, Syntax.HANDLEBARS):
        _refuse(file, body, token)
        if token.kind != "statement" or token.name != "role":
            continue
        if depth:
            raise _fail(file, body, token, "{{role}} inside a block is not supported")
        parts += _part(file, role, start, body + token.start)
        role, start, chat = _role(file, body, token), body + token.end, True
    parts += _part(file, role, start, len(file.raw))
    return parts or [Part("user", "", Slot(body, body))], chat


def _role(file: File, body: int, token: Token) -> str:
    named = re.fullmatch(r"role\s+[\"'](\w+)[\"']", token.inner)
    if not named or named.group(1).lower() not in ROLES:
        raise _fail(file, body, token, f"unknown role in {{{{{token.inner[:60]}}}}}")
    return ROLES[named.group(1).lower()]


def _part(file: File, role: str, start: int, end: int) -> list[Part]:
    """Return the message, or nothing where it holds only blanks and comments."""
    content = file.raw[start:end]
    kept = (t for t in scan(content, Syntax.HANDLEBARS) if t.kind != "comment")
    if not "".join(content[t.start : t.end] for t in kept).strip():
        return []
    return [Part(role, content, Slot(start, end))]
