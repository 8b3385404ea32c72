"""``promptfooconfig.yaml``: prompts inline or in files below it, and their tests.

Only what is data is read. Whatever would run code (prompt functions, JavaScript and Python
assertions, ``exec:``) is named with its line and left out; nothing is ever run. Providers
are not taken over: targets are the user's choice. See https://promptfoo.dev/docs/configuration.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..documents import Document, Node, load_json, load_yaml
from ..errors import CostoptError, Where
from ..frontmatter import BOM, Meta
from ..report import Skipped
from ..scanners import line_column
from ..types import Sample, Syntax
from ._common import (
    Draft,
    File,
    NotAPromptError,
    Parsed,
    Part,
    Reading,
    Slot,
    build,
    read_text,
)
from ._references import CODE, inside, is_reference, resolve
from ._samples import read_tests
from .chat import looks_like_messages, messages_node, read_messages, slot_of

_PROMPTS = re.compile(r"^\s*[\"']?prompts[\"']?\s*:", re.MULTILINE)
_BESIDE = re.compile(r"^\s*[\"']?(providers|targets|tests|defaultTest)[\"']?\s*:", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*---[ \t]*\r?$", re.MULTILINE)


def is_config(file: File, format: str) -> bool:
    """Return whether a YAML or JSON file of another name is a promptfoo configuration."""
    if not (_PROMPTS.search(file.raw) and _BESIDE.search(file.raw)):
        return False
    root = _parse(file).root
    return (
        isinstance(root.value, dict) and "prompts" in root.fields and "messages" not in root.fields
    )


def _parse(file: File) -> Document:
    start = len(BOM) if file.raw.startswith(BOM) else 0
    load = load_json if file.path.suffix.lower() == ".json" else load_yaml
    return load(file.raw, file.shown, start)


@dataclass(kw_only=True)
class _Config:
    """A configuration being read, with what was left out so far."""

    file: File
    document: Document
    root: Path
    errors: list[CostoptError] = field(default_factory=list[CostoptError])
    found: list[tuple[Parsed, str | None]] = field(default_factory=list[tuple[Parsed, str | None]])

    @property
    def kind(self) -> str:
        """``json`` or ``yaml``, for slots."""
        return "json" if self.file.path.suffix.lower() == ".json" else "yaml"


def load_promptfoo(file: File) -> Reading:
    """Read a promptfoo configuration with the files it refers to.

    Raises:
        CostoptError: broken YAML, or not one of its prompts can be read.
    """
    config = _Config(file=file, document=_parse(file), root=file.root or file.path.parent)
    root = config.document.root
    prompts = root.get("prompts") if isinstance(root.value, dict) else None
    if prompts is None:
        raise NotAPromptError("no prompts in this configuration", where=Where(file.shown, 1))
    entries = prompts.items if isinstance(prompts.value, list) else (prompts,)
    for index, node in enumerate(entries):
        try:
            _entry(config, node, index)
        except CostoptError as error:
            config.errors.append(error)
    if not config.found:
        raise config.errors[0] if config.errors else config.document.error(prompts, "no prompts")
    samples, defaults, notes = read_tests(config.document, file, config.root)
    config.errors += notes
    return Reading(
        parsed=tuple(_named(config, samples, defaults)),
        notes=tuple(skipped(error, file.shown) for error in config.errors),
    )


def skipped(error: CostoptError, shown: str) -> Skipped:
    """Return an error as an entry of a report's ``skipped``."""
    where = error.where or Where(shown)
    return Skipped(path=where.path or shown, line=where.line, reason=error.what)


def _named(
    config: _Config, samples: tuple[Sample, ...], defaults: dict[str, object]
) -> Iterator[Parsed]:
    base = config.file.path.absolute().parent.name or "promptfoo"
    seen: dict[str, int] = {}
    for number, (parsed, label) in enumerate(config.found, start=1):
        name = label or (base if len(config.found) == 1 else f"{base}-{number}")
        seen[name] = seen.get(name, 0) + 1
        name = name if seen[name] == 1 else f"{name}-{seen[name]}"
        template = replace(
            parsed.template,
            name=name,
            inline_samples=samples,
            defaults={**defaults, **parsed.template.defaults},
        )
        yield replace(parsed, template=template)


def _entry(config: _Config, node: Node, index: int) -> None:
    """Read one entry of ``prompts``: a text, a reference, or a mapping with either."""
    label: str | None = None
    if isinstance(node.value, dict):
        named = node.get("label")
        label = named.value if named and isinstance(named.value, str) else None
        inner = node.get("raw") or node.get("id") or node.get("file")
        if inner is None:
            raise config.document.error(node, "a prompt without id, raw or file")
        node = inner
    if not isinstance(node.value, str):
        raise config.document.error(node, "a prompt must be a text or a file:// reference")
    if CODE.match(node.value.strip()) or (is_reference(node.value) and _runs(node.value)):
        what = f"this prompt is made by code, which is never run: {node.value.strip()[:80]}"
        raise config.document.error(node, what)
    if not is_reference(node.value):
        config.found.append((_inline(config.file, config.document, node, index), label))
        return
    for path in resolve(config.document, node, config.file.path.parent, config.root):
        shown = f"{Path(config.file.shown).parent.as_posix()}/{_below(config, path)}"
        shown = shown.removeprefix("./")
        found = File(path=path, shown=shown, raw=read_text(path, shown))
        config.found += [(parsed, label) for parsed in file_prompts(found)]


def _below(config: _Config, path: Path) -> str:
    folder = config.file.path.parent
    return path.relative_to(folder).as_posix() if inside(path, folder) else path.name


def _runs(reference: str) -> bool:
    name = reference.strip().removeprefix("file://").split(":")[0].lower()
    return name.endswith((".js", ".cjs", ".mjs", ".ts", ".py", ".rb", ".go", ".sh", ".exe"))


def _inline(file: File, document: Document, node: Node, index: int) -> Parsed:
    """Return a prompt that is written in the configuration itself."""
    kind = "json" if file.path.suffix.lower() == ".json" else "yaml"
    parts = _inline_messages(node)
    chat = bool(parts)
    if not parts:
        parts = [Part("user", node.value, slot_of(document, node, kind))]
    draft = Draft(
        file=file,
        format="promptfoo",
        parts=parts,
        chat=chat,
        syntax=Syntax.JINJA,
        index=index,
    )
    return build(draft)


def _inline_messages(node: Node) -> list[Part]:
    """Return the messages of a text that is itself a JSON chat; their slots are fixed."""
    if not node.value.lstrip().startswith("["):
        return []
    try:
        inner = load_json(node.value.strip(), "")
    except CostoptError:
        return []
    if not looks_like_messages(inner.root):
        return []
    slot = Slot(node.start, node.end, "fixed")
    return [replace(part, slot=slot) for part in read_messages(inner, inner.root, "json")]


def file_prompts(file: File) -> list[Parsed]:
    """Return the prompts of a file that a configuration refers to.

    Raises:
        CostoptError: it is broken or empty.
    """
    suffix = file.path.suffix.lower()
    if suffix in (".json", ".yaml", ".yml"):
        document = _parse(file)
        if (node := messages_node(document)) is not None:
            kind = "json" if suffix == ".json" else "yaml"
            parts = read_messages(document, node, kind)
            return [_file_prompt(file, parts, 0, chat=True)]
    pieces = _pieces(file.raw) if suffix == ".txt" else [_trimmed(file.raw, 0, len(file.raw))]
    if not pieces:
        raise CostoptError("the prompt is empty", where=Where(file.shown, 1))
    return [
        _file_prompt(file, [Part("user", file.raw[slot.start : slot.end], slot)], index, chat=False)
        for index, slot in enumerate(pieces)
    ]


def _file_prompt(file: File, parts: list[Part], index: int, *, chat: bool) -> Parsed:
    draft = Draft(
        file=file,
        format="promptfoo",
        parts=parts,
        chat=chat,
        syntax=Syntax.JINJA,
        meta=Meta(),
        index=index,
    )
    return build(draft)


def _trimmed(raw: str, start: int, end: int) -> Slot:
    text = raw[start:end]
    start += len(text) - len(text.lstrip("\ufeff \t\r\n"))
    return Slot(start, start + len(raw[start:end].rstrip()))


def _pieces(raw: str) -> list[Slot]:
    """Return the prompts between lines of three dashes, trimmed, empty ones left out."""
    rules = list(_RULE.finditer(raw))
    starts = [0] + [rule.end() for rule in rules]
    ends = [rule.start() for rule in rules] + [len(raw)]
    slots = (_trimmed(raw, start, end) for start, end in zip(starts, ends, strict=True))
    return [slot for slot in slots if slot.end > slot.start]


def reparse(file: File, index: int) -> Parsed:
    """Return one prompt of a configuration or of a file it refers to, for writing back.

    Raises:
        CostoptError: it is not there (any more).
    """
    if file.path.suffix.lower() in (".json", ".yaml", ".yml"):
        document = _parse(file)
        prompts = document.root.get("prompts") if isinstance(document.root.value, dict) else None
        if prompts is not None:
            entries = prompts.items if isinstance(prompts.value, list) else (prompts,)
            node = entries[index]
            if isinstance(node.value, dict):
                node = node.get("raw") or node.get("id") or node
            return _inline(file, document, node, index)
    found = file_prompts(file)
    if index >= len(found):
        place = Where(file.shown, line_column(file.raw, len(file.raw))[0])
        raise CostoptError("the file holds fewer prompts than before", where=place)
    return found[index]


def references(path: Path) -> frozenset[Path]:
    """Return the files that a configuration refers to, which are no prompts of their own.

    What cannot be read refers to nothing; reading it as a prompt says why.
    """
    try:
        file = File(path=path, shown=path.as_posix(), raw=read_text(path, path.as_posix()))
    except CostoptError:
        return frozenset()
    named = re.findall(r"file://([^\s\"',\]}]+)", file.raw)
    named += re.findall(
        r"^\s*-?\s*[\"']?([\w./-]+\.(?:txt|json|csv|jsonl|ya?ml|md|j2))\b", file.raw, re.M
    )
    found: set[Path] = set()
    for name in named:
        if name.startswith("/") or ".." in Path(name).parts:
            continue
        matches = path.parent.glob(name) if "*" in name else [path.parent / name]
        found |= {match.resolve() for match in matches}
    return frozenset(found)
