"""Lays out a table in a given width: drops columns first, then cuts the widest text column."""

from collections.abc import Sequence
from dataclasses import dataclass

from .numbers import UNKNOWN

GAP = 2


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of printable one-line cells.

    ``rank`` says when it goes where the page is narrow: the highest rank first, 0 never.
    ``shrinks`` marks a column whose cells may be cut, down to ``least`` columns.
    """

    header: str
    cells: tuple[str, ...]
    right: bool = True
    rank: int = 0
    shrinks: bool = False
    least: int = 12

    @property
    def width(self) -> int:
        """The widest cell, in terminal columns."""
        from rich.cells import cell_len

        return max(cell_len(cell) for cell in (self.header, *self.cells))


def fit(columns: Sequence[Column], width: int, gap: int = GAP) -> list[Column]:
    """Return the columns that fit into ``width``, highest ranks dropped first.

    Shrinking columns are counted at their least width; columns in which nothing is known are left
    out.

    Example:
        >>> name = Column(header="Name", cells=("a",))
        >>> note = Column(header="Note", cells=("x" * 30,), rank=1)
        >>> [column.header for column in fit([name, note], 20)]
        ['Name']
    """
    kept = [column for column in columns if any(cell not in ("", UNKNOWN) for cell in column.cells)]
    while _least(kept, gap) > width:
        highest = max(column.rank for column in kept)
        if highest == 0:
            break
        last = max(i for i, column in enumerate(kept) if column.rank == highest)
        del kept[last]
    return kept


def widths(columns: Sequence[Column], width: int, gap: int = GAP) -> list[int]:
    """Return each column's width; shrinking columns give way until the row fits."""
    found = [column.width for column in columns]
    over = sum(found) + gap * (len(found) - 1) - width
    for index, column in enumerate(columns):
        if column.shrinks and over > 0:
            give = min(over, max(0, found[index] - column.least))
            found[index] -= give
            over -= give
    return found


def pad(text: str, width: int, *, right: bool) -> str:
    """Return text in exactly ``width`` terminal columns, cut with "…" where it is longer.

    Example:
        >>> pad("abc", 5, right=True), pad("abcdef", 4, right=False)
        ('  abc', 'abc…')
    """
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) > width:
        return set_cell_size(text, max(width - 1, 0)) + "…"
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _least(columns: Sequence[Column], gap: int) -> int:
    fixed = (min(c.width, c.least) if c.shrinks else c.width for c in columns)
    return sum(fixed) + gap * (len(columns) - 1)
