"""CO101: blanks that no reader sees."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from ..core.spans import mask
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .base import Strategy, StrategyContext, map_messages

_SOLID = (SpanKind.PLACEHOLDER, SpanKind.CODE)
_TRAILING = re.compile(r"(?<![ \t])[ \t]++(?=\r?(?:\n|\Z))")
_BLANK_LINES = re.compile(r"(?<=\n)(?:\r?\n){2,}")
_LEADING = re.compile(r"\A(?:\r?\n)+")
_ENDING = re.compile(r"(?<![\r\n])(\r?\n)(?:\r?\n)+\Z")
_INNER = re.compile(r"(?<=[^\s|])  +(?=[^\s|])")


@dataclass(frozen=True, kw_only=True)
class Whitespace(Strategy):
    r"""Remove trailing blanks and runs of blank lines.

    Blanks and tabs at the ends of lines go; several blank lines become one; blank lines at the
    start go, and at the end one newline stays; two or more blanks between two words become one.
    Code, placeholders, quoted literals, tables, indentation and the newline style (``\n`` or
    ``\r\n``) stay as they are, and so does any other space character, such as a no-break space.

    What it can break:
        Nothing that a Markdown parser sees, but for hard line breaks written as two blanks at the
        end of a line: models do not render them, so they go too. Keep them with
        ``hard_breaks=true``. Text laid out by hand in columns keeps its indentation, but not its
        columns, where a line has a single gap.

    Args:
        hard_breaks: Whether two or more blanks at the end of a line of text stay, as two.

    Reference:
        CommonMark 0.31.2, sections 2.2 (tabs and spaces), 4.9 (blank lines), 6.7 (hard breaks).
    """

    name: ClassVar[str] = "whitespace"
    code: ClassVar[str] = "CO101"
    safety: ClassVar[Safety] = "lossless"
    summary: ClassVar[str] = "removes trailing blanks and runs of blank lines"
    reference: ClassVar[str] = "CommonMark 0.31.2"
    example: ClassVar[str] = "# Task   \n\n\n\nTranslate  the text.   \n\n\n\nText: {text}"

    hard_breaks: bool = False

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the blanks removed from every message."""
        return map_messages(template, self._tidy)

    def _tidy(self, text: str, syntax: Syntax) -> str:
        text = _outside(text, syntax, _TRAILING, self._break)
        joined = (*_SOLID, SpanKind.QUOTE, SpanKind.DATA)
        text = _outside(text, syntax, _INNER, _OneBlank(), joined)
        text = _outside(text, syntax, _BLANK_LINES, lambda m: _newline(m.group()))
        text = _outside(text, syntax, _LEADING, lambda m: "")
        return _outside(text, syntax, _ENDING, lambda m: m.group(1))

    def _break(self, match: re.Match[str]) -> str:
        line = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
        hard = self.hard_breaks and line.strip() and match.group().endswith("  ")
        return "  " if hard and match.end() < len(match.string) else ""


def _newline(run: str) -> str:
    return "\r\n" if run.startswith("\r\n") else "\n"


class _OneBlank:
    """Joins a gap, unless the line is code by its indentation, a table, or laid out in columns."""

    def __init__(self) -> None:
        self._end, self._stays = -1, False

    def __call__(self, match: re.Match[str]) -> str:
        """Return what stands in the place of a gap; called from left to right."""
        if match.start() > self._end:
            self._read(match)
        return match.group() if self._stays else " "

    def _read(self, match: re.Match[str]) -> None:
        """Read the line of a gap; once, since a line may have a great many."""
        text = match.string
        start = text.rfind("\n", 0, match.start()) + 1
        self._end = text.find("\n", match.end())
        self._end = self._end if self._end != -1 else len(text)
        line = text[start : self._end]
        laid_out = len(_INNER.findall(line)) > 1 or "|" in line or "\t" in line
        self._stays = laid_out or line.startswith("    ")


def _outside(
    text: str,
    syntax: Syntax,
    pattern: re.Pattern[str],
    change: Callable[[re.Match[str]], str],
    solid: tuple[SpanKind, ...] = _SOLID,
) -> str:
    """Substitute what lies wholly outside of solid spans."""
    if not pattern.search(text):
        return text
    marks = mask(text, syntax, solid)

    def changed(match: re.Match[str]) -> str:
        return match.group() if 1 in marks[match.start() : match.end()] else change(match)

    return pattern.sub(changed, text)
