"""Result logs: what another tool wrote about each row, with its answer, score and tokens.

One row a sample, in JSONL, CSV, Parquet or JSON, under whatever names. Everything in it is data:
it is parsed, bounded, and never run.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import CostoptError, Where, nearest
from .event_log import gathered
from .rows import Row, quoted, read_rows

ALIASES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "sample_id", "row_id", "question_id", "example_id", "case_id", "custom_id",
           "uuid", "index", "idx", "key"),
    "reference": ("reference", "references", "expected", "expected_output", "expected_answer",
                  "ground_truth", "gold", "gold_answer", "ideal", "correct_answer", "target",
                  "label"),
    "answer": ("answer", "output", "output_text", "response", "completion", "prediction",
               "sampled", "model_output", "generated_text", "generation", "actual_output"),
    "score": ("score", "correct", "is_correct", "passed", "pass", "success", "accuracy",
              "exact_match", "em", "grade"),
    "input_tokens": ("input_tokens", "prompt_tokens", "tokens_in", "usage.input_tokens",
                     "usage.prompt_tokens", "input_token_count", "prompt_token_count"),
    "output_tokens": ("output_tokens", "completion_tokens", "tokens_out", "usage.output_tokens",
                      "usage.completion_tokens", "output_token_count", "completion_token_count"),
    "input": ("input", "prompt", "messages", "input_text", "query", "question"),
    "cluster": ("cluster", "group"),
}  # fmt: skip
"""What columns are commonly called, the likeliest first; case, ``-`` and blanks do not count."""

_MOST_JSON_BYTES = 256 * 1024**2
_LISTS = ("rows", "results", "samples", "data", "records", "items")
_WORDS = {"true": 1.0, "yes": 1.0, "pass": 1.0, "passed": 1.0, "correct": 1.0,
          "false": 0.0, "no": 0.0, "fail": 0.0, "failed": 0.0, "incorrect": 0.0}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class LogRow:
    """One row of a log; ``None`` where the log does not say."""

    id: str
    references: tuple[Any, ...] = ()
    answer: str | None = None
    score: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    input: str | None = None
    cluster: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResultLog:
    """A log's rows by their ids, in the file's order.

    ``columns`` says which column each part was read from.
    """

    path: str
    rows: Mapping[str, LogRow]
    columns: Mapping[str, str]

    def has(self, part: str) -> bool:
        """Return whether any row has a part."""
        return any(getattr(row, part) not in (None, ()) for row in self.rows.values())


def read_result_log(
    path: Path, columns: Mapping[str, str] | None = None, shown: str | None = None
) -> ResultLog:
    """Read a result log.

    Args:
        path: A ``.jsonl``, ``.ndjson``, ``.csv``, ``.parquet`` or ``.json`` file.
        columns: Which column (``a.b`` for one inside another) holds a part; for those that are
            left out, common names are looked for (`ALIASES`).
        shown: The file's name in errors.

    Raises:
        CostoptError: the file cannot be read, has no rows or no ids, a named column is not there,
            two rows have one id, or a value is of a wrong kind; with file and line.
    """
    shown = shown or path.as_posix()
    rows = list(gathered(_rows(path, shown)))
    if not rows:
        raise CostoptError("the log has no rows", where=Where(shown))
    found = _columns(rows, dict(columns or {}), shown)
    read: dict[str, LogRow] = {}
    places: dict[str, Row] = {}
    for row in rows:
        one = _row(row, found)
        if one.id in read:
            raise _bad(row, f"has the id {quoted(one.id)} of {_place(places[one.id])}")
        read[one.id], places[one.id] = one, row
    return ResultLog(path=shown, rows=read, columns=found)


def _rows(path: Path, shown: str) -> Iterator[Row]:
    if not path.is_file():
        raise CostoptError("no such file", where=Where(shown))
    if path.suffix.lower() != ".json":
        yield from read_rows(path, shown)
        return
    if path.stat().st_size > _MOST_JSON_BYTES:
        hint = "write one row on each line, as JSONL"
        raise CostoptError("the JSON is larger than 256 MiB", where=Where(shown), hint=hint)
    yield from json_rows(path.read_bytes(), shown)


def json_rows(data: bytes, shown: str) -> Iterator[Row]:
    """Yield the rows of a JSON file: a list of objects, or one under a usual name.

    Raises:
        CostoptError: broken JSON, or no rows in it.
    """
    where = Where(shown)
    try:
        found = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CostoptError(f"broken JSON ({str(error)[:120]})", where=where) from None
    if isinstance(found, dict):
        found = next((found[name] for name in _LISTS if isinstance(found.get(name), list)), None)
    if not isinstance(found, list):
        hint = f"a list of objects, or one under {', '.join(_LISTS)}"
        raise CostoptError("the JSON holds no rows", where=where, hint=hint)
    for number, values in enumerate(found, start=1):
        if not isinstance(values, dict):
            raise CostoptError(f"row {number} is no object", where=where)
        yield Row(number, where, values)


def _refuse(constant: str) -> Any:  # noqa: ANN401
    raise ValueError(f"{constant} is not JSON")


def _columns(rows: Sequence[Row], named: dict[str, str], shown: str) -> dict[str, str]:
    """Return which column holds each part: as named, else by the usual names."""
    unknown = next((part for part in named if part not in ALIASES), None)
    if unknown is not None:
        raise CostoptError(f"a log has no part {quoted(unknown)}", hint=nearest(unknown, ALIASES))
    there = _names(rows)
    plain = {_plain(name): name for name in reversed(there)}
    found: dict[str, str] = {}
    for part, names in ALIASES.items():
        if part in named:
            if named[part] not in there:
                what = f"no row has the column {quoted(named[part])}"
                raise CostoptError(what, where=Where(shown), hint=nearest(named[part], there))
            found[part] = named[part]
            continue
        alias = next((plain[name] for name in names if name in plain), None)
        if alias is not None and alias not in found.values() and alias not in named.values():
            found[part] = alias
    if "id" not in found:
        hint = "rows are paired by their ids: name the column as --columns id=NAME"
        raise CostoptError("the log has no column of ids", where=Where(shown), hint=hint)
    return found


def _names(rows: Iterable[Row]) -> list[str]:
    """Return all columns, and those inside of objects as ``outer.inner``."""
    names: dict[str, None] = {}
    for row in rows:
        for name, value in row.values.items():
            names[name] = None
            if isinstance(value, dict):
                names.update(dict.fromkeys(f"{name}.{inner}" for inner in value))
    return list(names)


def _plain(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _get(row: Row, columns: Mapping[str, str], part: str) -> Any:  # noqa: ANN401
    name = columns.get(part)
    if name is None:
        return None
    if name in row.values:
        return row.values[name]
    outer, _, inner = name.partition(".")
    held = row.values.get(outer)
    return held.get(inner) if isinstance(held, dict) else None


def _row(row: Row, columns: Mapping[str, str]) -> LogRow:
    identity, cluster = (_label(row, columns, part) for part in ("id", "cluster"))
    if identity is None:
        raise _bad(row, "has no id")
    return LogRow(
        id=identity,
        references=_references(_get(row, columns, "reference")),
        answer=_text(_get(row, columns, "answer")),
        score=_number(row, columns, "score"),
        input_tokens=_count(row, columns, "input_tokens"),
        output_tokens=_count(row, columns, "output_tokens"),
        input=_text(_get(row, columns, "input")),
        cluster=cluster,
    )


def _label(row: Row, columns: Mapping[str, str], part: str) -> str | None:
    value = _get(row, columns, part)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _bad(row, f"has {part} of a wrong kind", f"{part} is a string or a number")
    return str(value)


def _references(value: object) -> tuple[Any, ...]:
    if value in (None, "", []):
        return ()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return (value,)


def _text(value: object) -> str | None:
    """Return a text, or the contents of a chat's messages; a list of one text is that text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [item.get("content") if isinstance(item, dict) else item for item in value]
        if parts and all(isinstance(part, str) for part in parts):
            return "\n\n".join(str(part) for part in parts)
    return json.dumps(value, ensure_ascii=False)


def _number(row: Row, columns: Mapping[str, str], part: str) -> float | None:
    """Return a number; true and false count as 1 and 0, an empty cell as unknown."""
    value = _get(row, columns, part)
    if isinstance(value, str):
        text = value.strip().casefold()
        if not text:
            return None
        value = _WORDS.get(text, text)
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if number is not None and not abs(number) < 1e300:
        hint = f"the column {quoted(columns[part])} holds numbers, or true and false"
        raise _bad(row, f"has {part} of a wrong kind: {quoted(value)}", hint)
    return number


def _count(row: Row, columns: Mapping[str, str], part: str) -> float | None:
    number = _number(row, columns, part)
    if number is not None and number < 0:
        raise _bad(row, f"has a negative number of {part.replace('_', ' ')}")
    return number


def _place(row: Row) -> str:
    return f"line {row.where.line}" if row.where.line else f"row {row.number}"


def _bad(row: Row, what: str, hint: str | None = None) -> CostoptError:
    return CostoptError(f"row {row.number} {what}", where=row.where, hint=hint)
