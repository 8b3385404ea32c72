"""Cheaper models of the same provider, in words and as commands."""

import shlex
from collections.abc import Sequence

from ..core.report import PromptReport, Report, Suggestion
from .numbers import count, usd
from .safe import clean


def suggestion_line(found: Suggestion) -> str:
    """Say what a cheaper model would cost, and what it takes to try it.

    Example:
        >>> from decimal import Decimal
        >>> suggestion_line(Suggestion(target="openai:gpt-5.5", model="openai:gpt-5-mini",
        ...                            usd_per_1k=Decimal("0.45"), ratio=0.053))
        'openai:gpt-5-mini: $0.4500 per 1,000 requests, 1/19 of openai:gpt-5.5 (estimated)'
    """
    cost = f"{usd(found.usd_per_1k)} per 1,000 requests, {_part(found.ratio)} of"
    line = f"{clean(found.model, 80)}: {cost} {clean(found.target, 60)} (estimated)"
    if found.measured is not None:
        return f"{line}; measured: {clean(found.measured, 300)}"
    trial = found.trial
    if trial is None or trial.usd_low is None or trial.usd_high is None:
        return line
    low, high = count(trial.requests.low), count(trial.requests.high)
    asked = high if low == high else f"{low} to {high}"
    return (
        f"{line}; trying it: about {asked} requests, {usd(trial.usd_low)} to {usd(trial.usd_high)}"
    )


def _part(ratio: float) -> str:
    return f"1/{1 / ratio:.0f}" if ratio <= 0.5 else f"{100 * ratio:.0f} %"


def suggestion_lines(prompt: PromptReport) -> list[str]:
    """Return a line for each suggestion of a prompt."""
    return [suggestion_line(found) for found in prompt.suggestions]


def trial_command(report: Report, run: str) -> str | None:
    """Return the command that tries the suggestions beside what was measured; ``None``: no need."""
    new = [s.model for p in report.prompts for s in p.suggestions if s.measured is None]
    if not new:
        return None
    names = dict.fromkeys([*(target.name for target in report.targets), *new])
    words = _without(shlex.split(run))
    for name in names:
        words += ["--target", name]
    return clean(shlex.join(words))


def _without(words: Sequence[str]) -> list[str]:
    """Return a command's words without its targets and the wish for suggestions."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word in ("--target", "-t"):
            skip = not skip
        elif word != "--suggest-targets" and not word.startswith("--target="):
            kept.append(word)
    return kept
