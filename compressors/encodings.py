"""JSON values written as compact JSON, CSV or TOON, and read back the same."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

__all__ = [
    "FORMATS",
    "decoded",
    "encoded",
    "encodings",
    "load",
    "same",
    "table_rows",
    "written_rows",
]

FORMATS = ("json", "csv", "toon")
"""In the order in which ties are decided."""

_BARE = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CONSTANTS = {"": None, "true": True, "false": False}
_CELL = re.compile(r'(?P<quoted>"(?:[^"]|"")*")|(?P<plain>[^",\r\n]*)')
_SPECIAL = re.compile(r'[",\r\n\x00-\x1f\x85\u2028\u2029]')
_INDENT = re.compile(r"^ +", re.MULTILINE)


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


def encodings(value: Any, kind: str) -> Iterator[str]:  # noqa: ANN401 - any JSON
    r"""Yield the ways to write a value in one of `FORMATS`; none where that cannot hold it.

    CSV holds a list of two or more objects with the same names and no value that is nested. A
    cell without quotes is a number, ``true``, ``false``, or nothing (null) where it reads so;
    strings that read so are quoted. TOON is written with an indentation of one blank, with commas
    and with tabs: what has to be quoted differs.

    Example:
        >>> list(encodings({"a": [{"b": "x,y", "c": 1}]}, "toon"))
        ['a[1]{b,c}:\n "x,y",1', 'a[1\t]{b\tc}:\n x,y\t1']
    """
    if kind == "json":
        yield _json(value)
    elif kind == "csv":
        text = _csv(value)
        yield from () if text is None else (text,)
    else:
        yield from _toon(value)


def encoded(value: Any, kind: str) -> str | None:  # noqa: ANN401 - any JSON
    r"""Return the first of the `encodings`; ``None`` where there is none.

    Example:
        >>> encoded([{"id": "7", "n": None}, {"id": "b", "n": True}], "csv")
        'id,n\n"7",\nb,true'
    """
    return next(encodings(value, kind), None)


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

    indent = min(map(len, _INDENT.findall(text)), default=1)
    try:
        return decode(text, indent_size=indent, parse_float=_Number, parse_int=_Number)
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
    rows = _records(text)
    names = [name for name, _ in rows[0]]
    if len(set(names)) != len(names):
        raise ValueError("a name stands twice")
    return [dict(zip(names, map(_value, row), strict=True)) for row in rows[1:]]


def table_rows(text: str) -> list[list[str]]:
    r"""Return the cells of CSV as the texts that they are, the header's first.

    Raises:
        ValueError: it is no CSV, or has rows of different lengths, or fewer than two.

    Example:
        >>> table_rows('a,a\n1,"x,y"\n"2",')
        [['a', 'a'], ['1', 'x,y'], ['2', '']]
    """
    return [[cell for cell, _ in row] for row in _records(text)]


def written_rows(rows: list[list[str]]) -> str:
    r"""Return rows of texts as CSV, quoted only where commas, quotes, breaks or blanks need it.

    Example:
        >>> written_rows([["a", "b"], ["1", "x,y"], ["", " "]])
        'a,b\n1,"x,y"\n," "'
    """
    return "\n".join(",".join(_quoted(cell) if cell else "" for cell in row) for row in rows)


def _records(text: str) -> list[list[tuple[str, bool]]]:
    rows = [_row(line) for line in _lines(text)]
    if len(rows) < 3 or len({len(row) for row in rows}) != 1:
        raise ValueError("no table")
    return rows


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


def _toon(value: Any) -> Iterator[str]:  # noqa: ANN401
    from toon_format import encode

    plain = _plain(value)
    for delimiter in (",", "\t"):
        try:
            yield encode(plain, indent_size=1, delimiter=delimiter)
        except (RecursionError, ValueError):
            return


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value with numbers that TOON's encoder writes digit by digit."""
    if isinstance(value, _Number):
        return Decimal(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
