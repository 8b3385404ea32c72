"""What was read, and what could not be."""

from collections.abc import Iterator
from dataclasses import dataclass

from ....usage.report import UsageReport
from ...numbers import count
from ...safe import clean
from ...usage import facts
from ..tables import Cell, Line, Table, headers, number

_MOST = 200
"""Rows of each of these tables."""
_PATH = 160


@dataclass(frozen=True, kw_only=True)
class ReadingView:
    """Files, what is wrong with them, and what is to be known; ``None`` where there is nothing."""

    rows: str
    problems: Table | None
    skipped: Table | None
    files: Table | None
    notes: tuple[str, ...]


def reading_view(report: UsageReport) -> ReadingView:
    """Return what a page says of the logs."""
    reading = report.reading
    return ReadingView(
        rows=facts.rows_line(report),
        problems=_problems(report),
        skipped=_table(
            "Not read", ("File", "Why"),
            [(Cell(text=clean(one.path, _PATH), style="name"),
              Cell(text=clean(one.reason, 300), style="words")) for one in reading.skipped],
        ),
        files=_table(
            "Files", ("File", "Format", "Rows"),
            [(Cell(text=clean(one.path, _PATH), style="name"), Cell(text=clean(one.format, 40)),
              number(count(one.rows), one.rows)) for one in reading.files],
        ),
        notes=tuple(clean(line, 400) for line in _notes(report)),
    )  # fmt: skip


def _problems(report: UsageReport) -> Table | None:
    cells = [
        (
            Cell(text=clean(one.what, 200), style="words"),
            number(count(one.rows), one.rows),
            Cell(text=clean(str(one.first), _PATH) if one.first else "", style="words"),
        )
        for one in report.reading.problems
    ]
    return _table("What is wrong with rows", ("What", "Rows", "First"), cells)


def _table(caption: str, names: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> Table | None:
    if not rows:
        return None
    cut = f", the first {_MOST} of {count(len(rows))}" if len(rows) > _MOST else ""
    return Table(
        caption=f"{caption}{cut}",
        headers=headers(*names, left=[one for one in names if one != "Rows"]),
        lines=tuple(Line(cells=cells) for cells in rows[:_MOST]),
        sortable=True,
    )


def _notes(report: UsageReport) -> Iterator[str]:
    yield from (line for line in (facts.logged_line(report),) if line)
    yield from (line.strip() for line in facts.unpriced_lines(report))
    yield from report.reading.notes
    yield from report.notes
    yield from report.prices
