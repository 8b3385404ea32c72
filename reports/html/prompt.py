"""One prompt of a page: what to do with it, and everything that stands behind that."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.report import Finding, PromptReport, Report, TargetInfo, VariantReport
from ...core.samples import SampleSource
from .. import across as crossing
from .. import facts, money
from ..evidence import evidence_lines
from ..numbers import count, mean, usd
from ..runtime import program_lines, runtime_line
from ..safe import clean
from ..suggested import suggestion_lines
from .answers import AnswersView, answers_view
from .changes import MessageChange, changes
from .heat import Heat, heat
from .plot import Plot, plots
from .tables import Cell, Line, Table, headers, number, without_empty
from .variants import evidence_line, regime_table, slice_table, variant_table
from .verdicts import signed_word, style_of


@dataclass(frozen=True, kw_only=True)
class VariantView:
    """What a variant is made of and what it changes."""

    name: str
    verdict: str
    style: str
    open: bool
    facts: tuple[str, ...]
    messages: tuple[MessageChange, ...]


@dataclass(frozen=True, kw_only=True)
class TargetView:
    """A prompt at one target."""

    name: str
    """Empty where there is one target."""
    advice: str
    good: bool
    plots: tuple[Plot, ...]
    not_drawn: str
    table: Table
    lines: tuple[str, ...]
    """What is to be said below the table."""
    evidence: tuple[str, ...]
    slices: Table | None
    regimes: Table | None
    money: tuple[str, ...]
    variants: tuple[VariantView, ...]
    rejected: tuple[str, ...]
    answers: AnswersView | None


@dataclass(frozen=True, kw_only=True)
class PromptView:
    """A prompt with all its targets."""

    anchor: str
    name: str
    path: str
    about: tuple[str, ...]
    targets: tuple[TargetView, ...]
    across: Table | None
    across_lines: tuple[str, ...]
    suggestions: tuple[str, ...]
    findings: Table | None
    heat: Heat | None
    notes: tuple[str, ...]


def prompt_view(
    prompt: PromptReport, report: Report, anchor: str, samples: SampleSource | None
) -> PromptView:
    """Return what a page shows of a prompt.

    Args:
        prompt: The prompt.
        report: Its report.
        anchor: What the page calls its place.
        samples: Gives the answers to single rows; ``None`` for a page without them.
    """
    many = len(report.targets) > 1
    targets = [
        _target(prompt, target, report, samples, many=many)
        for target in report.targets
        if facts.at_target(prompt, target.name)
    ]
    return PromptView(
        anchor=anchor,
        name=clean(prompt.name, 80),
        path=clean(prompt.path),
        about=tuple(_about(prompt)),
        targets=tuple(targets),
        across=_across(prompt),
        across_lines=_across_lines(prompt),
        suggestions=tuple(suggestion_lines(prompt)),
        findings=finding_table("Findings: places worth a look", prompt.findings),
        heat=heat(prompt, prompt.attribution) if prompt.attribution else None,
        notes=tuple(clean(note, 400) for note in prompt.notes),
    )


def _about(prompt: PromptReport) -> list[str]:
    parts = [f"feature {clean(prompt.feature, 60)}"] if prompt.feature else []
    if prompt.calls_per_month is not None:
        parts.append(f"{count(prompt.calls_per_month)} calls a month")
    return [*parts, facts.rows_line(prompt)]


def _target(
    prompt: PromptReport,
    target: TargetInfo,
    report: Report,
    samples: SampleSource | None,
    *,
    many: bool,
) -> TargetView:
    variants = facts.at_target(prompt, target.name)
    chosen = facts.recommendation(prompt, target.name)
    best = chosen.variant if chosen else None
    shown = facts.shown_order(variants)
    numbers = {variant.name: at for at, variant in enumerate(shown, 1)}
    drawn = plots(shown, numbers, best)
    rows = samples(prompt, target.name) if samples else None
    advice = ""
    if chosen is not None and not report.static:
        estimated = target.priced_as is not None
        advice = facts.recommended_line(prompt, chosen, estimated=estimated)
    name = clean(target.name, 60)
    return TargetView(
        name=name if many else "",
        advice=advice,
        good=best not in (None, "baseline"),
        plots=drawn,
        not_drawn=_not_drawn(shown, drawn, numbers),
        table=variant_table(variants, best, caption=f"Variants at {name}", static=report.static),
        lines=tuple(_lines(prompt, variants)),
        evidence=tuple(evidence_lines(prompt, target.name)),
        slices=slice_table(variants),
        regimes=regime_table(prompt, variants),
        money=tuple(_money(prompt, target, variants, best)),
        variants=tuple(_variants(shown, best)),
        rejected=tuple(facts.rejected_lines(variants)),
        answers=answers_view(rows) if rows else None,
    )


def _not_drawn(
    shown: Sequence[VariantReport], drawn: Sequence[Plot], numbers: dict[str, int]
) -> str:
    """Say which variants of the table have no point, so that none is missed silently."""
    if not drawn:
        return ""
    there = {point.number for plot in drawn for point in plot.points}
    left = [variant for variant in shown if numbers[variant.name] not in there]
    controls = ", ".join(clean(v.name, 40) for v in left if v.control)
    others = ", ".join(clean(v.name, 40) for v in left if not v.control)
    parts = [f"controls ({controls})"] if controls else []
    parts += [f"not measured, or without a price ({others})"] if others else []
    return f"Only in the table: {'; '.join(parts)}." if parts else ""


def _lines(prompt: PromptReport, variants: Sequence[VariantReport]) -> list[str]:
    money_line = evidence_line(variants)
    lines = facts.metric_lines(variants) + ([money_line] if money_line else [])
    lines += [line for line in map(facts.dearer_though_shorter, variants) if line]
    missing = facts.undecided_rows(prompt)
    if missing is not None:
        lines.append(f"undecided: needs about {count(missing)} more rows")
    return lines


def _money(
    prompt: PromptReport, target: TargetInfo, variants: Sequence[VariantReport], best: str | None
) -> list[str]:
    chosen = facts.recommendation(prompt, target.name)
    said = (
        facts.price_line(target),
        *money.cache_lines(variants, best),
        money.terms_line(prompt, target, variants),
        money.payback_line(chosen) if chosen else None,
    )
    return [line for line in said if line is not None]


def _variants(shown: Sequence[VariantReport], best: str | None) -> list[VariantView]:
    baseline = facts.baseline_of(shown)
    return [
        VariantView(
            name=clean(variant.name, 80),
            verdict=signed_word(variant.verdict),
            style=style_of(variant.verdict),
            open=variant.name == best,
            facts=tuple(_made_of(variant, baseline)),
            messages=changes(baseline.messages, variant.messages),
        )
        for variant in shown
        if baseline is not None and variant is not baseline and not variant.control
    ]


def _made_of(variant: VariantReport, baseline: VariantReport) -> list[str]:
    lines = [
        f"{clean(used.name, 60)}: {used.safety}, changes the {used.side}"
        for used in variant.strategies
    ]
    lines += [f"it drops: {', '.join(clean(one, 80) for one in variant.dropped)}"] \
        if variant.dropped else []  # fmt: skip
    lines += _settings(variant, baseline)
    lines += [runtime_line(variant.runtime)] if variant.runtime else []
    lines += [f"in a program: {line}" for line in program_lines(variant)]
    return lines + [clean(note, 400) for note in variant.notes]


def _settings(variant: VariantReport, baseline: VariantReport) -> list[str]:
    before, after = baseline.settings, variant.settings
    names = ("max_output_tokens", "temperature", "stop", "seed", "effort")
    lines = [
        f"{name.replace('_', ' ')}: {clean(repr(getattr(before, name)), 80)} → "
        f"{clean(repr(getattr(after, name)), 80)}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
    if (before.response_schema, before.tools) != (after.response_schema, after.tools):
        lines.append("the tools or the response schema are written in another way")
    return lines


def finding_table(caption: str, findings: Sequence[Finding]) -> Table | None:
    """Return findings as a table; ``None`` without any."""
    if not findings:
        return None
    lines = [
        Line(cells=(
            Cell(text=clean(one.code, 20), style="name"),
            number(f"{one.line}:{one.column}", one.line),
            Cell(text=clean(one.message, 400), style="words"),
            number(count(one.tokens) if one.tokens else "", one.tokens),
            number(usd(one.usd_per_1k), one.usd_per_1k),
            number(usd(one.usd_per_month), one.usd_per_month),
        ))
        for one in findings
    ]  # fmt: skip
    found = Table(
        caption=caption,
        headers=headers(
            "Code", "Line", "What", "Tokens saved, at most", "USD per 1,000", "USD a month",
            left=("What",),
        ),
        lines=tuple(lines),
        sortable=True,
    )  # fmt: skip
    return without_empty(found)


def _across(prompt: PromptReport) -> Table | None:
    if prompt.across is None:
        return None
    lines = [
        Line(
            cells=(
                Cell(text=crossing.label(row), style="name",
                     note="recommended" if row.name == prompt.across.best else ""),
                number(count(row.input_tokens), row.input_tokens),
                number(mean(row.output_tokens), row.output_tokens),
                number(usd(row.usd_per_1k), row.usd_per_1k),
                number(crossing.difference(row), row.delta.mean if row.delta else None),
                number(str(row.delta.n) if row.delta else "", row.delta.n if row.delta else None),
                Cell(text=signed_word(row.verdict), style=f"chip {style_of(row.verdict)}"),
                number(crossing.latency(row), row.latency.p50_s if row.latency else None),
            ),
            style="pick" if row.name == prompt.across.best else "",
        )
        for row in crossing.shown(prompt.across)
    ]  # fmt: skip
    found = Table(
        caption="All targets against the first one's baseline",
        headers=headers(
            "Model: variant", "Input tokens", "Output tokens", "$ per 1,000",
            "Quality Δ [low, high]", "n", "Verdict", "p50/p95 s", left=("Verdict",),
        ),
        lines=tuple(lines),
        sortable=True,
    )  # fmt: skip
    return without_empty(found)


def _across_lines(prompt: PromptReport) -> tuple[str, ...]:
    found = prompt.across
    if found is None:
        return ()
    notes = (clean(note, 400) for note in found.notes)
    return (
        crossing.heading(found),
        crossing.choice_line(found),
        *crossing.cascade_lines(found),
        *notes,
    )
