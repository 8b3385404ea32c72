"""Reads the rows of an eval file as a stream, and says where a bad one stands.

`datasets` reports neither lines nor columns, guesses types, and coerces mixed ones; so the bytes
are read here, strictly, and handed to it as they are. What a file holds is data: it is parsed,
bounded, and never run.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..core.errors import CostoptError, Where

MOST_FILE_BYTES = 2 * 1024**3
MOST_LINE_BYTES = 8 * 1024**2
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Row:
    """One row: its number among the rows, its place in the file, and its values by column."""

    number: int
    where: Where
    values: dict[str, Any]


def quoted(text: object) -> str:
    r"""Return untrusted text in quotes, on one line, at most 60 characters of it.

    Example:
        >>> quoted("a\nb")
        '"a\\nb"'
    """
    plain = str(text)
    return json.dumps(
        plain if len(plain) <= 60 else plain[:59] + "…", ensure_ascii=not plain.isprintable()
    )


def read_rows(path: Path, shown: str) -> Iterator[Row]:
    """Yield the rows of a JSONL, CSV or Parquet file.

    Args:
        path: The file.
        shown: Its name in errors.

    Raises:
        CostoptError: the file is missing, too large, of another format, or a row is bad.
    """
    readers: dict[str, Callable[[Path, str], Iterator[Row]]] = {
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
        ".csv": read_csv,
        ".parquet": read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if not path.is_file():
        raise CostoptError("no such eval set", where=Where(shown))
    if reader is None:
        raise CostoptError(
            f"unknown eval set format {quoted(path.suffix)}",
            where=Where(shown),
            hint="known: .jsonl, .csv, .parquet, or a hub id as hf:ID",
        )
    if path.stat().st_size > MOST_FILE_BYTES:
        raise CostoptError("the eval set is larger than 2 GB", where=Where(shown))
    return reader(path, shown)


def _lines(file: BinaryIO, shown: str) -> Iterator[tuple[int, str]]:
    """Yield numbered lines with their ends, without a byte-order mark."""
    number = 0
    while line := file.readline(MOST_LINE_BYTES + 1):
        number += 1
        if len(line) > MOST_LINE_BYTES:
            raise CostoptError("the line is longer than 8 MB", where=Where(shown, number))
        if b"\0" in line:
            raise CostoptError("the file is binary: it holds a NUL", where=Where(shown, number))
        try:
            text = line.removeprefix(_BOM if number == 1 else b"").decode("utf-8")
        except UnicodeDecodeError as error:
            raise CostoptError(
                "the line is not UTF-8",
                where=Where(shown, number, error.start + 1),
                hint="save the file as UTF-8",
            ) from None
        yield number, text


def _refuse_constant(constant: str) -> Any:  # noqa: ANN401
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is too large")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {quoted(twice)} stands twice in one object")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
)


def read_jsonl(path: Path, shown: str) -> Iterator[Row]:
    """Yield the objects of a file with one JSON object a line; blank lines are skipped.

    Raises:
        CostoptError: a line is not UTF-8, not JSON (NaN and Infinity are not), not an object, or
            names a key twice.
    """
    with path.open("rb") as file:
        count = 0
        for number, line in _lines(file, shown):
            if line.strip():
                count += 1
                yield Row(count, Where(shown, number), _object(line, Where(shown, number)))


def _object(line: str, where: Where) -> dict[str, Any]:
    try:
        value = _DECODER.decode(line.rstrip("\r\n"))
    except json.JSONDecodeError as error:
        place = Where(where.path, where.line, error.colno)
        raise CostoptError(
            f"bad JSON: {error.msg}", where=place, hint="one JSON object on each line"
        ) from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise CostoptError(f"bad JSON: {reason}", where=where) from None
    if not isinstance(value, dict):
        raise CostoptError(
            f"the row is {_kind(value)}, not an object",
            where=where,
            hint='write {"variable": "value", "reference": "answer"}',
        )
    if "\\ud" in line.lower() and not _encodable(value):
        raise CostoptError("bad JSON: half of a surrogate pair", where=where)
    return value


def _encodable(value: Any) -> bool:  # noqa: ANN401
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _kind(value: object) -> str:
    names: dict[type, str] = {
        list: "a list",
        str: "a string",
        bool: "true or false",
        type(None): "null",
    }
    return names.get(type(value), "a number")


def read_csv(path: Path, shown: str) -> Iterator[Row]:
    """Yield the rows of a comma-separated file with a header; every value is a string.

    Raises:
        CostoptError: a column has no name or the name of another, a row has more or fewer cells
            than the header, a quote is left open, or a cell is longer than 131,072 characters.
    """
    with path.open("rb") as file:
        table = csv.reader((line for _, line in _lines(file, shown)), strict=True)
        header: list[str] | None = None
        count = 0
        while True:
            place = Where(shown, table.line_num + 1)
            try:
                cells = next(table, None)
            except csv.Error as error:
                raise CostoptError(f"bad CSV: {error}", where=place) from None
            if cells is None:
                return
            if not cells:
                continue
            if header is None:
                header = _header(cells, place)
                continue
            if len(cells) != len(header):
                raise CostoptError(
                    f"the row has {len(cells)} cells, the header {len(header)}",
                    where=place,
                    hint="quote cells that hold commas, quotes or line breaks",
                )
            count += 1
            yield Row(count, place, dict(zip(header, cells, strict=True)))


def _header(cells: Sequence[str], where: Where) -> list[str]:
    names = [cell.strip() for cell in cells]
    for index, name in enumerate(names):
        if not name:
            raise CostoptError(f"column {index + 1} has no name", where=where)
        if name in names[:index]:
            raise CostoptError(f"the column {quoted(name)} stands twice in the header", where=where)
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise CostoptError("the header is one column", where=where, hint="separate by commas")
    return names


def read_parquet(path: Path, shown: str) -> Iterator[Row]:
    """Yield the rows of a Parquet file, a batch of them in memory at a time.

    Raises:
        CostoptError: it is not Parquet, or a value is of a type that a prompt cannot hold.
    """
    import pyarrow as pa
    from pyarrow import parquet

    count = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=256):
                for values in batch.to_pylist():
                    count += 1
                    yield Row(count, Where(shown), plain_values(values, count, Where(shown)))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CostoptError(
            f"cannot read it as Parquet: {reason[:200]}", where=Where(shown)
        ) from None


def plain_values(values: dict[str, Any], number: int, where: Where) -> dict[str, Any]:
    """Return a row of Arrow or the hub with values that JSON can hold; dates become text.

    Raises:
        CostoptError: a value is binary, not finite, or of an unknown type.
    """
    try:
        return json.loads(json.dumps(values, allow_nan=False, default=_plain))
    except (TypeError, ValueError, RecursionError) as error:
        raise CostoptError(f"row {number}: {str(error)[:120]}", where=where) from None


def _plain(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("a value is binary")
    if type(value).__module__ in {"datetime", "decimal", "uuid"}:
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__} cannot stand in a prompt")
