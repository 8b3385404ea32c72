"""Which rows a prompt is measured on: how many, in which order, and how they are split."""

import hashlib
import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import NormalDist

from ..core.types import EvalSet, Sample

DEFAULT_SAMPLES = 40
"""Rows used for each prompt unless ``--samples`` says otherwise."""

ONE_CANDIDATE = 200
"""Rows that decide on a single candidate unless ``--samples`` says otherwise: 40 of a
right-or-wrong metric could not show that it loses less than seven points."""

STATIC_ROWS = 1_000
"""Rows that input tokens are counted on, at most, where no model is asked."""

_SCREENING = 5
"""Selection rows at the embedded target, where a request costs time and no money."""

FITTING = 12
"""Rows that strategies are fitted on, at least; more than as many are left to confirm on."""

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
    fitted: bool = False
    """Whether strategies may be fitted on the selection rows: they are enough, and split off."""

    @property
    def rows(self) -> tuple[Sample, ...]:
        """All rows of the plan."""
        return self.selection + self.confirmation

    @property
    def split(self) -> bool:
        """Whether candidates are picked on one part and confirmed on the other."""
        return bool(self.confirmation)

    def note(self, confirmed: int) -> str:
        """Say how the rows decide, and why so, where ``confirmed`` variants were confirmed."""
        if not self.split:
            return (
                f"{len(self.rows)} rows: all rows decide, corrected for every variant, which "
                "decides more here than picking on one part and confirming on the other"
            )
        why = "which decides more here than all rows with a correction for every variant"
        if self.fitted:
            why = "which no strategy was fitted on"
        return (
            f"{len(self.rows)} rows: variants were picked on {len(self.selection)} and "
            f"{confirmed} confirmed on the other {len(self.confirmation)}, {why}"
        )


def plan_rows(
    eval_set: EvalSet,
    *,
    samples: int | None,
    candidates: int,
    seed: int,
    local: bool,
    shared: bool = False,
    fitted: bool = False,
) -> RowPlan:
    """Choose and split the rows of one eval set.

    Rows are ordered by a hash of the seed and their cluster (or id), so that adding rows does not
    reshuffle the others. A cluster is never in both parts; one row of it is enough to pick on.
    Picking on a part and confirming on the rest needs a correction for the finalists only;
    deciding on all rows needs one for every candidate. The plan takes whichever gives the
    narrower interval at this number of rows.

    Args:
        eval_set: The rows.
        samples: The most rows to use; ``None`` for the default of 40.
        candidates: Variants that compete.
        seed: Orders the rows.
        local: Whether a request costs this machine's time and no money: then fewer rows screen.
        shared: Whether other targets are asked the same rows: then they are split as for one
            whose requests cost money, whatever this one is.
        fitted: Whether some candidate is fitted on rows: then they are split even where all rows
            would decide more, with at least 12 to be fitted on, unless they are too few.

    Example:
        >>> rows = tuple(Sample(id=str(i), inputs={}) for i in range(48))
        >>> plan = plan_rows(EvalSet(path="", samples=rows, sha256=""), samples=None,
        ...                  candidates=10, seed=0, local=True)
        >>> len(plan.selection), len(plan.confirmation)
        (5, 35)
    """
    ordered = _ordered(eval_set.samples, seed)
    most = samples if samples is not None else DEFAULT_SAMPLES
    wanted = _SCREENING if local and not shared else max(8, min(most, len(ordered)) // 5)
    picked, others = _part(ordered, max(wanted, FITTING) if fitted else wanted, most)
    enough = fitted and FITTING <= len(picked) < len(others)
    if fitted and not enough:
        picked, others = _part(ordered, wanted, most)
    if not enough and not _split_decides_more(min(most, len(ordered)), len(others), candidates):
        picked, others = list(ordered.rows[:most]), []
    selection = tuple(eval_set.samples[row] for row in picked)
    return RowPlan(
        selection=selection,
        confirmation=tuple(eval_set.samples[row] for row in others),
        screened_answers=min(2, len(selection)) if local else len(selection),
        generated=min(5, most) if local else most,
        fitted=enough,
    )


def planned_rows(
    eval_set: EvalSet, *, seed: int, selection: int, confirmation: int
) -> tuple[Sample, ...]:
    """Return the rows that a plan of these sizes has: what a report says of its own."""
    ordered = _ordered(eval_set.samples, seed)
    rows = list(ordered.rows[:selection])
    if confirmation:
        picked, others = _part(ordered, selection, selection + confirmation)
        rows = picked + others[:confirmation]
    return tuple(eval_set.samples[row] for row in rows)


def all_rows(eval_set: EvalSet, *, samples: int | None, seed: int, local: bool) -> RowPlan:
    """Return a plan in which all rows decide on one candidate; nothing is picked.

    Args:
        eval_set: The rows.
        samples: The most rows to use; ``None`` for the default of 200.
        seed: Orders the rows, as for `plan_rows`.
        local: Whether a request costs this machine's time and no money.
    """
    most = ONE_CANDIDATE if samples is None else samples
    rows = planned_rows(eval_set, seed=seed, selection=most, confirmation=0)
    return RowPlan(
        selection=rows,
        confirmation=(),
        screened_answers=len(rows),
        generated=min(5, most) if local else most,
    )


@dataclass(frozen=True, kw_only=True)
class _Order:
    """Rows in their order, and the hash of each row's group: 16 bytes a row, for millions."""

    rows: Sequence[int]
    groups: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)


def _ordered(samples: Iterable[Sample], seed: int) -> _Order:
    import numpy as np

    groups, own = array("Q"), array("Q")
    for sample in samples:
        groups.append(_hash(f"{seed}:{_group(sample)}"))
        own.append(_hash(f"{seed}:{sample.id}"))
    keys = (np.frombuffer(own, dtype=np.uint64), np.frombuffer(groups, dtype=np.uint64))
    return _Order(rows=array("Q", np.lexsort(keys).astype(np.uint64).tobytes()), groups=groups)


def _hash(text: str) -> int:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")


def _part(ordered: _Order, wanted: int, most: int) -> tuple[list[int], list[int]]:
    """Return one row each of the first ``wanted`` clusters, and rows of all other clusters.

    Rows of one cluster say nearly the same, so that screening on two of them is a waste, and
    confirming on the second what was picked on the first would not be on fresh rows. Of both
    together there are at most ``most``.
    """
    picked: dict[int, int] = {}
    for row in ordered.rows:
        if len(picked) == wanted:
            break
        picked.setdefault(ordered.groups[row], row)
    rest = (row for row in ordered.rows if ordered.groups[row] not in picked)
    return list(picked.values()), list(islice(rest, max(most - len(picked), 0)))


def _group(sample: Sample) -> str:
    return f"cluster {sample.cluster}" if sample.cluster else f"row {sample.id}"


def _split_decides_more(all_rows: int, confirmation_rows: int, candidates: int) -> bool:
    if confirmation_rows < 10:
        return False
    quantile = NormalDist().inv_cdf
    together = quantile(1 - 0.05 / max(candidates, 1)) / math.sqrt(all_rows)
    split = quantile(1 - 0.05 / FINALISTS) / math.sqrt(confirmation_rows)
    return split < together
