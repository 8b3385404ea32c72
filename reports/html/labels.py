"""Where the names of points stand, so that they cover neither each other nor the points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHARACTER, LINE = 6.3, 13.0
"""How wide a character is taken to be, and how high a line, in the drawing's units."""
_GAP = 12.0


@dataclass(frozen=True)
class Box:
    """A rectangle; ``top`` is the smaller number."""

    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: "Box") -> float:
        """Return the area that two have in common."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return wide * high if wide > 0 and high > 0 else 0.0

    @property
    def area(self) -> float:
        """Its size."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True, kw_only=True)
class Label:
    """A name and where it stands; ``line`` leads to a point that is not beside it."""

    text: str
    x: float
    y: float
    anchor: str
    line: str


def place(
    texts: Sequence[str],
    points: Sequence[tuple[float, float]],
    taken: Sequence[Box],
    page: Box,
) -> list[Label]:
    """Return a label for each point, placed one after the other where the least is covered.

    Args:
        texts: What the labels say.
        points: What they belong to.
        taken: What should not be covered.
        page: What they should not leave.
    """
    blocked, found = list(taken), list[Label]()
    for text, point in zip(texts, points, strict=True):
        tries = list(_tries(text, point))
        reach = _around([box for box, _, _ in tries])
        near = [box for box in blocked if reach.covers(box)]
        costs = [_cost(box, far, near, page) for box, _, far in tries]
        box, label, _ = tries[costs.index(min(costs))]
        blocked.append(box)
        found.append(label)
    return found


def _tries(text: str, point: tuple[float, float]) -> Iterator[tuple[Box, Label, float]]:
    x, y = point
    wide = CHARACTER * len(text)
    for step, down in enumerate((0.0, -13.0, 13.0, -26.0, 26.0, -40.0, 40.0, -56.0, 56.0, -74.0)):
        for side in (1, -1):
            left = x + _GAP if side == 1 else x - _GAP - wide
            box = Box(left, y + down - LINE / 2, left + wide, y + down + LINE / 2)
            far = abs(down) > LINE
            end = left if side == 1 else left + wide
            line = f"M{x:.1f} {y:.1f}L{end:.1f} {y + down:.1f}" if far else ""
            label = Label(
                text=text,
                x=round(end, 1),
                y=round(y + down + 4, 1),
                anchor="start" if side == 1 else "end",
                line=line,
            )
            yield box, label, step + (0.5 if side == -1 else 0.0)


def _around(boxes: Sequence[Box]) -> Box:
    """Return the smallest box that holds all of some."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _cost(box: Box, far: float, blocked: Sequence[Box], page: Box) -> float:
    outside = box.area - box.covers(page)
    return sum(box.covers(other) for other in blocked) + 3 * outside + 4 * far
