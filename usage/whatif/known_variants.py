"""What saved reports of `analyze` say of shorter versions of the prompts that a log names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...core.report import PromptReport, Report, VariantReport
from ...core.types import HOLDING, StrategySpec
from .known_quality import measured_words, models_of

PARTS = 1_000_000
"""Shares of tokens are kept in millionths, so that a log is replayed in whole numbers."""


@dataclass(frozen=True, kw_only=True)
class KnownVariant:
    """A version of a prompt with what a stored run says of it at one model.

    Attributes:
        prompt: The prompt's name.
        path: Its file, as the report names it.
        model: Who was asked in that run, as ``provider:model`` where that is known.
        priced_as: Whose prices stood for that model's; ``None`` where its own did.
        name: The variant's name.
        strategies: Its chain, as the command line takes it.
        input_kept: Input tokens with it of a million without it.
        input_change: Tokens that a request's input changes by, where the change is in the
            template and so the same for every request; ``None`` where values are shortened.
        output_kept: Output tokens with it of a million without it; a million where unknown.
        holds: Whether it was shown to be no worse, and is what the run recommends.
        words: What it does and how good it was shown to be, as a part of a sentence.
    """

    prompt: str
    path: str
    model: str
    priced_as: str | None
    name: str
    strategies: str
    input_kept: int
    input_change: int | None
    output_kept: int
    holds: bool
    words: str


def known_variants(*reports: Report) -> tuple[KnownVariant, ...]:
    """Return the version to use of each prompt at each model: what the run recommends.

    Where it recommends the prompt as it is, it is the cheapest version that holds; the words say
    so, and it does not count as shown. Of several reports of a prompt at a model the last stands.

    Args:
        reports: Saved reports.
    """
    found: dict[tuple[str, str], KnownVariant] = {}
    for report in reports:
        for one in _of_report(report):
            found[one.prompt, one.model] = one
    return tuple(found.values())


def _of_report(report: Report) -> Iterator[KnownVariant]:
    models = models_of(report)
    priced = {target.name: target.priced_as for target in report.targets}
    for prompt in report.prompts:
        for target in report.targets:
            own = [one for one in prompt.variants if one.target == target.name]
            chosen = _recommended(prompt, own) or _cheapest(own)
            if chosen is not None:
                yield _known(prompt, own[0], chosen, models[target.name], priced[target.name])


def _recommended(prompt: PromptReport, own: Sequence[VariantReport]) -> VariantReport | None:
    names = {(one.target, one.variant) for one in prompt.recommended}
    return next((one for one in own[1:] if (one.target, one.name) in names and _counted(one)), None)


def _cheapest(own: Sequence[VariantReport]) -> VariantReport | None:
    """Return the cheapest version that holds, by money where its money is known."""
    holding = [
        one
        for one in own[1:]
        if one.verdict in HOLDING and not one.control and one.rejected is None and _counted(one)
    ]
    return min(holding, key=_cost, default=None)


def _counted(one: VariantReport) -> bool:
    return one.delta is not None and one.delta.input_tokens is not None


def _cost(one: VariantReport) -> float:
    """What it costs, as a fraction of the baseline; its input where there is no money."""
    delta = one.delta
    found = (delta.usd_per_1k, delta.input_tokens) if delta is not None else ()
    return next((change for change in found if change is not None), 0.0)


def _known(
    prompt: PromptReport,
    baseline: VariantReport,
    chosen: VariantReport,
    model: str,
    priced_as: str | None,
) -> KnownVariant:
    delta = chosen.delta
    less_input = (delta.input_tokens if delta else None) or 0.0
    less_output = delta.output_tokens if delta else None
    recommended = any(
        (one.target, one.variant) == (chosen.target, chosen.name) for one in prompt.recommended
    )
    return KnownVariant(
        prompt=prompt.name,
        path=prompt.path,
        model=model,
        priced_as=None if priced_as == model else priced_as,
        name=chosen.name,
        strategies="+".join(str(StrategySpec(s.name, s.params)) for s in chosen.strategies),
        input_kept=_kept(less_input),
        input_change=_change(baseline, chosen, less_input),
        output_kept=_kept(less_output or 0.0),
        holds=recommended and chosen.verdict in HOLDING,
        words=_words(chosen, less_output, recommended=recommended),
    )


def _kept(change: float) -> int:
    return max(round((1 + change) * PARTS), 0)


def _change(baseline: VariantReport, chosen: VariantReport, share: float) -> int | None:
    """Return by how many tokens every request's input changes; ``None`` where that differs."""
    if chosen.runtime is not None:
        return None
    mean = baseline.tokens.input_mean
    if mean is None:
        return chosen.tokens.template - baseline.tokens.template
    return round(share * mean)


def _words(chosen: VariantReport, less_output: float | None, *, recommended: bool) -> str:
    delta = chosen.delta
    less_input = (delta.input_tokens if delta else None) or 0.0
    output = "unknown" if less_output is None else f"{less_output * 100:+.1f} %"
    quality = delta.quality if delta is not None else None
    metric = chosen.quality.metric if chosen.quality is not None else None
    said = measured_words(chosen.verdict, metric, quality)
    as_it_is = "" if recommended else "; the run recommends the prompt as it is"
    return f"input {less_input * 100:+.1f} %, output {output} on the eval set; {said}{as_it_is}"
