"""Where a character of a message stands in its file, whatever the format made of the text.

A format may indent, fold or escape a message's text, but it keeps its visible characters in their
order: the n-th one of the message is the n-th one of the file's slice. That finds each exactly, in
every style of YAML and in JSON.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ..scanners import line_column
from ._common import Parsed, Slot

_ESCAPED = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\x[0-9a-fA-F]{2}"
    r"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\\r\n|\\.|.",
    re.DOTALL,
)
_SINGLE = re.compile(r"''|.", re.DOTALL)
_PLAIN = re.compile(r".", re.DOTALL)
_BLANK_ESCAPES = frozenset("tnvfrN_LP \t\n\r")
"""What stands for a blank after a backslash, in JSON or in YAML."""


@dataclass(frozen=True)
class Place:
    """A line and a column of a file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class _Slice:
    """A message's text and the slice of the file that holds it."""

    raw: str
    slot: Slot
    content: str

    def offset(self, at: int) -> int:
        """Return where a character of the message, or its end, stands in the file."""
        slot = self.slot
        if slot.kind == "raw":
            return slot.start + at
        own, written = self._own, self._written
        if slot.kind == "fixed" or len(own) != len(written):
            return slot.start
        index = bisect_left(own, at)
        if index < len(own) and own[index] == at:
            return written[index][0]
        if index:  # A blank, or the end: just behind the last visible character before it.
            return written[index - 1][1]
        return written[0][0] if written else slot.start

    @cached_property
    def _own(self) -> list[int]:
        return [at for at, character in enumerate(self.content) if not character.isspace()]

    @cached_property
    def _written(self) -> list[tuple[int, int]]:
        return list(_visible(self.raw, self.slot))


@dataclass(frozen=True)
class Places:
    """Finds the places of all messages of one template in its file."""

    parsed: Parsed

    @cached_property
    def _slices(self) -> tuple[_Slice, ...]:
        template = self.parsed.template
        both = zip(self.parsed.slots, template.messages, strict=True)
        return tuple(_Slice(template.source.raw, slot, message.content) for slot, message in both)

    def at(self, message: int, offset: int) -> Place:
        """Return where a character of a message stands; exact, but for a message of several parts.

        Args:
            message: The message's index.
            offset: Of the character in its content; the content's length for its end.
        """
        return self.in_file(self._slices[message].offset(offset))

    def in_file(self, offset: int) -> Place:
        """Return the line and column of a character of the file."""
        return Place(*line_column(self.parsed.template.source.raw, offset))


def _visible(raw: str, slot: Slot) -> Iterator[tuple[int, int]]:
    """Yield the ranges of a slice's visible characters, escapes as what they stand for."""
    first = raw[slot.start : slot.start + 1]
    start, end, units = slot.start, slot.end, _PLAIN
    if first in ("|", ">"):
        start = raw.find("\n", slot.start, slot.end) + 1 or slot.end
    elif slot.kind == "json" or first == '"':
        start, end, units = start + 1, end - 1, _ESCAPED
    elif first == "'":
        start, end, units = start + 1, end - 1, _SINGLE
    for match in units.finditer(raw, start, end):
        if not _is_blank(match.group()):
            yield match.span()


def _is_blank(unit: str) -> bool:
    if unit[0] != "\\" or len(unit) == 1:
        return unit.isspace()
    if unit[1] in "xuU" and len(unit) > 2:
        # A pair of surrogates is one character, and no blank.
        return len(unit) <= 10 and chr(int(unit[2:], 16)).isspace()
    return unit[1] in _BLANK_ESCAPES
