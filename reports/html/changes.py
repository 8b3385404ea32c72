"""What a variant changes in its prompt, word by word."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from ...core.types import Message

Kind = Literal["same", "gone", "new", "fold"]

_TOKEN = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")
_TRAILING = re.compile(r" +(?=\n)")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CONTEXT = 2
"""Unchanged lines that are shown on either side of a change."""
_LEAST_FOLDED = 3
_MOST = 100_000_000
"""Words before times words after; beyond, whole lines are compared, and then nothing is."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text: unchanged, only before, only after, or how much was left out."""

    kind: Kind
    text: str
    blank: bool = False
    """Whether it is white space only, written with signs that can be seen."""


@dataclass(frozen=True, kw_only=True)
class MessageChange:
    """What became of one message; ``role`` is empty where there is only one."""

    role: str
    pieces: tuple[Piece, ...]


def changes(before: Sequence[Message], after: Sequence[Message]) -> tuple[MessageChange, ...]:
    """Return the messages that differ, each as its pieces."""
    many = len(before) > 1 or len(after) > 1
    found: list[MessageChange] = []
    for old, new in zip_longest(before, after):
        one, other = (old.content if old else ""), (new.content if new else "")
        roles = dict.fromkeys(message.role for message in (old, new) if message)
        if one != other or len(roles) > 1:
            role = " → ".join(roles) if many else ""
            found.append(MessageChange(role=role, pieces=tuple(folded(pieces(one, other)))))
    return tuple(found)


def pieces(before: str, after: str) -> list[Piece]:
    """Return the pieces of two texts, in order; unchanged and gone ones are the first text.

    Example:
        >>> [(p.kind, p.text) for p in pieces("Be very kind.", "Be kind.")]
        [('same', 'Be '), ('gone', 'very '), ('same', 'kind.')]
    """
    for pattern in (_TOKEN, _LINE):
        old, new = pattern.findall(before), pattern.findall(after)
        if _compared(old, new) <= _MOST:
            return _joined(_steps(old, new))
    return [Piece("gone", before), Piece("new", after)]


def _compared(old: Sequence[str], new: Sequence[str]) -> int:
    """Return how many pairs of parts are compared: what both begin and end with is none."""
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    return (len(old) - start - end) * (len(new) - start - end)


def _steps(old: Sequence[str], new: Sequence[str]) -> list[Piece]:
    from rapidfuzz.distance import LCSseq

    found: list[Piece] = []
    for step in LCSseq.opcodes(old, new):
        stretch = "".join(old[step.src_start : step.src_end])
        if step.tag == "equal":
            found.append(Piece("same", stretch))
            continue
        found.append(Piece("gone", stretch))
        found.append(Piece("new", "".join(new[step.dest_start : step.dest_end])))
    return found


def _joined(found: Sequence[Piece]) -> list[Piece]:
    """Join changes that only spaces part: word by word they could not be read."""
    groups: list[list[str]] = []
    for at, piece in enumerate(found):
        between = 0 < at < len(found) - 1 and not piece.text.strip() and "\n" not in piece.text
        if piece.kind == "same" and not between:
            groups.append(["same", piece.text, ""])
            continue
        if not groups or groups[-1][0] == "same":
            groups.append(["changed", "", ""])
        groups[-1][1] += piece.text if piece.kind != "new" else ""
        groups[-1][2] += piece.text if piece.kind != "gone" else ""
    return [piece for kind, one, other in groups for piece in _group(kind, one, other)]


def _group(kind: str, one: str, other: str) -> Iterator[Piece]:
    if kind == "same":
        yield Piece("same", one)
        return
    start = 0
    # What joining made common to both is no change.
    while start < min(len(one), len(other)) and one[start] == other[start] == " ":
        start += 1
    if start:
        yield Piece("same", one[:start])
    if one[start:]:
        yield Piece("gone", one[start:])
    if other[start:]:
        yield Piece("new", other[start:])


def folded(found: Sequence[Piece]) -> Iterator[Piece]:
    """Yield the pieces with long unchanged stretches cut down to the lines next to a change."""
    for at, piece in enumerate(found):
        if piece.kind != "same":
            yield Piece(piece.kind, _marked(piece.text), not piece.text.strip())
            continue
        lines = piece.text.split("\n")
        head = 0 if at == 0 else _CONTEXT + 1
        tail = 0 if at == len(found) - 1 else _CONTEXT + 1
        hidden = len(lines) - head - tail
        if hidden < _LEAST_FOLDED:
            yield piece
            continue
        if head:
            yield Piece("same", "\n".join(lines[:head]) + "\n")
        yield Piece("fold", f"{hidden} lines unchanged")
        if tail:
            yield Piece("same", "\n".join(lines[-tail:]))


def _marked(text: str) -> str:
    """Return changed text with its line ends, and spaces that stand alone, to be seen."""
    if not text.strip(" "):
        return "·" * len(text)
    dotted = _TRAILING.sub(lambda spaces: "·" * len(spaces[0]), text)
    return dotted.replace("\n", "↵\n")
