"""A check as a page for a terminal: verdict, gates, changed prompts, findings, how deep."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from ...core.checked import CheckReport, Gate, PromptChange
from ...core.report import Finding
from ..facts import price_line, spent_line
from ..findings import amounts
from ..numbers import UNKNOWN, count
from ..page import Page
from ..safe import clean
from ..table import Column, fit, pad, widths
from .cells import Cells, cells
from .gates import before, place, worst_first
from .pairs import Pair, pairs
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

_GATES_SHOWN = 20
_ROWS_SHOWN = 25
_FINDINGS_SHOWN = 12
_OTHERS_SHOWN = 10
_NOTES_SHOWN = 3
_STATES = {
    "failed": "bold red",
    "inconclusive": "bold yellow",
    "passed": "bold green",
}
_GATE_MARKS = {"failed": ("✗", "bold red"), "inconclusive": ("?", "bold yellow")}
_STYLES = {"✗": "red", "?": "yellow", "✓": "green", "+": "bold"}
_WIDE = 100


def check_to_table(check: CheckReport, width: int, colour: bool, command: str | None = None) -> str:
    """Return the check as text for a terminal; nothing in it but colour codes is a control.

    Args:
        check: What `check` found.
        width: Columns of the page, 60 or more.
        colour: Whether to use the terminal's colours.
        command: The command that made it, for the last lines.
    """
    page = Page(width, colour)
    found = pairs(check)
    _heading(page, check, found)
    _gates(page, check)
    _changes(page, check, found)
    _others(page, check)
    _findings(page, check)
    _about(page, check, found)
    _next(page, check, command)
    return page.text()


def _heading(page: Page, check: CheckReport, found: Sequence[Pair]) -> None:
    base = f"{clean(check.base, 60)} ({clean(check.base_commit, 12)})"
    page.row([("costopt check", "bold"), (f"  {base} → {clean(check.head, 40)}", "dim")])
    page.say(headline(check, found), _STATES[state(check)], indent=0, hang=2)
    if check.report.partial:
        what = "PARTIAL: stopped before the end; what was not reached is not measured"
        page.say(what, "bold yellow", indent=0, hang=2)


def _gates(page: Page, check: CheckReport) -> None:
    """Count the gates, and show those that say no or cannot tell."""
    page.gap()
    page.say(gates_line(check), "bold", indent=0, hang=2)
    shown = [gate for gate in worst_first(check.gates) if not gate.passed]
    for gate in shown[:_GATES_SHOWN]:
        _gate(page, gate)
    _more(page, len(shown) - _GATES_SHOWN, "gate")


def _gate(page: Page, gate: Gate) -> None:
    mark, style = _GATE_MARKS[gate.outcome]
    who = clean(gate.prompt, 40) if gate.prompt else "all prompts"
    at = f" at {clean(gate.target, 40)}" if gate.target else ""
    page.say(f"{mark} {who}: {clean(gate.gate, 40)}{at}", style, hang=2)
    was = before(gate)
    told = f" ({clean(was, 80)})" if was else ""
    page.say(f"{clean(gate.message, 400)}{told}", indent=4)
    where = place(gate)
    if where is not None:
        page.say(clean(where, 300), "dim", indent=4)


def _changes(page: Page, check: CheckReport, found: Sequence[Pair]) -> None:
    page.gap()
    page.say(changed_line(check), "bold", indent=0, hang=2)
    shown = [pair for pair in found if not pair.same]
    if not shown:
        return
    rows = cells(shown[:_ROWS_SHOWN])
    headers = _rows(page, rows, many=len(check.report.targets) > 1)
    _more(page, len(shown) - _ROWS_SHOWN, "row")
    told: set[str] = set()
    for pair, row in list(zip(shown, rows, strict=False))[:_OTHERS_SHOWN]:
        _described(page, pair, row, headers, first=pair.change.path not in told)
        told.add(pair.change.path)


def _described(page: Page, pair: Pair, row: Cells, headers: Sequence[str], *, first: bool) -> None:
    """Say what changed, on which rows, what the table had no room for, and what is to be known.

    Of a prompt at several targets, only the first line says what does not depend on them.
    """
    change = pair.change
    parts = [*(_why(change) if first else ()), *_no_room(row, headers)]
    at = f" at {clean(pair.target.name, 40)}" if "Target" in headers else ""
    if parts:
        page.say(f"{clean(change.name, 60)}{at}: {'; '.join(parts)}", "dim", hang=2)
    for note in change.notes[:_NOTES_SHOWN] if first else ():
        page.say(clean(note, 300), "dim", indent=4, hang=2)


def _why(change: PromptChange) -> Iterator[str]:
    yield f"{clean(', '.join(change.why), 100)} changed" if change.why else change.status
    if change.rows:
        yield clean(change.rows, 200)


def _no_room(row: Cells, headers: Sequence[str]) -> Iterator[str]:
    if "$/1k" not in headers and row.money != UNKNOWN:
        yield f"{row.money} per 1,000 requests"
    if "$/month" not in headers and row.month != UNKNOWN:
        yield f"{row.month} a month"


def _rows(page: Page, rows: Sequence[Cells], *, many: bool) -> list[str]:
    """Write the table; return the headers for which there was room."""
    compact = page.width < _WIDE
    gap = 1 if compact else 2
    kept = fit(_columns(rows, compact=compact, many=many), page.width - 4, gap)
    sizes = widths(kept, page.width - 4, gap)
    space = " " * gap

    def line(texts: Iterable[str]) -> str:
        joined = zip(kept, texts, sizes, strict=True)
        return space.join(pad(text, size, right=one.right) for one, text, size in joined).rstrip()

    page.row([("    " + line(column.header for column in kept), "bold")])
    for index, row in enumerate(rows):
        text = line(column.cells[index] for column in kept)
        style = _STYLES.get(row.mark, "")
        page.row([(f"  {row.mark or ' '} ", style), (text, style)])
    if all(column.header != "Verdict" for column in kept):
        page.say("✗ worse, ? not enough data, ✓ holds or better, + new", "dim", indent=4)
    return [column.header for column in kept]


def _columns(rows: Sequence[Cells], *, compact: bool, many: bool) -> list[Column]:
    """Return the columns; ranks say which go first where the page is narrow."""

    def column(header: str, read: Callable[[Cells], str], rank: int, right: bool = True) -> Column:
        texts = tuple(_short(read(row)) if compact else read(row) for row in rows)
        return Column(header=header, cells=texts, rank=rank, right=right)

    names = tuple(clean(row.name, 80) for row in rows)
    targets = tuple(clean(row.target, 40) for row in rows)
    return [
        Column(header="Prompt", cells=names, right=False, shrinks=True, least=14),
        *([Column(header="Target", cells=targets, right=False, shrinks=True, least=8)] * many),
        column("Input", lambda row: row.input, 3),
        column("change", lambda row: row.growth, 8),
        column("Out" if compact else "Output", lambda row: row.output, 2),
        column("$/1k", lambda row: row.money.replace("$", ""), 4),
        column("Cost", lambda row: row.dearer, 0 if compact else 1),
        column("$/month", lambda row: row.month.replace("$", ""), 6),
        column("Quality Δ", lambda row: row.quality, 0),
        column("n", lambda row: row.n, 0),
        column("Verdict", lambda row: row.verdict, 7, right=False),
    ]


def _short(text: str) -> str:
    return text.replace(" → ", "→").replace(", ", ",").replace(" %", "%")


def _others(page: Page, check: CheckReport) -> None:
    """Name what has no row: deleted and renamed prompts."""
    listed = [change for change in check.changes if change.status in ("deleted", "renamed")]
    for change in listed[:_OTHERS_SHOWN]:
        page.say(_moved(change), "dim", hang=2)
    _more(page, len(listed) - _OTHERS_SHOWN, "prompt renamed or deleted", "prompts")


def _moved(change: PromptChange) -> str:
    old = f"{clean(change.old_path, 200)} → " if change.old_path else ""
    return f"{change.status}: {clean(change.name, 60)} ({old}{clean(change.path, 200)})"


def _findings(page: Page, check: CheckReport) -> None:
    new = [(change, item) for change in check.changes for item in change.new_findings]
    gone = sum(len(change.gone_findings) for change in check.changes)
    if not new and not gone:
        return
    page.gap()
    mended = f", {counted(gone, 'finding')} mended" if gone else ""
    page.say(f"{counted(len(new), 'new finding')}{mended}", "bold", indent=0)
    for change, item in new[:_FINDINGS_SHOWN]:
        page.say(_finding(change, item), hang=2)
    _more(page, len(new) - _FINDINGS_SHOWN, "new finding")


def _finding(change: PromptChange, item: Finding) -> str:
    where = f"{clean(change.path, 200)}:{item.line}:{item.column}"
    saved = amounts(item.tokens, item.usd_per_1k, item.usd_per_month)
    told = f"{where} {clean(item.code, 20)} {clean(item.message, 300)}"
    return f"{told}  {saved}" if saved else told


def _about(page: Page, check: CheckReport, found: Sequence[Pair]) -> None:
    """Say how deep it looked and why, prices, notes, and what it cost."""
    page.gap()
    reason = f"; {clean(check.depth_reason, 400)}" if check.depth_reason else ""
    page.say(f"{check.depth}: {DEPTHS[check.depth]}{reason}", indent=0, hang=2)
    for note in filter(None, (money_note(check, found), unfilled_note(found))):
        page.say(note, "dim", indent=0, hang=2)
    for target in check.report.targets:
        page.say(price_line(target), "dim", indent=0, hang=2)
    for note in (*check.notes, *check.report.notes):
        page.say(clean(note, 400), "dim", indent=0, hang=2)
    skipped = len(check.report.skipped)
    for item in check.report.skipped[:_OTHERS_SHOWN]:
        page.say(f"not read: {clean(item.path)}: {clean(item.reason, 300)}", "yellow", indent=0)
    _more(page, skipped - _OTHERS_SHOWN, "file that could not be read", "files")
    page.say(f"this run: {spent_line(check.report)}", "dim", indent=0, hang=2)


def _next(page: Page, check: CheckReport, command: str | None) -> None:
    page.gap()
    page.row([("Next:", "bold")])
    page.row([(f"  {reproduce(check, command)} --format json --output check.json", "cyan")])
    page.say("keeps all of it, the full diff and every gate", "dim", indent=6)


def _more(page: Page, many: int, one: str, more: str | None = None) -> None:
    if many > 0:
        noun = one if many == 1 else more or f"{one}s"
        page.say(f"and {count(many)} {noun} more (--format json)", "dim", hang=2)
