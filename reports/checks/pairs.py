"""Base beside head: a changed prompt at a target, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ...core.checked import BASE, HEAD, CheckReport, PromptChange
from ...core.report import PromptReport, QualityDelta, TargetInfo, VariantReport
from ..facts import at_target

_VERDICTS = {"worse": 0, "not enough data": 1, "not measured": 2}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The two versions of a prompt at one target.

    ``base`` is ``None`` where the prompt was added; ``head`` is its own text then.
    """

    change: PromptChange
    prompt: PromptReport
    target: TargetInfo
    base: VariantReport | None
    head: VariantReport

    @property
    def quality(self) -> QualityDelta | None:
        """What the change does to quality; ``None`` where it was not measured."""
        return self.head.delta.quality if self.head.delta else None

    @property
    def metric(self) -> str:
        """The metric that quality was judged by; empty where it was not."""
        return self.head.quality.metric if self.head.quality else ""

    @property
    def comparable(self) -> bool:
        """Whether both costs are of the same: of input alone, or of answers too."""
        if self.base is None:
            return True
        return (self.base.cost.evidence == "list") == (self.head.cost.evidence == "list")

    @property
    def monthly(self) -> Decimal | None:
        """USD a month that merging adds; all of a new prompt's. ``None`` where not known."""
        after = self.head.cost.usd_per_month
        before = self.base.cost.usd_per_month if self.base else Decimal(0)
        return self._added(before, after)

    @property
    def per_1k(self) -> Decimal | None:
        """USD per 1,000 requests that merging adds; ``None`` where not known or it is new."""
        before = self.base.cost.usd_per_1k if self.base else None
        return self._added(before, self.head.cost.usd_per_1k)

    def _added(self, before: Decimal | None, after: Decimal | None) -> Decimal | None:
        if before is None or after is None or not self.comparable:
            return None
        return after - before

    @property
    def growth(self) -> float | None:
        """The change of the cost as a fraction; ``None`` where not known or it is new."""
        before = self.base.cost.usd_per_1k if self.base else None
        added = self.per_1k
        return float(added / before) if before and added is not None else None

    @property
    def same(self) -> bool:
        """Whether it costs and says the same as before, as far as is known."""
        if self.base is None:
            return False
        tokens = self.base.tokens == self.head.tokens
        return tokens and self.base.cost == self.head.cost and self.base.messages == (
            self.head.messages
        )  # fmt: skip


def pairs(check: CheckReport) -> tuple[Pair, ...]:
    """Return every changed prompt at every target, the worst prompt first."""
    found = {(prompt.name, prompt.path): prompt for prompt in check.report.prompts}
    groups = [
        group
        for change in check.changes
        if (prompt := found.get((change.name, change.path))) is not None
        if (group := tuple(_of(check, change, prompt)))
    ]
    says_no = {gate.prompt for gate in check.gates if gate.outcome == "failed"}
    unsure = {gate.prompt for gate in check.gates if gate.outcome == "inconclusive"}
    groups.sort(key=lambda group: _rank(group, says_no, unsure))
    return tuple(pair for group in groups for pair in group)


def _of(check: CheckReport, change: PromptChange, prompt: PromptReport) -> Iterator[Pair]:
    for target in check.report.targets:
        variants = {variant.name: variant for variant in at_target(prompt, target.name)}
        base, head = variants.get(BASE), variants.get(HEAD)
        if head is not None:
            yield Pair(change=change, prompt=prompt, target=target, base=base, head=head)
        elif base is not None:
            yield Pair(change=change, prompt=prompt, target=target, base=None, head=base)


def _rank(
    group: tuple[Pair, ...], says_no: set[str | None], unsure: set[str | None]
) -> tuple[int, int, Decimal, float, str]:
    """Order prompts: refused, undecided, worse, then by money a month and by growth."""
    name = group[0].change.name
    gate = 0 if name in says_no else 1 if name in unsure else 2
    verdict = min(_VERDICTS.get(pair.head.verdict, 3) for pair in group)
    monthly = max((pair.monthly or Decimal(0) for pair in group), default=Decimal(0))
    growth = max((pair.growth or 0.0 for pair in group), default=0.0)
    return gate, verdict, -monthly, -growth, name
