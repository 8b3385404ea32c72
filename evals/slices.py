"""The verdict on parts of the rows: a variant that holds on the whole can be worse for some.

Rows are sliced by their label (the reference, where there are few), by the length of what is filled
in, and by each key of their metadata that has few values, such as a language. A slice needs eight
rows. The slices of one variant share the error of 5 % (Bonferroni), so that a variant which is
nowhere worse is blocked by a slice in at most one of twenty runs.
"""

from collections.abc import Iterator, Mapping, Sequence

from ..core.report import Slice
from ..core.types import Sample
from .choice import compare
from .metrics import Metric, as_text
from .runner import Outcome

LEAST_ROWS = 8
"""A slice of fewer rows is not looked at."""

MOST_VALUES = 12
"""A key with more values is none to slice by."""

_LONGEST_VALUE = 60
_BUCKETS = ("short", "middle", "long")

Parts = Mapping[tuple[str, str], frozenset[str]]
"""Ids of rows by key and value."""


def parts(rows: Sequence[Sample]) -> Parts:
    """Return the slices of rows, each with at least eight of them and not all.

    Example:
        >>> rows = [Sample(id=str(n), inputs={"q": "x" * n}, references=("yes" if n % 2 else "no",),
        ...                metadata={"language": "de" if n < 10 else "en"}) for n in range(24)]
        >>> {key: len(ids) for key, ids in parts(rows).items() if key[0] != "length"}
        {('label', 'no'): 12, ('label', 'yes'): 12, ('language', 'de'): 10, ('language', 'en'): 14}
        >>> sorted(value for by, value in parts(rows) if by == "length")
        ['long', 'middle', 'short']
    """
    found: dict[tuple[str, str], set[str]] = {}
    for by, values in _keys(rows):
        if 2 <= len(set(values.values())) <= MOST_VALUES:
            for id_, value in values.items():
                found.setdefault((by, value), set()).add(id_)
    return {
        key: frozenset(ids)
        for key, ids in sorted(found.items())
        if LEAST_ROWS <= len(ids) < len(rows)
    }


def _keys(rows: Sequence[Sample]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each key with the rows' values, by id."""
    labels = {row.id: as_text(row.references[0]) for row in rows if row.references}
    if all(len(label) <= _LONGEST_VALUE for label in labels.values()):
        yield "label", labels
    yield "length", _lengths(rows)
    for key in sorted({key for row in rows for key in row.metadata}):
        values = {row.id: row.metadata[key] for row in rows if key in row.metadata}
        if all(isinstance(value, str | int | bool) for value in values.values()):
            texts = {id_: str(value) for id_, value in values.items()}
            if key not in ("label", "length") and all(
                len(t) <= _LONGEST_VALUE for t in texts.values()
            ):
                yield key, texts


def _lengths(rows: Sequence[Sample]) -> dict[str, str]:
    """Return a third of the rows each as short, middle and long; of equal length in one."""
    sizes = {row.id: sum(len(str(value)) for value in row.inputs.values()) for row in rows}
    ordered = sorted(sizes.values())
    if len(ordered) < len(_BUCKETS) * LEAST_ROWS:
        return {}
    cuts = (ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3])
    return {id_: _BUCKETS[sum(size >= cut for cut in cuts)] for id_, size in sizes.items()}


def sliced(
    found: Parts,
    baseline: Sequence[Outcome],
    variant: Sequence[Outcome],
    *,
    metric: Metric,
    margin: float,
) -> tuple[Slice, ...]:
    """Return the verdict on each slice on the rows that both have.

    Args:
        found: The slices.
        baseline: The baseline's outcomes.
        variant: The variant's.
        metric: Gives scale and direction.
        margin: The largest loss that counts as none.
    """
    slices: list[Slice] = []
    for (by, value), ids in found.items():
        here = [outcome for outcome in variant if outcome.trial.sample.id in ids]
        comparison = compare(
            baseline, here, metric=metric, margin=margin, candidates=max(len(found), 1)
        )
        delta = comparison.delta
        if delta is not None and delta.n >= LEAST_ROWS:
            slices.append(Slice(by=by, value=value, delta=delta, verdict=comparison.verdict))
    return tuple(slices)


def worse_note(one: Slice) -> str:
    """Say of a slice that it is worse.

    Example:
        >>> from costopt.core.report import QualityDelta
        >>> delta = QualityDelta(mean=-0.2, low=-0.31, high=-0.09, n=12, margin=0.05,
        ...                      confidence=0.99)
        >>> worse_note(Slice(by="language", value="de", delta=delta, verdict="worse"))
        'worse where language = de: -0.200 [-0.310, -0.090], 12 rows'
    """
    delta = one.delta
    return (
        f"worse where {one.by} = {one.value}: {delta.mean:+.3f} "
        f"[{delta.low:+.3f}, {delta.high:+.3f}], {delta.n} rows"
    )
