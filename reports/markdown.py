"""The report as GitHub-flavoured Markdown, fit to be posted as a comment.

Everything that comes from prompts, paths, eval sets or models stands inside a code span or a
fence that it cannot leave, so that it can hold no link, image, mention or HTML.
"""

import re
from collections.abc import Sequence

from ..core.report import (
    Across,
    AcrossRow,
    Finding,
    PromptReport,
    Recommendation,
    Report,
    Skipped,
    TargetInfo,
    VariantReport,
)
from . import across, attributed, facts, money
from .evidence import evidence_lines, spent_on_judge
from .findings import amounts
from .numbers import count, mean, percent, quality, usd
from .rows import Row, table_rows
from .runtime import program_lines
from .safe import clean, code
from .suggested import suggestion_lines

_SKIPPED_SHOWN = 50
_FINDINGS_SHOWN = 10
_HEADER = (
    "| | Variant | Input tok | change | Output tok | $/1k | Saving | Quality Δ [low, high] | n "
    "| Verdict | p50/p95 s |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|---|--:|",
)

_ACROSS = (
    "| | Model: variant | Input tok | Output tok | $/1k | Quality Δ [low, high] | n | Verdict "
    "| p50/p95 s |",
    "|---|---|--:|--:|--:|--:|--:|---|--:|",
)


def to_markdown(report: Report, command: str | None = None) -> str:
    """Return the report as Markdown; a pure function of its arguments.

    Args:
        report: What `analyze` found.
        command: The command that made it, for the last lines.
    """
    lines = ["# costopt report", "", *_summary(report), ""]
    for prompt in report.prompts:
        lines += [*_prompt(prompt, report), ""]
    lines += [*_skipped(report.skipped), *_next(report, command), "", _legend(report)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def _summary(report: Report) -> list[str]:
    lines = ["**PARTIAL**: stopped before the end; what was not reached is not measured.", ""]
    lines = lines if report.partial else []
    for target in report.targets:
        lines.append(
            f"- {code(target.name)}: **{facts.savings_line(facts.savings(report, target))}**"
        )
    lines += [f"- {_price(target)}" for target in report.targets]
    lines.append(f"- this run: {facts.spent_line(report)}")
    if report.spent.judge is not None:
        lines.append(f"  - {code(spent_on_judge(report.spent.judge), limit=400)}")
    return [*lines, *(f"- {code(note, limit=400)}" for note in report.notes)]


def _price(target: TargetInfo) -> str:
    who, price = f"{code(target.name)} (model {code(target.model)})", target.price
    if price is None:
        return f"{who}: no price known, so no money is shown"
    label = f"priced as {code(target.priced_as)}, estimated: " if target.priced_as else ""
    source = ", ".join(code(part) for part in (price.source, price.as_of) if part)
    return f"{who}: {label}{facts.rates(price)}" + (f" ({source})" if source else "")


def _prompt(prompt: PromptReport, report: Report) -> list[str]:
    lines = [f"## {code(prompt.name, limit=80)}", "", " · ".join(_about(prompt)), ""]
    for target in report.targets:
        variants = facts.at_target(prompt, target.name)
        if variants:
            lines += _target(prompt, target, variants, many=len(report.targets) > 1)
    lines += _across(prompt.across) if prompt.across else []
    lines += [f"- try {code(line, limit=700)}" for line in suggestion_lines(prompt)]
    lines += attributed.table(prompt.attribution) if prompt.attribution else []
    lines += _findings(prompt)
    return [*lines, *(f"- {code(note, limit=400)}" for note in prompt.notes)]


def _across(found: Across) -> list[str]:
    rows = [_crossed(row, best=row.name == found.best) for row in across.shown(found)]
    said = (across.choice_line(found), *across.cascade_lines(found), *found.notes)
    notes = [f"- {code(line, limit=400)}" for line in said]
    return ["### All targets", "", code(across.heading(found)), "", *_ACROSS, *rows, "", *notes, ""]


def _crossed(row: AcrossRow, *, best: bool) -> str:
    cells = (
        "**→**" if best else "",
        code(across.label(row), table=True),
        count(row.input_tokens),
        mean(row.output_tokens),
        usd(row.usd_per_1k),
        across.difference(row),
        str(row.delta.n) if row.delta else "",
        row.verdict,
        across.latency(row),
    )
    return "| " + " | ".join(cells) + " |"


def _about(prompt: PromptReport) -> list[str]:
    parts = [code(prompt.path)]
    if prompt.feature:
        parts.append(f"feature {code(prompt.feature, limit=60)}")
    if prompt.calls_per_month is not None:
        parts.append(f"{count(prompt.calls_per_month)} calls a month")
    return [*parts, facts.rows_line(prompt)]


def _target(
    prompt: PromptReport, target: TargetInfo, variants: Sequence[VariantReport], *, many: bool
) -> list[str]:
    chosen = facts.recommendation(prompt, target.name)
    rows = table_rows(variants, chosen.variant if chosen else None)
    lines = [f"### {code(target.name)}", ""] if many else []
    lines += [*_HEADER, *(_row(row) for row in rows), ""]
    if chosen is not None:
        lines.append(f"- recommended: {code(chosen.variant)}: {_reason(prompt, chosen, target)}")
        lines += _dropped(variants, chosen.variant)
        lines += _program(variants, chosen.variant)
    lines += [f"- {code(line, limit=700)}" for line in evidence_lines(prompt, target.name)]
    lines += [f"- {code(line, limit=700)}" for line in _money(prompt, target, variants, chosen)]
    lines += [f"- {code(line, limit=700)}" for line in facts.noted(variants, None)]
    missing = facts.undecided_rows(prompt)
    if missing is not None:
        lines.append(f"- undecided: needs about {count(missing)} more rows")
    lines += [_dearer(v) for v in variants if facts.dearer_though_shorter(v)]
    lines += [_judged(v) for v in variants if v.verdict == "baseline" and v.quality]
    return [*lines, *_rejected(variants), ""]


def _money(
    prompt: PromptReport,
    target: TargetInfo,
    variants: Sequence[VariantReport],
    chosen: Recommendation | None,
) -> list[str]:
    best = chosen.variant if chosen else None
    said = (
        *money.cache_lines(variants, best),
        money.regimes_line(prompt, variants, best),
        money.terms_line(prompt, target, variants),
        money.payback_line(chosen) if chosen else None,
    )
    return [line for line in said if line is not None]


def _reason(prompt: PromptReport, chosen: Recommendation, target: TargetInfo) -> str:
    reason, monthly = code(chosen.reason, limit=400), facts.monthly_saving(prompt, chosen)
    if monthly is None:
        return reason
    return f"{reason}; {usd(monthly)} a month{', estimated' if target.priced_as else ''}"


def _row(row: Row) -> str:
    mark = "**→**" if row.recommended else "°" if row.control else ""
    name = code(row.name, table=True)
    numbers = (row.input, row.change, row.output, row.money, row.saving, row.quality, row.n)
    return "| " + " | ".join((mark, name, *numbers, row.verdict, row.latency)) + " |"


def _dropped(variants: Sequence[VariantReport], best: str) -> list[str]:
    lost = next((v.dropped for v in variants if v.name == best), ())
    if not lost:
        return []
    shown = ", ".join(code(anchor, limit=40) for anchor in lost[:8])
    more = f" and {len(lost) - 8} more" if len(lost) > 8 else ""
    return [f"- it drops: {shown}{more}"]


def _program(variants: Sequence[VariantReport], best: str) -> list[str]:
    chosen = (variant for variant in variants if variant.name == best)
    calls = [call for variant in chosen for call in program_lines(variant)]
    return [f"- in a program: {code(call, limit=300)}" for call in calls]


def _dearer(variant: VariantReport) -> str:
    delta = variant.delta
    tokens = percent(delta.input_tokens if delta else None)
    money = percent(delta.usd_per_1k if delta else None)
    return f"- {code(variant.name)}: input {tokens}, cost +{money}"


def _judged(baseline: VariantReport) -> str:
    found = baseline.quality
    if found is None:
        return ""
    failed = f", {found.failures} failed" if found.failures else ""
    score = f"{quality(found.metric, found.mean)}{facts.audit(found)}"
    return f"- baseline {code(found.metric)}: {score} on {found.n} rows{failed}"


def _rejected(variants: Sequence[VariantReport]) -> list[str]:
    unchanged = [code(v.name) for v in variants if v.rejected == "no change"]
    lines = [f"- no change: {', '.join(unchanged)}"] if unchanged else []
    return lines + [
        f"- left out: {code(v.name)}: {code(v.rejected, limit=200)}"
        for v in variants
        if v.rejected is not None and v.rejected != "no change"
    ]


def _findings(prompt: PromptReport) -> list[str]:
    found = prompt.findings
    if not found:
        return []
    each = f"{len(found)} finding{'' if len(found) == 1 else 's'}"
    lines = [_finding(item) for item in found[:_FINDINGS_SHOWN]]
    if len(found) > _FINDINGS_SHOWN:
        lines.append(f"- and {count(len(found) - _FINDINGS_SHOWN)} more")
    return ["<details>", f"<summary>{each}</summary>", "", *lines, "", "</details>", ""]


def _finding(item: Finding) -> str:
    saved = amounts(item.tokens, item.usd_per_1k, item.usd_per_month)
    told = code(item.message, limit=400) + (f" ({saved})" if saved else "")
    return f"- {item.line}:{item.column} {code(item.code)} {told}"


def _skipped(skipped: Sequence[Skipped]) -> list[str]:
    if not skipped:
        return []
    lines = [f"## Skipped: {count(len(skipped))} files", ""]
    for item in skipped[:_SKIPPED_SHOWN]:
        place = item.path if item.line is None else f"{item.path}:{item.line}"
        lines.append(f"- {code(place)}: {code(item.reason, limit=300)}")
    if len(skipped) > _SKIPPED_SHOWN:
        lines.append(f"- and {count(len(skipped) - _SKIPPED_SHOWN)} more")
    return [*lines, ""]


def _next(report: Report, command: str | None) -> list[str]:
    lines = [
        f"- {code(clean(command))}: {what}" for command, what in facts.next_steps(report, command)
    ]
    return ["## Next", "", *lines]


def _legend(report: Report) -> str:
    return (
        "<sub>→ recommended, ° control. Quality Δ is variant minus baseline on the same rows, in "
        "points (log-likelihoods: nats per token), positive is better; low and high are one-sided "
        f"bounds. costopt {clean(report.costopt_version, 20)}</sub>"
    )
