"""Reading files into one table, ``logged``, and saying what is wrong with them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import CostoptError, Where
from ..core.report import Skipped
from .checks import BROKEN, MASKED, OTHER, SAID, checked_select
from .detect import format_of, records_of
from .documents import copy_as_lines
from .facts import FileRead, Problem
from .files import LogFile
from .ledger import COLUMNS
from .readers import JSON_FORMATS, plain
from .sources import Source, base_select, inspect, source_select
from .survey import LONGEST, Survey, readable_copy, survey
from .watch import Step, Watch, unwatched

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LOGGED = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items() if name != "usd")
LOGGED = f"CREATE TABLE logged ({_LOGGED}, flags USMALLINT)"
CUT = "packed file that is cut off or damaged; what comes before that was read"
_REJECTS = "rejected_lines"
_UNREADABLE = BROKEN | OTHER
_LOOKED_AT = 200


@dataclass(frozen=True, kw_only=True)
class Options:
    """How logs are read.

    Attributes:
        format: The format of all of them; told from each where it is ``None``.
        mapping: ``[usage.columns]``.
        text: Whether to keep the requests' texts.
        link: SQL for the name of a request's prompt by its ``text``, where none is recorded.
        now: The latest time that is believed, ISO 8601 in UTC.
    """

    format: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    text: bool = False
    link: str | None = None
    now: str


@dataclass
class Loaded:
    """What came out of the files so far."""

    files: list[FileRead] = field(default_factory=list[FileRead])
    skipped: list[Skipped] = field(default_factory=list[Skipped])
    problems: list[Problem] = field(default_factory=list[Problem])
    views: list[Callable[[int], str]] = field(default_factory=list[Callable[[int], str]])
    """Of each file that is read where it lies (Parquet): its SQL, by what is known to be wrong."""
    read: int = 0
    bad: int = 0
    other: int = 0


def load(
    connection: "DuckDBPyConnection",
    logs: tuple[LogFile, ...],
    options: Options,
    scratch: Path,
    watch: Watch = unwatched,
) -> Loaded:
    """Read files into the table ``logged``; Parquet stays where it is, as a relation in SQL.

    Args:
        connection: A DuckDB, without these tables.
        logs: The files.
        options: How to read them.
        scratch: A folder of ours for copies.
        watch: Told how far it is.

    Raises:
        CostoptError: none of them could be read.
    """
    loaded = Loaded()
    connection.execute(LOGGED)
    sizes = [size_of(log) for log in logs]
    for number, log in enumerate(logs):
        done, part, total = sum(sizes[:number]), sizes[number], sum(sizes)
        percent = connection.query_progress
        watch(Step(what="reading logs", done=done, part=part, total=total, percent=percent))
        try:
            _load(connection, log, options, scratch / f"copy-{number}", loaded)
        except (CostoptError, OSError) as error:
            loaded.skipped.append(skipped(log, error, len(logs)))
        except Exception as error:
            if not is_duckdb(error):
                raise
            loaded.skipped.append(Skipped(path=log.shown, line=None, reason=first_line(error)))
    if not loaded.files:
        first = loaded.skipped[0]
        raise CostoptError(
            f"no log could be read: {first.reason}", where=Where(first.path, first.line)
        )
    return loaded


def size_of(log: LogFile) -> int:
    """Return how many bytes a file has; none where that cannot be told."""
    try:
        return log.path.stat().st_size
    except OSError:
        return 0  # Why it cannot be read is said when it is read.


def skipped(log: LogFile, error: CostoptError | OSError, many: int) -> Skipped:
    """Say why a file was not read.

    Raises:
        CostoptError: it is the only one.
    """
    if isinstance(error, CostoptError):
        if many == 1:
            raise (
                error
                if error.where
                else CostoptError(error.what, where=Where(log.shown), hint=error.hint)
            )
        return Skipped(path=log.shown, line=None, reason=error.what)
    return Skipped(path=log.shown, line=None, reason=error.strerror or type(error).__name__)


def is_duckdb(error: Exception) -> bool:
    """Say whether an error is one of DuckDB's."""
    import duckdb

    return isinstance(error, duckdb.Error)


def first_line(error: Exception) -> str:
    """Return the first line of what DuckDB says of an error: the rest is SQL."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _load(
    connection: "DuckDBPyConnection", log: LogFile, options: Options, copy: Path, loaded: Loaded
) -> None:
    """Read one file: the records first, then what is wrong with them."""
    load_source(connection, inspect(connection, log, options.format), options, copy, loaded)


def load_source(
    connection: "DuckDBPyConnection", source: Source, options: Options, copy: Path, loaded: Loaded
) -> None:
    """Read a file of which is known how it is to be read.

    Args:
        connection: A DuckDB with the table ``logged``.
        source: The file.
        options: How to read it.
        copy: Where a copy may be put.
        loaded: What is told of what was read.

    Raises:
        CostoptError: it cannot be read.
    """
    log = source.log
    if source.shape == "parquet" and source.format == plain.NAME:
        loaded.views.append(partial(_checked, source, None, options))
        loaded.files.append(FileRead(log.shown, source.format, rows=-1))
        return
    found = Survey() if source.shape == "parquet" else survey(log)
    if source.shape == "lines" or source.shape == "table":
        source = _mended(source, found, copy)
    before, shape = _count(connection), source.shape
    _drop_rejects(connection)
    if shape in ("array", "documents"):
        source = _insert_documents(connection, source, options, copy, loaded)
        rejected = []
    else:
        rejected = _insert(connection, source, options)
    if shape in ("lines", "table"):
        _renumber(connection, log, rejected)
    if options.format is None and source.shape != "table":
        _try_others(connection, source, options)
    read = _count(connection) - before + len(rejected)
    _tell(connection, log, found, rejected, loaded)
    if shape == "lines":
        _tell_growth(connection, log, found, loaded)
    loaded.read += read
    loaded.files.append(FileRead(log.shown, source.format, rows=read))
    connection.execute(f"DELETE FROM logged WHERE flags & {_UNREADABLE} > 0")


def _mended(source: Source, found: Survey, copy: Path) -> Source:
    """Read a copy instead, where DuckDB could not read all that can be read."""
    return source if found.whole else replace(source, log=readable_copy(source.log, found, copy))


def _insert_documents(
    connection: "DuckDBPyConnection", source: Source, options: Options, copy: Path, loaded: Loaded
) -> Source:
    """Read JSON that is no lines, up to where it breaks off, and return what was read."""
    try:
        _insert(connection, source, options)
    except Exception as error:
        if not is_duckdb(error):
            raise
        log, many = copy_as_lines(source.log, copy)
        if not many:
            raise
        source = replace(source, log=log, shape="lines")
        _insert(connection, source, options)
        first = Where(log.shown, many + 1)
        loaded.problems.append(Problem(what=_BROKEN_OFF, rows=1, first=first))
        loaded.bad += 1
        loaded.read += 1
    return source


_BROKEN_OFF = "record at which the JSON breaks off or is damaged; what comes before that was read"


def _checked(source: Source, format: str | None, options: Options, found: int = MASKED) -> str:
    raw = source_select(
        source,
        format=format,
        mapping=options.mapping,
        text=options.text or options.link is not None,
        rejects=_rejects(source),
    )
    return checked_select(
        raw,
        source.log.shown,
        options.now,
        link=options.link,
        text=options.text,
        found=found,
    )


def _rejects(source: Source) -> str:
    return _REJECTS if source.shape in ("lines", "table") else ""


def _insert(
    connection: "DuckDBPyConnection", source: Source, options: Options
) -> list[tuple[int, str]]:
    """Read the records, and return the lines that DuckDB rejected, with why."""
    connection.execute(f"INSERT INTO logged {_checked(source, None, options)}")
    return list(_rejected(connection, source))


def _rejected(connection: "DuckDBPyConnection", source: Source) -> Iterator[tuple[int, str]]:
    if not _rejects(source):
        return
    rows = connection.execute(
        f"SELECT line, min(lower(error_type)) FROM {_REJECTS} GROUP BY line ORDER BY line"
    ).fetchall()
    _drop_rejects(connection)
    yield from ((int(row[0]), str(row[1])) for row in rows)


def _drop_rejects(connection: "DuckDBPyConnection") -> None:
    for table in (_REJECTS, f"{_REJECTS}_scans"):
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def _renumber(
    connection: "DuckDBPyConnection", log: LogFile, rejected: list[tuple[int, str]]
) -> None:
    """Give lines behind a rejected one their own number: DuckDB counts what it kept."""
    if not rejected:
        return
    # The k-th rejected line comes before all rows but the first `line - k` of them.
    starts = ", ".join(f"({line - k})" for k, (line, _) in enumerate(rejected, start=1))
    connection.execute(
        "UPDATE logged SET line = line + (SELECT count(*) FROM (VALUES "
        f"{starts}) gone(kept) WHERE kept < logged.line) WHERE source = ?",
        [log.shown],
    )


def _try_others(connection: "DuckDBPyConnection", source: Source, options: Options) -> None:
    """Read records that are no requests of the file's format as those of another one."""
    for name in _formats_of_others(connection, source):
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE more AS SELECT m.* FROM "
            f"({_checked(source, name, options)}) m SEMI JOIN "
            f"(SELECT line FROM logged WHERE source = ? AND flags & {OTHER} > 0) o USING (line) "
            f"WHERE flags & {_UNREADABLE} = 0",
            [source.log.shown],
        )
        _drop_rejects(connection)
        connection.execute(
            f"DELETE FROM logged WHERE source = ? AND flags & {OTHER} > 0 "
            "AND line IN (SELECT line FROM more)",
            [source.log.shown],
        )
        connection.execute("INSERT INTO logged FROM more")


def _formats_of_others(connection: "DuckDBPyConnection", source: Source) -> list[str]:
    """Return which other formats the records have that are no requests, told by some of them."""
    lines = connection.execute(
        "SELECT line FROM logged WHERE source = ? GROUP BY line "
        f"HAVING bool_and(flags & {OTHER} > 0) ORDER BY hash(line) LIMIT {_LOOKED_AT}",
        [source.log.shown],
    ).fetchall()
    if not lines:
        return []
    wanted = ", ".join(str(int(line[0])) for line in lines)
    base = base_select(source, _rejects(source))
    found = connection.execute(f"SELECT j FROM ({base}) WHERE line IN ({wanted})").fetchall()
    _drop_rejects(connection)
    votes = {format_of(records_of(str(row[0]))) for row in found}
    return [name for name in (*JSON_FORMATS, plain.NAME) if name in votes - {source.format}]


def _tell(
    connection: "DuckDBPyConnection",
    log: LogFile,
    found: Survey,
    rejected: list[tuple[int, str]],
    loaded: Loaded,
) -> None:
    """Count what cannot be read, with where it first stands."""
    long = set(found.too_long)
    for flag in (BROKEN, OTHER):
        rows, first = connection.execute(
            f"SELECT count(*), min(line) FROM logged WHERE source = ? AND flags & {flag} > 0",
            [log.shown],
        ).fetchone() or (0, None)
        if flag == BROKEN:
            loaded.bad += rows
        else:
            loaded.other += rows
        if rows:
            problem = Problem(what=SAID[flag], rows=rows, first=Where(log.shown, first))
            loaded.problems.append(problem)
    for reason in dict.fromkeys(why for _, why in rejected):
        lines = [line for line, why in rejected if why == reason]
        what = f"lines that cannot be read ({reason})"
        loaded.problems.append(
            Problem(what=what, rows=len(lines), first=Where(log.shown, lines[0]))
        )
    loaded.bad += len(rejected)
    if long:
        what = f"lines longer than {LONGEST // 1_000_000} MB, which were left out"
        loaded.problems.append(
            Problem(what=what, rows=len(long), first=Where(log.shown, min(long)))
        )
        loaded.bad += len(long)
        loaded.read += len(long)
    if found.cut:
        loaded.problems.append(Problem(what=CUT, rows=1, first=Where(log.shown, found.lines)))


def _tell_growth(
    connection: "DuckDBPyConnection", log: LogFile, found: Survey, loaded: Loaded
) -> None:
    """Say where a file had more, or fewer, lines than were there when they were counted."""
    last = _one(
        connection, "SELECT coalesce(max(line), 0) FROM logged WHERE source = ?", [log.shown]
    )
    if last > found.lines:
        what = "lines added to the file while it was read, which are counted too"
        rows = last - found.lines
        loaded.problems.append(
            Problem(what=what, rows=rows, first=Where(log.shown, found.lines + 1))
        )


def _count(connection: "DuckDBPyConnection") -> int:
    return _one(connection, "SELECT count(*) FROM logged", [])


def _one(connection: "DuckDBPyConnection", sql: str, values: list[Any]) -> int:
    row = connection.execute(sql, values).fetchone()
    return int(row[0]) if row else 0
