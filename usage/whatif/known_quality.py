"""What a saved report of `analyze` says of one model's answers in the place of another's."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...core.report import Across, QualityDelta, Report
from ...core.types import Verdict


@dataclass(frozen=True)
class Known:
    """How a model's answers compare, on the rows of a stored run.

    Attributes:
        verdict: ``holds`` or ``better`` were shown, ``worse`` too; others decide nothing.
        words: The same as a part of a sentence, with the numbers.
    """

    verdict: Verdict
    words: str


def models_of(report: Report) -> dict[str, str]:
    """Return who is asked at each target: ``provider:model``, as far as the report knows it."""
    # A target that is not named in the configuration is called provider:model.
    return {
        target.name: target.name if ":" in target.name else target.model
        for target in report.targets
    }


def known_quality(*reports: Report) -> dict[tuple[str, str], Known]:
    """Return what reports say of models against the one of their first target, by their names.

    Only the unchanged prompt counts: what another prompt did at another model says nothing of the
    log's requests. Where several prompts were tried, the worst verdict stands.

    Args:
        reports: Saved reports with more than one target; others say nothing.
    """
    found: dict[tuple[str, str], Known] = {}
    told = ((models_of(report), prompt.across) for report in reports for prompt in report.prompts)
    for models, across in told:
        for pair, known in _known(across, models) if across is not None else ():
            before = found.get(pair)
            if before is None or _RANK.index(known.verdict) > _RANK.index(before.verdict):
                found[pair] = known
    return found


_RANK: tuple[Verdict, ...] = (
    "baseline",
    "better",
    "holds",
    "not measured",
    "not enough data",
    "worse",
)


def _known(across: Across, models: dict[str, str]) -> Iterator[tuple[tuple[str, str], Known]]:
    first = models.get(across.baseline)
    for row in across.rows:
        other = models.get(row.target)
        plain = row.variant == "baseline" and row.cascade is None and row.target != across.baseline
        if plain and first is not None and other is not None:
            words = measured_words(row.verdict, across.metric, row.delta)
            yield (first, other), Known(row.verdict, words)


def measured_words(verdict: Verdict, metric: str | None, delta: QualityDelta | None) -> str:
    """Return a verdict as a part of a sentence, with its interval and n where it has them."""
    if delta is None or metric is None:
        return f"{verdict} in a stored run"
    return (
        f"{verdict} in a stored run: {metric} {delta.mean:+.3f} "
        f"[{delta.low:+.3f}, {delta.high:+.3f}], n = {delta.n}, margin {delta.margin:g}"
    )
