"""What each gate and each finding means, in a sentence or two, for readers without costopt."""

from dataclasses import dataclass

from ...core.report import Finding
from ..safe import clean


@dataclass(frozen=True)
class RuleText:
    """A rule as code scanning shows it."""

    id: str
    name: str
    summary: str
    help: str
    is_finding: bool = False


_LIMIT = (
    "The limit is that of the base branch's configuration; a pull request cannot raise its own."
)
_GATES = {
    "max_input_tokens": ("A request reads more tokens than its budget.", _LIMIT),
    "max_output_tokens": ("An answer is longer than its budget.", _LIMIT),
    "max_usd_per_1k": ("1,000 requests cost more than their budget.", _LIMIT),
    "max_usd_per_month": ("A month of calls costs more than its budget.", _LIMIT),
    "max_growth": ("A prompt grew by more than it may.", _LIMIT),
    "max_latency_p95_s": ("95 of 100 answers take longer than they may.", _LIMIT),
    "min_quality": ("Quality is below what the prompt has to reach.", _LIMIT),
    "quality": (
        "Quality is not shown to hold.",
        "Base and head are asked on the same rows of the base's eval set. Worse means that the "
        "upper bound of the difference is below the margin; with too few rows neither is shown, "
        "and more rows decide it.",
    ),
    "finding": (
        "A finding is new that the configuration forbids.",
        "The codes are those of fail_on in the base branch's configuration. "
        "costopt explain CODE says what a finding means and how to silence it.",
    ),
    "lock": (
        "A prompt does not agree with costopt.lock.",
        "It grew, or it got cheaper and that was not banked: costopt check --update-lock writes "
        "what it costs now.",
    ),
    "feature": ("The prompts of a feature cost more a month than it may.", _LIMIT),
    "readable": (
        "A file that a check needs cannot be read.",
        "What cannot be read cannot be checked, so this says no.",
    ),
}  # fmt: skip


def of_gate(gate: str) -> RuleText:
    """Return the text of a gate; one that is not known is named only.

    Example:
        >>> of_gate("max_growth").summary
        'A prompt grew by more than it may.'
    """
    name = clean(gate, 60) or "gate"
    summary, more = _GATES.get(name, (f"The gate {name} says no.", _LIMIT))
    words = "".join(part.capitalize() for part in name.split("_"))
    return RuleText(name, words, summary, f"{summary} {more}")


def of_finding(item: Finding) -> RuleText:
    """Return the text of a finding's code."""
    from ...evals.rules import rule

    code, name = clean(item.code, 20) or "finding", clean(item.name, 60) or "finding"
    found = rule(code)
    summary = f"{found.summary[:1].upper()}{found.summary[1:]}." if found else _saves(name)
    why = f" {found.why}" if found else ""
    more = f"costopt explain {code} says more."
    return RuleText(code, name, summary, f"{summary}{why} {more}", is_finding=True)


def _saves(name: str) -> str:
    return f"The strategy {name} would save tokens here."
