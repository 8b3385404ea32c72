"""What all formats share: reading a file, parts with their slots, and building templates."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..documents import Document
from ..errors import CostoptError, Where
from ..frontmatter import Meta
from ..placeholders import (
    TemplateSyntaxError,
    check_fstring,
    detect,
    line_column,
    mentions,
    variables,
)
from ..report import Skipped
from ..types import GenerationSettings, Message, PromptTemplate, Sample, Source, Syntax

MAX_BYTES = 5_000_000
"""A prompt of this size is far beyond every model's context window."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "markdown": (".md", ".markdown"),
    "text": (".txt", ".mustache", ".hbs", ".handlebars"),
    "jinja": (".j2", ".jinja", ".jinja2"),
    "chat-yaml": (".yaml", ".yml"),
    "chat-json": (".json",),
    "prompty": (".prompty",),
    "dotprompt": (".prompt",),
    "promptfoo": ("promptfooconfig.yaml", "promptfooconfig.yml", "promptfooconfig.json"),
}


class NotAPromptError(CostoptError):
    """A YAML or JSON file without messages: an error only where the user named it."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A prompt file's text."""

    path: Path
    shown: str
    """The path as the user named it, with forward slashes."""
    raw: str
    root: Path | None = None
    """The folder that ``file://`` references may not leave; the file's own by default."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a message's content stands in the file, and how it is written there."""

    start: int
    end: int
    kind: Literal["raw", "json", "yaml", "fixed"] = "raw"
    """``fixed``: it cannot be replaced (several parts joined, or text inside a string)."""


@dataclass(frozen=True, slots=True)
class Part:
    """A message as the file has it."""

    role: str
    content: str
    slot: Slot


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A template with what is needed to write it back."""

    template: PromptTemplate
    slots: tuple[Slot, ...]
    document: Document | None = None
    """The front matter, or the mapping that holds the settings."""
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Where each setting stands, or would: a path of keys."""
    insert_at: int | None = None
    """Where front matter can be inserted, if there is none yet."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All prompts of a file, and what in it was left out, with reasons."""

    parsed: tuple[Parsed, ...]
    notes: tuple[Skipped, ...] = ()


def read_text(path: Path, shown: str, limit: int = MAX_BYTES) -> str:
    """Read a file as UTF-8, its newlines and byte-order mark untouched.

    Args:
        path: The file.
        shown: Its name for errors.
        limit: Bytes; a larger file is refused before it is read.

    Raises:
        CostoptError: missing, unreadable, too large, binary, or not UTF-8.
    """
    where = Where(shown)
    try:
        if not path.is_file():
            what = "is not a regular file" if path.exists() else "no such file"
            raise CostoptError(f"{shown}: {what}", where=where)
        size = path.stat().st_size
        if size > limit:
            what = f"the file has {size / 1e6:,.1f} MB; a prompt has at most {limit / 1e6:g} MB"
            raise CostoptError(what, where=where)
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise CostoptError(f"cannot be read: {error.strerror or error}", where=where) from None
    if len(data) > limit:
        raise CostoptError(f"the file has more than {limit / 1e6:g} MB", where=where)
    return decode(data, shown)


def decode(data: bytes, shown: str) -> str:
    """Return bytes as text.

    Raises:
        CostoptError: a NUL byte, or bytes that are no UTF-8; with the line.
    """
    if (nul := data.find(b"\0")) != -1:
        place = Where(shown, data.count(b"\n", 0, nul) + 1)
        raise CostoptError("a binary file: it holds a NUL byte", where=place)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = Where(shown, data.count(b"\n", 0, error.start) + 1)
        hint = "save it as UTF-8"
        raise CostoptError("not UTF-8 text", where=place, hint=hint) from None


def name_of(path: Path) -> str:
    """Return a prompt's name from its path: ``NAME/prompt.md`` and ``NAME.md`` are NAME.

    Example:
        >>> name_of(Path("a/triage/prompt.md")), name_of(Path("a/triage.md.j2"))
        ('triage', 'triage')
    """
    stem = path.name
    known = {suffix for suffixes in SUFFIXES.values() for suffix in suffixes}
    while (cut := Path(stem)).suffix in known and cut.stem:
        stem = cut.stem
    if stem == "prompt":
        parent = path.parent.name or Path(os.path.abspath(path)).parent.name  # noqa: PTH100
        return parent or stem
    return stem


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A prompt as a format found it, before its templates' syntax is checked."""

    file: File
    format: str
    parts: Sequence[Part]
    chat: bool
    meta: Meta = field(default_factory=Meta)
    settings: GenerationSettings | None = None
    syntax: Syntax | None = None
    """What the format prescribes where the front matter names nothing; ``None``: guess."""
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    samples: tuple[Sample, ...] = ()
    index: int = 0
    name: str | None = None
    document: Document | None = None
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    insert_at: int | None = None


def build(draft: Draft) -> Parsed:
    """Check a draft's placeholders and return its template.

    Raises:
        CostoptError: no text, or a broken placeholder; with file, line and column.
    """
    file, meta = draft.file, draft.meta
    if not any(part.content.strip() for part in draft.parts):
        raise CostoptError("the prompt is empty", where=Where(file.shown, 1))
    joined = "\n".join(part.content for part in draft.parts)
    syntax = meta.placeholders or draft.syntax or detect(joined)
    names: dict[str, None] = {}
    allowed: set[str] = set()
    for part in draft.parts:
        try:
            if syntax is Syntax.FSTRING and meta.placeholders:
                check_fstring(part.content)
            names |= dict.fromkeys(variables(part.content, syntax))
            allowed |= mentions(part.content, syntax)
        except TemplateSyntaxError as error:
            raise relocated(error, file, part) from None
    optional = sorted(allowed.difference(names)) if syntax is Syntax.MUSTACHE else []
    template = PromptTemplate(
        name=meta.name or draft.name or name_of(file.path),
        messages=tuple(Message(part.role, part.content) for part in draft.parts),
        variables=(*names, *optional),
        syntax=syntax,
        source=Source(
            path=file.shown,
            format=draft.format,
            raw=file.raw,
            index=draft.index,
            line=first_line(file.raw, draft.parts[0].slot),
        ),
        chat=draft.chat,
        settings=draft.settings or meta.settings,
        feature=meta.feature,
        calls_per_month=meta.calls_per_month,
        metric=meta.metric,
        margin=meta.margin,
        targets=meta.targets,
        eval_set=meta.eval_set,
        defaults={**dict.fromkeys(optional), **draft.defaults, **meta.defaults},
        inline_samples=draft.samples,
    )
    return Parsed(
        template=template,
        slots=tuple(part.slot for part in draft.parts),
        document=draft.document,
        places=draft.places,
        insert_at=draft.insert_at,
    )


def first_line(raw: str, slot: Slot) -> int:
    """Return the line on which a slot's content begins; a YAML block begins below its mark."""
    line = line_column(raw, slot.start)[0]
    block = slot.kind == "yaml" and raw[slot.start : slot.start + 1] in ("|", ">")
    return line + block


def relocated(error: TemplateSyntaxError, file: File, part: Part) -> CostoptError:
    """Return a placeholder's error with its place in the file instead of in the message."""
    line, column = part_place(error.where, file.raw, part)
    return CostoptError(error.what, where=Where(file.shown, line, column), hint=error.hint)


def part_place(where: Where | None, raw: str, part: Part) -> tuple[int, int | None]:
    """Return the file's line and column of a place in a part, as well as it is known."""
    first, column = line_column(raw, part.slot.start)
    line = (where.line if where else None) or 1
    at = where.column if where else None
    if part.slot.kind == "raw":
        return first + line - 1, (at + column - 1 if at and line == 1 else at)
    below = first_line(raw, part.slot)
    if below > first:
        return below + line - 1, None
    return first, column
