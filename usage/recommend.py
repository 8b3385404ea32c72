"""What to do first: savings of the log ranked by money, each with the command that proves it."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .whatif import (
    batch,
    exact_cache,
    other_model,
    output_cap,
    prefix_cache,
    prompt_variant,
    semantic_cache,
)
from .whatif.saving import Evidence, FeatureSaving, Saving, WhatIf

Effort = Literal["low", "medium", "high"]
Risk = Literal["low", "medium", "high"]

_LEAST_USD = Decimal("0.01")

EFFORT: Mapping[Effort, str] = {
    "low": "a setting of the requests, or another text of the prompt",
    "medium": "code around the requests, or answers to be measured first",
    "high": "another way of working: ask now, collect later",
}
"""What the words mean."""

RISK: Mapping[Risk, str] = {
    "low": "answers stay what they are",
    "medium": "some answers change: they are cut, or an earlier one is given again",
    "high": "answers change, and how good they are is unknown",
}
"""What the words mean."""

_EFFORT: Mapping[str, Effort] = {
    prefix_cache.LEVER: "low",
    output_cap.LEVER: "low",
    prompt_variant.LEVER: "low",
    exact_cache.LEVER: "medium",
    semantic_cache.LEVER: "medium",
    other_model.LEVER: "medium",
    batch.LEVER: "high",
}
_RISK: Mapping[str, Risk] = {
    prefix_cache.LEVER: "low",
    batch.LEVER: "low",
    exact_cache.LEVER: "medium",
    output_cap.LEVER: "medium",
    other_model.LEVER: "high",
    prompt_variant.LEVER: "high",
    semantic_cache.LEVER: "high",
}
_SHOWN: Mapping[str, Risk] = {
    other_model.LEVER: "low",
    prompt_variant.LEVER: "low",
    semantic_cache.LEVER: "medium",
}
"""What the risk of a lever falls to once it is shown that its answers hold."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One thing to do in one feature.

    Attributes:
        lever: ``exact-cache``, ``semantic-cache``, ``prefix-cache``, ``prompt-variant``,
            ``batch``, ``output-cap`` or ``other-model``.
        feature: Where; ``None``: requests that name no feature.
        usd_per_month: What it saves a month if it is the only thing that is done.
        low: A lower bound of that; ``None`` where the log is too short for one.
        high: An upper bound.
        added_usd_per_month: What it saves on top of the levers that stand before it in the order of
            replay; ``None`` where nothing.
        share: The saving as a part of what the feature costs.
        requests: Requests of the period that it touches.
        effort: See `EFFORT`.
        risk: See `RISK`.
        evidence: What the numbers rest on.
        detail: What is done, and on what grounds.
        notes: What is to be known before counting on it.
        command: The command that proves it.
    """

    lever: str
    feature: str | None
    usd_per_month: Decimal
    low: Decimal | None
    high: Decimal | None
    added_usd_per_month: Decimal | None
    share: float | None
    requests: int
    effort: Effort
    risk: Risk
    evidence: Evidence
    detail: str
    notes: tuple[str, ...]
    command: str


def recommend(
    found: WhatIf,
    *,
    paths: Mapping[str, Sequence[str]] | None = None,
    least: Decimal = _LEAST_USD,
) -> tuple[Recommendation, ...]:
    """Return what to do first: the largest saving a month first.

    Args:
        found: What the levers would have saved.
        paths: The prompts of a feature, where they are known; else the commands look in the current
            folder.
        least: Leave out what saves less than this many USD a month.
    """
    ranked = [
        _one(saving, feature, found, (paths or {}).get(feature.feature or "", (".",)))
        for saving in found.alone
        for feature in saving.features
        if feature.month.usd is not None and feature.month.usd >= least
    ]
    return tuple(sorted(ranked, key=lambda one: (-one.usd_per_month, one.lever, str(one.feature))))


def _one(
    saving: Saving, feature: FeatureSaving, found: WhatIf, paths: Sequence[str]
) -> Recommendation:
    certain = bool(feature.certain_usd)
    lever = saving.lever
    return Recommendation(
        lever=lever,
        feature=feature.feature,
        usd_per_month=feature.month.usd or Decimal(0),
        low=feature.month.low,
        high=feature.month.high,
        added_usd_per_month=_added(found.combined, lever, feature.feature),
        share=feature.share,
        requests=feature.requests,
        effort=_EFFORT[lever],
        risk=_SHOWN.get(lever, _RISK[lever]) if certain else _RISK[lever],
        evidence=_evidence(saving, feature),
        detail=feature.detail or saving.setting,
        notes=saving.notes,
        command=_command(lever, feature, feature.paths or paths),
    )


def _evidence(saving: Saving, feature: FeatureSaving) -> Evidence:
    """Return what the numbers of one feature rest on: others may rest on more."""
    if saving.lever in _SHOWN or feature.certain_usd != feature.usd:
        return "estimated"
    return "replayed"


def _added(steps: Iterable[Saving], lever: str, feature: str | None) -> Decimal | None:
    for step in steps:
        for one in step.features if step.lever == lever else ():
            if one.feature == feature:
                return one.month.usd
    return None


def _command(lever: str, feature: FeatureSaving, paths: Sequence[str]) -> str:
    """Return the command that shows whether a saving holds on one's own prompts."""
    # A report that somebody else saved may name a file like an option, such as --write.
    files = (f"./{path}" if path.startswith("-") else path for path in paths)
    return shlex.join(["costopt", "analyze", *files, *_options(lever, feature)])


def _options(lever: str, feature: FeatureSaving) -> Iterator[str]:
    for ref in feature.now[:1]:
        yield from ("--target", ref)
    if lever == other_model.LEVER and feature.to is not None:
        yield from ("--target", feature.to)
    elif lever == prompt_variant.LEVER:
        for chain in feature.strategies:
            yield from ("--strategy", chain)
    elif lever in (exact_cache.LEVER, semantic_cache.LEVER):
        # Whether an answer may stand for another one: how much they differ from draw to draw.
        yield from ("--repeats", "3")
    elif lever == prefix_cache.LEVER:
        yield "--static"
    elif lever == batch.LEVER:
        yield "--batch"
    elif lever == output_cap.LEVER:
        cut = (100 - output_cap.PERCENT) / 100
        yield from ("--strategy", f"max-tokens:truncation={cut:g}")
