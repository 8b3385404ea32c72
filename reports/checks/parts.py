"""A page of parts that has to stay under a size: whole items are left out, and that is said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..numbers import count

_SENTENCE = 160
"""Room for the sentence that says what is left out."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a page.

    Attributes:
        before: What opens it; it is never left out.
        items: Rows, list items or whole sections; each is either there or not.
        after: What closes it; never left out either.
        joint: What stands between two items.
        noun: What an item is called, one and many.
        rank: Parts of a low rank are filled first.
        most: Items that are shown at most, whatever room there is.
    """

    before: str = ""
    items: tuple[str, ...] = ()
    after: str = ""
    joint: str = "\n"
    noun: tuple[str, str] = ("item", "items")
    rank: int = 0
    most: int = 1_000_000


def fill(parts: Sequence[Part], limit: int, size: Callable[[str], int]) -> str:
    """Return the page of all parts with as many of their items as there is room for.

    Args:
        parts: In the order of the page.
        limit: What the page may measure.
        size: How a text is measured.

    Example:
        >>> page = Part(before="A", items=("b", "c" * 300, "d"), noun=("row", "rows"))
        >>> print(fill([page], 260, len), end="")
        A
        b
        d
        <BLANKLINE>
        1 row is left out here to keep this short; `--format json` has all.
    """
    room = limit - sum(size(part.before) + size(part.after) + _SENTENCE for part in parts)
    kept: dict[int, tuple[str, ...]] = {}
    for index in sorted(range(len(parts)), key=lambda index: parts[index].rank):
        kept[index], room = _take(parts[index], room, size)
    texts = (_page(part, kept[index]) for index, part in enumerate(parts))
    return "\n\n".join(text for text in texts if text) + "\n"


def _take(part: Part, room: int, size: Callable[[str], int]) -> tuple[tuple[str, ...], int]:
    kept: list[str] = []
    for item in part.items[: part.most]:
        needed = size(item) + size(part.joint)
        if needed <= room:
            kept.append(item)
            room -= needed
    return tuple(kept), room


def _page(part: Part, kept: tuple[str, ...]) -> str:
    missing = len(part.items) - len(kept)
    opened = "\n".join(text for text in (part.before, part.joint.join(kept)) if text)
    blocks = [opened, _left_out(part, missing) if missing else "", part.after]
    return "\n\n".join(block for block in blocks if block)


def _left_out(part: Part, missing: int) -> str:
    noun = part.noun[0 if missing == 1 else 1]
    verb = "is" if missing == 1 else "are"
    return (
        f"{count(missing)} {noun} {verb} left out here to keep this short; `--format json` has all."
    )
