"""Two logs' scores, paired by row: means, the difference with its bounds, McNemar's p-value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..core.errors import CostoptError, Where
from ..core.types import Score, Verdict
from .letters import begins_with_letter, by_letter, choices
from .mcnemar import mcnemar_p
from .mean_bounds import Mean, mean_bounds
from .metrics import Metric, get
from .metrics.base import Scale, TextScorer
from .result_log import LogRow, ResultLog
from .statistics import Bounds, paired_bounds, samples_needed, verdict

ALPHA = 0.05
"""Each bound is one-sided, and wrong with at most this probability."""
DEFAULT_MARGIN = 0.05

Scorer: TypeAlias = Callable[[LogRow], float | None]
Pairs: TypeAlias = Sequence[tuple[LogRow, LogRow]]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The answers of both sides under one way of scoring, on the rows that both have scored.

    Attributes:
        name: How it was scored.
        base: The first side's mean.
        head: The second side's.
        difference: Head minus base, paired; ``None`` where too few rows tell.
        gained: Rows right in head only; ``None`` where scores are not right-or-wrong.
        lost: Rows right in base only.
        p: McNemar's exact two-sided p-value.
        unscored: Pairs of which a side has no score.
    """

    name: str
    base: Mean
    head: Mean
    difference: Bounds | None
    scale: Scale
    gained: int | None = None
    lost: int | None = None
    p: float | None = None
    unscored: int = 0


@dataclass(frozen=True, kw_only=True)
class Form:
    """How many answers begin with a letter of the choices."""

    letters: str
    base: int
    head: int
    n: int


@dataclass(frozen=True, kw_only=True)
class Quality:
    """What became of the scores.

    Attributes:
        reading: The way of scoring that decides.
        verdict: What its bounds support at ``margin``.
        margin: The largest loss that counts as none.
        samples_needed: Pairs in all at which it would be shown to hold, where data is short.
        audits: The same answers scored as they stand, and for what was asked wherever it stands.
        form: Multiple-choice answers that have the form.
    """

    reading: Reading
    verdict: Verdict
    margin: float
    samples_needed: int | None
    audits: tuple[Reading, ...] = ()
    form: Form | None = None


def quality_of(
    base: ResultLog, head: ResultLog, pairs: Pairs, *, metric: str | None, margin: float | None
) -> Quality | None:
    """Return what became of the scores; ``None`` where neither scores nor answers are there.

    Args:
        base: The first log.
        head: The second.
        pairs: The rows of both.
        metric: Scores the answers anew; by default the logs' own scores are taken.
        margin: By default the metric's; for scores without a range any loss counts.

    Raises:
        CostoptError: the metric is unknown or scores no texts, or nothing can be scored by it.
    """
    letters = choices(one for pair in pairs for row in pair for one in row.references)
    chosen = _metric(base, head, metric, letters)
    answered = base.has("answer") and head.has("answer") and bool(_labels(pairs))
    if chosen is None and not (base.has("score") and head.has("score")):
        return None
    if chosen is not None and not answered:
        where = Where(base.path if not base.has("answer") else head.path)
        hint = "name the columns: --columns answer=NAME,reference=NAME"
        raise CostoptError("nothing to score: no answers with references", where=where, hint=hint)
    labels = _labels(pairs)
    scorer: Scorer = (lambda row: row.score) if chosen is None else _by(chosen.scorer, labels)
    name = "score" if chosen is None else chosen.name
    reading = read_pairs(name, pairs, scorer, chosen.scale if chosen else None)
    if reading is None:
        return None
    if margin is None:
        margin = _margin(chosen, reading.scale)
    return Quality(
        reading=reading,
        verdict=verdict(reading.difference, margin),
        margin=margin,
        samples_needed=_missing(reading, pairs, scorer, margin),
        audits=_audits(pairs, chosen, labels, letters) if answered else (),
        form=_form(pairs, letters) if answered and letters else None,
    )


def read_pairs(name: str, pairs: Pairs, scorer: Scorer, scale: Scale | None) -> Reading | None:
    """Return the paired scores of one way of scoring; ``None`` where no pair has both.

    Args:
        name: What it is called.
        pairs: The rows of both sides.
        scorer: Scores a row; ``None`` is unscored.
        scale: What values scores can take; ``None`` looks at them.
    """
    rows = [(base, scorer(base), scorer(head)) for base, head in pairs]
    kept = [(row, one, two) for row, one, two in rows if one is not None and two is not None]
    if not kept:
        return None
    before, after = [one for _, one, _ in kept], [two for _, _, two in kept]
    scale = scale or _scale([*before, *after])
    clusters = [row.cluster for row, _, _ in kept]
    groups = clusters if any(clusters) else None
    means = [mean_bounds(s, alpha=ALPHA, scale=scale, clusters=groups) for s in (before, after)]
    base, head = means
    if base is None or head is None:
        return None
    changes = [two - one for one, two in zip(before, after, strict=True)]
    gained, lost = sum(c > 0 for c in changes), sum(c < 0 for c in changes)
    told = scale == "binary"
    return Reading(
        name=name,
        base=base,
        head=head,
        difference=paired_bounds(changes, alpha=ALPHA, scale=scale, clusters=groups),
        scale=scale,
        gained=gained if told else None,
        lost=lost if told else None,
        # Rows of one cluster are not independent, as the test supposes.
        p=mcnemar_p(gained, lost) if told and groups is None else None,
        unscored=len(rows) - len(kept),
    )


def _scale(scores: Sequence[float]) -> Scale:
    if all(score in (0.0, 1.0) for score in scores):
        return "binary"
    return "bounded" if all(0.0 <= score <= 1.0 for score in scores) else "unbounded"


def _metric(
    base: ResultLog, head: ResultLog, name: str | None, letters: Sequence[str]
) -> Metric | None:
    """Return the metric that scores; ``None`` where the logs' own scores are taken, or none."""
    if name is not None:
        found = get(name)
        if found.scorer is None:
            hint = "a log holds answers; name a metric of answers, such as accuracy"
            raise CostoptError(f"the metric {name} reads log-probabilities", hint=hint)
        return found
    if base.has("score") and head.has("score"):
        return None
    texts = all(log.has("answer") for log in (base, head))
    if not texts or not any(log.has("references") for log in (base, head)):
        return None
    return get("accuracy" if letters else "token_f1")


def _margin(metric: Metric | None, scale: Scale) -> float:
    if metric is not None:
        return metric.default_margin
    return 0.0 if scale == "unbounded" else DEFAULT_MARGIN


def _labels(pairs: Pairs) -> tuple[str, ...]:
    found = {one for pair in pairs for row in pair for one in row.references}
    return tuple(sorted(one for one in found if isinstance(one, str)))


def _by(scorer: TextScorer | None, labels: Sequence[str]) -> Scorer:
    def score(row: LogRow) -> float | None:
        if scorer is None or row.answer is None or not row.references:
            return None
        try:
            found = scorer(row.answer, row.references, labels)
        except Exception:  # whatever a hostile answer provokes leaves its row unscored
            return None
        return found.value if isinstance(found, Score) else None

    return score


def _audits(
    pairs: Pairs, metric: Metric | None, labels: Sequence[str], letters: Sequence[str]
) -> tuple[Reading, ...]:
    ways: list[tuple[str, Scorer]] = []
    if metric is not None and metric.strict is not None:
        ways.append(("as it stands", _by(metric.strict, labels)))
    if metric is not None and metric.tolerant is not None and not letters:
        ways.append(("found anywhere", _by(metric.tolerant, labels)))
    if letters:
        ways.append(("first letter", _by(lambda t, r, _: by_letter(t, r, letters), ())))
    scale: Mapping[str, Scale] = {"first letter": "binary"}
    read = (read_pairs(name, pairs, scorer, scale.get(name)) for name, scorer in ways)
    return tuple(reading for reading in read if reading is not None)


def _form(pairs: Pairs, letters: Sequence[str]) -> Form:
    answered = [(b, h) for b, h in pairs if b.answer is not None and h.answer is not None]
    return Form(
        letters=f"{letters[0]}-{letters[-1]}",
        base=sum(begins_with_letter(b.answer or "", letters) for b, _ in answered),
        head=sum(begins_with_letter(h.answer or "", letters) for _, h in answered),
        n=len(answered),
    )


def _missing(reading: Reading, pairs: Pairs, scorer: Scorer, margin: float) -> int | None:
    """Return how many pairs would show that head holds; ``None`` where it is decided, or never."""
    if margin <= 0 or verdict(reading.difference, margin) != "not enough data":
        return None
    scored = [(base, scorer(base), scorer(head)) for base, head in pairs]
    kept: list[tuple[Any, float]] = [
        (row.cluster, two - one) for row, one, two in scored if one is not None and two is not None
    ]
    clusters = [cluster for cluster, _ in kept]
    return samples_needed(
        [change for _, change in kept],
        margin=margin,
        alpha=ALPHA,
        scale=reading.scale,
        clusters=clusters if any(clusters) else None,
    )
