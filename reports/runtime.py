"""What a variant does to values at run time, in words and as a program calls it."""

import json

from ..core.report import Runtime, StrategyInfo, VariantReport
from .numbers import about, count, took
from .safe import clean


def runtime_line(found: Runtime) -> str:
    """Say what shortening values takes and saves at run time, and where it makes requests faster.

    Example:
        >>> runtime_line(Runtime(tokens_before_mean=400, tokens_after_mean=100, seconds_mean=0.002,
        ...                      n=8, pays_below_tokens_per_s=150_000))[-64:]
        'in all at a target that reads fewer than 150,000 tokens a second'
    """
    before, after = count(found.tokens_before_mean), count(found.tokens_after_mean)
    line = (
        f"values shortened at run time from {before} to {after} tokens a request (mean of "
        f"{count(found.n)}), which takes {took(found.seconds_mean)} a request itself"
    )
    pays = found.pays_below_tokens_per_s
    if pays is None:
        return f"{line} and saves no tokens"
    return f"{line}; faster in all at a target that reads fewer than {about(pays)} tokens a second"


def program_lines(variant: VariantReport) -> list[str]:
    """Return how a program does what a variant does to values: no file can hold it."""
    return [
        f"costopt.compressors.get({', '.join(_call(used))})"
        f"({clean(str(used.params['on']), 60)}{_asked(used)})"
        for used in variant.strategies
        if variant.runtime is not None and used.params.get("on") is not None
    ]


def _call(used: StrategyInfo) -> list[str]:
    own = {key: value for key, value in used.params.items() if key not in ("on", "question")}
    return [json.dumps(used.name), *(f"{key}={clean(repr(own[key]), 60)}" for key in own)]


def _asked(used: StrategyInfo) -> str:
    question = used.params.get("question")
    return "" if question is None else f", question={clean(str(question), 60)}"
