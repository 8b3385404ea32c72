"""What stands behind the verdicts of a report: the target's noise, and the audit of a judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class NoiseFloor:
    """The same prompt drawn twice at one target: what a difference of nothing looks like.

    Attributes:
        target: The target.
        metric: What scored both draws.
        mean_difference: The mean of the rows' differences without their signs, in its unit.
        mean: The mean of the differences; 0 but for the noise.
        low: One-sided bounds of that mean at 95 % each.
        high: Likewise.
        n: Rows that both draws have a score on.
        margin: The largest loss that counts as none.
        reaches_margin: Whether these bounds, of no difference at all, reach beyond the margin.
        repeats: How often each variant was drawn on each row.
        same_answers: Whether both draws said the same on every row; ``None`` where nothing was
            generated.
        note: Why it was drawn less often than was asked for.
    """

    target: str
    metric: str
    mean_difference: float
    mean: float
    low: float
    high: float
    n: int
    margin: float
    reaches_margin: bool
    repeats: int = 1
    same_answers: bool | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How often a judge failed one probe of its audit.

    Attributes:
        failed: Pairs on which it failed.
        n: Pairs that it gave a verdict on.
        unreadable: Pairs on which it gave none that could be read.
        low: One-sided bounds of the share that fails, at 95 % each; ``None`` where ``n`` is 0.
        high: Likewise.
        limit: The share that is allowed; ``low`` above it makes the judge unfit.
    """

    failed: int
    n: int
    unreadable: int
    low: float | None
    high: float | None
    limit: float


@dataclass(frozen=True, kw_only=True)
class JudgeReport:
    """The judge of one prompt's answers at one target; its money is in no variant's cost.

    Attributes:
        target: The target whose answers it judged.
        judge: The target that judged.
        model: The judge's model.
        fit: Whether its verdicts count; ``None`` where it was not audited to the end.
        reason: Why not, in a sentence.
        audit: By probe: ``null``, ``swap``, ``padding``, ``hollow``.
        pairs: Pairs of answers that were judged outside of the audit, without those that are the
            same text, for which nobody is asked.
        position_dependent: Those of them on which the order turned the verdict: they are ties.
        unreadable: Pairs on which it gave no verdict that could be read: they have no score.
        usd: What all its answers cost, those stored before this run too; ``None`` is unknown.
        requests: How many answers these are.
        input_tokens: Of them.
        output_tokens: Of them.
        notes: What else is to be known of it.
    """

    target: str
    judge: str
    model: str
    fit: bool | None
    reason: str | None
    audit: Mapping[str, Probe]
    pairs: int
    position_dependent: int
    unreadable: int
    usd: Decimal | None
    requests: int
    input_tokens: int
    output_tokens: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SpentOnJudge:
    """The part of what a run spent that went to its judge."""

    judge: str
    usd: Decimal
    requests: int
    cached_answers: int
    input_tokens: int
    output_tokens: int
