"""Proposes cheaper models of the same provider, with what trying them would take."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from ..core.report import Across, PromptReport, Suggestion, VariantReport
from ..core.types import HOLDING
from ..costs.forecast import Lengths, Part, forecast
from ..costs.suggest import Cheaper, cheaper_models
from .desk import Desk
from .forecasting import Outlook


def suggestions(
    report: PromptReport, desks: Sequence[Desk], outlooks: Mapping[str, Outlook]
) -> tuple[Suggestion, ...]:
    """Return cheaper models for a prompt, target by target; nobody is asked.

    Args:
        report: The prompt, measured: its answers' lengths say what a request costs.
        desks: The targets of the run.
        outlooks: What the prompt asks of each target, by name.
    """
    refs = {desk.name: desk.own.ref for desk in desks if desk.own is not None}
    found: dict[str, Suggestion] = {}
    for name, ref in refs.items():
        outlook = outlooks.get(name, Outlook())
        for baseline in _baseline(report, name):
            for cheaper in _cheaper(ref, baseline):
                one = _suggestion(name, cheaper, baseline, outlook, report.across, refs)
                found.setdefault(
                    one.model, one
                )  # Once, against the first target it is cheaper than.
    return tuple(found.values())


def _baseline(report: PromptReport, target: str) -> Iterator[VariantReport]:
    for variant in report.variants:
        if variant.target == target and variant.verdict == "baseline":
            yield variant


def _cheaper(ref: str, baseline: VariantReport) -> tuple[Cheaper, ...]:
    tokens = baseline.tokens
    if tokens.input_mean is None or tokens.output_mean is None:
        return ()
    room = int(2 * tokens.input_mean) + baseline.settings.max_output_tokens
    return cheaper_models(ref, input=tokens.input_mean, output=tokens.output_mean, longest=room)


def _suggestion(
    target: str,
    cheaper: Cheaper,
    baseline: VariantReport,
    outlook: Outlook,
    across: Across | None,
    refs: Mapping[str, str],
) -> Suggestion:
    anew = [
        Part(
            requests=part.requests,
            certain=part.certain,
            input_mean=part.input_mean,
            output_most=part.output_most,
        )
        for part in outlook.parts
    ]
    length = Lengths(mean=baseline.tokens.output_mean)
    return Suggestion(
        target=target,
        model=cheaper.model,
        usd_per_1k=cheaper.usd_per_1k,
        ratio=cheaper.ratio,
        trial=forecast(cheaper.model, anew, length, cheaper.price) if anew else None,
        measured=_measured(cheaper.model, across, refs),
    )


def _measured(model: str, across: Across | None, refs: Mapping[str, str]) -> str | None:
    """Say what this run found of a model, where it is one of its targets."""
    names = [name for name, ref in refs.items() if ref == model]
    if across is None or not names:
        return None
    best = next((row for row in across.rows if row.name == across.best), None)
    if best is not None and best.target in names:
        return across.reason
    own = [row for row in across.rows if row.target in names and row.cascade is None]
    holding = [row for row in own if row.verdict in HOLDING]
    cheapest = sorted(holding, key=lambda row: row.usd_per_1k or Decimal("Infinity"))
    for row in cheapest or [row for row in own if row.variant == "baseline"]:
        return f"{row.name}: {row.verdict}, against the baseline of {across.baseline}"
    return None
