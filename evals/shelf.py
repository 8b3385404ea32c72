"""Keeps the rows of a large eval set on disk, so that memory does not grow with them."""

import json
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

from ..core.errors import CostoptError
from ..core.types import Sample

IN_MEMORY = 2_000
"""Up to so many rows are simply held."""


def shelve(samples: Iterable[Sample]) -> Sequence[Sample]:
    """Return the samples as a sequence; a long one lies in a temporary file without a name.

    What is read later is what was checked now, even if the file that it came from changes.

    Raises:
        CostoptError: there is no room for the temporary file.

    Example:
        >>> rows = shelve(Sample(id=str(number), inputs={"q": "?"}) for number in range(3_000))
        >>> len(rows), rows[2_999].id, [row.id for row in rows[:2]]
        (3000, '2999', ['0', '1'])
    """
    source = iter(samples)
    first = tuple(islice(source, IN_MEMORY))
    after = next(source, None)
    if after is None:
        return first
    shelf = Shelf()
    for sample in (*first, after):
        shelf.add(sample)
    del first
    for sample in source:
        shelf.add(sample)
    return shelf


class Shelf(Sequence[Sample]):
    """Samples in a temporary file, one JSON array a line; only their offsets are in memory."""

    def __init__(self) -> None:
        # It lives as long as the shelf, which is why no context manager closes it.
        self._file = tempfile.TemporaryFile(prefix="costopt-rows-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._offsets = array("Q")
        self._end = 0

    def add(self, sample: Sample) -> None:
        """Put a sample behind the others."""
        line = json.dumps(
            [
                sample.id,
                dict(sample.inputs),
                sample.references,
                sample.cluster,
                dict(sample.metadata),
                sample.metric,
            ],
            ensure_ascii=True,
        ).encode("ascii")
        try:
            self._file.write(line + b"\n")
        except OSError as error:
            raise CostoptError(
                f"cannot keep the eval set's rows in a temporary file: {error.strerror}",
                hint="make room there, or set TMPDIR to a folder with room",
            ) from None
        self._offsets.append(self._end)
        self._end += len(line) + 1

    def __len__(self) -> int:
        return len(self._offsets)

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...

    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        """Read one sample, or those of a slice."""
        if isinstance(index, slice):
            return tuple(self._read(offset) for offset in self._offsets[index])
        return self._read(self._offsets[index])

    def __iter__(self) -> Iterator[Sample]:
        """Read all samples, in order."""
        for offset in self._offsets:
            yield self._read(offset)

    def _read(self, offset: int) -> Sample:
        self._file.seek(offset)
        return _sample(json.loads(self._file.readline()))


def _sample(row: list[Any]) -> Sample:
    identity, inputs, references, cluster, metadata, metric = row
    return Sample(
        id=identity,
        inputs=inputs,
        references=tuple(references),
        cluster=cluster,
        metadata=metadata,
        metric=metric,
    )
