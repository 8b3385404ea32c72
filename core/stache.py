"""Mustache and Handlebars, rendered within a budget.

Written here rather than taken from a library: pystache neither bounds nested sections nor
reports a missing name, and Handlebars has no Python renderer. What both languages share
(sections, standalone lines, dotted names) is one walk over the scanner's tokens. Prompts are
text: nothing is escaped for HTML. See mustache(5) and https://handlebarsjs.com/guide/.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import CostoptError
from .placeholders import is_block, parameters, scan
from .scanners import Token, syntax_error
from .types import Syntax

MAX_DEPTH = 60
MAX_STEPS = 100_000


@dataclass(slots=True)
class _Block:
    """A section with its bodies; ``names`` are a Handlebars block's own parameters."""

    token: Token | None
    helper: str = ""
    args: list[str] = field(default_factory=list[str])
    names: list[str] = field(default_factory=list[str])
    body: list["_Item"] = field(default_factory=list["_Item"])
    other: list["_Item"] = field(default_factory=list["_Item"])
    in_other: bool = False
    chained: bool = False

    @property
    def open(self) -> list["_Item"]:
        """The body that is being filled."""
        return self.other if self.in_other else self.body


_Item = str | Token | _Block


@dataclass(slots=True)
class _Frame:
    """A context with the data (``@index``) and names that its block gave it."""

    value: Any
    data: Mapping[str, Any]
    parent: "_Frame | None" = None


class _Missing:
    """What a name without a value gives."""


_MISSING = _Missing()


def render_stache(text: str, syntax: Syntax, values: Mapping[str, Any], limit: int) -> str:
    """Render a Mustache or Handlebars template with plain data.

    Args:
        text: The template.
        syntax: ``MUSTACHE`` or ``HANDLEBARS``.
        values: Strings, numbers, booleans, ``None``, lists and dictionaries of these.
        limit: The most characters that may come out.

    Raises:
        TemplateSyntaxError: it is broken, names something undefined, uses a helper or partial
            that is not supported, or makes too much.
    """
    tree = _parse(text, syntax)
    renderer = _Renderer(text, syntax, limit)
    renderer.items(tree.body, _Frame(values, {}))
    return "".join(renderer.out)


_REST = re.compile(r"[ \t]*(?:\r?\n|\Z)")


def _standalone(text: str, token: Token) -> tuple[int, int]:
    """Return the range to remove for a token; a whole line where nothing else stands on it."""
    start = text.rfind("\n", 0, token.start) + 1
    after = _REST.match(text, token.end)
    if after and not text[start : token.start].strip(" \t"):
        return start, after.end()
    return token.start, token.end


def _own_line(token: Token, syntax: Syntax) -> bool:
    if token.kind == "comment":
        return True
    return token.kind == "statement" and (syntax is Syntax.MUSTACHE or is_block(token))


def _pieces(text: str, syntax: Syntax) -> list[str | Token]:
    """Return texts and tokens, standalone lines and ``~`` applied, comments left out."""
    tokens = [token for token in scan(text, syntax) if token.kind != "text"]
    ranges = [
        _standalone(text, token) if _own_line(token, syntax) else (token.start, token.end)
        for token in tokens
    ]
    pieces: list[str | Token] = []
    at, strip_next = 0, False
    for token, (start, end) in zip(tokens, ranges, strict=True):
        source = text[token.start : token.end]
        tilde = syntax is Syntax.HANDLEBARS and token.kind != "escape"
        between = text[at : max(at, start)]
        between = between.lstrip() if strip_next else between
        pieces.append(between.rstrip() if tilde and source.startswith("{{~") else between)
        if token.kind != "comment":
            pieces.append(token)
        strip_next = tilde and source.endswith("~}}")
        at = max(at, end)
    tail = text[at:]
    pieces.append(tail.lstrip() if strip_next else tail)
    return [piece for piece in pieces if piece != ""]


def _parse(text: str, syntax: Syntax) -> _Block:
    """Return the template as a tree.

    Raises:
        TemplateSyntaxError: blocks that do not match, or nested too deeply.
    """
    stack = [_Block(None)]
    for piece in _pieces(text, syntax):
        if isinstance(piece, str) or piece.kind != "statement":
            stack[-1].open.append(piece)
        elif piece.name[:1] == "/":
            _close(text, stack, piece)
        elif piece.name == "else" or piece.inner == "^":
            _else(text, stack, piece)
        elif piece.name[:1] in ("#", "^") and ">" not in piece.name:
            stack.append(_block(piece, syntax))
            if len(stack) > MAX_DEPTH:
                raise syntax_error(text, piece.start, f"blocks nested deeper than {MAX_DEPTH}")
        else:
            stack[-1].open.append(piece)
    if len(stack) > 1 and (token := stack[-1].token):
        raise syntax_error(text, token.start, f"{{{{{token.name}}}}} is not closed")
    return stack[0]


def _block(token: Token, syntax: Syntax) -> _Block:
    if syntax is Syntax.MUSTACHE:
        return _Block(token, helper=token.name[0], args=[token.name[1:]])
    named = re.search(r" as \|([^|]*)\|", token.inner)
    args = parameters(token.inner)
    helper = token.name[1:]
    if token.name[0] == "^" or not args:  # {{#name}} and {{^name}}: a section on a value
        helper, args = token.name[0], [token.name[1:]]
    return _Block(token, helper, args, names=named.group(1).split() if named else [])


def _close(text: str, stack: list[_Block], token: Token) -> None:
    while len(stack) > 1 and stack[-1].chained:
        stack[-2].open.append(stack.pop())
    opened = stack[-1].token
    name = token.name[1:]
    if opened is None or opened.name[1:] != name:
        raise syntax_error(text, token.start, f"{{{{/{name}}}}} closes nothing")
    block = stack.pop()
    stack[-1].open.append(block)


def _else(text: str, stack: list[_Block], token: Token) -> None:
    if len(stack) == 1 or stack[-1].in_other:
        raise syntax_error(text, token.start, "{{else}} without a block")
    stack[-1].in_other = True
    rest = token.inner.removeprefix("else").strip()
    if rest and token.inner != "^":
        helper = rest.split(None, 1)[0]
        stack.append(_Block(token, helper, parameters("#" + rest), chained=True))


def _truthy(value: object) -> bool:
    return not (value is _MISSING or value is None or value is False or value in ("", 0, []))


class _Renderer:
    """Walks the tree; what it prints and how far it walks is bounded."""

    def __init__(self, text: str, syntax: Syntax, limit: int) -> None:
        self.text, self.syntax, self.left, self.steps = text, syntax, limit, MAX_STEPS
        self.out: list[str] = []

    def fail(self, token: Token | None, what: str) -> CostoptError:
        return syntax_error(self.text, token.start if token else 0, what)

    def print(self, text: str, token: Token | None = None) -> None:
        self.left -= len(text)
        if self.left < 0:
            raise self.fail(token, "the template makes too much text")
        self.out.append(text)

    def items(self, items: Sequence[_Item], frame: _Frame) -> None:
        for item in items:
            self.steps -= 1
            if self.steps < 0:
                raise self.fail(None, "the template takes too much time")
            if isinstance(item, str):
                self.print(item)
            elif isinstance(item, _Block):
                self.block(item, frame)
            else:
                self.token(item, frame)

    def token(self, token: Token, frame: _Frame) -> None:
        if token.kind == "escape":
            self.print(token.inner, token)
        elif token.kind == "variable":
            if token.inner != "history" or self.syntax is Syntax.MUSTACHE:
                self.print(self.shown(self.needed(token.inner, token, frame), token), token)
        elif token.name == "json":
            self.json(token, frame)
        elif token.name not in ("section", "role", "history"):
            kind = "partial" if ">" in token.name[:2] else "helper"
            name = token.name.lstrip("#>& ")
            raise self.fail(token, f'the {kind} "{name}" is not supported')

    def json(self, token: Token, frame: _Frame) -> None:
        args = parameters(token.inner)
        indent = re.search(r"indent\s*=\s*(\d)\b", token.inner)
        paths = [arg for arg in args if not arg.isdigit()]
        if len(paths) != 1:
            raise self.fail(token, "{{json}} takes one value")
        value = self.needed(paths[0], token, frame)
        width = int(indent.group(1)) if indent else None
        self.print(json.dumps(value, ensure_ascii=False, indent=width), token)

    def needed(self, path: str, token: Token, frame: _Frame) -> Any:  # noqa: ANN401
        value = self.value(path, frame)
        if value is _MISSING:
            raise self.fail(token, f'undefined variable "{path[:80]}"')
        return value

    def shown(self, value: object, token: Token) -> str:
        """Return a value as text; lists and mappings are JSON."""
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, (bool, list, dict)):
            self.steps -= 10
            return json.dumps(value, ensure_ascii=False)
        return str(value)

    def value(self, path: str, frame: _Frame) -> Any:  # noqa: ANN401
        """Return what a path or literal means here, or ``_MISSING``."""
        if path[:1] in "\"'" and path[-1:] == path[:1] and len(path) > 1:
            return path[1:-1]
        if self.syntax is Syntax.MUSTACHE:
            return _mustache(path, frame)
        literals = {"true": True, "false": False, "null": None, "undefined": None}
        if path in literals:
            return literals[path]
        if re.fullmatch(r"-?\d{1,15}", path):
            return int(path)
        return _handlebars(path, frame)

    def block(self, block: _Block, frame: _Frame) -> None:
        if self.syntax is Syntax.HANDLEBARS and block.helper not in ("#", "^"):
            self.helper(block, frame)
            return
        value = self.value(block.args[0], frame)
        if block.helper == "^":
            self.items(block.other if _truthy(value) else block.body, frame)
        elif not _truthy(value):
            self.items(block.other, frame)
        elif isinstance(value, list):
            self.each(block, value, frame)
        else:
            inner = frame if value is True else _Frame(value, frame.data, frame)
            self.items(block.body, inner)

    def helper(self, block: _Block, frame: _Frame) -> None:
        wanted = {"if": 1, "unless": 1, "each": 1, "with": 1, "ifEquals": 2, "unlessEquals": 2}
        name, args = block.helper, block.args
        if name not in wanted:
            raise self.fail(block.token, f'the helper "{name}" is not supported')
        if len(args) != wanted[name] or "(" in (block.token.inner if block.token else ""):
            raise self.fail(block.token, f"{{{{#{name}}}}} takes {wanted[name]} plain value(s)")
        first = self.value(args[0], frame)
        if name == "each":
            self.each(block, first, frame)
        elif name == "with":
            names = dict(zip(block.names, [first], strict=False))
            inner = _Frame(first, {**frame.data, **names}, frame)
            self.items(block.body, inner) if _truthy(first) else self.items(block.other, frame)
        else:
            holds = _truthy(first) if len(args) == 1 else first == self.value(args[1], frame)
            chosen = block.body if holds != name.startswith("unless") else block.other
            self.items(chosen, frame)

    def each(self, block: _Block, value: object, frame: _Frame) -> None:
        pairs: list[tuple[Any, Any]] = []
        if isinstance(value, dict):
            pairs = list(value.items())
        elif isinstance(value, list):
            pairs = list(enumerate(value))
        if not pairs:
            self.items(block.other, frame)
        for index, (key, item) in enumerate(pairs):
            self.steps -= 1
            data = {"@index": index, "@key": key, "@first": index == 0}
            data |= {"@last": index == len(pairs) - 1}
            data |= dict(zip(block.names, (item, key), strict=False))
            self.items(block.body, _Frame(item, {**frame.data, **data}, frame))


def _walk(value: Any, steps: Sequence[str]) -> Any:  # noqa: ANN401
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, list) and step == "length":
            value = len(value)
        else:
            return _MISSING
    return value


def _mustache(path: str, frame: _Frame) -> Any:  # noqa: ANN401
    """Look a name up from the innermost context outwards; the rest of its path there only."""
    if path == ".":
        return frame.value
    first, *rest = path.split(".")
    at: _Frame | None = frame
    while at is not None:
        if isinstance(at.value, dict) and first in at.value:
            return _walk(at.value[first], rest)
        at = at.parent
    return _MISSING


def _handlebars(path: str, frame: _Frame) -> Any:  # noqa: ANN401
    """Look a path up in the current context only, as Handlebars does."""
    at = frame
    while path.startswith("../") or path == "..":
        path = path[3:] or "this"
        at = at.parent or at
    if path.startswith("@root"):
        while at.parent is not None:
            at = at.parent
        path = path[6:] or "this"
    steps = [step.strip("[]") for step in re.split(r"[./]", path)]
    if steps and steps[0] in at.data:
        return _walk(at.data[steps[0]], steps[1:])
    if steps and steps[0] in ("this", ""):
        steps = [step for step in steps[1:] if step]
    return _walk(at.value, steps)
