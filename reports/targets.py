"""Targets as text: what there is, and what one call gave."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..core.protocols import Target
from ..core.types import Answer
from ..models.listing import Listed
from ..models.tried import Charge
from .numbers import usd
from .safe import clean, code

LIST_SCHEMA = "costopt.models/1"
TEST_SCHEMA = "costopt.models.test/1"
_WIDTH = 80


def show_targets(rows: Sequence[Listed], format: str) -> str:
    """Return the list as ``table`` (80 columns), ``markdown`` or ``json``."""
    if format == "json":
        found = [asdict(row) for row in rows]
        return json.dumps({"schema": LIST_SCHEMA, "targets": found}, indent=2) + "\n"
    return _list_markdown(rows) if format == "markdown" else _list_table(rows)


def _list_table(rows: Sequence[Listed]) -> str:
    cells = [("Target", "State", "Where")]
    cells += [(clean(row.name), clean(row.state), clean(_place(row))) for row in rows]
    first, second = (max(len(row[at]) for row in cells) for at in (0, 1))
    left = max(12, _WIDTH - first - second - 4)
    lines = [f"{a:{first}}  {b:{second}}  {clean(c, left)}".rstrip() for a, b, c in cells]
    missing = dict.fromkeys(row.extra for row in rows if row.extra and not row.installed)
    if missing:
        extras = ",".join(name for name in missing if name)
        lines.append(f"Missing: pip install 'costopt[{extras}]'")
    return "\n".join(lines) + "\n"


def _place(row: Listed) -> str:
    """Return where a target is, without what every address has in common."""
    if not row.installed:
        return f"needs costopt[{row.extra}]"
    address = row.where.removeprefix("https://").removeprefix("http://")
    whose = "" if row.model == "any" or address == row.where else f"{row.model} at "
    return whose + address


def _list_markdown(rows: Sequence[Listed]) -> str:
    lines = ["| Target | Model | Where | State | Needs |", "|---|---|---|---|---|"]
    for row in rows:
        needs = f"costopt[{row.extra}]" if row.extra and not row.installed else ""
        values = (row.name, row.model, row.where, row.state, needs)
        shown = [code(value, table=True) if value else "" for value in values]
        lines.append("| " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def show_answer(target: Target, answer: Answer, charge: Charge, known: bool, format: str) -> str:
    """Return what one call gave, as ``table``, ``markdown`` or ``json``.

    Args:
        target: Who was asked.
        answer: What came back.
        charge: What it cost.
        known: Whether the target's capabilities are declared.
        format: How to show it.
    """
    if format == "json":
        return json.dumps(_answer_json(target, answer, charge, known), indent=2) + "\n"
    facts = _facts(target, answer, charge, known)
    if format == "markdown":
        rows = [f"| {name} | {code(value, table=True)} |" for name, value in facts]
        return "\n".join(["| | |", "|---|---|", *rows]) + "\n"
    return "\n".join(f"{name:9}{value}" for name, value in facts) + "\n"


def _facts(target: Target, answer: Answer, charge: Charge, known: bool) -> list[tuple[str, str]]:
    usage = answer.usage
    parts = f"{usage.cache_read} read from a cache, {usage.cache_write} written to one"
    can = ", ".join(sorted(target.capabilities))
    return [
        ("target", clean(target.name)),
        ("model", clean(answer.model)),
        ("input", f"{usage.input} tokens ({parts})"),
        ("output", f"{usage.output} tokens ({usage.reasoning} of reasoning)"),
        ("time", f"{answer.latency_s:.2f} s"),
        ("cost", clean(_money(charge))),
        ("can", can if known else f"{can}; more is not declared"),
        ("ended", clean(answer.finish_reason)),
        ("answer", clean(answer.text, 2000)),
    ]


def _money(charge: Charge) -> str:
    if charge.evidence is None:  # Nothing, or unknown.
        return charge.words
    label = "estimated: " if charge.evidence == "estimated" else ""
    return f"{usd(charge.usd)} ({label}{charge.words})"


def _answer_json(target: Target, answer: Answer, charge: Charge, known: bool) -> dict[str, Any]:
    return {
        "schema": TEST_SCHEMA,
        "target": target.name,
        "model": answer.model,
        "answer": answer.text,
        "finish_reason": answer.finish_reason,
        "latency_s": answer.latency_s,
        "usage": asdict(answer.usage),
        "cost": {
            "usd": None if charge.usd is None else float(charge.usd),
            "evidence": charge.evidence,
            "from": charge.words,
        },
        "capabilities": sorted(target.capabilities),
        "capabilities_declared": known,
    }
