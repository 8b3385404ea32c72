"""Opening a ledger: adding what is new in the logs, and what it holds then as ``requests``."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.configured import TargetConfig
from ...core.errors import CostoptError, Where
from ...core.report import Skipped
from ...core.types import PromptTemplate
from ..checks import FUTURE
from ..facts import FileRead, Problem
from ..files import STDIN, find_logs
from ..ledger import COLUMNS, MEMORY_MB
from ..load import Loaded, Options, first_line, is_duckdb, size_of, skipped
from ..opening import REPEATED, Requests, in_utc, latest, opened, workplace
from ..prompt_history import History, every_version, histories
from ..templates import link_expression
from ..watch import Step, Watch, unwatched
from .append import Reader, append
from .book import STORED, attach, columns, private
from .recognise import Known, recognise
from .states import State, load_states

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ALWAYS = "9999-12-31 00:00:00"


@contextmanager
def open_ledger(
    ledger: Path,
    logs: Sequence[str],
    *,
    targets: Mapping[str, TargetConfig] | None = None,
    mapping: Mapping[str, str] | None = None,
    format: str | None = None,
    templates: Sequence[PromptTemplate] = (),
    memory_mb: int = MEMORY_MB,
    now: datetime | None = None,
    watch: Watch = unwatched,
) -> Generator[Requests]:
    """Add what is new in logs to a ledger, and keep all that it holds open as ``requests``.

    Args:
        ledger: A DuckDB file; made where it is not there.
        logs: Files, globs or folders; without any the ledger is only read.
        targets: ``[targets.*]`` of the configuration, for prices of one's own.
        mapping: ``[usage.columns]`` for plain logs.
        format: The format of all of them; told from each file where left out.
        templates: Prompts that requests without a recorded one are linked to by their text, when
            they are read.
        memory_mb: What DuckDB may use before it spills to a temporary folder.
        now: The time at which this is; requests of a later day are not believed.
        watch: Told how far it is.

    Raises:
        CostoptError: the ledger is none, or in use; or no log could be read.
    """
    now = in_utc(now)
    if any(name == STDIN or Path(name).is_fifo() for name in logs):
        raise CostoptError(
            "--follow reads files, not standard input or pipes",
            hint="what was read of a file is known again; write the input to one",
        )
    with workplace(memory_mb, watch) as (connection, scratch):
        past = histories(templates)
        options = Options(
            format=format,
            mapping=mapping or {},
            link=link_expression(every_version(past), "text"),
            # What lies in the future is decided when a report is made.
            now=_ALWAYS,
        )
        with private():
            attach(connection, ledger, write=bool(logs))
            loaded = Loaded()
            reader = Reader(connection=connection, options=options, scratch=scratch)
            notes = _grown(reader, logs, loaded, watch) if logs else ()
        yield _requests(connection, loaded, notes, targets or {}, now, past)


def _grown(reader: Reader, names: Sequence[str], loaded: Loaded, watch: Watch) -> tuple[str, ...]:
    """Add what is new in the logs, and return in words what happened to them."""
    logs = find_logs(names, reader.scratch)
    states = load_states(reader.connection)
    highest = max((state.id for state in states), default=0)
    notes: list[str] = []
    rows = grew = 0
    watch(Step(what="comparing logs with the ledger"))
    found = recognise(logs, states)
    left = [_left(known) for known in found]
    for index, known in enumerate(found):
        seen = partial(_seen, reader, watch, done=sum(left[:index]), total=sum(left))
        added = _appended(replace(reader, seen=seen), known, highest + 1, len(logs), loaded)
        notes += _said(known, added)
        highest = max([highest, *(state.id for state in load_states(reader.connection))])
        rows, grew = rows + (added or 0), grew + bool(added)
    if len(loaded.skipped) == len(logs):
        first = loaded.skipped[0]
        raise CostoptError(
            f"no log could be read: {first.reason}", where=Where(first.path, first.line)
        )
    reader.connection.execute("DROP TABLE IF EXISTS logged")
    reader.connection.execute("CHECKPOINT ledger")
    requests = f"{rows:,} request{'' if rows == 1 else 's'}"
    return (f"new in the ledger: {requests}, from {grew:,} of {len(logs):,} logs", *notes)


def _left(known: Known) -> int:
    """Return how many bytes of a log are to be read, about: packed ones count as they lie there."""
    size, state = size_of(known.log), known.state
    if state is None or not state.position or known.log.packing != "none":
        return 0 if state is not None and state.size == size else size
    return max(size - state.position, 0)


def _seen(reader: Reader, watch: Watch, read: int, part: int, *, done: int, total: int) -> None:
    """Tell how far it is, by the bytes that were read of the log and those that are read now."""
    percent = reader.connection.query_progress
    at = min(done + read, total)
    watch(Step(what="reading logs", done=at, part=part, total=total, percent=percent))


def _appended(reader: Reader, known: Known, number: int, many: int, loaded: Loaded) -> int | None:
    """Add what is new in one log; why one cannot be read is kept for the report."""
    try:
        return append(reader, known, number)
    except (CostoptError, OSError) as error:
        loaded.skipped.append(skipped(known.log, error, many))
    except Exception as error:
        if not is_duckdb(error):
            raise
        loaded.skipped.append(Skipped(path=known.log.shown, line=None, reason=first_line(error)))
    return 0


def _said(known: Known, added: int | None) -> Iterator[str]:
    """Say what became of a log that is not what it was."""
    log, state, displaced = known.log, known.state, known.displaced
    if added is None:
        yield f"{log.shown}: it has no whole line yet"
    if state is not None and state.path != known.path:
        yield f"{log.shown}: it is the log that was {state.shown}, and was read on from there"
    if displaced is not None and known.replaces:
        yield f"{log.shown}: it was written anew, and what it held before does not count any more"
    elif displaced is not None:
        yield (
            f"{log.shown}: it was begun anew, and what was read of it before still counts; lines "
            "that were added to it before that are missing unless the log it became is named too"
        )


def _requests(
    connection: "DuckDBPyConnection",
    loaded: Loaded,
    notes: Sequence[str],
    targets: Mapping[str, TargetConfig],
    now: datetime,
    past: Sequence[History],
) -> Requests:
    """Make all that the ledger holds the relation ``requests``."""
    states = {state.id: state for state in load_states(connection)}
    _recall(connection, loaded, states)
    _view(connection, states, latest=latest(now))
    found = opened(
        connection,
        loaded,
        _repeats(connection, states),
        targets,
        now.date(),
        past,
        order="ORDER BY file, line",
    )
    return replace(found, reading=replace(found.reading, notes=(*notes, *found.reading.notes)))


def _recall(connection: "DuckDBPyConnection", loaded: Loaded, states: Mapping[int, State]) -> None:
    """Remember what was read in all runs, and what could not be."""
    parts = connection.execute(
        "SELECT file, sum(rows), sum(read), sum(bad), sum(other) FROM ledger.parts "
        "GROUP BY file ORDER BY file"
    ).fetchall()
    for file, _, read, bad, other in parts:
        loaded.files.append(FileRead(states[file].shown, states[file].format, int(read)))
        loaded.bad += int(bad)
        loaded.other += int(other)
    found = connection.execute(
        "SELECT file, what, sum(rows), min(line) FROM ledger.found GROUP BY file, what "
        "ORDER BY file, min(line), what"
    ).fetchall()
    loaded.problems += [
        Problem(what=what, rows=int(rows), first=Where(states[file].shown, line))
        for file, what, rows, line in found
    ]


def _repeats(
    connection: "DuckDBPyConnection", states: Mapping[int, State]
) -> tuple[int, list[Problem]]:
    """Count the requests that repeat another one, with where the first of them stands."""
    row = connection.execute("SELECT count(*) FROM ledger.repeated").fetchone()
    if row is None or not row[0]:
        return 0, []
    first = connection.execute(
        "SELECT file, line FROM ledger.repeated ORDER BY file, line LIMIT 1"
    ).fetchone()
    where = Where(states[first[0]].shown, first[1]) if first else None
    return int(row[0]), [Problem(what=REPEATED, rows=int(row[0]), first=where)]


def _view(connection: "DuckDBPyConnection", states: Mapping[int, State], *, latest: str) -> None:
    """Make ``logged`` what counts in the ledger; what lies in the future has no time."""
    names = [
        states[id].shown if id in states else None for id in range(1, max(states, default=0) + 1)
    ]
    connection.execute("SET VARIABLE names = CAST($names AS VARCHAR[])", {"names": names})
    there = columns(connection)
    special = {"source": "getvariable('names')[file] AS source"}
    flags = "flags"
    row = connection.execute('SELECT max("at") > CAST(? AS TIMESTAMP) FROM ledger.logged', [latest])
    if (row.fetchone() or (False,))[0]:
        special["at"] = f"""CASE WHEN "at" <= TIMESTAMP '{latest}' THEN "at" END AS "at\""""
        late = f"""CASE WHEN "at" > TIMESTAMP '{latest}' THEN {FUTURE} ELSE 0 END"""
        flags = f"CAST(flags | {late} AS USMALLINT) AS flags"
    picked = ", ".join(
        special.get(name)
        or (f'"{name}"' if name in STORED and name in there else f'NULL::{kind} AS "{name}"')
        for name, kind in COLUMNS.items()
        if name != "usd"
    )
    connection.execute(f"CREATE VIEW logged AS SELECT {picked}, {flags}, file FROM ledger.logged")
