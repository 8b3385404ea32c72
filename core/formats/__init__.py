"""Prompt files in, :class:`~costopt.core.types.PromptTemplate` out, and back again."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ..errors import CostoptError, Where, nearest
from ..types import PromptTemplate
from ._blocks import with_depth
from ._common import (
    SUFFIXES,
    File,
    NotAPromptError,
    Parsed,
    Reading,
    name_of,
    read_text,
)
from ._edit import write
from ._places import Place, Places
from .chat import load_json_chat, load_yaml_chat
from .dotprompt import load_dotprompt
from .promptfoo import is_config, load_promptfoo, reparse
from .prompty import load_prompty
from .text import load_jinja, load_markdown, load_text

__all__ = [
    "FORMATS",
    "NotAPromptError",
    "Parsed",
    "Place",
    "Places",
    "Reading",
    "dump",
    "format_of",
    "load_file",
    "load_string",
    "name_of",
    "read_file",
    "read_text",
    "reread",
    "with_depth",
]

FORMATS: Mapping[str, tuple[str, ...]] = SUFFIXES
"""Each format's name, and how its files' names end."""

_LOADERS: Mapping[str, Callable[[File], Reading]] = {
    "markdown": load_markdown,
    "text": load_text,
    "jinja": load_jinja,
    "chat-yaml": load_yaml_chat,
    "chat-json": load_json_chat,
    "prompty": load_prompty,
    "dotprompt": load_dotprompt,
    "promptfoo": load_promptfoo,
}
_BY_SUFFIX = {suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes}


def format_of(path: Path) -> str | None:
    """Return a file's format by its name, or ``None`` where it is no known one.

    Example:
        >>> format_of(Path("a/b.md.j2")), format_of(Path("promptfooconfig.yaml"))
        ('jinja', 'promptfoo')
    """
    name = path.name.lower()
    if name.startswith("promptfooconfig") and name.endswith((".yaml", ".yml", ".json")):
        return "promptfoo"
    return _BY_SUFFIX.get(path.suffix.lower())


def read_file(path: Path, *, shown: str | None = None, root: Path | None = None) -> Reading:
    """Read a prompt file, and say what in it was left out.

    Args:
        path: The file; at most 5 MB of UTF-8.
        shown: Its name in errors and reports; the path by default.
        root: The folder that ``file://`` references of a promptfoo configuration may not
            leave; the configuration's own folder by default.

    Raises:
        CostoptError: it cannot be read as a prompt; with file, line and column.
        NotAPromptError: YAML or JSON without messages.
    """
    shown = path.as_posix() if shown is None else shown
    name = format_of(path)
    if name is None:
        known = ", ".join(sorted(_BY_SUFFIX))
        hint = f"known endings: {known}"
        raise CostoptError("not a known prompt format", where=Where(shown), hint=hint)
    file = File(path=path, shown=shown, raw=read_text(path, shown), root=root)
    if name in ("chat-yaml", "chat-json") and is_config(file, name):
        name = "promptfoo"
    return _LOADERS[name](file)


def load_file(
    path: Path, *, shown: str | None = None, root: Path | None = None
) -> tuple[PromptTemplate, ...]:
    """Read a prompt file's templates; see :func:`read_file`.

    Raises:
        CostoptError: it cannot be read as a prompt.
    """
    return tuple(found.template for found in read_file(path, shown=shown, root=root).parsed)


def load_string(text: str, *, shown: str = "-", format: str = "text") -> PromptTemplate:
    """Read a prompt that is no file, such as standard input.

    Raises:
        CostoptError: an unknown format, or broken text.

    Example:
        >>> load_string("Hi {{ name }}").variables
        ('name',)
    """
    if format not in _LOADERS or format == "promptfoo":
        known = nearest(format, [name for name in _LOADERS if name != "promptfoo"])
        raise CostoptError(f"unknown prompt format {format!r}", hint=known)
    name = "stdin" if shown == "-" else shown
    return _LOADERS[format](File(path=Path(name), shown=shown, raw=text)).parsed[0].template


def dump(template: PromptTemplate) -> str:
    """Return the text of the template's file, with the template's changes in it.

    An unchanged template gives its file's text, byte for byte. Otherwise only the slices of
    the changed messages and settings are replaced; the result is read again to make sure.

    Raises:
        CostoptError: the file has no place for a change.
    """
    parsed = reread(template)
    text = write(parsed, template)
    written = _again(template, text).template if text != template.source.raw else parsed.template
    if (written.messages, written.settings) != (template.messages, template.settings):
        where = Where(template.source.path, template.source.line)
        raise CostoptError("this change cannot be written back into the file", where=where)
    return text


def reread(template: PromptTemplate) -> Parsed:
    """Return a template with what its file holds besides: where its messages and keys stand.

    Raises:
        CostoptError: its source is no longer what it was read from.
    """
    return _again(template, template.source.raw)


def _again(template: PromptTemplate, raw: str) -> Parsed:
    source = template.source
    file = File(path=Path(source.path), shown=source.path, raw=raw)
    if source.format == "promptfoo":
        return reparse(file, source.index)
    return _LOADERS[source.format](file).parsed[source.index]
