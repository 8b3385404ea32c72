"""Which rows a prompt is measured on: how many, in which order, and how they are split."""

import hashlib
import math
from dataclasses import dataclass
from statistics import NormalDist

from ..core.types import EvalSet, Sample

DEFAULT_SAMPLES = 40
"""Rows used for each prompt unless ``--samples`` says otherwise."""

FINALISTS = 2
"""Candidates that go from the selection rows to the confirmation rows, at most."""


@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """The rows of one prompt, split for choosing and for confirming.

    ``confirmation`` is empty where all rows decide together, corrected for every candidate.
    ``generated`` counts the rows, from the front of ``selection`` and ``confirmation``, on which
    answers are also generated for their length where quality is judged by log-likelihood.
    """

    selection: tuple[Sample, ...]
    confirmation: tuple[Sample, ...]
    screened_answers: int
    """Selection rows on which an output-side variant is generated at first."""
    generated: int

    @property
    def rows(self) -> tuple[Sample, ...]:
        """All rows of the plan."""
        return self.selection + self.confirmation

    @property
    def split(self) -> bool:
        """Whether candidates are picked on one part and confirmed on the other."""
        return bool(self.confirmation)


def plan_rows(
    eval_set: EvalSet, *, samples: int | None, candidates: int, seed: int, local: bool
) -> RowPlan:
    """Choose and split the rows of one eval set.

    Rows are ordered by a hash of the seed and their cluster (or id), so that adding rows does not
    reshuffle the others, and a cluster stays in one part. Picking on a part and confirming on the
    rest needs a correction for the finalists only; deciding on all rows needs one for every
    candidate. The plan takes whichever gives the narrower interval at this number of rows.

    Args:
        eval_set: The rows.
        samples: The most rows to use; ``None`` for the default of 40.
        candidates: Variants that compete.
        seed: Orders the rows.
        local: Whether a request costs this machine's time and no money: then fewer rows screen.

    Example:
        >>> rows = tuple(Sample(id=str(i), inputs={}) for i in range(48))
        >>> plan = plan_rows(EvalSet(path="", samples=rows, sha256=""), samples=None,
        ...                  candidates=10, seed=0, local=True)
        >>> len(plan.selection), len(plan.confirmation)
        (5, 35)
    """
    ordered = sorted(eval_set.samples, key=lambda sample: _place(sample, seed))
    rows = tuple(ordered[: samples if samples is not None else DEFAULT_SAMPLES])
    screening = 5 if local else max(8, len(rows) // 5)
    cut = _cluster_boundary(rows, screening)
    if _split_decides_more(len(rows), len(rows) - cut, candidates):
        selection, confirmation = rows[:cut], rows[cut:]
    else:
        selection, confirmation = rows, ()
    return RowPlan(
        selection=selection,
        confirmation=confirmation,
        screened_answers=min(3, len(selection)) if local else len(selection),
        generated=min(6, len(rows)) if local else len(rows),
    )


def _place(sample: Sample, seed: int) -> tuple[str, str]:
    group = sample.cluster or sample.id
    return _hash(f"{seed}:{group}"), _hash(f"{seed}:{sample.id}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _cluster_boundary(rows: tuple[Sample, ...], wanted: int) -> int:
    """Return the first cut at or after ``wanted`` that does not part a cluster."""
    cut = min(wanted, len(rows))
    while 0 < cut < len(rows) and rows[cut].cluster and rows[cut].cluster == rows[cut - 1].cluster:
        cut += 1
    return cut


def _split_decides_more(all_rows: int, confirmation_rows: int, candidates: int) -> bool:
    if confirmation_rows < 10:
        return False
    quantile = NormalDist().inv_cdf
    together = quantile(1 - 0.05 / max(candidates, 1)) / math.sqrt(all_rows)
    split = quantile(1 - 0.05 / FINALISTS) / math.sqrt(confirmation_rows)
    return split < together
