"""What gates are about: a changed prompt with its numbers at base and head."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..core.checked import BASE, HEAD, Depth
from ..core.config import BUDGETS
from ..core.configured import Config, PromptRule
from ..core.report import Finding, PromptReport, VariantReport
from .changes import Change


@dataclass(frozen=True, kw_only=True)
class Sides:
    """A prompt at one target: the base's version, ``None`` for an added prompt, and the head's."""

    target: str
    base: VariantReport | None
    head: VariantReport


@dataclass(frozen=True, kw_only=True)
class Case:
    """A changed prompt that the head still has.

    Attributes:
        change: What changed.
        report: Its numbers.
        counted: The same where nobody was asked: tokens that are the same on every machine.
        base_findings: The findings of the base's version.
        rule: What the base's configuration says of it.
        depth: How deep the check looked.
        partial: Whether the run ended before all was asked.
    """

    change: Change
    report: PromptReport
    counted: PromptReport
    base_findings: tuple[Finding, ...]
    rule: PromptRule
    depth: Depth
    partial: bool = False

    @property
    def sides(self) -> tuple[Sides, ...]:
        """Both versions, target by target."""
        return tuple(sides_of(self.report))

    @property
    def unfilled(self) -> bool:
        """Whether the base has rows and they do not fill the head's version.

        A change that asks for another variable must not thereby pass what rows would decide.
        """
        base = self.change.base
        had = base is not None and bool(base.rows or base.prompt.template.inline_samples)
        return had and self.report.eval_set is None

    @property
    def new_findings(self) -> tuple[Finding, ...]:
        """Findings that the base does not have."""
        return surplus(self.counted.findings, self.base_findings)

    @property
    def gone_findings(self) -> tuple[Finding, ...]:
        """Findings that only the base has."""
        return surplus(self.base_findings, self.counted.findings)


def sides_of(report: PromptReport) -> Iterator[Sides]:
    """Yield both versions of a prompt, target by target."""
    for base in (variant for variant in report.variants if variant.name == BASE):
        head = next(
            (v for v in report.variants if v.target == base.target and v.name == HEAD), None
        )
        yield Sides(target=base.target, base=base if head else None, head=head or base)


def surplus(found: tuple[Finding, ...], others: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that have no counterpart among others: of the same code and words first.

    Lines move and texts change, so that beyond that the number of each code is what tells.

    Example:
        >>> def one(message): return Finding(code="CO1", name="x", line=1, column=1,
        ...                                  message=message, tokens=0)
        >>> [f.message for f in surplus((one("a"), one("b"), one("c")), (one("b"), one("d")))]
        ['c']
    """
    left = list(others)
    unmatched: list[Finding] = []
    for one in found:
        twin = next((o for o in left if (o.code, o.message) == (one.code, one.message)), None)
        if twin is None:
            unmatched.append(one)
        else:
            left.remove(twin)
    new: list[Finding] = []
    for one in unmatched:
        twin = next((o for o in left if o.code == one.code), None)
        if twin is None:
            new.append(one)
        else:
            left.remove(twin)
    return tuple(new)


def rule_of(config: Config, change: Change) -> PromptRule:
    """Return what is configured of a prompt; of one that moved, the stricter of each budget.

    Else a prompt would leave its budget behind by moving to another folder.
    """
    path = change.old_path or change.path
    rule = config.rule_for(path)
    if path == change.path:
        return rule
    other = config.rule_for(change.path)
    values = {name: _stricter(name, rule, other) for name in BUDGETS}
    return replace(rule, **values)


def _stricter(name: str, one: PromptRule, other: PromptRule) -> object:
    known = [value for value in (getattr(one, name), getattr(other, name)) if value is not None]
    if not known:
        return None
    return max(known) if name.startswith("min_") else min(known)
