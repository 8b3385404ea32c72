"""A check of a change as a page: the gates first, then the base against the head."""

from dataclasses import dataclass
from decimal import Decimal

from ...core.checked import CheckReport, Gate, PromptChange
from ...core.samples import SampleSource
from ..checks.pairs import pairs
from ..checks.verdict import DEPTHS, changed_line, gates_line, headline, state
from ..numbers import percent, signed, usd
from ..safe import clean
from .page import render
from .prompt import finding_table
from .report import ReportView, report_view
from .tables import Cell, Line, Table, headers, number, without_empty
from .verdicts import signed_word, style_of

_ORDER = ("failed", "inconclusive", "passed", "skipped")
_SIGNS = {"failed": "✗", "inconclusive": "?", "passed": "✓"}


@dataclass(frozen=True, kw_only=True)
class DiffLine:
    """A line of a unified diff."""

    style: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ChangeView:
    """A prompt that differs, with the diff of its file."""

    anchor: str
    name: str
    status: str
    facts: tuple[str, ...]
    diff: tuple[DiffLine, ...]
    new: Table | None
    gone: Table | None


@dataclass(frozen=True, kw_only=True)
class CheckView:
    """All of a check but what its report says."""

    verdict: str
    style: str
    facts: tuple[str, ...]
    gates: Table | None
    changes: tuple[ChangeView, ...]
    notes: tuple[str, ...]


def check_page(check: CheckReport, samples: SampleSource | None = None) -> str:
    """Return a check as one page that loads nothing from anywhere.

    Args:
        check: What `costopt check` found.
        samples: Gives the answers to single rows; ``None`` for a page without them.
    """
    report: ReportView = report_view(check.report, samples=samples)
    return render("check.html", report=report, check=_view(check))


def _view(check: CheckReport) -> CheckView:
    outcome = state(check)
    return CheckView(
        verdict=f"{_SIGNS[outcome]} {headline(check, pairs(check))}",
        style=style_of(outcome),
        facts=tuple(_facts(check)),
        gates=_gates(check.gates),
        changes=tuple(_change(at, change) for at, change in enumerate(check.changes, 1)),
        notes=tuple(clean(note, 400) for note in check.notes),
    )


def _facts(check: CheckReport) -> list[str]:
    reason = f" ({clean(check.depth_reason, 300)})" if check.depth_reason else ""
    return [
        f"base {clean(check.base, 80)} ({clean(check.base_commit, 12)}) against "
        f"{clean(check.head, 80)}",
        f"{check.depth}: {DEPTHS[check.depth]}{reason}",
        f"{gates_line(check)}; {changed_line(check)}; exit status {check.exit}",
    ]


def _gates(gates: tuple[Gate, ...]) -> Table | None:
    if not gates:
        return None
    ordered = sorted(gates, key=lambda gate: _ORDER.index(gate.outcome))
    found = Table(
        caption="Gates: the limits of the base branch's configuration",
        headers=headers(
            "Gate", "Outcome", "Prompt", "Target", "Limit", "Base", "Head", "What",
            left=("Prompt", "Target", "Outcome", "What"),
        ),
        lines=tuple(_gate(gate) for gate in ordered),
        sortable=True,
    )  # fmt: skip
    return without_empty(found)


def _gate(gate: Gate) -> Line:
    return Line(
        cells=(
            Cell(text=clean(gate.gate, 40), style="name"),
            Cell(text=signed_word(gate.outcome), style=f"chip {style_of(gate.outcome)}"),
            Cell(text=clean(gate.prompt or "", 80)),
            Cell(text=clean(gate.target or "", 60)),
            _value(gate.limit, gate.unit),
            _value(gate.base, gate.unit),
            _value(gate.head, gate.unit),
            Cell(text=clean(gate.message, 400), style="words"),
        )
    )


def _value(value: float | str | None, unit: str | None) -> Cell:
    if value is None or isinstance(value, str):
        return Cell(text=clean(value or "", 80))
    return number(amount(value, unit), value)


def amount(value: float, unit: str | None) -> str:
    """Return a gate's number with its unit.

    Example:
        >>> amount(41.5, "usd"), amount(0.05, "fraction"), amount(1234567, "tokens")
        ('$41.50', '5.0 %', '1,234,567 tokens')
        >>> amount(2.125, "s"), amount(3, None), amount(10.00001, "tokens")
        ('2.125 s', '3', '10 tokens')
    """
    if unit == "usd":
        return usd(Decimal(str(value)))
    if unit == "fraction":
        return percent(value)
    digits = f"{value:,.4f}".rstrip("0").rstrip(".")
    return f"{signed(digits)} {clean(unit or '', 20)}".rstrip()


def _change(at: int, change: PromptChange) -> ChangeView:
    why = ", ".join(change.why)
    facts = [f"{change.status}: {why}" if why else change.status]
    facts += [f"formerly {change.old_path}"] if change.old_path else []
    facts += [change.path] if change.path != change.name else []
    facts += [change.rows] if change.rows else []
    return ChangeView(
        anchor=f"change-{at}",
        name=clean(change.name, 80),
        status=change.status,
        facts=tuple(clean(fact, 300) for fact in (*facts, *change.notes)),
        diff=tuple(_diff(line) for line in change.diff),
        new=finding_table("New findings", change.new_findings),
        gone=finding_table("Findings that are gone", change.gone_findings),
    )


def _diff(line: str) -> DiffLine:
    styles = {"+": "new", "-": "gone", "@": "hunk"}
    head = line.startswith(("+++ ", "--- "))
    return DiffLine(style="file" if head else styles.get(line[:1], "same"), text=line[:4_000])
