"""JSON field F1: how many of the reference's fields the answer's JSON holds, and no others.

Inputs: an answer with a JSON object (or array, where the reference is one) somewhere in it, and one
or more references as JSON values or JSON text; the best counts. Range: [0, 1], higher is better.
Both are flattened to leaves ("items.0.sku"); a leaf counts where path and value agree. Values are
typed: 2 equals 2.0, but not "2", and true is not 1; strings agree apart from white space at the
ends and Unicode composition. Order of keys does not count, order of array items does. An empty
object or array is a leaf.
Limitations: the first balanced JSON value that parses is read; one that holds NaN or Infinity, is
nested deeper than 64 or is longer than 100,000 characters is none. No JSON scores 0.
Format audit: strictly, the whole answer is JSON; tolerantly, names are compared without case,
hyphens and underscores, and "2" equals 2.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ...core.types import Failure, FailureKind, Score
from .base import Result, fraction_metric
from .text import as_text, clip, compose, fold, normalise

MOST_DEPTH = 64
MOST_JSON = 100_000
_ATTEMPTS = 32
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


def _refuse(constant: str) -> Any:  # noqa: ANN401
    raise ValueError(f"{constant} is not JSON")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def parse(text: str) -> Any:  # noqa: ANN401
    """Return strict JSON's value.

    Raises:
        ValueError: it is not JSON, holds NaN or Infinity, or is too deep or too long.
    """
    if len(text) > MOST_JSON or _balanced_end(text, 0) is None:
        raise ValueError("not JSON, too deep or too long")
    return json.loads(text, parse_constant=_refuse, parse_float=_number)


def _balanced_end(text: str, start: int) -> int | None:
    """Return the end of the value that begins at ``start``; ``None`` if it is too deep or open."""
    depth = 0
    for piece in _PIECE.finditer(text, start):
        if piece[0] in "{[":
            depth += 1
            if depth > MOST_DEPTH:
                return None
        elif piece[0] in "}]":
            depth -= 1
            if depth <= 0:
                return piece.end() if depth == 0 else None
    return len(text) if depth == 0 else None


def first_json(text: str, opening: str = "{") -> Any:  # noqa: ANN401
    """Return the first object (or array) in a text, or ``None``.

    Args:
        text: An answer, of which the first 100,000 characters are read.
        opening: ``{`` for an object, ``[`` for an array.

    Example:
        >>> first_json('Sure {as asked}: ```json {"a": [1, {"b": "}"}]} ```')
        {'a': [1, {'b': '}'}]}
    """
    text, at = text[:MOST_JSON], -1
    for _ in range(_ATTEMPTS):
        at = text.find(opening, at + 1)
        if at < 0:
            return None
        end = _balanced_end(text, at)
        if end is not None:
            try:
                return json.loads(text[at:end], parse_constant=_refuse, parse_float=_number)
            except (ValueError, RecursionError):
                continue
    return None


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401
    """Yield each leaf with its path, as comparable values.

    Example:
        >>> dict(leaves({"a": [1, {"b": " x "}], "c": {}}))
        {('a', '0'): ('number', 1.0), ('a', '1', 'b'): ('string', 'x'), ('c',): ('empty', 'dict')}
    """
    if isinstance(value, dict | list) and not value:
        yield path, ("empty", type(value).__name__)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, str(index)))
    elif isinstance(value, bool) or value is None:
        yield path, ("constant", value)
    elif isinstance(value, int | float):
        yield path, ("number", float(value) if abs(value) < 2**53 else value)
    else:
        yield path, ("string", compose(str(value)).strip())


def field_f1(answer: Any, reference: Any) -> float:  # noqa: ANN401
    """Return the F1 of two JSON values' leaves, in [0, 1].

    Example:
        >>> field_f1({"a": 1, "b": 2}, {"a": 1.0, "b": "2"})
        0.5
    """
    given, wanted = dict(leaves(answer)), dict(leaves(reference))
    same = sum(path in given and given[path] == value for path, value in wanted.items())
    return 2.0 * same / (len(given) + len(wanted))


def json_f1(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Result:
    """Return the best field F1 over the references; 0 where the answer holds no JSON.

    Example:
        >>> json_f1('Here: {"sku": "A1", "quantity": 2}', [{"sku": "A1", "quantity": 3}]).value
        0.5
    """
    wanted = [value for value in map(_reference, references) if isinstance(value, dict | list)]
    if not wanted:
        return Failure(FailureKind.SCORER, "no reference is a JSON object or array")
    value, shown = 0.0, ""
    for reference in wanted:
        given = first_json(text, "{" if isinstance(reference, dict) else "[")
        if given is not None:
            value = max(value, field_f1(given, reference))
            shown = shown or json.dumps(given, ensure_ascii=False)
    return Score(value, clip(shown), "field by field" if shown else "no JSON in the answer")


def _reference(reference: Any) -> Any:  # noqa: ANN401
    if not isinstance(reference, str):
        return reference
    try:
        return parse(reference)
    except (ValueError, RecursionError):
        return None


def json_alone(text: str, references: Sequence[Any], labels: Sequence[str] | None = None) -> Result:
    """Return the best field F1 where the whole answer is JSON, else 0.

    Example:
        >>> json_alone('{"a": 1}', [{"a": 1}]).value, json_alone('So: {"a": 1}', [{"a": 1}]).value
        (1.0, 0.0)
    """
    try:
        given = parse(text.strip())
    except (ValueError, RecursionError):
        return Score(0.0, clip(text))
    wanted = (_reference(reference) for reference in references)
    return Score(max((field_f1(given, one) for one in wanted), default=0.0), clip(text))


def is_json(text: str, labels: Sequence[str] | None = None) -> bool:
    """Return whether the whole answer is a JSON object or array.

    Example:
        >>> is_json('{"a": 1}'), is_json('So: {"a": 1}'), is_json("1")
        (True, False, False)
    """
    try:
        return isinstance(parse(text.strip()), dict | list)
    except (ValueError, RecursionError):
        return False


def json_loosely(
    text: str, references: Sequence[Any], labels: Sequence[str] | None = None
) -> Result:
    """Return the best field F1 with names and values compared as folded text.

    Example:
        >>> json_loosely('So: {"Unit-Price": "2"}', [{"unit_price": 2}]).value
        1.0
    """
    value = 0.0
    for reference in map(_reference, references):
        given = first_json(text, "{" if isinstance(reference, dict) else "[")
        if given is not None:
            value = max(value, field_f1(_folded(given), _folded(reference)))
    return Score(value, clip(text))


def _folded(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {_name(key): _folded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_folded(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return normalise(as_text(value))


def _name(key: object) -> str:
    return re.sub(r"[\s_-]+", "", fold(str(key)))


METRIC = fraction_metric(
    "json_f1",
    "F1 of the fields of the answer's JSON and the reference's, typed.",
    json_f1,
    scale="bounded",
    strict=json_alone,
    tolerant=json_loosely,
    well_formed=is_json,
)
