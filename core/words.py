"""Which stretches of a text are kept or dropped together, and how what is kept is joined again.

LLMLingua decides token by token and decodes what is left: words are cut in pieces, characters
that span several tokens become U+FFFD (LLMLingua issues #4, #63, #131), and white space is lost.
Here decisions are carried back to whole words of the original text, of which the result is always
a subsequence.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Words with what binds their parts (3.5, e-mail, don't, a/b, x@y.z); any other sign by itself.
_WORD = re.compile(r"\w+(?:[-'’.,:/@&_+]+\w+)*|([^\w\s])\1*")
_LAYOUT = re.compile(
    r"^[ \t]*(?:(?P<mark>[-*_=]{3,}|[-*+>•]|#{1,6}|\d{1,3}[.)])(?=[ \t]|\r?$))", re.MULTILINE
)
_PAIR = re.compile(
    r"\*\*(?=[^\s*])[^\n]*?(?<=[^\s*])\*\*|__(?=[^\s_])[^\n]*?(?<=[^\s_])__"
    r"|\([^()\n]*\)|\[[^\[\]\n]*\]|“[^“”\n]*”|（[^（）\n]*）|「[^「」\n]*」"
)
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x31FF),  # CJK radicals, kana, bopomofo
    (0x3400, 0x9FFF),  # CJK ideographs
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


class Range(NamedTuple):
    """A half-open range of characters."""

    start: int
    end: int


@dataclass(frozen=True)
class Words:
    """A text's words with the tokens that each is made of."""

    ranges: tuple[Range, ...]
    """In order, disjoint, never white space only."""
    of_token: tuple[int | None, ...]
    """Each token's word; ``None`` for a token of white space."""
    protected: frozenset[int]
    """Words that may not be dropped."""


def words_of(text: str, tokens: Sequence[tuple[int, int]], kept: Sequence[Range]) -> Words:
    """Group ``text`` into the smallest stretches that may be dropped.

    No stretch cuts a word, a grapheme (an emoji with its modifiers, a letter with its accents) or
    a token; scripts without spaces are cut at graphemes.

    Args:
        text: The text.
        tokens: Each token's range of characters, in order; they may overlap within a character.
        kept: Ranges that have to stay, in order and disjoint.
    """
    atoms = _atoms(text)
    starts, ends = [atom.start for atom in atoms], [atom.end for atom in atoms]
    leader = list(range(len(atoms)))
    first_atom: list[int | None] = []
    for start, end in tokens:
        first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
        first_atom.append(first if first <= last else None)
        for index in range(first + 1, last + 1):
            leader[index] = min(leader[index], leader[index - 1], first)
    ranges, word_of_atom = _merge(atoms, leader)
    return Words(
        ranges=tuple(ranges),
        of_token=tuple(None if atom is None else word_of_atom[atom] for atom in first_atom),
        protected=frozenset(_touching(ranges, kept)),
    )


def _atoms(text: str) -> list[Range]:
    """Return words and signs, widened to whole graphemes, with unspaced scripts cut up."""
    import regex

    borders = [match.start() for match in regex.finditer(r"\X", text)]
    borders.append(len(text))
    atoms: list[Range] = []
    for match in _WORD.finditer(text):
        start = borders[bisect_right(borders, match.start()) - 1]
        end = borders[bisect_left(borders, match.end())]
        if atoms and start < atoms[-1].end:
            start = atoms[-1].end
        if start < end:
            atoms.extend(_cut(text, Range(start, end), borders))
    return atoms


def _cut(text: str, word: Range, borders: list[int]) -> list[Range]:
    """Cut a word of an unspaced script into its graphemes."""
    if not any(_unspaced(character) for character in text[word.start : word.end]):
        return [word]
    inner = borders[bisect_right(borders, word.start) : bisect_left(borders, word.end)]
    return [Range(*pair) for pair in zip((word.start, *inner), (*inner, word.end), strict=True)]


def _unspaced(character: str) -> bool:
    code = ord(character)
    return code >= 0x0E00 and any(low <= code <= high for low, high in _UNSPACED)


def _merge(atoms: Sequence[Range], leader: Sequence[int]) -> tuple[list[Range], list[int]]:
    """Join atoms that share a token; return the words, and each atom's word."""
    ranges: list[Range] = []
    word_of_atom: list[int] = []
    for index, atom in enumerate(atoms):
        if leader[index] < index and ranges:
            ranges[-1] = Range(ranges[-1].start, atom.end)
        else:
            ranges.append(atom)
        word_of_atom.append(len(ranges) - 1)
    return ranges, word_of_atom


def _touching(words: Sequence[Range], kept: Sequence[Range]) -> Iterable[int]:
    """Yield the words that a kept range overlaps."""
    starts, ends = [word.start for word in words], [word.end for word in words]
    for start, end in kept:
        yield from range(bisect_right(ends, start), bisect_left(starts, end))


def occurrences(text: str, keep: Iterable[str]) -> list[Range]:
    """Return where the strings of ``keep`` stand in ``text``, as disjoint ranges in order.

    A string that begins or ends with a letter or digit counts only as a whole word, so that
    "no" does not keep "note".

    Example:
        >>> occurrences("no note, no", ["no"])
        [Range(start=0, end=2), Range(start=9, end=11)]
    """
    found: list[Range] = []
    for string in {string for string in keep if string and not string.isspace()}:
        pattern = re.escape(string)
        before = r"(?<!\w)" if re.match(r"\w", string) else ""
        after = r"(?!\w)" if re.match(r"\w", string[-1]) else ""
        found.extend(Range(*match.span()) for match in re.finditer(before + pattern + after, text))
    return union(found)


def union(ranges: Iterable[Range]) -> list[Range]:
    """Join ranges that overlap.

    Example:
        >>> union([Range(4, 6), Range(0, 2), Range(1, 3)])
        [Range(start=0, end=3), Range(start=4, end=6)]
    """
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and start < joined[-1].end:
            joined[-1] = Range(joined[-1].start, max(joined[-1].end, end))
        else:
            joined.append(Range(start, end))
    return joined


def layout(text: str) -> list[Range]:
    r"""Return the marks that lines begin with (lists, quotes, headings), and rules.

    Example:
        >>> layout("# Title\n- one")
        [Range(start=0, end=1), Range(start=8, end=9)]
    """
    return [Range(*match.span("mark")) for match in _LAYOUT.finditer(text)]


def tidy(text: str, kept: Iterable[Range], fixed: Iterable[Range]) -> list[Range]:
    """Return ``kept`` without empty lists and emphasis, and without half a pair of brackets.

    A line's mark goes where nothing else of its line is kept; of a pair of brackets or emphasis
    marks both stay if something between them does, else neither.

    Args:
        text: The text.
        kept: Ranges to keep.
        fixed: Those of them that nothing may be taken from.
    """
    mask, solid = bytearray(len(text)), bytearray(len(text))
    for start, end in kept:
        mask[start:end] = b"\1" * (end - start)
    for start, end in fixed:
        solid[start:end] = mask[start:end] = b"\1" * (end - start)
    for match in _PAIR.finditer(text):
        opening, closing = _marks(match)
        if 1 in mask[opening.start : opening.end] or 1 in mask[closing.start : closing.end]:
            for mark in (opening, closing):
                _set(mask, solid, mark, 1 in mask[opening.end : closing.start])
    for start, end in layout(text):
        line = text.find("\n", end)
        _set(mask, solid, Range(start, end), 1 in mask[end : line if line >= 0 else len(text)])
    return [Range(*match.span()) for match in re.finditer(rb"\x01+", mask)]


def _marks(match: re.Match[str]) -> tuple[Range, Range]:
    size = 2 if match.group().startswith(("**", "__")) else 1
    start, end = match.span()
    return Range(start, start + size), Range(end - size, end)


def _set(mask: bytearray, solid: bytearray, place: Range, keep: bool) -> None:
    for index in range(place.start, place.end):
        mask[index] = 1 if keep or solid[index] else 0


def join(text: str, kept: Sequence[Range]) -> str:
    r"""Return what is kept of ``text``, joined as the text itself would.

    White space at both ends stays. Where something is dropped, the gap becomes the strongest
    white space that stood in it (a paragraph before a line before a space); where dropping it
    would glue two words together, it stays.

    Args:
        text: The text.
        kept: Ranges to keep, in order and disjoint.

    Example:
        >>> join("Please do\n\nread it all. ", [Range(7, 9), Range(16, 18), Range(19, 22)])
        'do\n\nit all '
    """
    parts = [text[: len(text) - len(text.lstrip())]]
    end = len(parts[0])
    for index, (start, stop) in enumerate(kept):
        if index:
            parts.append(_gap(text, end, start))
        parts.append(text[start:stop] if index or start >= end else text[end:stop])
        end = stop
    tail = text[end:]
    return "".join(parts) + tail[len(tail.rstrip()) :]


def _gap(text: str, start: int, end: int) -> str:
    """Return what stands between two kept ranges."""
    gap = text[start:end]
    if not gap.strip():
        return gap
    runs: list[str] = re.findall(r"\s+", gap)
    best = max(runs, key=lambda run: (run.count("\n"), -len(run)), default="")
    if "\n" in best:
        return best[best.index("\n") - ("\r\n" in best) :]
    if (_opens(text, start) and not gap[0].isspace()) or (
        _closes(text, end) and not gap[-1].isspace()
    ):
        return ""
    left, right = text[start - 1], text[end]
    glued = not best and not (_unspaced(left) or _unspaced(right))
    return gap if glued and _letter(left) and _letter(right) else best


def _opens(text: str, end: int) -> bool:
    """Whether a bracket, quote or mark that belongs to the next word ends at ``end``."""
    at = end
    while at and not _letter(text[at - 1]) and not text[at - 1].isspace():
        at -= 1
    return at < end and (at == 0 or text[at - 1].isspace())


def _closes(text: str, start: int) -> bool:
    """Whether a full stop, bracket or mark of the word before begins at ``start``."""
    at = start
    while at < len(text) and not _letter(text[at]) and not text[at].isspace():
        at += 1
    return at > start and (at == len(text) or text[at].isspace())


def _letter(character: str) -> bool:
    return character.isalnum() or character == "_"
