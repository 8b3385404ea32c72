"""Reading what was added to one log."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import CostoptError, Where
from ..checks import MASKED, OTHER, SAID
from ..facts import Problem
from ..files import LogFile
from ..load import CUT, LOGGED, Loaded, Options, is_duckdb, load_source
from ..sources import Source, inspect, shape_of, tabular
from ..survey import LONGEST, head_of
from .commit import Part, forget, transaction, write
from .contents import SAMPLE, Stream, digest, digest_of, header_of, stamp, stream, without
from .recognise import Known
from .slices import Slice, slices, whole_records
from .states import State, save_states

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_UNFINISHED = "last line without an end, which counts once it has one"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What reading a log takes.

    Attributes:
        connection: A DuckDB with the ledger attached.
        options: How to read logs.
        scratch: A folder of ours.
        seen: Told how many bytes of the log were read, and how many are being read.
    """

    connection: "DuckDBPyConnection"
    options: Options
    scratch: Path
    seen: Callable[[int, int], None] = lambda read, part: None


def append(reader: Reader, known: Known, number: int) -> int | None:
    """Read what was added to a log since it was read last, and keep it.

    Args:
        reader: What it takes.
        known: The log, with what is known of it.
        number: Its number, where it is a new one.

    Returns:
        How many requests were added; ``None`` where the log has not one whole line yet.

    Raises:
        CostoptError: it cannot be read.
    """
    log, state = known.log, known.state
    size, changed = stamp(log, time.time_ns())
    same = state is not None and changed >= 0 and (state.size, state.changed) == (size, changed)
    if state is not None and same and reader.options.format in (None, state.format):
        _renamed(reader, known, state)
        return 0
    if not _begun(log):
        return None
    begun = _begin(reader, known, number)
    begun = replace(begun, state=replace(begun.state, size=size, changed=changed))
    return (_whole if begun.state.shape == "whole" else _lines)(reader, begun)


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """A log that is about to be read.

    Attributes:
        source: How it is read.
        state: What is known of it once it was read; its position is where to begin.
        anew: Whether what was read of it before does not count any more.
        others: What is known from now on of logs that had its name.
    """

    source: Source
    state: State
    anew: bool
    others: Sequence[State]


def _begin(reader: Reader, known: Known, number: int) -> _Begun:
    """Decide from where a log is read, and whether what was read of it before still counts."""
    log, state, displaced = known.log, known.state, known.displaced
    if state is not None and state.path != known.path and state.shape != "whole":
        # A log that was put away is still what it was told to be.
        source = Source(log=log, shape=state.shape, format=state.format)
    else:
        source = _told(reader, log)
    shape = source.shape if source.shape in ("lines", "table") else "whole"
    others = [] if displaced is None or known.replaces else [replace(displaced, path=None)]
    anew = known.replaces
    if state is not None and (state.shape, state.format) != (shape, source.format):
        state, anew, number = None, True, state.id
    if displaced is not None and known.replaces:
        number = displaced.id
    state = state or State(id=number, path="", shown="", shape=shape, format=source.format)
    named = replace(state, path=known.path, shown=log.shown)
    return _Begun(source=source, state=named, anew=anew, others=others)


def _told(reader: Reader, log: LogFile) -> Source:
    """Tell how a log is to be read; of a table by whole records: DuckDB takes no half ones."""
    head = "" if log.parquet else head_of(log)
    if log.parquet or shape_of(head, log.kind) != "table":
        return inspect(reader.connection, log, reader.options.format)
    copy = reader.scratch / "head"
    copy.write_bytes(whole_records(head.encode()))
    told = tabular(reader.connection, LogFile(copy, log.shown), "table", reader.options.format)
    return replace(told, log=log)


def _renamed(reader: Reader, known: Known, state: State) -> None:
    """Note that a log that did not grow has another name."""
    if (state.path, state.shown) != (known.path, known.log.shown):
        states = [replace(state, path=known.path, shown=known.log.shown)]
        if known.displaced is not None:
            states.append(replace(known.displaced, path=None))
        with transaction(reader.connection):
            save_states(reader.connection, states)


def _begun(log: LogFile) -> bool:
    """Whether there is something whole: a line with its end, or JSON."""
    if log.parquet:
        return True
    head = head_of(log)
    if "\n" in head:
        return bool(head.strip("\ufeff \t\r\n"))
    try:
        return isinstance(json.loads(head), (dict, list))
    except (ValueError, RecursionError):
        return False


def _whole(reader: Reader, begun: _Begun) -> int:
    """Read a log that makes sense as a whole only, unless it is as it was."""
    found = digest_of(begun.source.log)
    state = replace(begun.state, head=found)
    if found == begun.state.head and not begun.anew:
        with transaction(reader.connection):
            save_states(reader.connection, [state, *begun.others])
        return 0
    reader.seen(0, begun.state.size)
    loaded = _staged(reader, begun.source)
    with transaction(reader.connection):
        forget(reader.connection, state.id, tail=False)
        part = Part(file=state.id, tail=False, before=0)
        return write(reader.connection, part, loaded, [state, *begun.others])


def _lines(reader: Reader, begun: _Begun) -> int:
    """Read the lines that were added, and keep them slice by slice."""
    state, table = begun.state, begun.state.shape == "table"
    header = header_of(begun.source.log) if table else b""
    opened, state = _opened(begun.source.log, state, header)
    rows = 0
    begin = state.position
    parts = slices(opened.pieces, reader.scratch, header=header, quoted=table)
    for number, one in enumerate(parts):
        reader.seen(state.position - begin, one.size)
        loaded = _read(reader, state, begun.source.log, one)
        before = state.lines
        if one.ended:
            state = _advanced(state, opened, one, loaded, len(header))
        kept = replace(state, size=-1, changed=-1) if one.ended else state
        with transaction(reader.connection):
            if not number:
                forget(reader.connection, state.id, tail=not begun.anew)
            part = Part(file=state.id, tail=not one.ended, before=before)
            rows += write(reader.connection, part, loaded, [kept, *begun.others])
    return rows


def _opened(log: LogFile, state: State, header: bytes) -> tuple[Stream, State]:
    """Open a log behind what was read of it, or behind its header."""
    opened = stream(log, state if state.position else None)
    if opened is None:
        raise CostoptError(
            "the file was replaced while it was read",
            where=Where(log.shown),
            hint="the next run reads the new one",
        )
    if not header or state.position:
        return opened, state
    behind = without(opened.pieces, len(header))
    opened = Stream(header[:SAMPLE], header[-SAMPLE:], behind)
    return opened, _marked(replace(state, position=len(header)), opened)


def _advanced(state: State, opened: Stream, one: Slice, loaded: Loaded, header: int) -> State:
    """Return what is known of a log once a slice of it was read."""
    if len(opened.head) < SAMPLE:
        with one.path.open("rb") as file:
            file.seek(header)
            opened.head += file.read(SAMPLE - len(opened.head))
    opened.recent = (opened.recent + one.recent)[-SAMPLE:]
    passed = loaded.read if state.shape == "table" else one.lines
    state = replace(state, position=state.position + one.size, lines=state.lines + passed)
    return _marked(state, opened)


def _marked(state: State, opened: Stream) -> State:
    """Keep by what a log is known again."""
    return replace(
        state,
        head_bytes=len(opened.head),
        head=digest(opened.head),
        recent_bytes=len(opened.recent),
        recent=digest(opened.recent),
    )


def _read(reader: Reader, state: State, log: LogFile, one: Slice) -> Loaded:
    """Read a slice; what is no request yet at a log's end is not called bad."""
    try:
        loaded = _staged(reader, _source(reader, state, LogFile(one.path, log.shown), one))
    except Exception as error:
        if one.ended or not (isinstance(error, CostoptError) or is_duckdb(error)):
            raise
        loaded = _nothing(reader)
    if not one.ended and one.size and not one.lines and not _rows(reader) and not loaded.other:
        loaded = _nothing(reader)
        if one.path.read_bytes().strip():
            first = Where(log.shown, 2 if state.shape == "table" else 1)  # Behind the header.
            loaded.problems.append(Problem(what=_UNFINISHED, rows=1, first=first))
    if one.cut:
        last = Where(log.shown, one.lines + bool(one.size))
        loaded.problems.append(Problem(what=CUT, rows=1, first=last))
    return loaded


def _source(reader: Reader, state: State, log: LogFile, one: Slice) -> Source:
    """How a slice is read: as its log is, whatever it begins with."""
    if not one.size or (not one.ended and one.size > LONGEST):
        raise CostoptError("there is nothing to read")
    if state.shape == "table":
        return tabular(reader.connection, log, "table", state.format)
    return Source(log=log, shape="lines", format=state.format)


def _nothing(reader: Reader) -> Loaded:
    reader.connection.execute("DROP TABLE IF EXISTS logged")
    reader.connection.execute(LOGGED)
    return Loaded()


def _rows(reader: Reader) -> int:
    row = reader.connection.execute("SELECT count(*) FROM logged").fetchone()
    return int(row[0]) if row else 0


def _staged(reader: Reader, source: Source) -> Loaded:
    """Read a file into the table ``logged``, and nothing else."""
    loaded = _nothing(reader)
    load_source(reader.connection, source, reader.options, reader.scratch / "copy", loaded)
    for view in loaded.views:
        reader.connection.execute(f"INSERT INTO logged {view(MASKED)}")
    if loaded.views:
        _tell_others(reader, source.log, loaded)
    return loaded


def _tell_others(reader: Reader, log: LogFile, loaded: Loaded) -> None:
    """Count the rows of a Parquet file that are no requests, as is done for lines."""
    sql = f"SELECT count(*), min(line) FROM logged WHERE flags & {OTHER} > 0"
    rows, line = reader.connection.execute(sql).fetchone() or (0, None)
    if rows:
        loaded.other += rows
        loaded.problems.append(Problem(what=SAID[OTHER], rows=rows, first=Where(log.shown, line)))
