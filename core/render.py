"""A template and a sample's values in, messages out: bounded, strict, plain data only."""

import re
from collections.abc import Mapping
from typing import Any

from .errors import CostoptError, Where
from .jinja import render_jinja
from .placeholders import TemplateSyntaxError, line_column, scan
from .stache import render_stache
from .types import Message, PromptTemplate, Syntax

MAX_CHARACTERS = 2_000_000
"""The most that one message may come to; far beyond every model's context window."""
MAX_VALUES = 200_000
MAX_DEPTH = 50


def render(template: PromptTemplate, inputs: Mapping[str, Any]) -> tuple[Message, ...]:
    """Fill a template's variables in.

    Args:
        template: The prompt; its defaults stand in for what ``inputs`` leaves out.
        inputs: Strings, numbers, booleans, ``None``, and lists and mappings of these. They
            are copied; nothing in them is ever called or changed.

    Returns:
        The messages, in order.

    Raises:
        CostoptError: a variable without a value (named, with its place in the file), a value
            that is not plain data, or a template that takes too much time, memory or text.

    Example:
        >>> from .formats import load_string
        >>> render(load_string("Hi {name}!"), {"name": "Ada"})
        (Message(role='user', content='Hi Ada!'),)
    """
    values = plain({**template.defaults, **inputs})
    _refuse_dynamic_roles(template)
    return tuple(_message(template, message, values) for message in template.messages)


def _message(template: PromptTemplate, message: Message, values: Mapping[str, Any]) -> Message:
    try:
        return Message(message.role, _content(message.content, template.syntax, values))
    except TemplateSyntaxError as error:
        raise _placed(template, message.content, error) from None


_DYNAMIC_ROLE = re.compile(r"^[ \t]*(?:#[ \t]*)?\{\{[^{}\n]*\}\}[ \t]*:[ \t]*\r?$", re.MULTILINE)


def _refuse_dynamic_roles(template: PromptTemplate) -> None:
    """Refuse prompty's roles that only rendering would make: they would become plain text."""
    if template.source.format != "prompty":
        return
    for message in template.messages:
        if found := _DYNAMIC_ROLE.search(message.content):
            error = TemplateSyntaxError(
                f"the role {found.group().strip()!r} is made while rendering: not supported",
                where=Where("", *line_column(message.content, found.start())),
            )
            raise _placed(template, message.content, error)


def _content(text: str, syntax: Syntax, values: Mapping[str, Any]) -> str:
    match syntax:
        case Syntax.NONE:
            return text
        case Syntax.FSTRING:
            return _fstring(text, values)
        case Syntax.JINJA:
            return render_jinja(text, values, MAX_CHARACTERS)
        case Syntax.MUSTACHE | Syntax.HANDLEBARS:
            return render_stache(text, syntax, values, MAX_CHARACTERS)


def _fstring(text: str, values: Mapping[str, Any]) -> str:
    """Fill names in; ``str.format`` would look attributes up."""
    pieces: list[str] = []
    size = 0
    for token in scan(text, Syntax.FSTRING):
        piece = text[token.start : token.end]
        if token.kind == "escape":
            piece = piece[0]
        elif token.kind == "variable":
            if token.name not in values:
                what = f'undefined variable "{token.name}"'
                raise TemplateSyntaxError(what, where=Where("", *line_column(text, token.start)))
            piece = str(values[token.name])
        pieces.append(piece)
        size += len(piece)
        if size > MAX_CHARACTERS:
            raise TemplateSyntaxError(f"the template makes more than {MAX_CHARACTERS:,} characters")
    return "".join(pieces)


def _placed(template: PromptTemplate, content: str, error: TemplateSyntaxError) -> CostoptError:
    """Return a rendering error with its place in the file, as well as it is known."""
    source, where = template.source, error.where
    place = Where(source.path, source.line)
    if where is not None and where.line is not None:
        lines = content.split("\n")[: where.line - 1]
        offset = sum(len(line) + 1 for line in lines) + (where.column or 1) - 1
        if (found := _in_file(template, content, offset)) is not None:
            place = Where(source.path, *line_column(source.raw, found))
    return CostoptError(error.what, where=place, hint=error.hint or _hint(error.what))


def _in_file(template: PromptTemplate, content: str, offset: int) -> int | None:
    """Return where the file has a character of a message; of an edited one, its token."""
    raw = template.source.raw
    if (begin := raw.find(content)) != -1:
        return begin + offset
    tokens = scan(content, template.syntax)
    token = next((t for t in tokens if t.start <= offset < t.end and t.kind != "text"), None)
    found = raw.find(content[token.start : token.end]) if token else -1
    return None if found == -1 else found


def _hint(what: str) -> str | None:
    if what.startswith("undefined variable"):
        return "give it a value in the eval set, or a default in the front matter"
    return None


class _Counter:
    """How many values may still be copied."""

    def __init__(self) -> None:
        self.left = MAX_VALUES


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deep copy that holds plain data only.

    Raises:
        CostoptError: anything else, too many values, or too deep; the variable is named.
    """
    counter = _Counter()
    return {str(name): _copy(value, str(name), 0, counter) for name, value in values.items()}


def _copy(value: Any, name: str, depth: int, counter: _Counter) -> Any:  # noqa: ANN401
    counter.left -= 1
    if counter.left < 0:
        raise CostoptError(f"a sample holds more than {MAX_VALUES:,} values")
    if value is None or type(value) in (str, int, float, bool):
        return value
    if depth > MAX_DEPTH:
        raise CostoptError(f'the value of "{name}" is nested deeper than {MAX_DEPTH} levels')
    if isinstance(value, Mapping):
        return {str(k): _copy(child, name, depth + 1, counter) for k, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(child, name, depth + 1, counter) for child in value]
    for kind in (str, bool, int, float):  # subclasses, such as numpy's numbers
        if isinstance(value, kind):
            return kind(value)
    what = (
        f'the value of "{name}" is {type(value).__name__}, not text, a number, a list or a mapping'
    )
    raise CostoptError(what)
