"""A check as GitHub-flavoured Markdown: the comment on a pull request, and the job's summary.

Everything that comes from files, refs, models or the JSON of another job stands in a code span or
a fence that it cannot leave; all other words are costopt's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...core.checked import CheckReport, Gate, PromptChange
from ...core.report import Finding
from ..facts import price_line, spent_line
from ..findings import amounts
from ..numbers import UNKNOWN
from ..safe import code
from .cells import Cells, cells
from .diff import fence, fenced_diff
from .gates import before as base_of
from .gates import place, worst_first
from .pairs import Pair, pairs
from .parts import Part, fill
from .verdict import (
    DEPTHS,
    changed_line,
    counted,
    gates_line,
    headline,
    money_note,
    reproduce,
    state,
    unfilled_note,
)

MARKER = "<!-- costopt:check -->"
"""First line of every comment, by which it is found again."""
COMMENT_LIMIT = 60_000
"""Of the 65,536 characters that GitHub takes."""
_MARKS = {"failed": "✗", "inconclusive": "?", "passed": "✓", "skipped": "–"}
_GATES_SHOWN = 30
_ROWS_SHOWN = 50
_LINES_SHOWN = 20
_HEADER = (
    "| Prompt | Input tok | Output tok | $ for 1,000 requests | Quality Δ [low, high] |\n"
    "|---|--:|--:|--:|--:|"
)


def check_to_markdown(check: CheckReport, command: str | None = None) -> str:
    """Return the comment: the marker, the verdict, the worst first, details folded.

    Args:
        check: What `check` found.
        command: The command that made it, for how to reproduce it.
    """
    return fill((Part(before=MARKER), *_parts(check, command)), COMMENT_LIMIT, _characters)


def _characters(text: str) -> int:
    """Return the length as a host with UTF-16 counts it."""
    return len(text.encode("utf-16-le", "replace")) // 2


def _parts(check: CheckReport, command: str | None) -> tuple[Part, ...]:
    found = pairs(check)
    return (
        Part(before=_verdict(check, found)),
        *_gates(check),
        *_rows(check, found),
        *_moved(check),
        *_findings(check),
        *_changes(check, found),
        *_all_gates(check),
        _about(check, command),
        Part(before=_legend(check)),
    )


def _verdict(check: CheckReport, found: Sequence[Pair]) -> str:
    mark = {"failed": "✗", "inconclusive": "?", "passed": "✓"}[state(check)]
    lines = [f"### {mark} {headline(check, found)}"]
    if check.report.partial:
        what = "stopped before the end; what was not reached is not measured."
        lines.append(f"**PARTIAL**: {what}")
    lines.append(f"**costopt check**: {gates_line(check)}. {changed_line(check)}.")
    notes = (money_note(check, found), unfilled_note(found))
    depth = f"Depth **{check.depth}**: {DEPTHS[check.depth]}{_reason(check)}."
    lines.append(" ".join([depth, *(f"{note[:1].upper()}{note[1:]}." for note in notes if note)]))
    return "\n\n".join(lines)


def _reason(check: CheckReport) -> str:
    return f" ({code(check.depth_reason, limit=400)})" if check.depth_reason else ""


def _gates(check: CheckReport) -> Iterator[Part]:
    """Yield the gates that say no or cannot tell."""
    items = tuple(_gate(gate) for gate in worst_first(check.gates) if not gate.passed)
    if items:
        yield Part(items=items, noun=("gate", "gates"), rank=1, most=_GATES_SHOWN)


def _gate(gate: Gate) -> str:
    who = code(gate.prompt, limit=80) if gate.prompt else "all prompts"
    at = f" at {code(gate.target, limit=60)}" if gate.target else ""
    # The file of a prompt stands with its diff; a line of it is worth a word here.
    where = place(gate) if gate.line is not None or gate.prompt is None else None
    was = base_of(gate)
    told = f" ({code(was, limit=80)})" if was else ""
    here = f", {code(where, limit=300)}" if where else ""
    return (
        f"- **{_MARKS[gate.outcome]}** {who} {code(gate.gate, limit=60)}{at}: "
        f"{code(gate.message, limit=600)}{told}{here}"
    )


def _rows(check: CheckReport, found: Sequence[Pair]) -> Iterator[Part]:
    shown = [pair for pair in found if not pair.same]
    if not shown:
        return
    many, rows = len(check.report.targets) > 1, cells(shown)
    yield Part(
        before=_HEADER,
        items=tuple(_row(row, many=many) for row in rows),
        noun=("row", "rows"),
        rank=2,
        most=_ROWS_SHOWN,
    )


def _row(row: Cells, *, many: bool) -> str:
    """Return a row; a comment is narrow, so that what belongs together stands in one cell."""
    mark = f"{row.mark} " if row.mark else ""
    at = f"<br>at {code(row.target, table=True, limit=60)}" if many else ""
    month = "" if row.month == UNKNOWN else f"{row.month} a month"
    quality = "" if row.quality == UNKNOWN else row.quality
    texts = (
        f"{mark}{code(row.name, table=True, limit=80)}{at}",
        _lines(row.input, row.growth),
        _lines(row.output),
        _lines(row.money, row.dearer, month),
        "<br>".join(filter(None, (_lines(quality, f"n {row.n}" if row.n else ""), row.verdict))),
    )
    return f"| {' | '.join(texts)} |"


def _lines(*texts: str) -> str:
    """Return the lines of a cell, none of which breaks."""
    return "<br>".join(text.replace(" ", "\u00a0") for text in texts if text)


def _moved(check: CheckReport) -> Iterator[Part]:
    """Yield the prompts that were renamed or deleted."""
    items = tuple(
        f"- {change.status}: {code(change.name, limit=80)} ({_paths(change)})"
        for change in check.changes
        if change.status in ("renamed", "deleted")
    )
    if items:
        yield Part(items=items, noun=("prompt", "prompts"), rank=3, most=_LINES_SHOWN)


def _paths(change: PromptChange) -> str:
    old = f"{code(change.old_path, limit=300)} → " if change.old_path else ""
    return f"{old}{code(change.path, limit=300)}"


def _findings(check: CheckReport) -> Iterator[Part]:
    items = tuple(_finding(one, item) for one in check.changes for item in one.new_findings)
    gone = sum(len(change.gone_findings) for change in check.changes)
    if not items and not gone:
        return
    mended = f", {counted(gone, 'finding')} mended" if gone else ""
    title = f"{counted(len(items), 'new finding')}{mended}"
    yield _folded(title, items, noun=("finding", "findings"), rank=4)


def _finding(change: PromptChange, item: Finding) -> str:
    where = code(f"{change.path}:{item.line}:{item.column}", limit=300)
    saved = amounts(item.tokens, item.usd_per_1k, item.usd_per_month)
    told = f"{code(item.code, limit=20)} {code(item.message, limit=400)}"
    return f"- {where} {told}{f' ({saved})' if saved else ''}"


def _folded(
    title: str, items: tuple[str, ...], *, noun: tuple[str, str], rank: int, joint: str = "\n"
) -> Part:
    """Return a part that is folded away; its title is costopt's own words."""
    before = f"<details>\n<summary>{title}</summary>\n"
    return Part(before=before, items=items, after="</details>", joint=joint, noun=noun, rank=rank)


def _changes(check: CheckReport, found: Sequence[Pair]) -> Iterator[Part]:
    """Yield what changed in every prompt, in the order of the table, with its diff."""
    order = list(dict.fromkeys(id(pair.change) for pair in found))
    rank = {key: index for index, key in enumerate(order)}
    changes = sorted(check.changes, key=lambda change: rank.get(id(change), len(rank)))
    items = tuple(_change(change) for change in changes if change.status != "deleted")
    if items:
        title = "What changed, prompt by prompt"
        yield _folded(title, items, noun=("prompt", "prompts"), rank=6, joint="\n\n")


def _change(change: PromptChange) -> str:
    what = ", ".join(code(why, limit=60) for why in change.why)
    told = f"{change.status}{f': {what}' if what else ''}"
    lines = [f"**{code(change.name, limit=80)}** {told} ({_paths(change)})"]
    if change.rows:
        lines.append(f"- rows: {code(change.rows, limit=300)}")
    lines += [f"- {code(note, limit=400)}" for note in change.notes]
    return "\n".join([*lines, *fenced_diff(change.diff)])


def _all_gates(check: CheckReport) -> Iterator[Part]:
    items = tuple(_gate(gate) for gate in worst_first(check.gates) if gate.passed)
    if items:
        title = "Gates that passed or were skipped"
        yield _folded(title, items, noun=("gate", "gates"), rank=5)


def _about(check: CheckReport, command: str | None) -> Part:
    """Return the fold that says how to reproduce it, prices and what was spent."""
    report = check.report
    base = f"{code(check.base, limit=200)} ({code(check.base_commit, limit=40)})"
    items = (
        "\n".join([*fence((reproduce(check, command),), "console"), ""]),
        f"- base {base}, head {code(check.head, limit=200)}",
        *(f"- {code(price_line(target), limit=400)}" for target in report.targets),
        f"- this run: {spent_line(report)}",
        *(f"- {code(note, limit=400)}" for note in (*check.notes, *report.notes)),
        *(f"- not read: {code(one.path)}: {code(one.reason, limit=300)}" for one in report.skipped),
    )
    return replace(
        _folded("How to reproduce it", items, noun=("line", "lines"), rank=0), most=_LINES_SHOWN
    )


def _legend(check: CheckReport) -> str:
    return (
        "<sub>✗ worse, ? not enough data, ✓ holds or better, + new. Base → head. Quality Δ is "
        "head minus base on the same n rows, positive is better; low and high are one-sided "
        "bounds. "
        f"costopt {code(check.report.costopt_version, limit=20)}"
        "</sub>"
    )
