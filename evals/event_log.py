"""Event logs, as OpenAI's evals records them: several lines of one sample become one row.

A line is an object with ``type``, ``sample_id`` and ``data``. What was asked and answered stands in
an event ``sampling``, whether it was right in an event ``match``; lines of no sample (the run's
specification, its final report) are no rows.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from ..core.errors import CostoptError
from .rows import Row

_SAMPLED, _JUDGED = "sampling", ("match", "metrics")
_EVENT = ("type", "sample_id", "data")


def gathered(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the rows of a log as they are; those of an event log gathered by sample.

    Raises:
        CostoptError: a sample has two events of one kind: a log of several runs pairs with nothing.
    """
    first = next(rows, None)
    if first is None:
        return
    every = chain([first], rows)
    if "spec" in first.values or _is_event(first.values):
        yield from _samples(every)
    else:
        yield from every


def _is_event(values: dict[str, Any]) -> bool:
    return all(name in values for name in _EVENT) and isinstance(values["data"], dict)


def _samples(rows: Iterator[Row]) -> Iterator[Row]:
    found: dict[str, Row] = {}
    for row in rows:
        values = row.values
        if not _is_event(values) or values["type"] not in (_SAMPLED, *_JUDGED):
            continue
        identity = str(values["sample_id"])
        known = found.setdefault(identity, Row(len(found) + 1, row.where, {"id": identity}))
        for name, value in _parts(values["type"], values["data"]).items():
            if name in known.values:
                raise CostoptError(
                    f'row {known.number} has two events "{values["type"]}"',
                    where=row.where,
                    hint="give the log of one run, in which each sample is asked once",
                )
            known.values[name] = value
    yield from found.values()


def _parts(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    if kind == _SAMPLED:
        sampled = data.get("sampled", data.get("completions"))
        usage = data.get("usage")
        told = {"usage": usage} if isinstance(usage, dict) else {}
        return {"input": data.get("prompt"), "answer": _one(sampled), **told}
    return {
        "score": data.get("correct", data.get("accuracy", data.get("score"))),
        "reference": data.get("expected"),
    }


def _one(sampled: object) -> object:
    """Return the only answer of a list."""
    return sampled[0] if isinstance(sampled, list) and len(sampled) == 1 else sampled
