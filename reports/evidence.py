"""The noise of a target and the audit of a judge, in sentences."""

from ..core.evidence import JudgeReport, NoiseFloor, Probe, SpentOnJudge
from ..core.report import PromptReport
from .numbers import count, interval, quality, unit, usd
from .safe import clean

_PROBES = {
    "null": "the same answer twice is no tie",
    "swap": "the order turns it",
    "padding": "it likes padding",
    "hollow": "it likes hollow text",
}


def evidence_lines(prompt: PromptReport, target: str) -> list[str]:
    """Return what is to be said of a target's noise and of its judge."""
    lines = [noise_line(one) for one in prompt.noise if one.target == target]
    return [*lines, *(line for j in prompt.judge if j.target == target for line in judge_lines(j))]


def noise_line(found: NoiseFloor) -> str:
    """Say how far two draws of the same prompt differ.

    Example:
        >>> noise_line(NoiseFloor(target="t", metric="accuracy", mean_difference=0.125, mean=0.0,
        ...                       low=-0.3, high=0.3, n=8, margin=0.05, reaches_margin=True))[:76]
        'noise floor: two draws of the same prompt differ by 12.5 pt on average, mean'
    """
    rows = f"{count(found.n)} rows"
    end = f"; each drawn {found.repeats} times" if found.repeats > 1 else ""
    if found.note is not None:
        end = f"; drawn once: {clean(found.note, 200)}, so that repeats are of no use"
    if found.same_answers:
        return f"noise floor: two draws of the same prompt said the same on all {rows}{end}"
    mean = quality(found.metric, found.mean, sign=True)
    line = (
        f"noise floor: two draws of the same prompt differ by {_amount(found)} on average, mean "
        f"{mean} {interval(found.metric, found.low, found.high)} on {rows}{end}"
    )
    if not found.reaches_margin:
        return line
    margin = quality(found.metric, found.margin)
    return (
        f"{line}; on so many rows noise alone reaches beyond the margin of {margin}: more rows "
        "(--samples) or more draws of each (--repeats) narrow it"
    )


def _amount(found: NoiseFloor) -> str:
    return f"{quality(found.metric, found.mean_difference)} {unit(found.metric)}".rstrip()


def judge_lines(found: JudgeReport) -> list[str]:
    """Say who judged, what its audit found, and what it cost."""
    who = f"judge {clean(found.judge, 60)}"
    model = f" ({clean(found.model, 80)})" if found.model != found.judge else ""
    lines = [f"{who}{model}: {_pairs(found)}; {_cost(found)}, apart from the cost of any variant"]
    if found.audit:
        said = ", ".join(
            f"{_PROBES.get(name, clean(name, 40))} {_share(probe)}"
            for name, probe in found.audit.items()
        )
        lines.append(f"{who} was audited: {said}")
    if not found.fit:
        reason = clean(found.reason or "it was not audited", 500)
        lines.append(f"{who} is not fit, so that nothing it says shows a variant to hold: {reason}")
    return [*lines, *(f"{who}: {clean(note, 200)}" for note in found.notes)]


def _pairs(found: JudgeReport) -> str:
    turned = f"on {count(found.position_dependent)} the order turned the verdict, a tie"
    failed = f", {count(found.unreadable)} could not be read" if found.unreadable else ""
    return f"{count(found.pairs)} pairs of answers in both orders, {turned}{failed}"


def _cost(found: JudgeReport) -> str:
    money = "money unknown" if found.usd is None else usd(found.usd)
    return (
        f"{money}, {count(found.requests)} answers of {count(found.input_tokens)} input and "
        f"{count(found.output_tokens)} output tokens"
    )


def _share(probe: Probe) -> str:
    missing = f", {probe.unreadable} unreadable" if probe.unreadable else ""
    if probe.low is None or probe.high is None:
        return f"(not tried{missing})"
    bounds = f"[{100 * probe.low:.0f} %, {100 * probe.high:.0f} %]"
    return f"{probe.failed} of {probe.n} {bounds}{missing}"


def spent_on_judge(found: SpentOnJudge) -> str:
    """Say which part of what a run spent went to its judge."""
    return (
        f"of which judge {clean(found.judge, 60)}: {usd(found.usd)} · "
        f"{count(found.requests)} live requests · {count(found.cached_answers)} cached answers · "
        f"{count(found.input_tokens)} input, {count(found.output_tokens)} output tokens"
    )
