"""The verdict of a check in sentences: what a reader wants to know in five seconds."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ...core.checked import CheckReport
from ...core.report import TargetInfo
from ...core.types import HOLDING
from ..numbers import count, percent, usd
from ..safe import clean
from .pairs import Pair

State = Literal["passed", "failed", "inconclusive"]

WORDS = {"failed": "Failed", "inconclusive": "Undecided", "passed": "Passed"}
_GATES = {
    "failed": ("gate says no", "gates say no"),
    "inconclusive": ("gate lacks data", "gates lack data"),
    "passed": ("gate passed", "gates passed"),
    "skipped": ("gate skipped", "gates skipped"),
}
_UNSURE = "not enough data"
_WEAKEST = ("estimated", "replayed", "measured")
DEPTHS = {
    "static": "texts were counted and searched, no model was asked and no answer read",
    "replay": "only stored answers were looked for, no model was asked",
    "measured": "models were asked",
}


def state(check: CheckReport) -> State:
    """Return what the check comes to; lacking data that was allowed passes."""
    if any(gate.outcome == "failed" for gate in check.gates):
        return "failed"
    return "inconclusive" if check.exit == 3 else "passed"


def headline(check: CheckReport, found: Sequence[Pair]) -> str:
    """Say the verdict in one line: what merging does to money and quality.

    Every word of it is costopt's own.
    """
    return f"{WORDS[state(check)]}: {consequence(check, found)}"


def gates_line(check: CheckReport) -> str:
    """Say how many gates say no, lack data, were skipped and passed."""
    if not check.gates:
        return "no gate is configured, so nothing can say no" if check.changes else "no gate to ask"
    numbers = {kind: sum(g.outcome == kind for g in check.gates) for kind in _GATES}
    told = [counted(many, *_GATES[kind]) for kind, many in numbers.items() if many]
    allowed = ", which stops nothing here" if numbers["inconclusive"] and not check.exit else ""
    return ", ".join(told) + allowed


def consequence(check: CheckReport, found: Sequence[Pair]) -> str:
    """Say what merging does to money and quality.

    Only the first target's money is named: a call a month is made at one of them.
    """
    if not check.changes:
        return _unchanged(check)
    if not found:
        if any(change.status != "deleted" for change in check.changes):
            return "nothing that changed could be analysed"
        if state(check) == "failed":
            return "prompts were only deleted, and a gate says no to that"
        return "prompts were only deleted, nothing is left to measure"
    verdicts = _verdicts(check, found)
    return f"{_money(check, found)}{_join(verdicts)}{_quality(verdicts)}"


def _unchanged(check: CheckReport) -> str:
    if any(gate.gate == "readable" and not gate.passed for gate in check.gates):
        return "what changed cannot be read"
    return "no prompt changed" if check.unchanged else "no prompt was found"


def _join(verdicts: Sequence[str]) -> str:
    return " but " if {"worse", _UNSURE} & {*verdicts} else " and "


@dataclass(frozen=True, kw_only=True)
class Monthly:
    """What merging adds a month at one target, over the prompts of which it is known."""

    usd: Decimal
    known: int
    prompts: int
    evidence: str


def monthly(found: Sequence[Pair], target: TargetInfo) -> Monthly | None:
    """Add up the money a month at a target; ``None`` where it is known of no prompt."""
    here = [pair for pair in found if pair.target.name == target.name]
    known = [pair for pair in here if pair.monthly is not None]
    if not known:
        return None
    return Monthly(
        usd=sum((pair.monthly or Decimal(0) for pair in known), Decimal(0)),
        known=len(known),
        prompts=len(here),
        evidence=evidence(known),
    )


def evidence(found: Sequence[Pair]) -> str:
    """Return the weakest evidence that the money of some pairs rests on.

    What costs the same as before, for which nobody was asked, adds nothing and does not weaken it.
    """
    telling = [pair for pair in found if not pair.same] or found
    kinds = {pair.head.cost.evidence for pair in telling}
    stood_in = any(pair.target.priced_as for pair in telling)
    if "list" in kinds:
        return f"input alone, {'estimated' if stood_in else 'at list price'}"
    kinds |= {"estimated"} if stood_in else set()
    return next((word for word in _WEAKEST if word in kinds), "estimated")


def _first_known(check: CheckReport, found: Sequence[Pair]) -> tuple[int, Monthly] | None:
    """Return the first target at which money a month is known: one call is made at one of them."""
    for index, target in enumerate(check.report.targets):
        month = monthly(found, target)
        if month is not None:
            return index, month
    return None


def _money(check: CheckReport, found: Sequence[Pair]) -> str:
    known = _first_known(check, found)
    return _without_calls(found) if known is None else f"merging {_monthly(known[1])}"


def money_note(check: CheckReport, found: Sequence[Pair]) -> str | None:
    """Say what the headline's money is of, where that is not all that changed."""
    known = _first_known(check, found)
    if known is None:
        return None
    index, month = known
    many, parts = len(check.report.targets), list[str]()
    if many > 1:
        which = f"target {index + 1} of {many}" if index else f"the first of {many} targets"
        parts.append(f"at {which}")
    if month.known < month.prompts:
        parts.append(f"of the {month.known} of {month.prompts} prompts of which it is known")
    if any(change.status == "deleted" for change in check.changes):
        parts.append("without deleted prompts")
    return f"the money is that {', '.join(parts)}" if parts else None


def _monthly(month: Monthly) -> str:
    if not month.usd:
        return f"costs the same a month ({month.evidence})"
    amount = usd(abs(month.usd))
    said = f"costs {amount} more" if month.usd > 0 else f"saves {amount}"
    return f"{said} a month ({month.evidence})"


def _without_calls(found: Sequence[Pair]) -> str:
    """Say the change of cost where calls a month are not known."""
    first = [pair for pair in found if pair.target == found[0].target]
    kind = evidence(first)
    if len(first) == 1:
        return _of_one(first[0], kind)
    new = sum(pair.base is None for pair in first)
    known = [pair.growth for pair in first if pair.growth is not None]
    if not known and not new:
        return "what it costs is not known"
    parts = (
        (sum(part > 0 for part in known), "dearer"),
        (sum(part < 0 for part in known), "cheaper"),
        (sum(part == 0 for part in known), "as dear as before"),
        (new, "new"),
        (len(first) - len(known) - new, "of unknown change"),
    )
    (many, word), *others = [(many, word) for many, word in parts if many]
    told = [f"{counted(many, 'prompt')} {word}", *(f"{many} {word}" for many, word in others)]
    return f"{', '.join(told)} ({kind})"


def _of_one(pair: Pair, kind: str) -> str:
    price = pair.head.cost.usd_per_1k
    if pair.base is None and price is not None:
        return f"a new prompt costs {usd(price)} for 1,000 requests ({kind})"
    if pair.growth is None:
        return "what it costs is not known"
    return f"a request costs {growth_words(pair.growth)} ({kind})"


def growth_words(part: float) -> str:
    """Say a change of cost.

    Example:
        >>> growth_words(0.09), growth_words(-0.2), growth_words(0.0)
        ('9.0 % more', '20.0 % less', 'the same')
        >>> growth_words(-0.0001)
        'less than 0.1 % less'
    """
    if not part:
        return "the same"
    size = percent(abs(part)) if abs(part) >= 0.0005 else f"less than {percent(0.001)}"
    return f"{size} {'more' if part > 0 else 'less'}"


def _verdicts(check: CheckReport, found: Sequence[Pair]) -> list[str]:
    """Return what each comparison came to, as its gate has it.

    Versions that ask for the same hold without having been measured, and where a metric does not
    see a prompt without its variables either, its verdict says nothing.
    """
    judged = {
        (gate.prompt, gate.path, gate.target): gate.outcome
        for gate in check.gates
        if gate.gate == "quality"
    }

    def of(pair: Pair) -> str:
        outcome = judged.get((pair.prompt.name, pair.prompt.path, pair.target.name))
        if outcome == "passed":
            return "holds"
        doubted = outcome == "inconclusive" and pair.head.verdict in HOLDING
        return _UNSURE if doubted else pair.head.verdict

    return [of(pair) for pair in found if pair.base is not None]


def _quality(verdicts: Sequence[str]) -> str:
    worse, unsure = verdicts.count("worse"), verdicts.count(_UNSURE)
    if worse:
        return f"quality is worse{_where(worse, verdicts)}"
    if unsure:
        return f"there is not enough data to say that quality holds{_where(unsure, verdicts)}"
    blind = verdicts.count("not measured")
    if blind == len(verdicts):
        return "quality is not measured"
    held = "quality holds"
    return f"{held} where it is measured" if blind else held


def _where(many: int, verdicts: Sequence[str]) -> str:
    return "" if len(verdicts) == 1 else f" in {many} of {len(verdicts)} comparisons"


def reproduce(check: CheckReport, command: str | None) -> str:
    """Return the command that finds the same, on one line."""
    if command is not None:
        return clean(command)
    static = " --static" if check.depth == "static" else ""
    return f"costopt check --base {shlex.quote(clean(check.base, 200))}{static}"


def counted(many: int, one: str, more: str | None = None) -> str:
    """Return a count with its noun.

    Example:
        >>> counted(1, "gate"), counted(1200, "gate"), counted(2, "gate says", "gates say")
        ('1 gate', '1,200 gates', '2 gates say')
    """
    return f"{count(many)} {one if many == 1 else more or one + 's'}"


def changed_line(check: CheckReport) -> str:
    """Count what changed by its kind: ``2 prompts changed (1 added, 1 deleted), 9 did not``."""
    kinds = ("modified", "renamed", "added", "deleted")
    numbers = {kind: sum(one.status == kind for one in check.changes) for kind in kinds}
    each = ", ".join(f"{many} {kind}" for kind, many in numbers.items() if many)
    if not check.changes:
        if not check.unchanged:
            return "there is no prompt that can be read"
        return f"{counted(check.unchanged, 'prompt is', 'prompts are')} as before"
    still = f", {count(check.unchanged)} did not" if check.unchanged else ""
    return f"{counted(len(check.changes), 'prompt')} changed ({each}){still}"


def unfilled_note(found: Sequence[Pair]) -> str | None:
    """Say what the input tokens are of, where no rows fill a prompt."""
    if all(pair.head.tokens.input_mean is not None for pair in found):
        return None
    return "input tokens are the template's own where no eval row fills it"
