"""A table of a page: what every kind of table here is made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

BAR = 60.0
"""The longest bar of a cell, in the drawing's units."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell; ``sort`` is the number behind it, where sorting by its text would be wrong."""

    text: str
    sort: float | None = None
    style: str = ""
    note: str = ""
    """A second, smaller line."""
    bar: float | None = None
    """How long a bar beside it is, of `BAR`."""
    bar_style: str = ""


@dataclass(frozen=True, kw_only=True)
class Header:
    """The head of a column."""

    text: str
    right: bool = True


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row."""

    cells: tuple[Cell, ...]
    style: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its caption, which says what it is to who cannot see where it stands."""

    caption: str
    headers: tuple[Header, ...]
    lines: tuple[Line, ...]
    sortable: bool = False


def number(text: str, value: float | Decimal | None, style: str = "", note: str = "") -> Cell:
    """Return a cell with a number."""
    return Cell(text=text, sort=None if value is None else float(value), style=style, note=note)


def without_empty(table: Table) -> Table:
    """Return a table without the columns in which no row says anything."""
    said = [at for at in range(len(table.headers)) if not at or _says(table.lines, at)]
    lines = tuple(
        Line(cells=tuple(line.cells[at] for at in said), style=line.style) for line in table.lines
    )
    headers = tuple(table.headers[at] for at in said)
    return Table(caption=table.caption, headers=headers, lines=lines, sortable=table.sortable)


def _says(lines: Sequence[Line], at: int) -> bool:
    return any(line.cells[at].text not in ("", "—") or line.cells[at].note for line in lines)


def headers(*texts: str, left: Iterable[str] = ()) -> tuple[Header, ...]:
    """Return heads of columns; the first and those named in ``left`` hold words, not numbers."""
    words = {texts[0], *left}
    return tuple(Header(text=text, right=text not in words) for text in texts)
