"""What a metric is: a name, a unit, a direction, and a function from an answer to a score."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ...core.types import Answer, Failure, FailureKind, Sample, Score

if TYPE_CHECKING:
    import evaluate

Scale = Literal["binary", "bounded", "unbounded"]
"""Whether scores are 0 or 1, lie in [0, 1], or have no range (nats)."""
Kind = Literal["generated", "log_likelihood", "drift", "judged"]

Result: TypeAlias = Score | Failure
TextScorer: TypeAlias = Callable[[str, Sequence[Any], Sequence[str] | None], Result]
"""From an answer's text, the accepted references and, where known, all labels."""
FormCheck: TypeAlias = Callable[[str, Sequence[str] | None], bool | None]
"""From an answer's text and, where known, all labels; ``None`` where it cannot tell."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A way of scoring one answer.

    An answer in which the thing asked for cannot be found (no number, no label, no JSON) is wrong:
    it has the score 0 and says why. A `Failure` is kept for what is not the answer's fault: a
    reference that the metric cannot read, or a scorer that crashed.
    """

    name: str
    description: str
    unit: str
    """``fraction`` or ``nats per token``."""
    range: tuple[float, float]
    scale: Scale
    """Which statistics suit it: scores of 0 or 1, in [0, 1], or without a range."""
    kind: Kind
    """What it reads: a generated answer, log-probabilities of a reference or of the baseline's own
    answer, or what a judge says of two answers."""
    default_margin: float
    """The largest loss that counts as none, in the unit."""
    needs_reference: bool = True
    higher_is_better: bool = True
    citation: str = ""
    scorer: TextScorer | None = None
    """For generated answers; ``None`` for metrics that read log-probabilities."""
    strict: TextScorer | None = None
    """Scores the answer as it stands, with nothing read out of it."""
    tolerant: TextScorer | None = None
    """Scores what was asked for wherever in the answer it stands, however it is written.

    Where ``strict`` falls and ``tolerant`` does not, obedience was lost and no knowledge."""
    well_formed: FormCheck | None = None
    """Whether an answer has the form that ``strict`` reads, whatever it says.

    It knows no reference, so that a program can check its answers with it."""

    @property
    def reads_answers(self) -> bool:
        """Whether it needs generated answers, and no log-probabilities."""
        return self.kind in {"generated", "judged"}

    def score(
        self, answer: Answer, sample: Sample, *, labels: Sequence[str] | None = None
    ) -> Result:
        """Score one answer; never raises, whatever the answer holds.

        Args:
            answer: What the target answered.
            sample: Gives the references.
            labels: All labels of the eval set, where the metric is over labels.
        """
        if self.needs_reference and self.scorer and not sample.references:
            return _failure(f"sample {sample.id} has no reference")
        if self.scorer is None:
            return self.score_logprobs(answer.logprobs)
        return self.score_text(answer.text, sample.references, labels=labels)

    def score_text(
        self, text: str, references: Sequence[Any], *, labels: Sequence[str] | None = None
    ) -> Result:
        """Score a text against the accepted references; never raises."""
        if self.scorer is None:
            return _failure(f"{self.name} reads log-probabilities, not a text")
        try:
            result = _finite(self.scorer(text, references, labels))
            if isinstance(result, Failure):
                return result
            return replace(
                result,
                strict=_value(self.strict, text, references, labels),
                tolerant=_value(self.tolerant, text, references, labels),
            )
        except Exception as error:  # whatever a hostile answer provokes is one row's failure
            return _failure(f"{self.name}: {type(error).__name__}: {error}")

    def score_logprobs(self, logprobs: Sequence[float] | None) -> Result:
        """Return the mean of natural-log probabilities, in nats per token; never raises."""
        if not logprobs:
            return _failure("the target gave no log-probabilities")
        count = len(logprobs)
        return _finite(Score(math.fsum(logprobs) / count, "", f"mean of {count} tokens"))

    def evaluate_metric(self) -> "evaluate.Metric":
        """Return this metric as an ``evaluate.Metric``, which calls the same scorer.

        Built from this package and kept in memory: nothing is looked up by name, on a hub or in
        the working directory, and no cache file is written.
        """
        from .adapter import build

        return build(self)


def _value(
    scorer: TextScorer | None, text: str, references: Sequence[Any], labels: Sequence[str] | None
) -> float | None:
    result = scorer(text, references, labels) if scorer else None
    return result.value if isinstance(result, Score) else None


def _failure(message: str) -> Failure:
    return Failure(FailureKind.SCORER, message[:300])


def _finite(result: Result) -> Result:
    if isinstance(result, Score) and not math.isfinite(result.value):
        return _failure(f"the score is {result.value}, not a finite number")
    return result


def best(results: Sequence[Result]) -> Result:
    """Return the best score, the earliest of equals; where there is none, the first failure.

    For metrics that are asked once for each accepted reference.

    Example:
        >>> best([Score(-2.0, "a"), Score(-1.0, "b")]).value
        -1.0
    """
    scores = [result for result in results if isinstance(result, Score)]
    if scores:
        return max(scores, key=lambda score: score.value)
    return results[0] if results else _failure("nothing was scored")


def averaged(results: Sequence[Result]) -> Result:
    """Return a row's score over its draws; one draw without a score leaves the row without one.

    Rows stay the unit of every comparison, so that pairs stay pairs: a second draw of a row is no
    second row.

    Example:
        >>> averaged([Score(1.0, "a"), Score(0.0, "b")]).value
        0.5
    """
    if len(results) == 1:
        return results[0]
    scores = [result for result in results if isinstance(result, Score)]
    if len(scores) < len(results) or not scores:
        return next((r for r in results if isinstance(r, Failure)), _failure("nothing was scored"))
    return replace(
        scores[0],
        value=fmean(score.value for score in scores),
        strict=_mean([score.strict for score in scores]),
        tolerant=_mean([score.tolerant for score in scores]),
        explanation=f"mean of {len(scores)} draws",
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def fraction_metric(
    name: str,
    description: str,
    scorer: TextScorer,
    *,
    scale: Scale = "binary",
    citation: str = "",
    strict: TextScorer | None = None,
    tolerant: TextScorer | None = None,
    well_formed: FormCheck | None = None,
) -> Metric:
    """Return a metric of generated answers with scores in [0, 1] and a margin of 0.05."""
    return Metric(
        name=name,
        description=description,
        unit="fraction",
        range=(0.0, 1.0),
        scale=scale,
        kind="generated",
        default_margin=0.05,
        scorer=scorer,
        citation=citation,
        strict=strict,
        tolerant=tolerant,
        well_formed=well_formed,
    )
