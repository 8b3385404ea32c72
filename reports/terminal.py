"""The report as a page for a terminal; the same columns without one, without colour."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..core.report import (
    Across,
    PromptReport,
    Recommendation,
    Report,
    TargetInfo,
    VariantReport,
)
from . import across, attributed, facts, money
from .evidence import evidence_lines, spent_on_judge
from .findings import grouped
from .numbers import count
from .page import Page
from .rows import Row, columns, table_rows
from .runtime import program_lines, runtime_line
from .safe import clean
from .suggested import suggestion_lines
from .table import Column, fit, pad, widths

SKIPPED_SHOWN = 20
"""Skipped files named in full; the rest are counted, and all of them are in the JSON."""
_FINDINGS_SHOWN = 6
_LATENCY = "p50/p95 s"
_STYLES = {
    "baseline": "bold",
    "better": "green",
    "holds": "green",
    "worse": "red",
    "not enough data": "yellow",
    "not measured": "dim",
}


def render(report: Report, width: int, colour: bool, command: str | None = None) -> str:
    """Return the report as text for a terminal.

    Nothing in it but colour codes (and those with ``colour`` only) is a control character,
    whatever names, paths and reasons hold. Narrow pages lose columns rather than wrap.

    Args:
        report: What `analyze` found.
        width: Columns of the page, 60 or more.
        colour: Whether to use the terminal's colours.
        command: The command that made the report, for the last lines.
    """
    page = Page(width, colour)
    _heading(page, report)
    grid = _grid(report, width)
    for prompt in report.prompts:
        _prompt(page, prompt, report, grid)
    _skipped(page, report)
    _summary(page, report)
    _legend(page, report)
    _next(page, report, command)
    return page.text()


@dataclass(frozen=True)
class _Grid:
    """The columns of all tables of a page, decided once, so that they align."""

    headers: tuple[str, ...]
    sizes: tuple[int, ...]
    compact: bool
    static: bool

    @property
    def gap(self) -> str:
        return " " if self.compact else "  "

    def pick(self, rows: Sequence[Row]) -> list[Column]:
        """Return the page's columns for the rows of one table."""
        every = columns(rows, compact=self.compact, static=self.static)
        return [column for column in every if column.header in self.headers]

    def line(self, picked: Sequence[Column], cells: Iterable[str]) -> str:
        joined = zip(picked, cells, self.sizes, strict=True)
        padded = (pad(cell, size, right=c.right) for c, cell, size in joined)
        return self.gap.join(padded).rstrip()


def _grid(report: Report, width: int) -> _Grid:
    rows = [
        row
        for prompt in report.prompts
        for target in report.targets
        for row in table_rows(facts.at_target(prompt, target.name), None)
    ]
    compact = width < 100
    gap = 1 if compact else 2
    every = columns(rows, compact=compact, static=report.static)
    kept = fit(every, width - 2, gap)
    sizes = tuple(widths(kept, width - 2, gap))
    return _Grid(tuple(column.header for column in kept), sizes, compact, report.static)


def _heading(page: Page, report: Report) -> None:
    prompts = f"{len(report.prompts)} prompt{'' if len(report.prompts) == 1 else 's'}"
    static = ", static: no model was asked" if report.static else ""
    page.row(
        [(f"costopt {clean(report.costopt_version, 20)}", "bold"), (f"  {prompts}{static}", "")]
    )
    if report.partial:
        what = "PARTIAL: stopped before the end; what was not reached is not measured"
        page.say(what, "bold yellow", indent=0)
    for target in report.targets:
        page.say(facts.price_line(target), "dim", indent=0, hang=2)
    for note in report.notes:
        page.say(clean(note, 400), "dim", indent=0, hang=2)


def _prompt(page: Page, prompt: PromptReport, report: Report, grid: _Grid) -> None:
    from rich.cells import cell_len

    page.gap()
    name, path = clean(prompt.name, 60), clean(prompt.path)
    beside = cell_len(name) + cell_len(path) + 2 <= page.width
    page.row([(name, "bold"), (f"  {path}" if beside and path != name else "", "dim")])
    if not beside:
        page.say(path, "dim", hang=2)
    page.say(" · ".join(_about(prompt)), "dim", hang=2)
    for target in report.targets:
        if facts.at_target(prompt, target.name):
            _target(page, prompt, target, grid, many=len(report.targets) > 1)
    if prompt.across is not None:
        _across(page, prompt.across)
    for line in suggestion_lines(prompt):
        page.say(f"try {line}", "dim", hang=2)
    _findings(page, prompt)
    if prompt.attribution is not None:
        page.gap()
        for row in attributed.heat_map(prompt, prompt.attribution, page.width):
            page.row(row)
        for line in attributed.said(prompt.attribution):
            page.say(line, "dim", hang=2)
    for note in prompt.notes:
        page.say(clean(note, 400), "dim", hang=2)


def _across(page: Page, found: Across) -> None:
    """Show all targets in one table, and what it comes to."""
    page.gap()
    page.say(across.heading(found), "bold", hang=2)
    rows, compact = across.shown(found), page.width < 100
    gap = 1 if compact else 2
    kept = fit(across.columns(rows, compact=compact), page.width - 2, gap)
    sizes = widths(kept, page.width - 2, gap)
    grid = _Grid(tuple(c.header for c in kept), tuple(sizes), compact, static=False)
    page.row([("  " + grid.line(kept, grid.headers), "bold")])
    for index, row in enumerate(rows):
        text = grid.line(kept, (column.cells[index] for column in kept))
        mark = "→ " if row.name == found.best else "  "
        page.row([(mark, "bold green"), (text, _STYLES[row.verdict])])
    page.say(across.choice_line(found), "green" if found.best else "", hang=2)
    for line in (*across.cascade_lines(found), *(clean(note, 400) for note in found.notes)):
        page.say(line, "dim", hang=2)


def _about(prompt: PromptReport) -> list[str]:
    parts = [f"feature {clean(prompt.feature, 60)}"] if prompt.feature else []
    if prompt.calls_per_month is not None:
        parts.append(f"{count(prompt.calls_per_month)} calls a month")
    return [*parts, facts.rows_line(prompt)]


def _target(
    page: Page,
    prompt: PromptReport,
    target: TargetInfo,
    grid: _Grid,
    *,
    many: bool,
) -> None:
    variants = facts.at_target(prompt, target.name)
    if many:
        page.gap()
        page.row([(f"  at {clean(target.name, 60)}", "bold")])
    for line in facts.metric_lines(variants):
        page.say(line, "dim", hang=2)
    for line in evidence_lines(prompt, target.name):
        page.say(line, "dim", hang=2)
    chosen = facts.recommendation(prompt, target.name)
    best = chosen.variant if chosen else None
    _table(page, table_rows(variants, best), grid)
    for line in facts.rejected_lines(variants):
        page.say(line, "dim", hang=2)
    for line in filter(None, map(facts.dearer_though_shorter, variants)):
        page.say(line, "red", hang=2)
    if chosen is not None and not grid.static:
        style = "" if best == "baseline" else "green"
        line = facts.recommended_line(prompt, chosen, estimated=target.priced_as is not None)
        page.say(line, style, hang=2)
    _about_best(page, prompt, variants, best)
    _money(page, prompt, target, chosen)


def _about_best(
    page: Page, prompt: PromptReport, variants: Sequence[VariantReport], best: str | None
) -> None:
    for variant in variants:
        if variant.name == best and variant.dropped:
            lost = ", ".join(clean(anchor, 40) for anchor in variant.dropped[:8])
            more = f" and {len(variant.dropped) - 8} more" if len(variant.dropped) > 8 else ""
            page.say(f"it drops: {lost}{more}", "yellow", indent=4, hang=2)
        if variant.name == best and variant.runtime is not None:
            page.say(runtime_line(variant.runtime), "dim", indent=4, hang=2)
            for line in program_lines(variant):
                page.say(f"in a program: {line}", "", indent=4, hang=2)
        if variant.name == best:
            for note in variant.notes[:3]:
                page.say(clean(note, 300), "dim", indent=4, hang=2)
    for line in facts.noted(variants, best):
        page.say(line, "dim", hang=2)
    missing = facts.undecided_rows(prompt)
    if missing is not None:
        page.say(f"undecided: needs about {count(missing)} more rows", "yellow", indent=4, hang=2)


def _money(
    page: Page, prompt: PromptReport, target: TargetInfo, chosen: Recommendation | None
) -> None:
    """Say what each way of calling costs, what caches do, and what measuring cost."""
    variants = facts.at_target(prompt, target.name)
    best = chosen.variant if chosen else None
    for line in money.cache_lines(variants, best):
        page.say(line, "yellow", hang=2)
    said = (
        money.regimes_line(prompt, variants, best),
        money.terms_line(prompt, target, variants),
        money.payback_line(chosen) if chosen else None,
    )
    for line in filter(None, said):
        page.say(line, "dim", hang=2)


def _table(page: Page, rows: Sequence[Row], grid: _Grid) -> None:
    picked = grid.pick(rows)
    page.row([("  " + grid.line(picked, grid.headers), "bold")])
    for index, row in enumerate(rows):
        text = grid.line(picked, (column.cells[index] for column in picked))
        page.row([(f"{_mark(row)} ", "bold green"), (text, _style(row))])
    if _LATENCY not in grid.headers:
        _latency(page, rows)


def _latency(page: Page, rows: Sequence[Row]) -> None:
    """Say the latencies in a line where the page is too narrow for their column."""
    shown = [row for row in rows if row.latency and (row.recommended or row.verdict == "baseline")]
    if shown:
        each = ", ".join(f"{row.name} {row.latency} s" for row in shown)
        page.say(f"latency p50/p95: {each}", "dim", hang=2)


def _mark(row: Row) -> str:
    return "→" if row.recommended else "°" if row.control else " "


def _style(row: Row) -> str:
    return "dim" if row.control else _STYLES[row.verdict]


def _findings(page: Page, prompt: PromptReport) -> None:
    from rich.cells import cell_len

    found = grouped(prompt.findings)
    for group in found[:_FINDINGS_SHOWN]:
        first = group.first
        more = f" (and {group.places - 1} more of these)" if group.places > 1 else ""
        text = f"{first.line}:{first.column} {clean(first.code, 20)} {clean(first.message, 400)}"
        if cell_len(f"  {text}{more}  {group.amounts}") <= page.width:
            page.row([(f"  {text}{more}", ""), (f"  {group.amounts}", "dim")])
            continue
        page.say(text + more, hang=4)
        page.say(group.amounts, "dim", indent=6)
    if len(found) > _FINDINGS_SHOWN:
        codes = ", ".join(clean(group.first.code, 20) for group in found[_FINDINGS_SHOWN:])
        page.say(f"and {codes} (--format json)", "dim")


def _skipped(page: Page, report: Report) -> None:
    if not report.skipped:
        return
    page.gap()
    files = "1 file" if len(report.skipped) == 1 else f"{count(len(report.skipped))} files"
    page.row([(f"Skipped: {files}", "bold yellow")])
    for item in report.skipped[:SKIPPED_SHOWN]:
        line = "" if item.line is None else f":{item.line}"
        page.say(f"{clean(item.path)}{line}: {clean(item.reason, 300)}", hang=2)
    if len(report.skipped) > SKIPPED_SHOWN:
        page.say(f"and {count(len(report.skipped) - SKIPPED_SHOWN)} more (--format json)", "dim")


def _summary(page: Page, report: Report) -> None:
    page.gap()
    for target in report.targets:
        found = facts.savings(report, target)
        prefix = f"{clean(target.name, 60)}: " if len(report.targets) > 1 else ""
        style = "bold green" if found.cheaper else "bold"
        page.say(prefix + facts.savings_line(found), style, indent=0, hang=2)
    page.say(f"this run: {facts.spent_line(report)}", "dim", indent=0, hang=2)
    if report.spent.judge is not None:
        page.say(spent_on_judge(report.spent.judge), "dim", indent=2, hang=2)


def _legend(page: Page, report: Report) -> None:
    if not any(v.delta and v.delta.quality for p in report.prompts for v in p.variants):
        return
    text = (
        "→ recommended, ° control. Input and output in tokens a request, $/1k in USD for 1,000 "
        "requests. Quality Δ: variant minus baseline on the same n rows, positive is better, with "
        "one-sided bounds [low, high]: it holds if low > −margin."
    )
    page.say(text, "dim", indent=0, hang=2)


def _next(page: Page, report: Report, command: str | None) -> None:
    page.gap()
    page.row([("Next:", "bold")])
    steps = facts.next_steps(report, command)
    longest = max(len(command) for command, _ in steps)
    for command, what in steps:
        beside = 2 + longest + 2 + len(what) <= page.width
        if beside:
            page.row([(f"  {command:<{longest}}", "cyan"), (f"  {what}", "dim")])
        else:
            page.row([(f"  {command}", "cyan")])
            page.say(what, "dim", indent=6)
