"""Rectangles of given areas that fill a rectangle and are as near to squares as they can be.

Bruls, Huizing and van Wijk, Squarified Treemaps, 2000.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rect:
    """A rectangle; ``y`` grows downwards."""

    x: float
    y: float
    width: float
    height: float


def squarify(values: Sequence[float], page: Rect) -> list[Rect]:
    """Return a rectangle for each value, in their order.

    Args:
        values: Positive numbers, the largest first.
        page: What they fill.

    Example:
        >>> squarify([3, 1], Rect(0, 0, 8, 2))
        [Rect(x=0, y=0, width=6.0, height=2.0), Rect(x=6.0, y=0, width=2.0, height=2.0)]
    """
    total = sum(values)
    if not total or not page.width or not page.height:
        return [Rect(page.x, page.y, 0.0, 0.0) for _ in values]
    scale = page.width * page.height / total
    areas, found, free = [value * scale for value in values], list[Rect](), page
    while len(found) < len(areas):
        row = _row(areas[len(found) :], min(free.width, free.height))
        found += _laid(row, free)
        free = _left(free, sum(row))
    return found


def _row(areas: Sequence[float], side: float) -> Sequence[float]:
    """Return as many areas as make a row along a side best, the worst of them looked at."""
    many = 1
    while many < len(areas) and _worst(areas[: many + 1], side) <= _worst(areas[:many], side):
        many += 1
    return areas[:many]


def _worst(row: Sequence[float], side: float) -> float:
    """Return the largest ratio of sides in a row, at least 1."""
    total = sum(row)
    if not total or not side or not row[-1]:
        return float("inf")
    return max(side**2 * row[0] / total**2, total**2 / (side**2 * row[-1]))


def _laid(row: Sequence[float], free: Rect) -> Iterator[Rect]:
    total = sum(row)
    x, y = free.x, free.y
    if free.width >= free.height:  # A column at the left.
        wide = total / free.height if free.height else 0.0
        for area in row:
            high = area / wide if wide else 0.0
            yield Rect(x, y, wide, high)
            y += high
        return
    high = total / free.width if free.width else 0.0
    for area in row:
        wide = area / high if high else 0.0
        yield Rect(x, y, wide, high)
        x += wide


def _left(free: Rect, used: float) -> Rect:
    if free.width >= free.height:
        wide = used / free.height if free.height else 0.0
        return Rect(free.x + wide, free.y, max(free.width - wide, 0.0), free.height)
    high = used / free.width if free.width else 0.0
    return Rect(free.x, free.y + high, free.width, max(free.height - high, 0.0))
