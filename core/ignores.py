r"""``costopt: ignore CO123``: comments by which a file silences findings.

They stand in a comment of the template's own syntax (``{# … #}``, ``{{! … }}``), in a YAML comment
of the front matter or the configuration, in ``<!-- … -->``, or on a line of their own that begins
with ``#``. The last two are text that is sent to the model where they stand in a message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .documents import Node, load_json, load_yaml
from .errors import CostoptError
from .formats import Parsed
from .placeholders import scan
from .types import Syntax

_SAID = re.compile(r"costopt:[ \t]*ignore\b[ \t:=]*([^\n]*)", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z][\w-]{0,60}")
_NEXT = re.compile(r"[ \t]*,[ \t]*([A-Za-z][\w-]{0,60})|[ \t]+(CO\d+)\b", re.IGNORECASE)
_HTML = re.compile(r"<!--(.*?)-->", re.DOTALL)
_LINE = re.compile(r"^[ \t]*(?:#+|//)[ \t]*(costopt:[ \t]*ignore\b[^\n]*)$", re.I | re.M)
_YAML_COMMENT = re.compile(r"(?:^|(?<=[ \t\n]))#[^\n]*")


@dataclass(frozen=True)
class Ignore:
    """A code that a file silences, and where it says so."""

    code: str
    """A code in capitals, or a name; empty where the comment names none."""
    start: int
    """Offset in the file, or in the message where ``message`` is given."""
    end: int
    message: int | None = None
    sent: bool = False
    """Whether the comment is text that the model is sent."""
    comment: str = ""
    """The whole comment, with its delimiters."""


def ignores(parsed: Parsed) -> tuple[Ignore, ...]:
    r"""Return what a template's file silences, in the order in which it stands there.

    Example:
        >>> from costopt.core.formats import load_string, reread
        >>> found = ignores(reread(load_string("{# costopt: ignore CO123, co203 #}Hi {{ x }}")))
        >>> [(one.code, one.sent) for one in found]
        [('CO123', False), ('CO203', False)]
    """
    template = parsed.template
    found = [*_of_file(parsed)]
    for index, message in enumerate(template.messages):
        found += _of_message(message.content, template.syntax, index)
    return tuple(found)


def _of_message(text: str, syntax: Syntax, index: int) -> Iterator[Ignore]:
    for token in scan(text, syntax):
        if token.kind == "comment":
            yield from _codes(text, token.start, token.end, index, sent=False)
        elif token.kind == "text":
            for pattern in (_HTML, _LINE):
                for match in pattern.finditer(text, token.start, token.end):
                    yield from _codes(text, *match.span(), index, sent=True)


def _of_file(parsed: Parsed) -> Iterator[Ignore]:
    """Yield what comments outside of the messages say: of front matter, and of whole YAML files."""
    raw = parsed.template.source.raw
    if "costopt:" not in raw.lower():
        return
    root = parsed.document.root if parsed.document else _root(parsed)
    if root is None:
        return
    taken = [*((slot.start, slot.end) for slot in parsed.slots), *_leaves(root)]
    for match in _YAML_COMMENT.finditer(raw):
        # A ``#`` inside of a string begins no comment.
        if not any(start <= match.start() < end for start, end in taken):
            yield from _codes(raw, *match.span(), None, sent=False)


def _root(parsed: Parsed) -> Node | None:
    """Return the configuration that holds the prompt; ``None`` where it stands in no YAML."""
    source = parsed.template.source
    name = source.path.lower()
    if not name.endswith((".yaml", ".yml", ".json")):
        return None
    try:
        load = load_json if name.endswith(".json") else load_yaml
        return load(source.raw, source.path).root
    except CostoptError:
        return None


def _leaves(node: Node) -> Iterator[tuple[int, int]]:
    children = (*node.fields.values(), *node.items)
    if not children:
        yield node.start, node.end
    for child in children:
        yield from _leaves(child)


def _codes(text: str, start: int, end: int, message: int | None, *, sent: bool) -> Iterator[Ignore]:
    comment = text[start:end]
    said = _SAID.search(comment)
    if said is None:
        return
    places = list(_places(comment, said.start(1))) or [(said.start(), said.end())]
    for first, last in places:
        named = comment[first:last] if first >= said.start(1) else ""
        code = named.upper() if re.fullmatch(r"(?i)co\d+", named) else named
        yield Ignore(code, start + first, start + last, message, sent, comment)


def _places(comment: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where the codes of a list stand; after it a comment may go on in words."""
    found = _CODE.match(comment, at)
    while found:
        index = found.lastindex or 0
        yield found.span(index)
        found = _NEXT.match(comment, found.end())
