"""Documents and sentences of a text: pieces that follow one another and make up the whole."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..core.blocks import fences

_HEADERS = (
    re.compile(r"^[ \t]*<(?:document|doc|passage|article|chunk|source)\b[^<>\n]*>", re.I | re.M),
    re.compile(
        r"^[ \t]*(?:\*\*)?(?:document|doc|passage|source|article|context|chunk|excerpt|result)s?"
        r"[ \t]*+[\[(#:]?[ \t]*+#?\d+[^\n]*",
        re.IGNORECASE | re.MULTILINE,
    ),
    re.compile(r"^[ \t]*\[\d+\][^\n]*", re.MULTILINE),
    re.compile(r"^#{1,6}[ \t]+\S[^\n]*", re.MULTILINE),
)
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n\s*")
_STOP = re.compile(
    r"(?:(?<![.!?…])[.!?…]++[\"'”’)\]]*+[ \t]+(?=[^\sa-z])"
    r"|[。！？｡]+[\"'”’」』）]*[ \t]*"
    r"|(?<![؟۔।॥።။՜։᙮᠃])[؟۔।॥።။՜։᙮᠃]++[\"'”’)\]]*+[ \t]+"
    r"|\n\s*)"
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|No|Nos|Vol|Fig|Inc|Ltd|Co|Corp|e\.g|i\.e|etc|cf"
    r"|al|approx|ca|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Gen|Col|Lt|Rev|Gov|Sen|Rep))\Z"
)
_LOOK_BACK = 8
_SHORT_HEADER = 60


@dataclass(frozen=True)
class Piece:
    """A half-open range of characters; ``title`` where it heads what follows."""

    start: int
    end: int
    title: bool = False


def documents(text: str) -> list[Piece]:
    r"""Return the documents that a text is made of: all of it, one after the other.

    They are told by a line that heads them (``Document [3]``, ``<document>``, ``[3]``, a Markdown
    heading), or else by blank lines.

    Example:
        >>> [text[d.start:d.end] for text in ["[1] Ann.\n[2] Bob."] for d in documents(text)]
        ['[1] Ann.\n', '[2] Bob.']
    """
    for header in _HEADERS:
        starts = [found.start() for found in header.finditer(text)]
        if len(starts) > 1:
            return _between(text, starts)
    return _between(text, [found.end() for found in _PARAGRAPH.finditer(text)])


def _between(text: str, starts: list[int]) -> list[Piece]:
    cuts = [0, *(start for start in starts if 0 < start < len(text)), len(text)]
    return [Piece(start, end) for start, end in pairwise(cuts) if end > start]


def sentences(text: str) -> list[Piece]:
    """Return the sentences and lines of a text, with the space after them: all of it.

    A fenced block is one piece. What a line break ends without a full stop, and is short, and has
    more text after it, is a title.
    """
    solid = [(fence.start, fence.end) for fence in fences(text)]
    cuts = [0, *_ends(text, solid), len(text)]
    return [
        Piece(start, end, _is_title(text[start:end]))
        for start, end in pairwise(cuts)
        if end > start
    ]


def _ends(text: str, solid: list[tuple[int, int]]) -> Iterator[int]:
    begins = [start for start, _ in solid]
    for found in _STOP.finditer(text):
        at = found.end()
        if text[found.start()] == "." and _ABBREVIATED.search(
            text, max(0, found.start() - _LOOK_BACK), found.start()
        ):
            continue
        block = bisect_right(begins, at - 1) - 1
        if block >= 0 and at < solid[block][1] and at > solid[block][0]:
            continue
        yield at


def _is_title(piece: str) -> bool:
    line = piece.strip()
    if line.startswith(("#", "<")) or any(header.match(piece) for header in _HEADERS[:2]):
        return "\n" in piece
    ended = line.endswith((".", "!", "?", "。", "！", "？", ",", ";", "؟", "।", "…"))
    return "\n" in piece and 0 < len(line) <= _SHORT_HEADER and not ended and len(line.split()) <= 9
