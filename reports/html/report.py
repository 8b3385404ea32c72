"""A report as a page."""

from dataclasses import dataclass

from ...core.report import PromptReport, Recommendation, Report, TargetInfo, VariantReport
from ...core.samples import SampleSource
from .. import facts
from ..evidence import spent_on_judge
from ..forecast import forecast_line
from ..numbers import count, percent, usd
from ..safe import clean
from .page import render
from .prompt import PromptView, prompt_view
from .tables import Cell, Line, Table, headers, number, without_empty
from .variants import difference
from .verdicts import signed_word, style_of


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The headline of one target: the amount in large letters, and what it is."""

    target: str
    """Empty where there is one target."""
    amount: str
    what: str
    good: bool
    details: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """All of a page but its prompts' sections."""

    version: str
    created: str
    partial: bool
    static: bool
    claims: tuple[Claim, ...]
    overview: Table | None
    spent: tuple[str, ...]
    notes: tuple[str, ...]
    skipped: Table | None
    prompts: tuple[PromptView, ...]
    steps: tuple[tuple[str, str], ...]


def to_html(report: Report, command: str | None = None, samples: SampleSource | None = None) -> str:
    """Return the report as one page that loads nothing from anywhere.

    Args:
        report: What `analyze` found.
        command: The command that made it, for what to run next.
        samples: Gives the answers to single rows; ``None`` for a page without them.
    """
    return render("report.html", report=report_view(report, command, samples))


def report_view(
    report: Report, command: str | None = None, samples: SampleSource | None = None
) -> ReportView:
    """Return what a page shows of a report."""
    return ReportView(
        version=clean(report.costopt_version, 20),
        created=clean(report.created, 40).replace("T", " ").replace("+00:00", " UTC"),
        partial=report.partial,
        static=report.static,
        claims=tuple(_claim(report, target) for target in report.targets),
        overview=_overview(report),
        spent=tuple(_spent(report)),
        notes=tuple(clean(note, 400) for note in report.notes),
        skipped=_skipped(report),
        prompts=tuple(
            prompt_view(prompt, report, f"prompt-{at}", samples)
            for at, prompt in enumerate(report.prompts, 1)
        ),
        steps=tuple(facts.next_steps(report, command)),
    )


def _claim(report: Report, target: TargetInfo) -> Claim:
    found = facts.savings(report, target)
    cheaper = [(prompt, best) for prompt, best in _picked(report, target) if best is not None]
    amount, what = _amount(found, cheaper)
    name = clean(target.name, 60)
    lines = [_sure(report, target)] if cheaper and not report.static else []
    return Claim(
        target=name if len(report.targets) > 1 else "",
        amount=amount,
        what=what,
        good=found.cheaper > 0,
        details=(*lines, facts.price_line(target)),
    )


Picked = tuple[PromptReport, VariantReport | None]


def _picked(report: Report, target: TargetInfo) -> list[Picked]:
    """Return each prompt with what is recommended for it, where that is not the baseline."""
    found: list[Picked] = []
    for prompt in report.prompts:
        chosen = facts.recommendation(prompt, target.name)
        variants = facts.at_target(prompt, target.name)
        best = next((v for v in variants if chosen and v.name == chosen.variant), None)
        found.append((prompt, best if best and best.verdict != "baseline" else None))
    return found


def _amount(
    found: facts.Savings, cheaper: list[tuple[PromptReport, VariantReport]]
) -> tuple[str, str]:
    estimated = ", estimated" if found.estimated else ""
    if found.static or not found.prompts:
        return "Not measured", facts.savings_line(found)
    if found.with_calls:
        some = found.with_calls < found.cheaper
        known = f", of which {found.with_calls} have a number of calls a month" if some else ""
        many = f"{found.cheaper} of {found.prompts} prompts can be made cheaper{known}"
        what = f"a month can be saved{estimated}{f'; {many}' if found.prompts > 1 else ''}"
        return usd(found.usd_per_month), what
    if len(cheaper) == 1:
        prompt, best = cheaper[0]
        before = facts.baseline_of(facts.at_target(prompt, best.target))
        known = before.cost.usd_per_1k if before else None
        if known is not None and best.cost.usd_per_1k is not None:
            saved = known - best.cost.usd_per_1k
            what = f"can be saved in 1,000 requests of {clean(prompt.name, 60)}{estimated}"
            return usd(saved), f"{what}; {facts.savings_line(found)}"
    return f"{found.cheaper} of {found.prompts}", facts.savings_line(found)


def _sure(report: Report, target: TargetInfo) -> str:
    """Say at what quality that is, how sure, and on how many rows."""
    parts = [
        f"{clean(prompt.name, 60)} {difference(best, delta)} on {count(delta.n)} rows "
        f"({best.verdict}, each bound at {100 * delta.confidence:.4g} %)"
        for prompt, best in _picked(report, target)
        if best is not None and best.delta is not None
        if (delta := best.delta.quality) is not None
    ]
    shown, more = parts[:3], len(parts) - 3
    rest = f"; and {count(more)} more below" if more > 0 else ""
    return f"Quality against the baseline: {'; '.join(shown)}{rest}" if shown else ""


def _overview(report: Report) -> Table | None:
    """Return all prompts in one table; ``None`` where there is only one line to show."""
    lines = [
        _overview_line(report, prompt, target, best)
        for target in report.targets
        for prompt, best in _picked(report, target)
        if facts.at_target(prompt, target.name)
    ]
    if len(lines) < 2:
        return None
    found = Table(
        caption="Prompts",
        headers=headers(
            "Prompt", "Target", "Recommended", "Saving", "USD per 1,000", "USD a month",
            "Quality Δ [low, high]", "n", "Verdict", left=("Target", "Recommended", "Verdict"),
        ),
        lines=tuple(lines),
        sortable=True,
    )  # fmt: skip
    many = len(report.targets) > 1
    return without_empty(found) if many else without_empty(_without(found, "Target"))


def _without(table: Table, header: str) -> Table:
    at = [one.text for one in table.headers].index(header)
    lines = (
        Line(cells=(*line.cells[:at], *line.cells[at + 1 :]), style=line.style)
        for line in table.lines
    )
    heads = (*table.headers[:at], *table.headers[at + 1 :])
    return Table(caption=table.caption, headers=heads, lines=tuple(lines), sortable=table.sortable)


def _overview_line(
    report: Report, prompt: PromptReport, target: TargetInfo, best: VariantReport | None
) -> Line:
    chosen = facts.recommendation(prompt, target.name)
    monthly = facts.monthly_saving(prompt, chosen) if chosen else None
    baseline = facts.baseline_of(facts.at_target(prompt, target.name))
    delta = best.delta.quality if best and best.delta else None
    saved = facts.saving(best) if best else None
    before = baseline.cost.usd_per_1k if baseline else None
    after = best.cost.usd_per_1k if best else None
    each = f"{usd(before)} → {usd(after)}" if best else usd(before)
    verdict = best.verdict if best else "not measured"
    return Line(
        cells=(
            Cell(text=clean(prompt.name, 60), style="name"),
            Cell(text=clean(target.name, 60)),
            Cell(text=_advised(report, chosen, best)),
            number(percent(saved) if best else "", saved),
            number(each, before),
            number(usd(monthly) if best else "", monthly),
            number(
                difference(best, delta) if best and delta else "", delta.mean if delta else None
            ),
            number(count(delta.n) if delta else "", delta.n if delta else None),
            Cell(
                text=signed_word(verdict) if best else "",
                style=f"chip {style_of(verdict)}" if best else "",
            ),
        ),
    )


def _advised(report: Report, chosen: Recommendation | None, best: VariantReport | None) -> str:
    if best is not None:
        return clean(best.name, 80)
    return "stays as it is" if chosen is not None and not report.static else ""


def _spent(report: Report) -> list[str]:
    lines = [f"This run: {facts.spent_line(report)}"]
    if report.spent.judge is not None:
        lines.append(spent_on_judge(report.spent.judge))
    return lines + [forecast_line(one) for one in report.spent.forecast]


def _skipped(report: Report) -> Table | None:
    if not report.skipped:
        return None
    lines = [
        Line(cells=(
            Cell(text=clean(item.path), style="name"),
            number("" if item.line is None else str(item.line), item.line),
            Cell(text=clean(item.reason, 300), style="words"),
        ))
        for item in report.skipped
    ]  # fmt: skip
    return Table(
        caption=f"Skipped: {count(len(lines))} files that could not be read as prompts",
        headers=headers("File", "Line", "Why", left=("Why",)),
        lines=tuple(lines),
    )
