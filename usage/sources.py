"""The records of one file as a relation in SQL: what DuckDB is asked to read, and how."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import CostoptError, Where
from . import quoting
from .detect import RECORDS, format_of, records_of
from .documents import first_documents
from .files import LogFile
from .readers import JSON_FORMATS, plain
from .readers.spec import raw_select
from .survey import LONGEST, head_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Shape = Literal["lines", "array", "documents", "table", "parquet"]
_BUFFER = 4 * LONGEST
_DELIMITERS = (",", ";", "\t", "|")
_PACKING = {"none": "none", "gzip": "gzip", "zstd": "zstd"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file as it is read.

    Attributes:
        log: The file.
        shape: JSON lines, one JSON array, JSON documents one after the other, a table with a
            header, or Parquet.
        format: The name of its log format.
        columns: Of a table: its columns with their types.
    """

    log: LogFile
    shape: Shape
    format: str
    columns: Mapping[str, str] = field(default_factory=dict[str, str])


def inspect(connection: "DuckDBPyConnection", log: LogFile, format: str | None) -> Source:
    """Find out how a file is to be read.

    Args:
        connection: A DuckDB.
        log: The file.
        format: The format that the user says it has.

    Raises:
        CostoptError: it is empty, or no format that is known.
    """
    if log.parquet:
        return tabular(connection, log, "parquet", format)
    head = head_of(log)
    shape = shape_of(head, log.kind)
    if shape == "table":
        return tabular(connection, log, shape, format)
    records = records_of(head) if shape == "lines" else _objects(log)
    named = format or format_of(records)
    if named is None:
        hint = "every line should be a JSON object; name the format with --log-format"
        raise CostoptError("no JSON record among the first lines", hint=hint)
    return Source(log=log, shape=shape, format=named)


def shape_of(head: str, kind: str) -> Shape:
    """Tell the shape of a text by how it begins.

    Args:
        head: Its beginning.
        kind: The ending of the file's name.

    Raises:
        CostoptError: there is nothing in it.
    """
    text = head.lstrip("\ufeff \t\r\n")
    if not text:
        raise CostoptError("the file is empty")
    if kind in (".csv", ".tsv"):
        return "table"
    if text[0] == "[":
        return "array"
    if text[0] != "{":
        return "lines" if kind in (".jsonl", ".ndjson") else "table"
    first = text.splitlines()[0].strip()
    return "documents" if first == "{" or (kind == ".json" and not _is_json(first)) else "lines"


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _objects(log: LogFile) -> list[Mapping[str, Any]]:
    return [one for one in first_documents(log, RECORDS) if isinstance(one, dict)]


def tabular(
    connection: "DuckDBPyConnection", log: LogFile, shape: Shape, format: str | None
) -> Source:
    """Return how a table is read: its columns are known before any row is.

    Args:
        connection: A DuckDB.
        log: The file.
        shape: ``table`` or ``parquet``.
        format: The format that it is known to have.
    """
    read = _parquet(log) if shape == "parquet" else _csv(log, "")
    rows = connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
    columns = {str(row[0]): str(row[1]) for row in rows if row[0] != _ROW}
    shown = connection.execute(f"SELECT to_json(t) FROM {read} t LIMIT {RECORDS}").fetchall()
    told = format or format_of(records_of("\n".join(str(row[0]) for row in shown))) or plain.NAME
    if told == "openai":
        told = plain.NAME  # A table has no nested objects but in columns of its own.
    return Source(log=log, shape=shape, format=format or told, columns=columns)


_ROW = "file_row_number"
_AS_IT_IS = "hive_partitioning = false"
"""A folder called ``model=x`` says nothing of what is in its files; DuckDB would believe it."""


def base_select(source: Source, rejects: str) -> str:
    """Return SQL for the records: ``j`` with ``line``, or a table's columns with `plain.LINE`.

    Empty lines are left out. A line's number counts what DuckDB gives; what it rejects stands in
    the table called ``rejects``.
    """
    log = source.log
    if source.shape == "lines":
        read = (
            f"read_csv({_path(log)}, columns = {{'l': 'VARCHAR'}}, delim = '\x01', quote = '', "
            f"escape = '', comment = '', header = false, auto_detect = false, "
            f"strict_mode = false, {_AS_IT_IS}, max_line_size = {LONGEST + 2}, "
            f"buffer_size = {_BUFFER}{_rejecting(rejects)}, "
            f"compression = '{_PACKING[log.packing]}')"
        )
        numbered = f"SELECT l, row_number() OVER () AS line FROM {read}"
        return (
            "SELECT CASE WHEN starts_with(ltrim(l), '{') AND json_valid(l) THEN l END AS j, line "
            f"FROM ({numbered}) WHERE trim(l) <> ''"
        )
    if source.shape in ("array", "documents"):
        kind = "array" if source.shape == "array" else "unstructured"
        read = (
            f"read_json_objects({_path(log)}, format = '{kind}', maximum_object_size = "
            f"{2 * LONGEST}, compression = '{_PACKING[log.packing]}')"
        )
        return f"SELECT CAST(json AS VARCHAR) AS j, row_number() OVER () AS line FROM {read}"
    if source.shape == "parquet":
        read = f"SELECT *, {_ROW} + 1 AS {plain.LINE} FROM {_parquet(log)}"
        return _as_json(read, source)
    # The header is the first line.
    read = f"SELECT *, row_number() OVER () + 1 AS {plain.LINE} FROM {_csv(log, rejects)}"
    return _as_json(read, source)


def _as_json(read: str, source: Source) -> str:
    """Rows as JSON objects where the format is one of nested objects."""
    if source.format == plain.NAME:
        return read
    return f"SELECT CAST(to_json(t) AS VARCHAR) AS j, {plain.LINE} AS line FROM ({read}) t"


def source_select(
    source: Source,
    *,
    format: str | None = None,
    mapping: Mapping[str, str],
    text: bool,
    rejects: str,
) -> str:
    """Return SQL that reads what a reader gives out of a file.

    Args:
        source: The file.
        format: Read it as this format and not as its own.
        mapping: ``[usage.columns]`` for plain logs.
        text: Whether to read the requests' texts.
        rejects: The name of a table for what DuckDB rejects.

    Raises:
        CostoptError: a table that has no column of a request.
    """
    name = format or source.format
    base = base_select(source, rejects)
    if name != plain.NAME:
        return raw_select(JSON_FORMATS[name], base, text=text)
    if source.shape in ("lines", "array", "documents"):
        return raw_select(plain.json_format(mapping), base, text=text)
    columns = plain.chosen(list(source.columns), mapping, source.log.shown)
    if not plain.looks_like(columns):
        raise CostoptError(
            "no column of requests: neither tokens nor a model",
            where=Where(source.log.shown),
            hint="name its columns under [usage.columns] in costopt.toml: "
            'input_tokens = "…", output_tokens = "…", model = "…", timestamp = "…"',
        )
    return plain.raw_select(columns, source.columns, base, text=text)


def _path(log: LogFile) -> str:
    # DuckDB takes paths for globs: what is a name here must not match other files.
    name = log.path.absolute().as_posix()
    escaped = "".join(f"[{char}]" if char in "*?[" else char for char in name)
    return quoting.text(escaped)


def _parquet(log: LogFile) -> str:
    return f"read_parquet({_path(log)}, {_ROW} = true, {_AS_IT_IS})"


def _csv(log: LogFile, rejects: str) -> str:
    header = head_of(log).lstrip("\ufeff").split("\n", 1)[0]
    # Left to guess, DuckDB takes texts with JSON in them for another way of quoting.
    delimiter = max(_DELIMITERS, key=header.count)
    return (
        f"read_csv({_path(log)}, header = true, all_varchar = true, strict_mode = false, "
        f"delim = '{delimiter}', quote = '\"', escape = '\"', "
        f"null_padding = false, {_AS_IT_IS}, max_line_size = {LONGEST + 2}, buffer_size = {_BUFFER}"
        f"{_rejecting(rejects)}, compression = '{_PACKING[log.packing]}')"
    )


def _rejecting(table: str) -> str:
    if not table:
        return ", ignore_errors = true"
    return (
        f", store_rejects = true, rejects_table = '{table}', rejects_scan = '{table}_scans', "
        "rejects_limit = 0"
    )
