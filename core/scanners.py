"""Lossless scanners: a template's text cut into tokens that tile it exactly.

Nothing here evaluates anything. Each scanner yields the tokens that are not text;
:func:`tile` fills the gaps. All of them are linear in the text's length.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .errors import CostoptError, Where
from .types import Syntax

TokenKind = Literal["text", "variable", "statement", "comment", "escape"]


@dataclass(frozen=True, slots=True)
class Token:
    """A half-open range ``[start, end)`` of a template, in characters."""

    start: int
    end: int
    kind: TokenKind
    name: str = ""
    """A variable's root name, or a statement's keyword (``if``, ``#each``, ``/each``)."""
    inner: str = ""
    """What stands between the delimiters, without whitespace control and outer blanks."""


class TemplateSyntaxError(CostoptError):
    """A template that cannot be cut into tokens; the loader adds the file's path."""


def line_column(text: str, offset: int) -> tuple[int, int]:
    r"""Return the line and column of a character; both count from 1.

    Example:
        >>> line_column("ab\ncd", 4)
        (2, 2)
    """
    line = text.count("\n", 0, offset) + 1
    return line, offset - (text.rfind("\n", 0, offset) + 1) + 1


def syntax_error(text: str, offset: int, what: str, hint: str | None = None) -> TemplateSyntaxError:
    """Return (not raise) an error at a character of ``text``, its path left empty."""
    line, column = line_column(text, offset)
    return TemplateSyntaxError(what, where=Where("", line, column), hint=hint)


def tile(text: str, tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield ``tokens`` with text tokens between them, so that they tile ``text``."""
    end = 0
    for token in tokens:
        if token.start > end:
            yield Token(end, token.start, "text")
        yield token
        end = token.end
    if end < len(text):
        yield Token(end, len(text), "text")


_NAME = re.compile(r"[^\W\d]\w*")
_JINJA_OPEN = re.compile(r"\{[{%#]")
_JINJA_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_JINJA_ENDRAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_EXPRESSION = re.compile(r"[\"'({\[)}\]]|%\}")


def _root(expression: str) -> str:
    match = _NAME.match(expression)
    return match.group() if match else ""


def _string_end(text: str, start: int, escapes: bool = True) -> int:
    """Return the offset after the string literal that opens at ``start``, or -1."""
    quote = text[start]
    at = start + 1
    while (at := text.find(quote, at)) != -1:
        backslashes = 0
        while escapes and text[at - 1 - backslashes] == "\\":
            backslashes += 1
        at += 1
        if backslashes % 2 == 0:
            return at
    return -1


def _jinja_end(text: str, start: int, close: str) -> int:
    """Return the offset after the expression's closing delimiter, or -1."""
    depth, at = 0, start
    while match := _EXPRESSION.search(text, at):
        found, at = match.group(), match.end()
        if found in "\"'":
            if (at := _string_end(text, match.start())) == -1:
                return -1
        elif found in "({[":
            depth += 1
        elif close == "%}" and found == "%}":
            return at
        elif close == "}}" and depth == 0 and text.startswith("}}", match.start()):
            return match.start() + 2
        elif found != "%}":
            depth = max(0, depth - 1)
    return -1


def _jinja_block(text: str, start: int) -> Iterator[Token]:
    if raw := _JINJA_RAW.match(text, start):
        end = _JINJA_ENDRAW.search(text, raw.end())
        if not end:
            raise syntax_error(text, start, "unterminated {% raw %}", "close it with {% endraw %}")
        yield Token(start, raw.end(), "statement", "raw", "raw")
        yield Token(end.start(), end.end(), "statement", "endraw", "endraw")
        return
    statement = text.startswith("{%", start)
    close = "%}" if statement else "}}"
    end = _jinja_end(text, start + 2, close)
    if end == -1:
        raise syntax_error(text, start, f"unterminated {text[start : start + 2]}", f"add {close}")
    inner = text[start + 2 : end - 2]
    inner = inner[1:] if inner[:1] in ("-", "+") else inner
    inner = inner[:-1] if inner[-1:] in ("-", "+") else inner
    inner = inner.strip()
    yield Token(start, end, "statement" if statement else "variable", _root(inner), inner)


def scan_jinja(text: str) -> Iterator[Token]:
    """Yield Jinja's tokens, but for text; ``{% raw %}`` bodies are text."""
    at = 0
    while match := _JINJA_OPEN.search(text, at):
        if match.group() == "{#":
            at = text.find("#}", match.end()) + 2
            if at == 1:
                raise syntax_error(text, match.start(), "unterminated {#", "add #}")
            yield Token(match.start(), at, "comment", "", text[match.end() : at - 2].strip("-+ \t"))
        else:
            for token in _jinja_block(text, match.start()):
                at = token.end
                yield token


_FSTRING = re.compile(r"\{\{|\}\}|\{([^\W\d]\w*)\}")


def scan_fstring(text: str) -> Iterator[Token]:
    """Yield f-string variables and brace escapes; any other brace is text.

    ``}}`` is an escape only where a ``{{`` is open, so that JSON in a text that merely
    looks like an f-string keeps its braces. :func:`check_fstring` is the strict reading.
    """
    opened = 0
    for match in _FSTRING.finditer(text):
        if match.group() == "{{":
            opened += 1
            yield Token(match.start(), match.end(), "escape", "", "{{")
        elif match.group() == "}}":
            if opened:
                opened -= 1
                yield Token(match.start(), match.end(), "escape", "", "}}")
        else:
            yield Token(match.start(), match.end(), "variable", match.group(1), match.group(1))


def check_fstring(text: str) -> None:
    """Refuse what an f-string template may not hold.

    Raises:
        TemplateSyntaxError: a brace that is neither ``{name}`` nor an escape, such as
            ``{a.b}``, ``{a!r}``, ``{a:>10}`` or a lone ``}``.
    """
    for token in tile(text, scan_fstring(text)):
        if token.kind != "text":
            continue
        if brace := re.search(r"[{}]", text[token.start : token.end]):
            at = token.start + brace.start()
            shown = text[at : at + 24].split("\n")[0]
            raise syntax_error(
                text,
                at,
                f"not an f-string placeholder: {shown!r}",
                "only {name} is filled in; write {{ and }} for literal braces",
            )


def _stache_error(text: str, start: int) -> TemplateSyntaxError:
    return syntax_error(text, start, "unterminated {{", "add }}")


def _mustache_token(text: str, start: int) -> Token:
    triple = text.startswith("{{{", start)
    end = text.find("}}}" if triple else "}}", start + 2)
    if end == -1:
        raise _stache_error(text, start)
    end += 3 if triple else 2
    inner = text[start + (3 if triple else 2) : end - (3 if triple else 2)].strip()
    sigil, rest = inner[:1], inner[1:].strip()
    if triple or sigil not in "!#^/>=&" or not inner:
        return Token(start, end, "variable", _root(inner), inner)
    if sigil == "&":
        return Token(start, end, "variable", _root(rest), rest)
    if sigil == "!":
        return Token(start, end, "comment", "", rest)
    if sigil == "=":
        raise syntax_error(text, start, "changing Mustache's delimiters is not supported")
    return Token(start, end, "statement", sigil + rest, sigil + rest)


def scan_mustache(text: str) -> Iterator[Token]:
    """Yield Mustache's tokens, but for text."""
    at = 0
    while (at := text.find("{{", at)) != -1:
        token = _mustache_token(text, at)
        yield token
        at = token.end


_HANDLEBARS = re.compile(r"[\"']|\{\{|\}\}")


def _handlebars_end(text: str, start: int, close: str) -> int:
    at = start
    while match := _HANDLEBARS.search(text, at):
        found, at = match.group(), match.end()
        if found == "{{":
            return -1
        if found == "}}":
            ends = text.startswith(close, match.start())
            return match.start() + len(close) if ends else -1
        if (at := _string_end(text, match.start())) == -1:
            return -1
    return -1


def _handlebars_comment(text: str, start: int) -> Token | None:
    match = re.compile(r"\{\{~?!(--)?").match(text, start)
    if not match:
        return None
    close = re.compile(r"--~?\}\}" if match.group(1) else r"\}\}").search(text, match.end())
    if not close:
        raise _stache_error(text, start)
    return Token(start, close.end(), "comment", "", text[match.end() : close.start()].strip())


def _handlebars_token(text: str, start: int) -> Token:
    if comment := _handlebars_comment(text, start):
        return comment
    if text.startswith("{{{{", start):
        raise syntax_error(text, start, "Handlebars raw blocks {{{{…}}}} are not supported")
    triple = text.startswith("{{{", start) or text.startswith("{{~{", start)
    close = "}}}" if triple else "}}"
    begin = start + (text.startswith("{{~", start) + len(close))
    end = _handlebars_end(text, begin, close)
    if end == -1:
        raise _stache_error(text, start)
    inner = text[begin : end - len(close)].strip()
    inner = inner.removesuffix("~").strip()
    if inner.startswith("&"):
        inner = inner[1:].strip()
    word = re.match(r"[#^/>]*\s*[^\s(]*", inner)
    name = re.sub(r"\s", "", word.group()) if word else ""
    block = inner[:1] in ("#", "^", "/", ">") or inner == "else" or inner.startswith("else ")
    if block or len(inner.split(None, 1)) > 1:
        return Token(start, end, "statement", name, inner)
    return Token(start, end, "variable", _root(inner), inner)


def scan_handlebars(text: str) -> Iterator[Token]:
    r"""Yield Handlebars' tokens, but for text; ``\{{`` is an escape up to its ``}}``."""
    at = 0
    while (at := text.find("{{", at)) != -1:
        if text[max(0, at - 1) : at] == "\\" and not text[max(0, at - 2) : at].endswith("\\\\"):
            end = text.find("}}", at)
            if end == -1:
                raise _stache_error(text, at)
            yield Token(at - 1, end + 2, "escape", "", text[at : end + 2])
            at = end + 2
            continue
        token = _handlebars_token(text, at)
        yield token
        at = token.end


def _scan_none(text: str) -> Iterator[Token]:
    return iter(())


SCANNERS: dict[Syntax, Callable[[str], Iterator[Token]]] = {
    Syntax.JINJA: scan_jinja,
    Syntax.FSTRING: scan_fstring,
    Syntax.MUSTACHE: scan_mustache,
    Syntax.HANDLEBARS: scan_handlebars,
    Syntax.NONE: _scan_none,
}
