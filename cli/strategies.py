"""``costopt strategies``: what there is."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..reports.safe import clean
from .options import Debug, Format, NoColor, Output, choose_format

if TYPE_CHECKING:
    from ..compressors.registry import Entry

_NEEDS = {"lengths": "eval rows", "samples": "eval rows", "model": "a model"}
"""What users have to bring; a token counter is always there."""


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
    from ..compressors.registry import entries, problems
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
    for problem in problems():
        sys.stderr.write(f"warning: {clean(problem, 400)}\n")


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

    if entry.extra:
        return f"costopt[{entry.extra}]"
    words = (_NEEDS[need] for need in sorted(load(entry.name).needs) if need in _NEEDS)
    return ", ".join(words)


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
    """Lay the list out; on a narrow page what a strategy does stands below its line."""
    from ..reports.table import Column, fit, pad, widths

    headers = ("Code", "Name", "Side", "Safety", "Needs", "What it does")
    cells = list(zip(*_cells(found), strict=True))
    every = [
        Column(header=header, cells=column, right=False, rank=int(header == headers[-1]))
        for header, column in zip(headers, cells, strict=True)
    ]
    columns = fit(every, width)
    sizes = widths(columns, width)

    def line(texts: Sequence[str]) -> str:
        padded = (pad(text, size, right=False) for text, size in zip(texts, sizes, strict=True))
        return "  ".join(padded).rstrip() + "\n"

    below = len(columns) < len(every)
    page = line([column.header for column in columns])
    for index, entry in enumerate(found):
        page += line([column.cells[index] for column in columns])
        page += f"       {pad(entry.summary, width - 7, right=False).rstrip()}\n" if below else ""
    return page
