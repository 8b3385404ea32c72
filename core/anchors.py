"""Anchors: what carries a prompt's meaning and is easily lost: numbers, limits, quotes, URLs."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from .blocks import fences, inline_code, json_blocks
from .literals import limits, numbers, quotes, urls
from .placeholders import scan
from .types import Syntax

_BLANKS = re.compile(r"\s+")


def _blanked(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """Replace each range by one character that no pattern matches."""
    parts: list[str] = []
    at = 0
    for start, end in sorted(ranges):
        if end > at:
            parts += [text[at:start], "\n" if "\n" in text[start:end] else "\x00"]
            at = end
    return "".join([*parts, text[at:]])


def _without_blocks(text: str, syntax: Syntax) -> str:
    """Blank out placeholders, code and JSON: they are compared as what they are, not as prose."""
    ranges = [(t.start, t.end) for t in scan(text, syntax) if t.kind != "text"]
    ranges += [(fence.start, fence.end) for fence in fences(text)]
    return _blanked(text, [*ranges, *inline_code(text), *json_blocks(text)])


def _literal(text: str) -> str:
    return _BLANKS.sub(" ", text.strip())


def _limit(text: str) -> str:
    return _literal(text).casefold().replace("’", "'")


@lru_cache(maxsize=256)
def _counted(text: str, syntax: Syntax) -> Counter[str]:
    prose = _without_blocks(text, syntax)
    found: Counter[str] = Counter()
    for find in (urls, quotes):
        marks = list(find(prose))
        found.update(_literal(prose[start:end]) for start, end in marks)
        prose = _blanked(prose, marks)
    found.update(_literal(prose[start:end]) for start, end in numbers(prose))
    found.update(_limit(prose[start:end]) for start, end in limits(prose))
    return found


def anchors(text: str, syntax: Syntax) -> Counter[str]:
    """Count a text's anchors, as written but for blanks (limits in lower case too).

    Anchors are numbers with their units, dates, negations and limits, quoted literals, URLs and
    e-mail addresses. Placeholders, code and JSON hold none: they have checks of their own.

    Args:
        text: One message's content, or what is filled into a variable.
        syntax: How it marks its variables; ``Syntax.NONE`` for what is filled in.

    Raises:
        TemplateSyntaxError: a placeholder is not closed.

    Example:
        >>> sorted(anchors("Never use more than 30 words, never.", Syntax.NONE).items())
        [('30 words', 1), ('more than', 1), ('never', 2)]
    """
    return Counter(_counted(text, syntax))


def lost(before: Counter[str], after: Counter[str]) -> tuple[str, ...]:
    """Return the anchors that ``after`` has fewer of, each once, in the order of ``before``.

    Example:
        >>> lost(Counter(["not", "not", "30 words"]), Counter(["not"]))
        ('not', '30 words')
    """
    return tuple(anchor for anchor, count in before.items() if after[anchor] < count)
