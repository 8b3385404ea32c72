"""Batches as text: a table, Markdown, JSON."""

import json
from collections.abc import Sequence
from typing import Any

from ..models.batches.desk import Look
from .numbers import count, usd
from .safe import clean, code
from .table import Column, fit, pad, widths

SCHEMA = "costopt.batches/1"
_GAP = "  "


def show_batches(looks: Sequence[Look], format: str, *, width: int) -> str:
    """Return batches as ``table``, ``markdown`` or ``json``.

    USD is what a batch has cost; while it waits, the most that it can cost, marked with "≤".
    """
    if format == "json":
        batches = [_plain(look) for look in looks]
        return json.dumps({"schema": SCHEMA, "batches": batches}, indent=2) + "\n"
    if not looks:
        return "no batches\n"
    return _markdown(looks) if format == "markdown" else _table(looks, width)


def _table(looks: Sequence[Look], width: int) -> str:
    columns = fit(
        [
            Column(header="Batch", cells=tuple(look.batch.id for look in looks), right=False),
            Column(
                header="Target",
                cells=tuple(clean(look.batch.target, 60) for look in looks),
                right=False,
                shrinks=True,
            ),
            Column(
                header="State", cells=tuple(clean(look.state, 24) for look in looks), right=False
            ),
            Column(header="Done", cells=tuple(_done(look) for look in looks)),
            Column(header="USD", cells=tuple(_money(look) for look in looks)),
            Column(header="Sent (UTC)", cells=tuple(_sent(look) for look in looks), rank=1),
        ],
        width,
    )
    sizes = widths(columns, width)
    rows = [[column.header for column in columns]]
    rows += [[column.cells[index] for column in columns] for index in range(len(looks))]
    lines = [
        _GAP.join(
            pad(cell, size, right=column.right)
            for cell, size, column in zip(row, sizes, columns, strict=True)
        ).rstrip()
        for row in rows
    ]
    lines += [f"{look.batch.id}: {clean(said, 300)}" for look in looks if (said := _said(look))]
    return "\n".join(lines) + "\n"


def _done(look: Look) -> str:
    done = "?" if look.done is None else count(look.done)
    return f"{done}/{count(look.batch.requests)}"


def _money(look: Look) -> str:
    batch = look.batch
    return f"≤ {usd(batch.usd + batch.worst)}" if batch.is_open else usd(batch.usd)


def _sent(look: Look) -> str:
    return look.batch.created[:16].replace("T", " ")


def _said(look: Look) -> str:
    """Return what became of the requests, and what went wrong."""
    counts = look.batch.counts
    parts = [f"{counts[state]} {state}" for state in sorted(counts) if state != "waiting"]
    return "; ".join(part for part in (", ".join(parts), look.problem) if part)


def _markdown(looks: Sequence[Look]) -> str:
    lines = ["| Batch | Target | State | Done | USD | Sent (UTC) |", "|:--|:--|:--|--:|--:|:--|"]
    for look in looks:
        batch = look.batch
        names = [code(text, table=True) for text in (batch.id, batch.target, look.state)]
        lines.append(f"| {' | '.join((*names, _done(look), _money(look), _sent(look)))} |")
    said = [f"- {code(look.batch.id)}: {code(said)}" for look in looks if (said := _said(look))]
    return "\n".join([*lines, *(["", *said] if said else [])]) + "\n"


def _plain(look: Look) -> dict[str, Any]:
    batch = look.batch
    return {
        "id": batch.id,
        "provider_id": batch.name,
        "target": batch.target,
        "model": batch.model,
        "base_url": batch.base_url,
        "state": look.state,
        "open": batch.is_open,
        "created": batch.created,
        "requests": batch.requests,
        "done": look.done,
        "counts": batch.counts,
        "usd": float(batch.usd),
        "usd_at_most": float(batch.usd + batch.worst),
        "problem": look.problem or None,
    }
