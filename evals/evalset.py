"""Eval sets: files and hub data sets become samples, checked against the prompt's variables."""

import hashlib
import json
import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ..core.errors import CostoptError, Where, nearest
from ..core.types import EvalSet, Sample
from . import metrics
from .rows import Row, plain_values, quoted, read_rows
from .shelf import shelve

HUB_ROWS = 10_000
"""At most this many rows are read of a data set on the hub."""

MOST_REFERENCES = 10_000
"""Of so many different accepted answers is looked at, at most, what all of them have in common."""

_KNOWN = ("id", "inputs", "reference", "cluster", "metadata", "metric")
_SPLITS = ("test", "validation", "train")


def load_eval_set(
    source: str | Path,
    *,
    variables: Sequence[str],
    defaults: Mapping[str, Any],
    shown: str,
    limit: int | None = None,
    offline: bool = False,
) -> EvalSet:
    """Load an eval set through `datasets`, streamed, and check every row.

    A row holds the template's variables as keys or under ``inputs``, and may hold ``id``,
    ``reference`` (a string, a list of accepted strings, or JSON), ``cluster``, ``metadata`` and
    ``metric``. A row without an id is called by its line, ``row-7``. In a file any other column
    is an error; a hub data set may have more columns.

    Args:
        source: A ``.jsonl``, ``.csv`` or ``.parquet`` file, or ``hf:ID`` for a hub data set, also
            ``hf:ID:CONFIG`` and ``hf:ID:CONFIG:SPLIT``; of its splits the first of test,
            validation and train, unless one is named.
        variables: What the template needs.
        defaults: Values for variables that a row leaves out.
        shown: The source's name in errors and in the report.
        limit: The most rows to read; ``None`` for all (of the hub 10,000).
        offline: Forbids reading the hub.

    Raises:
        CostoptError: the source cannot be read, has no row, or a row is bad; with file and line.
    """
    name = str(source)
    if name.startswith("hf:"):
        rows = _hub_rows(name[3:], shown, offline=offline)
        limit = HUB_ROWS if limit is None else min(limit, HUB_ROWS)
    else:
        rows = read_rows(Path(source), shown)
    checker = _Checker(variables, defaults, shown, strict=not name.startswith("hf:"))
    samples = shelve(checker.sample(row) for row in _streamed(rows, limit))
    if not samples:
        raise CostoptError("the eval set has no rows", where=Where(shown))
    checker.check_ids(samples)
    return EvalSet(
        path=shown,
        samples=samples,
        sha256=_samples_sha256(samples) if name.startswith("hf:") else _file_sha256(Path(source)),
        metric=checker.metrics.pop() if len(checker.metrics) == 1 else None,
    )


def references(samples: Iterable[Sample], *, most: int = MOST_REFERENCES) -> tuple[Any, ...]:
    """Return the different accepted answers of the rows, in their order, at most ``most``.

    Example:
        >>> rows = [Sample(id=x, inputs={}, references=(x, "no")) for x in "aba"]
        >>> references(rows), references(rows, most=2)
        (('a', 'no', 'b'), ('a', 'no'))
    """
    found: dict[str, Any] = {}
    for sample in samples:
        for reference in sample.references:
            found.setdefault(metrics.as_text(reference), reference)
            if len(found) == most:
                return tuple(found.values())
    return tuple(found.values())


def labels_of(eval_set: EvalSet) -> tuple[str, ...]:
    """Return the labels of an eval set; none where there are too many to be labels."""
    found = references(eval_set.samples)
    if len(found) == MOST_REFERENCES:
        return ()
    return tuple(one for one in found if isinstance(one, str))


def _datasets() -> Any:  # noqa: ANN401
    """Import `datasets`, quietly, without torch and without a count of uses."""
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    import datasets
    from datasets import config

    # Every IterableDataset otherwise imports torch where it is installed, for five seconds, to
    # become one of torch's own.
    config.TORCH_AVAILABLE = False
    datasets.logging.set_verbosity_error()
    return datasets


def _streamed(rows: Iterator[Row], limit: int | None) -> Iterator[Row]:
    """Pass rows through a streaming data set.

    Built from its iterable, not by ``from_generator``, which leaves a lock file in the user's cache
    for each call and fails where that cannot be written.
    """
    datasets = _datasets()
    examples = datasets.iterable_dataset.ExamplesIterable(
        lambda: ((row.number, {"row": row}) for row in rows), {}
    )
    stream = datasets.IterableDataset(examples)
    # Its own take() reads a row beyond the limit, which may be a bad one.
    for example in islice(stream, limit):
        yield example["row"]


def _hub_rows(reference: str, shown: str, *, offline: bool) -> Iterator[Row]:
    where = Where(shown)
    offline = offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    if offline:
        raise CostoptError(
            "a hub data set cannot be read offline",
            where=where,
            hint="run once without --offline and HF_HUB_OFFLINE, or save its rows as JSONL",
        )
    identity, config, split = [*reference.split(":"), "", ""][:3]
    try:
        stream = _hub_stream(identity, config or None, split or None)
        for number, values in enumerate(stream, start=1):
            yield Row(number, where, plain_values(values, number, where))
    except CostoptError:
        raise
    except Exception as error:  # the hub client raises errors of many libraries
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise CostoptError(
            f"cannot read the data set {quoted(identity)}: {reason[:200]}",
            where=where,
            hint="check the name, and the connection to the hub",
        ) from None


def _hub_stream(identity: str, config: str | None, split: str | None) -> Any:  # noqa: ANN401
    loaded = _datasets().load_dataset(identity, config, split=split, streaming=True)
    if split is not None:
        return loaded
    names = list(loaded)
    return loaded[next((name for name in _SPLITS if name in names), names[0])]


class _Checker:
    """Turns rows into samples; remembers which ids and metrics it has seen."""

    def __init__(
        self, variables: Sequence[str], defaults: Mapping[str, Any], shown: str, *, strict: bool
    ) -> None:
        self._variables = tuple(variables)
        self._defaults = defaults
        self._strict = strict
        self._shown = shown
        self.metrics: set[str | None] = set()
        # Of each row the hash of its id and its line: a million rows of them are 16 MB.
        self._ids = array("Q")
        self._lines = array("Q")

    def sample(self, row: Row) -> Sample:
        """Return the row's sample.

        Raises:
            CostoptError: a variable is missing, a column is in no template, or a value is of the
                wrong kind.
        """
        inputs = self._inputs(row)
        sample = Sample(
            id=self._id(row),
            inputs=inputs,
            references=_references(row),
            cluster=_label(row, "cluster"),
            metadata=_mapping(row, "metadata"),
            metric=_metric(row),
        )
        self.metrics.add(sample.metric)
        return sample

    def check_ids(self, samples: Sequence[Sample]) -> None:
        """Check that no two rows have one id.

        Raises:
            CostoptError: two have; the first that repeats another is named.
        """
        import numpy as np

        hashes = np.frombuffer(self._ids, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        same = hashes[order[1:]] == hashes[order[:-1]]
        for later, earlier in sorted(zip(order[1:][same], order[:-1][same], strict=True)):
            identity = samples[int(later)].id
            if identity == samples[int(earlier)].id:
                first, line = int(self._lines[earlier]), int(self._lines[later])
                place = f"line {first}" if first else f"row {earlier + 1}"
                row = Row(int(later) + 1, Where(self._shown, line or None), {})
                raise _bad(row, f"has the id {quoted(identity)} of {place}")

    def _inputs(self, row: Row) -> dict[str, Any]:
        nested = _mapping(row, "inputs") if "inputs" not in self._variables else {}
        given = {name: row.values[name] for name in self._variables if name in row.values}
        for name in nested:
            if name in given:
                raise _bad(row, f"has a value for {quoted(name)} twice, one under inputs")
        given.update({name: nested[name] for name in self._variables if name in nested})
        unknown = [
            name for name in row.values if name not in self._variables and name not in _KNOWN
        ]
        unknown += [name for name in nested if name not in self._variables]
        for name in self._variables:
            if given.get(name) is None:
                given.pop(name, None)
                if name not in self._defaults:
                    raise _missing(row, name, unknown)
        if unknown and self._strict:
            raise self._unknown(row, unknown[0])
        return {name: given[name] for name in self._variables if name in given}

    def _unknown(self, row: Row, name: str) -> CostoptError:
        known = [*self._variables, *_KNOWN]
        return CostoptError(
            f"column {quoted(name)} is in no template",
            where=row.where,
            hint=nearest(name, known) + "; what is not for the prompt goes under metadata",
        )

    def _id(self, row: Row) -> str:
        own = _label(row, "id")
        identity = own if own is not None else f"row-{row.where.line or row.number}"
        digest = hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8)
        self._ids.append(int.from_bytes(digest.digest(), "big"))
        self._lines.append(row.where.line or 0)
        return identity


def _bad(row: Row, what: str, hint: str | None = None) -> CostoptError:
    return CostoptError(f"row {row.number} {what}", where=row.where, hint=hint)


def _missing(row: Row, name: str, unknown: Sequence[str]) -> CostoptError:
    from difflib import get_close_matches

    close = get_close_matches(name, unknown, n=1, cutoff=0.5)
    hint = f"it has {quoted(close[0])}: did you mean {quoted(name)}?" if close else None
    null = " (null counts as none)" if name in row.values else ""
    hint = hint or f"add the key {quoted(name)}, or a default for it in the prompt"
    return _bad(row, f"has no value for {{{name}}}{null}", hint)


def _label(row: Row, key: str) -> str | None:
    """Return an id or a cluster as text; an empty one counts as none."""
    value = row.values.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _bad(row, f"has {key} of a wrong kind", f"{key} is a string or a number")
    return str(value)


def _mapping(row: Row, key: str) -> dict[str, Any]:
    """Return an object; in a CSV cell it is written as JSON."""
    value = row.values.get(key)
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise _bad(row, f"has {key} of a wrong kind", f"{key} is a JSON object")
    return value


def _metric(row: Row) -> str | None:
    name = _label(row, "metric")
    if name is not None:
        try:
            metrics.get(name)
        except CostoptError as error:
            raise CostoptError(error.what, where=row.where, hint=error.hint) from None
    return name


def _references(row: Row) -> tuple[Any, ...]:
    """Return the accepted answers.

    A list of strings holds accepted answers, also as JSON in a CSV cell; any other list is one
    JSON answer. Null, an empty list and an empty cell are none.
    """
    value = row.values.get("reference")
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            listed = json.loads(value)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and listed and all(isinstance(item, str) for item in listed):
            value = listed
    if value is None or value == "" or value == []:
        return ()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return (value,)


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _samples_sha256(samples: Iterable[Sample]) -> str:
    """Return the hash of what was read of a data set that is no file."""
    digest = hashlib.sha256()
    for sample in samples:
        row = [sample.id, dict(sample.inputs), list(sample.references), sample.cluster]
        digest.update(json.dumps(row, sort_keys=True).encode("utf-8") + b"\n")
    return digest.hexdigest()
