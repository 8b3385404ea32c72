"""The answer store's contents as text and JSON: `costopt cache`."""

import json
from collections.abc import Sequence
from typing import Any

from ..evals.explaining import Explanation, Missing
from ..models.inventory import Inventory
from .numbers import count, usd
from .safe import clean, visible
from .table import Column, fit, pad, widths

SCHEMA = "costopt.cache/1"


def inventory_json(found: Inventory) -> str:
    """Return an inventory as JSON."""
    data = {
        "schema": SCHEMA,
        "path": str(found.path),
        "bytes": found.size,
        "answers": found.answers,
        "holdings": [vars(holding) for holding in found.holdings],
        "set_aside": found.set_aside,
        "damaged_files": list(found.damaged_files),
        "unknown_outcome": {"requests": found.lost.requests, "usd": float(found.lost.usd)},
    }
    return _dumped(data)


def inventory_text(found: Inventory, width: int) -> str:
    """Return an inventory as a page of ``width`` columns."""
    lines = [
        f"store    {visible(str(found.path))}",
        f"answers  {count(found.answers)}, {found.size / 1_000_000:.1f} MB",
    ]
    if found.set_aside or found.damaged_files:
        files = len(found.damaged_files)
        lines.append(f"damaged  {found.set_aside} rows and {files} files set aside, none used")
    if found.lost.requests:
        lines.append(
            f"lost     {count(found.lost.requests)} requests that may have been paid and never "
            f"arrived, at most {usd(found.lost.usd)}"
        )
    page = "\n".join(lines) + "\n"
    return page + ("\n" + _table(found, width) if found.holdings else "")


def _table(found: Inventory, width: int) -> str:
    rows = [
        (clean(one.target), clean(one.model), count(one.answers), one.oldest[:10], one.newest[:10])
        for one in found.holdings
    ]
    headers = ("Target", "Model", "Answers", "Oldest", "Newest")
    columns = fit(
        [
            Column(header=header, cells=cells, right=header == "Answers", shrinks=header == "Model")
            for header, cells in zip(headers, zip(*rows, strict=True), strict=True)
        ],
        width,
    )
    sizes = widths(columns, width)
    lines = [[column.header for column in columns]]
    lines += [[column.cells[index] for column in columns] for index in range(len(rows))]
    return "".join(
        "  ".join(
            pad(cell, size, right=column.right)
            for cell, size, column in zip(line, sizes, columns, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def explanations_json(found: Sequence[Explanation]) -> str:
    """Return explanations as JSON."""
    prompts = [
        {
            "prompt": one.prompt,
            "target": one.target,
            "rows": one.rows,
            "stored": one.stored,
            "missing": [
                {"row": miss.row, "difference": vars(miss.difference) if miss.difference else None}
                for miss in one.missing
            ],
        }
        for one in found
    ]
    return _dumped({"schema": SCHEMA, "prompts": prompts})


def explanations_text(found: Sequence[Explanation]) -> str:
    """Return explanations as text."""
    return "".join(_explanation(one) for one in found)


def _explanation(one: Explanation) -> str:
    head = f"{clean(one.prompt)} at {clean(one.target)}: {one.stored} of {one.rows} rows are stored"
    lines = [head, *(f"  {_missing(miss)}" for miss in one.missing)]
    left = one.rows - one.stored - len(one.missing)
    if left:
        lines.append(f"  and {left} more rows")
    return "\n".join(lines) + "\n"


def _missing(miss: Missing) -> str:
    if miss.difference is None:
        return f"{clean(miss.row)}: not stored, and nothing comparable is"
    found = miss.difference
    here, stored = clean(found.here, 60), clean(found.stored, 60)
    return f"{clean(miss.row)}: differs in {clean(found.part)}: {here} here, {stored} stored"


def _dumped(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
