"""``costopt strategies``: what there is."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .options import Debug, Format, NoColor, Output, choose_format

if TYPE_CHECKING:
    from ..compressors.registry import Entry


def strategies(
    format: Format = None,
    output: Output = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """List the strategies with code, side, safety and what they need.

    \b
    Examples:
      costopt strategies
      costopt explain whitespace
    """  # noqa: D301 (\b keeps the lines apart)
    del debug, no_color  # no colour here
    from ..compressors.registry import entries
    from .output import check_output, emit, page_width

    chosen = choose_format(format, output)
    check_output(output)
    found = tuple(entries())
    if chosen == "json":
        emit(_json(found), output)
    elif chosen == "markdown":
        emit(_markdown(found), output)
    else:
        emit(_table(found, page_width()), output)


def _facts(entry: "Entry") -> dict[str, object]:
    return {
        "code": entry.code,
        "name": entry.name,
        "side": entry.side,
        "safety": entry.safety,
        "needs": _needs(entry),
        "summary": entry.summary,
    }


def _needs(entry: "Entry") -> str:
    from ..compressors.registry import load
    from ..core.errors import CostoptError

    extra = [f"costopt[{entry.extra}]"] if entry.extra else []
    try:
        needs = sorted(load(entry.name).needs)
    except CostoptError:  # its extra is not installed, which is what the list is asked for
        needs = []
    return ", ".join([*extra, *needs])


def _json(found: "Sequence[Entry]") -> str:
    data = {"schema": "costopt.strategies/1", "strategies": [_facts(entry) for entry in found]}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _cells(found: "Sequence[Entry]") -> list[list[str]]:
    return [[str(value) for value in _facts(entry).values()] for entry in found]


def _markdown(found: "Sequence[Entry]") -> str:
    head = ["| Code | Name | Side | Safety | Needs | What it does |", "|---|---|---|---|---|---|"]
    rows = [f"| {' | '.join(cells)} |" for cells in _cells(found)]
    return "\n".join([*head, *rows]) + "\n"


def _table(found: "Sequence[Entry]", width: int) -> str:
    from ..reports.table import Column, fit, pad, widths

    headers = ("Code", "Name", "Side", "Safety", "Needs", "What it does")
    ranks = (0, 0, 0, 0, 1, 0)
    cells = list(zip(*_cells(found), strict=True))
    every = [
        Column(
            header=header, cells=column, right=False, rank=rank, shrinks=rank == 0 and index == 5
        )
        for index, (header, column, rank) in enumerate(zip(headers, cells, ranks, strict=True))
    ]
    columns = fit(every, width)
    sizes = widths(columns, width)
    lines = [[c.header for c in columns]]
    lines += [[c.cells[index] for c in columns] for index in range(len(found))]
    return "".join(
        "  ".join(
            pad(cell, size, right=False) for cell, size in zip(line, sizes, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )
