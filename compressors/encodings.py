"""JSON values written as compact JSON, CSV or TOON, and read back the same."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = ["FORMATS", "decoded", "encoded", "load", "same"]

FORMATS = ("json", "csv", "toon")
"""In the order in which ties are decided."""

_BARE = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CONSTANTS = {"": None, "true": True, "false": False}
_CELL = re.compile(r'(?P<quoted>"(?:[^"]|"")*")|(?P<plain>[^",\r\n]*)')
_SPECIAL = re.compile(r'[",\r\n\x00-\x1f\x85\u2028\u2029]')
_LARGEST = 10**15


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def load(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a JSON text, numbers as written.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or an object has a name twice.
    """
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_Number, parse_float=_Number,
            parse_constant=_refuse,
        )  # fmt: skip
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> Any:  # noqa: ANN401
    raise ValueError(constant)


def encoded(value: Any, kind: str) -> str | None:  # noqa: ANN401 - any JSON
    r"""Return a value in one of `FORMATS`; ``None`` where that cannot hold it.

    CSV holds a list of two or more objects with the same names and no value that is nested. A
    cell without quotes is a number, ``true``, ``false``, or nothing (null) where it reads so;
    strings that read so are quoted.

    Example:
        >>> encoded([{"id": "7", "n": None}, {"id": "b", "n": True}], "csv")
        'id,n\n"7",\nb,true'
    """
    if kind == "json":
        return _json(value)
    if kind == "csv":
        return _csv(value)
    return _toon(value)


def decoded(text: str, kind: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a text that `encoded` made.

    Raises:
        ValueError: it is none.
    """
    if kind == "json":
        return load(text)
    if kind == "csv":
        return _read_csv(text)
    from toon_format import decode

    try:
        return decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    """Tell whether two values are the same JSON: the order of names counts, as do types.

    Numbers are equal where their values are, however they are written.

    Example:
        >>> same(load('{"a": 1.0}'), {"a": 1}), same(load('["1"]'), [1]), same(load("[1]"), [True])
        (True, False, False)
    """
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    left, right = _number(one), _number(other)
    if left is not None or right is not None:
        return left is not None and left == right
    return type(one) is type(other) and one == other


def _number(value: Any) -> Decimal | None:  # noqa: ANN401
    if isinstance(value, _Number):
        return _decimal(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _decimal(str(value))
    return None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _json(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k, ensure_ascii=False)}:{_json(v)}" for k, v in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _csv(value: Any) -> str | None:  # noqa: ANN401
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(r, dict) for r in value):
        return None
    names = list(value[0])
    if not names or any(list(row) != names for row in value):
        return None
    cells = [cell for row in value for cell in row.values()]
    if any(isinstance(cell, dict | list) for cell in cells):
        return None
    lines = [",".join(_quoted(name) for name in names)]
    lines += [",".join(_cell(cell) for cell in row.values()) for row in value]
    # A line of one null would be an empty line, which no reader takes for a row.
    return None if any(not line for line in lines) else "\n".join(lines)


def _cell(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, _Number):
        return str(value)
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    reads_so = value in _CONSTANTS or _BARE.fullmatch(value)
    return _with_quotes(value) if reads_so else _quoted(value)


def _quoted(text: str) -> str:
    plain = text and text == text.strip() and not _SPECIAL.search(text)
    return text if plain else _with_quotes(text)


def _with_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _read_csv(text: str) -> list[dict[str, Any]]:
    rows = [_row(line) for line in _lines(text)]
    if len(rows) < 3 or len({len(row) for row in rows}) != 1:
        raise ValueError("no table")
    names = [name for name, _ in rows[0]]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice")
    return [dict(zip(names, map(_value, row), strict=True)) for row in rows[1:]]


def _lines(text: str) -> Iterable[str]:
    """Yield records: line breaks within quotes are part of one."""
    start, quotes = 0, False
    for mark in re.finditer(r'["\n]', text):
        if mark.group() == '"':
            quotes = not quotes
        elif not quotes:
            yield text[start : mark.start()]
            start = mark.end()
    yield text[start:]


def _row(line: str) -> list[tuple[str, bool]]:
    """Return the cells of a record, each with whether it was quoted."""
    found: list[tuple[str, bool]] = []
    at = 0
    while True:
        cell = _CELL.match(line, at)
        if cell is None:
            raise ValueError("no cell")
        quoted = cell.group("quoted")
        found.append(
            (quoted[1:-1].replace('""', '"'), True) if quoted else (cell.group("plain"), False)
        )
        at = cell.end()
        if at == len(line):
            return found
        if line[at] != ",":
            raise ValueError("no comma after a cell")
        at += 1


def _value(cell: tuple[str, bool]) -> Any:  # noqa: ANN401
    text, quoted = cell
    if quoted:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _Number(text) if _BARE.fullmatch(text) else text


def _toon(value: Any) -> str | None:  # noqa: ANN401
    from toon_format import encode

    plain = _plain(value)
    if plain is _Inexact:
        return None
    try:
        return encode(plain)
    except (RecursionError, ValueError):
        return None


class _Inexact:
    """What TOON's encoder would not write as it is."""


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value with Python's numbers; `_Inexact` where one would change."""
    if isinstance(value, _Number):
        exact = Decimal(value)
        whole = exact == exact.to_integral_value() and abs(exact) < _LARGEST
        number = int(exact) if whole else float(value)
        return number if Decimal(str(number)) == exact else _Inexact
    if isinstance(value, Mapping):
        items = {key: _plain(item) for key, item in value.items()}
        return _Inexact if _Inexact in items.values() else items
    if isinstance(value, list):
        several = [_plain(item) for item in value]
        return _Inexact if _Inexact in several else several
    return value
