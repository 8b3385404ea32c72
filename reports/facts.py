"""What a report says, picked out and counted: shared by the terminal and the Markdown writer."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath

from ..core.report import (
    PriceInfo,
    PromptReport,
    Quality,
    Recommendation,
    Report,
    TargetInfo,
    VariantReport,
)
from .numbers import count, percent, quality, unit, usd
from .numbers import price as listed
from .runtime import runtime_line
from .safe import clean
from .suggested import trial_command

_NOTED = 6
_SAMPLES = re.compile(r" --samples[ =]\S+")


def at_target(prompt: PromptReport, target: str) -> tuple[VariantReport, ...]:
    """Return a prompt's variants at one target, in the report's order."""
    return tuple(variant for variant in prompt.variants if variant.target == target)


def baseline_of(variants: Sequence[VariantReport]) -> VariantReport | None:
    """Return the baseline of one target's variants."""
    return next((v for v in variants if v.verdict == "baseline"), None)


def shown_order(variants: Sequence[VariantReport]) -> list[VariantReport]:
    """Return what a table shows: the baseline, then the cheapest first, controls last.

    Rejected variants are left out; they are listed in one line each.
    """

    def key(variant: VariantReport) -> tuple[int, Decimal, float]:
        first = 0 if variant.verdict == "baseline" else 2 if variant.control else 1
        money = variant.cost.usd_per_1k
        size = variant.tokens.input_mean
        return (
            first,
            Decimal("Infinity") if money is None else money,
            float(variant.tokens.template) if size is None else size,
        )

    return sorted((v for v in variants if v.rejected is None), key=key)


def recommendation(prompt: PromptReport, target: str) -> Recommendation | None:
    """Return the recommendation for a target."""
    return next((r for r in prompt.recommended if r.target == target), None)


def monthly_saving(prompt: PromptReport, chosen: Recommendation) -> Decimal | None:
    """Return the USD a month that a recommendation saves; ``None`` where it is not known."""
    variants = {v.name: v for v in at_target(prompt, chosen.target)}
    baseline, best = baseline_of(tuple(variants.values())), variants.get(chosen.variant)
    if baseline is None or best is None or best is baseline:
        return None
    before, after = baseline.cost.usd_per_month, best.cost.usd_per_month
    return None if before is None or after is None else before - after


def saving(variant: VariantReport) -> float | None:
    """Return the fraction of the baseline's cost that is saved; negative is dearer."""
    money = variant.delta.usd_per_1k if variant.delta else None
    return None if money is None else -money


def input_change(variant: VariantReport, baseline: VariantReport | None) -> float | None:
    """Return the change of input tokens as a fraction; of the template's where none were asked."""
    if variant.delta is not None and variant.delta.input_tokens is not None:
        return variant.delta.input_tokens
    if baseline is None or variant is baseline or not baseline.tokens.template:
        return None
    return variant.tokens.template / baseline.tokens.template - 1


def dearer_though_shorter(variant: VariantReport) -> str | None:
    """Return the sentence for a variant with fewer input tokens and a higher cost."""
    delta = variant.delta
    if delta is None or delta.input_tokens is None or delta.usd_per_1k is None:
        return None
    if delta.input_tokens >= 0 or delta.usd_per_1k <= 0:
        return None
    return (
        f"{clean(variant.name, 60)}: input {percent(delta.input_tokens)}, "
        f"cost +{percent(delta.usd_per_1k)}"
    )


def rows_line(prompt: PromptReport) -> str:
    """Say which rows were used and how they were split."""
    rows = prompt.eval_set
    if rows is None:
        return "no eval set: quality not measured"
    used = rows.selection_rows + rows.confirmation_rows
    if not used:
        return f"{count(rows.rows)} rows, none of them asked"
    total = f"{count(used)} of {count(rows.rows)} rows"
    if rows.confirmation_rows:
        return f"{total}: {rows.selection_rows} to pick, {rows.confirmation_rows} to confirm"
    return f"{total}, all of them decide together"


def price_line(target: TargetInfo) -> str:
    """Say what a target is and where its prices come from."""
    name, model = clean(target.name, 60), clean(target.model, 80)
    who = name if name == model else f"{name} ({model})"
    price = target.price
    if price is None:
        return f"{who}: no price known, so no money is shown"
    parts = rates(price)
    source = ", ".join(clean(part, 60) for part in (price.source, price.as_of) if part)
    said = f"{parts} ({source})" if source else parts
    if target.priced_as:
        return f"{who}: priced as {clean(target.priced_as, 80)}, estimated: {said}"
    return f"{who}: {said}"


def rates(price: PriceInfo) -> str:
    """Say what a target bills: by the token, or its server by the hour.

    Example:
        >>> rates(PriceInfo(input=None, output=None, usd_per_hour=Decimal("1.5")))
        '$1.50 an hour, shared by the requests under way: money is estimated'
    """
    if price.usd_per_hour is not None:
        each = listed(price.usd_per_hour)
        return f"{each} an hour, shared by the requests under way: money is estimated"
    return f"{listed(price.input)} in, {listed(price.output)} out per million tokens"


def metric_lines(variants: Sequence[VariantReport]) -> list[str]:
    """Say how quality was judged: metric, the baseline's own score, margin, confidence."""
    baseline = baseline_of(variants)
    own = baseline.quality if baseline else None
    lines: list[str] = []
    for name in _metrics(variants):
        label = f"{clean(name, 40)} ({_unit_name(name)})"
        parts = [label]
        if own is not None and own.metric == name:
            failed = f", {own.failures} failed" if own.failures else ""
            said = f"{quality(name, own.mean)}{audit(own)}"
            parts = [f"{label}: baseline {said} on {own.n} rows{failed}"]
        parts += _margins(variants, name)
        if parts == [label]:
            judged = (clean(v.name, 40) for v in variants if v.quality and v.quality.metric == name)
            parts = [f"{label}: judges {', '.join(judged)}"]
        lines.append("; ".join(parts))
    return lines


def noted(variants: Sequence[VariantReport], best: str | None) -> list[str]:
    """Return what is to be said of the variants that are not recommended, in a line each.

    That is what they do at run time, and the first of their notes.
    """
    told = (
        (v, _told(v)) for v in variants if v.rejected is None and v.name != best and not v.control
    )
    said = [f"{clean(v.name, 60)}: {'; '.join(parts)}" for v, parts in told if parts]
    more = f"and {len(said) - _NOTED} variants more have notes (--format json)"
    return [*said[:_NOTED], *([more] if len(said) > _NOTED else [])]


def _told(variant: VariantReport) -> list[str]:
    runtime = [runtime_line(variant.runtime)] if variant.runtime else []
    return [*runtime, *(clean(note, 300) for note in variant.notes[:1])]


def audit(own: Quality) -> str:
    """Return the format audit in brackets; nothing where the metric has none."""
    if own.strict_mean is None or own.tolerant_mean is None:
        return ""
    strict, tolerant = (
        quality(own.metric, own.strict_mean),
        quality(own.metric, own.tolerant_mean),
    )
    return f" (read strictly {strict}, tolerantly {tolerant})"


def _metrics(variants: Sequence[VariantReport]) -> list[str]:
    return list(dict.fromkeys(v.quality.metric for v in variants if v.quality is not None))


def _margins(variants: Sequence[VariantReport], metric: str) -> list[str]:
    found = [
        v.delta.quality
        for v in variants
        if v.quality and v.quality.metric == metric and v.delta and v.delta.quality
        if not v.control  # nothing is chosen among controls, so theirs are not corrected
    ]
    if not found:
        return []
    margins = sorted({quality(metric, delta.margin) for delta in found})
    levels = sorted({f"{100 * delta.confidence:.4g}" for delta in found})
    return [f"margin {' or '.join(margins)}", f"bounds one-sided {' or '.join(levels)} %"]


def _unit_name(metric: str) -> str:
    return {"pt": "points", "nats": "nats per token", "": "its own unit"}[unit(metric)]


def verdict_words(variant: VariantReport) -> str:
    """Return the verdict; where data is missing, with how many rows."""
    missing = missing_rows(variant)
    if missing:
        return f"{variant.verdict}, {count(missing)} more rows"
    return variant.verdict


def missing_rows(variant: VariantReport) -> int | None:
    """Return how many rows a variant is short of, beyond those it was compared on.

    An estimate: it supposes that the differences seen so far go on alike.
    """
    if variant.verdict != "not enough data" or not variant.samples_needed:
        return None
    seen = variant.delta.quality.n if variant.delta and variant.delta.quality else 0
    return max(variant.samples_needed - seen, 0) or None


@dataclass(frozen=True, kw_only=True)
class Savings:
    """What the recommendations at one target add up to.

    ``usd_per_month`` is over the ``with_calls`` prompts whose calls a month are known.
    """

    target: str
    cheaper: int
    prompts: int
    with_calls: int
    usd_per_month: Decimal
    estimated: bool
    static: bool


def savings(report: Report, target: TargetInfo) -> Savings:
    """Add up the recommendations at a target."""
    chosen = [(prompt, recommendation(prompt, target.name)) for prompt in report.prompts]
    cheaper = [(p, r) for p, r in chosen if r is not None and _is_cheaper(p, r)]
    monthly = [monthly_saving(prompt, found) for prompt, found in cheaper]
    known = [amount for amount in monthly if amount is not None]
    return Savings(
        target=target.name,
        cheaper=len(cheaper),
        prompts=len(report.prompts),
        with_calls=len(known),
        usd_per_month=sum(known, Decimal(0)),
        estimated=target.priced_as is not None,
        static=report.static,
    )


def _is_cheaper(prompt: PromptReport, found: Recommendation) -> bool:
    variants = at_target(prompt, found.target)
    return any(v.name == found.variant and v.verdict != "baseline" for v in variants)


def recommended_line(prompt: PromptReport, found: Recommendation, *, estimated: bool) -> str:
    """Say what to use and why; with the money a month, where that is known."""
    line = f"→ {clean(found.variant, 80)}: {clean(found.reason, 400)}"
    monthly = monthly_saving(prompt, found)
    if monthly is None:
        return line
    return f"{line}; {usd(monthly)} a month{', estimated' if estimated else ''}"


def savings_line(found: Savings) -> str:
    """Say in one sentence what can be saved."""
    if not found.prompts:
        return "no prompt was analysed"
    if found.static:
        return "nothing is recommended without measured quality"
    line = f"{found.cheaper} of {found.prompts} prompts can be made cheaper"
    if not found.with_calls:
        return line
    for_some = f", {found.with_calls} of them with calls_per_month known"
    line += for_some if found.with_calls < found.cheaper else ""
    label = " (estimated)" if found.estimated else ""
    return f"{line}: saves {usd(found.usd_per_month)} per month{label}"


def spent_line(report: Report) -> str:
    """Say what this run cost."""
    spent = report.spent
    lost = spent.unknown_outcome
    unknown = (
        f" · unknown outcome: {count(lost.requests)} requests, at most {usd(lost.usd)}"
        if lost is not None
        else ""
    )
    return (
        f"{usd(spent.usd)} · {count(spent.requests)} live requests · "
        f"{count(spent.cached_answers)} cached answers · {count(spent.input_tokens)} input, "
        f"{count(spent.output_tokens)} output tokens{unknown}"
    )


def rejected_lines(variants: Sequence[VariantReport]) -> list[str]:
    """Fold rejected variants: those that changed nothing in one line, others one line a reason."""
    reasons: dict[str, list[str]] = {}
    for variant in variants:
        if variant.rejected is not None:
            reasons.setdefault(clean(variant.rejected, 200), []).append(clean(variant.name, 60))
    folded = sorted(reasons.items(), key=lambda item: item[0] != "no change")
    return [
        f"{reason}: {', '.join(names)}"
        if reason == "no change"
        else f"left out: {', '.join(names)}: {reason}"
        for reason, names in folded
    ]


def next_steps(report: Report, command: str | None = None) -> list[tuple[str, str]]:
    """Return what to run next, as pairs of a command and what it does.

    Args:
        report: What was found.
        command: The command that made it, to be extended; by default one for its prompts' folder.
    """
    run = command or f"costopt analyze {shlex.quote(_common_folder(report))}"
    steps: list[tuple[str, str]] = []
    if report.partial:
        steps.append((run, "goes on; what was answered is not asked again"))
    elif report.static:
        steps.append((run.replace(" --static", ""), "measures quality too"))
    elif any(_writable(prompt) for prompt in report.prompts):
        steps.append((f"{run} --write", "writes what is recommended into the files"))
    steps += _more_rows(report, run)
    trial = trial_command(report, run)
    if trial is not None:
        steps.append((trial, "measures the cheaper models too"))
    code = next((f.code for p in report.prompts for f in p.findings), None)
    if code is not None:
        explain = f"costopt explain {shlex.quote(clean(code, 40))}"
        steps.append((explain, "says what a finding means"))
    steps.append((f"{run} --output report.json", "keeps it; costopt report shows it again"))
    return steps


def _writable(prompt: PromptReport) -> bool:
    """Whether a recommendation changes the prompt's file, and not only what fills its variables."""
    chosen = {(found.target, found.variant) for found in prompt.recommended}
    return any(
        used.params.get("on") is None
        for variant in prompt.variants
        if (variant.target, variant.name) in chosen
        for used in variant.strategies
    )


def _more_rows(report: Report, run: str) -> list[tuple[str, str]]:
    undecided = [p for p in report.prompts if undecided_rows(p)]
    spare = [p.eval_set for p in undecided if p.eval_set is not None]
    unused = [s for s in spare if s.rows > s.selection_rows + s.confirmation_rows]
    if not unused:
        return []
    most = max(rows.rows for rows in unused)
    what = f"uses all rows for {len(unused)} undecided prompt{'s' if len(unused) > 1 else ''}"
    return [(f"{_SAMPLES.sub('', run)} --samples {most}", what)]


def undecided_rows(prompt: PromptReport) -> int | None:
    """Return how many more rows would decide a variant of a prompt that stays as it is.

    ``None`` where a cheaper variant is recommended already, or rows would not help.
    """
    if any(r.variant != "baseline" for r in prompt.recommended):
        return None
    missing = [missing_rows(v) for v in prompt.variants if not v.control]
    return min((rows for rows in missing if rows), default=None)


def _common_folder(report: Report) -> str:
    paths = [PurePosixPath(clean(prompt.path)) for prompt in report.prompts]
    if not paths:
        return "PATH"
    if len(set(paths)) == 1:
        return str(paths[0])
    common = paths[0].parent
    while any(common not in path.parents for path in paths) and common != common.parent:
        common = common.parent
    return str(common)
