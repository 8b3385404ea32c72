"""Placeholders: a template's tokens, its variables, and the contract that edits must keep."""

import re
from collections.abc import Iterable, Iterator

from .jinja import free_names
from .scanners import (
    SCANNERS,
    TemplateSyntaxError,
    Token,
    TokenKind,
    check_fstring,
    line_column,
    syntax_error,
    tile,
)
from .types import Syntax

__all__ = [
    "TemplateSyntaxError",
    "Token",
    "TokenKind",
    "check_fstring",
    "contract",
    "detect",
    "line_column",
    "mentions",
    "scan",
    "syntax_error",
    "variables",
]


def scan(text: str, syntax: Syntax) -> tuple[Token, ...]:
    """Cut a template into tokens that tile it.

    Args:
        text: Any text.
        syntax: How it marks its variables.

    Returns:
        Tokens in order; their slices joined are ``text``, whatever it holds.

    Raises:
        TemplateSyntaxError: a delimiter is not closed; its place has an empty path.

    Example:
        >>> [token.name for token in scan("Hi {{ user.name }}!", Syntax.JINJA)]
        ['', 'user', '']
    """
    return tuple(tile(text, SCANNERS[syntax](text)))


_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\s+", re.DOTALL)


def _normal(source: str) -> str:
    """Collapse blanks outside of string literals."""
    return _QUOTED.sub(lambda found: " " if found.group().isspace() else found.group(), source)


def _signature(text: str, token: Token) -> tuple[str, str]:
    source = text[token.start : token.end]
    if not token.inner:
        return token.kind, "".join(source.split())
    before, _, after = source.partition(token.inner)
    return token.kind, f"{''.join(before.split())}{_normal(token.inner)}{''.join(after.split())}"


def contract(text: str, syntax: Syntax) -> tuple[tuple[str, str], ...]:
    """Return what an edit of the template must not change.

    The sequence of all tokens but text and comments, each with its delimiters and
    whitespace control; blanks inside are normalised, but not within string literals.

    Raises:
        TemplateSyntaxError: the text cannot be cut into tokens.

    Example:
        >>> contract("Hi {{ x }}", Syntax.JINJA) == contract("Hello {{x}}", Syntax.JINJA)
        True
    """
    tokens = scan(text, syntax)
    return tuple(_signature(text, t) for t in tokens if t.kind not in ("text", "comment"))


_JINJA_GLOBALS = {"range", "dict", "namespace", "debug", "cycler", "joiner", "lipsum"}
_JINJA_WORD = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?<![\w.])[^\W\d]\w*", re.DOTALL)


def _jinja_variables(text: str) -> tuple[str, ...]:
    tokens = scan(text, Syntax.JINJA)
    if all(token.kind in ("text", "comment") for token in tokens):
        return ()
    free = free_names(text, tokens)
    words = (
        word
        for token in tokens
        if token.kind in ("variable", "statement")
        for word in _JINJA_WORD.findall(token.inner)
    )
    return tuple(dict.fromkeys(word for word in words if word in free - _JINJA_GLOBALS))


def _fstring_variables(text: str) -> tuple[str, ...]:
    names = (token.name for token in scan(text, Syntax.FSTRING) if token.kind == "variable")
    return tuple(dict.fromkeys(names))


def _closed(text: str, token: Token, opened: list[tuple[str, Token]], name: str) -> None:
    if not opened or opened[-1][0] != name:
        what = f"{{{{/{name}}}}} closes nothing"
        if opened:
            what += f"; open is {{{{#{opened[-1][0]}}}}}"
        raise syntax_error(text, token.start, what)
    opened.pop()


def _unclosed(text: str, opened: list[tuple[str, Token]]) -> None:
    if opened:
        name, token = opened[-1]
        raise syntax_error(
            text, token.start, f"{{{{#{name}}}}} is not closed", f"add {{{{/{name}}}}}"
        )


def _mustache_names(text: str, inside: bool) -> Iterator[str]:
    opened: list[tuple[str, Token]] = []
    pushed = 0  # sections may push a context, in which a name is an item's field
    for token in scan(text, Syntax.MUSTACHE):
        sigil, name = token.name[:1], token.name[1:]
        if token.kind == "variable" and token.name and (inside or not pushed):
            yield token.name
        elif token.kind == "statement" and sigil in "#^":
            if inside or not pushed:
                yield name.split(".")[0]
            opened.append((name, token))
            pushed += sigil == "#"
        elif token.kind == "statement" and sigil == "/":
            was = opened[-1][1].name[:1] if opened else ""
            _closed(text, token, opened, name)
            pushed -= was == "#"
    _unclosed(text, opened)


_PARAMETER = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s()=|]+=?|[()|]", re.DOTALL)
_LITERALS = {"true", "false", "null", "undefined", "this", "else", "as", "."}


def parameters(inner: str) -> list[str]:
    """Return the path and literal parameters of a Handlebars expression, its helper left out.

    Example:
        >>> parameters('#each user.items')
        ['user.items']
    """
    found: list[str] = []
    helper = True  # the first word, and the first after an opening bracket
    for word in _PARAMETER.findall(inner.split(" as |")[0]):
        if word == "(":
            helper = True
        elif helper:
            helper = word in ("#", "^", ">", "else")
        elif word not in (")", "|") and not word.endswith("="):
            found.append(word)
    return found


def _free(path: str, depth: int) -> str | None:
    """Return the root variable that a Handlebars path names, if it names one."""
    if path.startswith("@root."):
        path, depth = path.removeprefix("@root."), 0
    while path.startswith("../"):
        path, depth = path[3:], depth - 1
    path = path.removeprefix("this.").removeprefix("this/") if depth <= 0 else path
    match = re.match(r"[^\W\d]\w*", path)
    if depth > 0 or not match or path in _LITERALS or path.startswith("this"):
        return None
    return match.group()


class _Blocks:
    """The open blocks of a Handlebars text, and how many contexts they push."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.opened: list[tuple[str, Token]] = []
        self.locals: list[frozenset[str]] = []

    @property
    def depth(self) -> int:
        return sum(name in ("each", "with") for name, _ in self.opened)

    def enter(self, token: Token) -> None:
        self.opened.append((token.name.lstrip("#^>"), token))
        named = re.search(r" as \|([^|]*)\|", token.inner)
        self.locals.append(frozenset(named.group(1).split() if named else ()))

    def leave(self, token: Token) -> None:
        _closed(self.text, token, self.opened, token.name[1:])
        self.locals.pop()

    def local(self, path: str) -> bool:
        return any(re.split(r"[./]", path)[0] in names for names in self.locals)


def _handlebars_names(text: str, inside: bool) -> Iterator[str]:
    blocks = _Blocks(text)
    for token in scan(text, Syntax.HANDLEBARS):
        if token.name.startswith("/"):
            blocks.leave(token)
            continue
        opens = token.kind == "statement" and token.name[:1] in ("#", "^") and token.name != "^"
        paths: list[str] = []
        if token.kind == "variable":
            paths = [token.inner] if token.inner != "history" else []
        elif token.kind == "statement" and ">" not in token.name[:2]:
            paths = parameters(token.inner)
            simple = token.name[1:]
            if opens and not paths:
                paths = [simple]
        for path in paths:
            if not blocks.local(path) and (name := _free(path, 0 if inside else blocks.depth)):
                yield name
        if opens:
            blocks.enter(token)
    _unclosed(text, blocks.opened)


def variables(text: str, syntax: Syntax) -> tuple[str, ...]:
    """Return the root names that a template needs, in order of first use.

    What the template binds itself (loop variables, ``{% set %}``, fields of the items of a
    Mustache section or a Handlebars ``#each``) is no variable.

    Raises:
        TemplateSyntaxError: the text is broken.

    Example:
        >>> variables("{% for d in docs %}{{ d.title }}{% endfor %}{{ question }}", Syntax.JINJA)
        ('docs', 'question')
    """
    return _unique(_names(text, syntax, inside=False))


def mentions(text: str, syntax: Syntax) -> frozenset[str]:
    """Return every name that a sample may use: the variables, and names inside sections.

    In Mustache, ``{{#flag}}{{note}}{{/flag}}`` may mean the sample's ``note`` or a field of
    ``flag``'s items; only the values tell. Such a name is allowed, but not required.

    Raises:
        TemplateSyntaxError: the text is broken.
    """
    return frozenset(_names(text, syntax, inside=True))


def _names(text: str, syntax: Syntax, *, inside: bool) -> Iterable[str]:
    match syntax:
        case Syntax.JINJA:
            return _jinja_variables(text)
        case Syntax.FSTRING:
            return _fstring_variables(text)
        case Syntax.MUSTACHE:
            return _mustache_names(text, inside)
        case Syntax.HANDLEBARS:
            return _handlebars_names(text, inside)
        case Syntax.NONE:
            return ()


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def detect(text: str) -> Syntax:
    """Guess how a text marks its variables, where its file does not say.

    Example:
        >>> detect("{{#items}}{{name}}{{/items}}"), detect("Hi {name}"), detect('{"a": 1}')
        (<Syntax.MUSTACHE: 'mustache'>, <Syntax.FSTRING: 'fstring'>, <Syntax.NONE: 'none'>)
    """
    if "{%" in text:
        return Syntax.JINJA
    if "{{" in text:
        sections = re.search(r"\{\{[#^/>]\s*[^\W\d]|\{\{\{\s*[^\W\d][\w.]*\s*\}\}\}", text)
        return Syntax.MUSTACHE if sections else Syntax.JINJA
    return Syntax.FSTRING if re.search(r"\{[^\W\d]\w*\}", text) else Syntax.NONE


def is_block(token: Token) -> bool:
    """Return whether a Handlebars token is a block, an ``else`` or a partial."""
    return token.name[:1] in ("#", "^", "/", ">") or token.name in ("else", "^")
