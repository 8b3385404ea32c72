"""Opening logs: the relation ``requests`` with its prices, and what was found while reading."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..core.configured import TargetConfig
from ..core.errors import Where
from ..core.types import PromptTemplate
from .amounts import keyed_select, priced_select
from .checks import BROKEN, EARLY, FUTURE, MASKED, OTHER, PARTS, SAID, TIMELESS
from .facts import FileRead, Problem, Reading, RowCounts
from .files import find_logs
from .ledger import COLUMNS, MEMORY_MB, connect
from .load import Loaded, Options, load
from .pricing import USD, PriceSource, Traffic, fill_rates
from .prompt_history import History, every_version, histories
from .readers.spec import macros
from .revisions import revision_notes, with_revisions
from .templates import link_expression
from .watch import Step, Watch, unwatched

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

REPEATED = "requests that repeat the identifier of an earlier one, which is the one that counts"
_UNREADABLE = BROKEN | OTHER
_UNTIMED = TIMELESS | FUTURE | EARLY
_ORDER = ", ".join(f'"{name}"' for name in COLUMNS)


@dataclass(frozen=True, kw_only=True)
class Requests:
    """Logs that are open.

    Attributes:
        connection: A DuckDB with the relation ``requests``.
        reading: What was read, and what is wrong with it.
        prices: Where the prices come from.
        first: The time of the first request, UTC; ``None`` where no request has a time.
        last: The time of the last one.
    """

    connection: "DuckDBPyConnection"
    reading: Reading
    prices: tuple[PriceSource, ...]
    first: datetime | None
    last: datetime | None


@contextmanager
def open_requests(
    logs: Sequence[str],
    *,
    targets: Mapping[str, TargetConfig] | None = None,
    mapping: Mapping[str, str] | None = None,
    format: str | None = None,
    templates: Sequence[PromptTemplate] = (),
    text: bool = False,
    memory_mb: int = MEMORY_MB,
    now: datetime | None = None,
    watch: Watch = unwatched,
) -> Generator[Requests]:
    """Read logs, price them, and keep them open as the relation ``requests``.

    Args:
        logs: Files, globs, folders, or ``-`` for standard input.
        targets: ``[targets.*]`` of the configuration, for prices of one's own.
        mapping: ``[usage.columns]`` for plain logs.
        format: The format of all of them; told from each file where left out.
        templates: Prompts that requests without a recorded one are linked to by their text, now
            or in an earlier version; where git has them, requests get their revision by time.
        text: Whether to keep the requests' texts.
        memory_mb: What DuckDB may use before it spills to a temporary folder.
        now: The time at which this is; requests of a later day are not believed.
        watch: Told how far it is.

    Raises:
        CostoptError: nothing could be read, or DuckDB is not installed.
    """
    now = in_utc(now)
    with workplace(memory_mb, watch) as (connection, scratch):
        past = histories(templates)
        options = Options(
            format=format,
            mapping=mapping or {},
            text=text,
            link=link_expression(every_version(past), "text"),
            now=latest(now),
        )
        loaded = load(connection, find_logs(logs, scratch), options, scratch, watch)
        watch(Step(what="looking for repeated requests"))
        repeated = _without_duplicates(connection, loaded)
        yield opened(connection, loaded, repeated, targets or {}, now.date(), past)


def in_utc(now: datetime | None) -> datetime:
    """Return a time in UTC without its zone, as DuckDB has times; the present one by default."""
    return (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)


def latest(now: datetime) -> str:
    """Return the latest time that is believed: clocks differ, so a day ahead is."""
    return (now + timedelta(days=1)).isoformat(sep=" ")


@contextmanager
def workplace(memory_mb: int, watch: Watch) -> "Generator[tuple[DuckDBPyConnection, Path]]":
    """Open a DuckDB that can read logs, and a folder for copies; both are gone at the end.

    Args:
        memory_mb: What DuckDB may use before it spills to that folder.
        watch: Told when it is cleared up.
    """
    with TemporaryDirectory(prefix="costopt-usage-") as folder:
        scratch = Path(folder)
        connection = connect(memory_mb, scratch / "requests.duckdb")
        try:
            # What is removed with its folder need not be written in full first.
            connection.execute("PRAGMA disable_checkpoint_on_shutdown")
            for macro in macros():
                connection.execute(macro)
            yield connection, scratch
        finally:
            watch(Step(what="clearing up"))  # Nobody asks a closed connection how far it is.
            connection.close()


def opened(
    connection: "DuckDBPyConnection",
    loaded: Loaded,
    repeated: tuple[int, Sequence[Problem]],
    targets: Mapping[str, TargetConfig],
    today: date,
    past: Sequence[History] = (),
    *,
    order: str = "",
) -> Requests:
    """Put what was loaded together as ``requests``, with prices.

    Args:
        connection: A DuckDB with the relation ``logged``, in which no request is twice.
        loaded: What is known of it.
        repeated: How many requests repeated another one, and that in words.
        targets: ``[targets.*]`` of the configuration.
        today: The day whose prices count where a request has no time.
        past: What git knows of prompts, for revisions that are not recorded.
        order: SQL by which rows come in the order of files and lines, where they do not.
    """
    duplicate, said = repeated
    profile = _profile(connection, loaded)
    counted = _counted(connection, loaded, profile)
    counted = replace(counted, duplicate=duplicate, read=counted.read + duplicate)
    problems = [*loaded.problems, *said, *_problems(connection, profile, order)]
    prices = fill_rates(connection, _traffic(connection, profile), targets, today)
    kept = "SELECT * EXCLUDE (flags) FROM flagged"
    if profile.flagged(_UNREADABLE):
        kept += f" WHERE flags & {_UNREADABLE} = 0"
    kept = with_revisions(connection, kept, past, profile.first, profile.last)
    keyed = keyed_select(connection, kept, today, parts=profile.flagged(PARTS | MASKED) > 0)
    connection.execute(f"CREATE TEMP VIEW keyed AS {keyed}")
    connection.execute(f"CREATE TEMP VIEW priced AS {priced_select(connection)}")
    columns = _ORDER.replace('"usd"', f"{USD} AS usd")
    connection.execute(f"CREATE TEMP VIEW requests AS SELECT {columns} FROM priced")
    return Requests(
        connection=connection,
        reading=Reading(
            files=tuple(loaded.files),
            rows=counted,
            problems=tuple(problems),
            skipped=tuple(loaded.skipped),
            notes=(*_notes(profile, today), *revision_notes(connection, past)),
        ),
        prices=prices,
        first=profile.first,
        last=profile.last,
    )


def _flagged(connection: "DuckDBPyConnection", loaded: Loaded, found: int) -> None:
    """Make all rows one relation, with what is wrong with each."""
    views = [f"FROM ({view(found)})" for view in loaded.views]
    # What DuckDB knows of the values in a Parquet file is lost in a union with an empty table.
    if not views or _row(connection, "SELECT count(*) FROM logged")[0]:
        views.insert(0, "FROM logged")
    rows = " UNION ALL ".join(views)
    connection.execute(f"CREATE OR REPLACE VIEW flagged AS {rows}")


def _without_duplicates(
    connection: "DuckDBPyConnection", loaded: Loaded
) -> tuple[int, list[Problem]]:
    """Keep the first of all rows with the same identifier, in all files.

    Rows of Parquet files stay where they are unless some repeat.
    """
    views = [view(MASKED) for view in loaded.views]
    if views and not _unique(connection, views):
        for view in views:
            connection.execute(f"INSERT INTO logged {view}")
        loaded.views.clear()
    connection.execute(
        "CREATE TEMP TABLE repeated AS SELECT request_id, min(rowid) AS kept FROM logged "
        "WHERE request_id IS NOT NULL GROUP BY request_id HAVING count(*) > 1"
    )
    again = "FROM logged l JOIN repeated r USING (request_id) WHERE l.rowid > r.kept"
    count = _row(connection, f"SELECT count(*) {again}")[0]
    if not count:
        return 0, []
    place = _row(connection, f"SELECT source, line {again} ORDER BY l.rowid LIMIT 1")
    connection.execute(f"DELETE FROM logged WHERE rowid IN (SELECT l.rowid {again})")
    return int(count), [Problem(what=REPEATED, rows=int(count), first=Where(place[0], place[1]))]


def _unique(connection: "DuckDBPyConnection", views: Sequence[str]) -> bool:
    """Whether no identifier in these files and what was loaded repeats; by hashes, to be small."""
    rows = " UNION ALL ".join(
        f"SELECT hash(request_id) AS h FROM {one} WHERE request_id IS NOT NULL"
        for one in ("logged", *(f"({view})" for view in views))
    )
    found = connection.execute(f"SELECT 1 FROM ({rows}) GROUP BY h HAVING count(*) > 1 LIMIT 1")
    return found.fetchone() is None


@dataclass(frozen=True, slots=True)
class _Profile:
    """What the rows are.

    ``flags`` are the combinations of what is wrong with a row, each with how many rows have it;
    ``models`` the providers, models and whether in a batch.
    """

    flags: Mapping[int, int]
    models: tuple[tuple[str | None, str | None, bool], ...]
    first: datetime | None
    last: datetime | None

    def flagged(self, flags: int) -> int:
        """How many rows have any of these bits."""
        return sum(rows for found, rows in self.flags.items() if found & flags)


def _profile(connection: "DuckDBPyConnection", loaded: Loaded) -> _Profile:
    """Look through all rows: column by column, which takes less time than all together."""
    _flagged(connection, loaded, MASKED)
    sql = "SELECT flags, count(*) FROM flagged GROUP BY flags"
    flags: dict[int, int] = dict(connection.execute(sql).fetchall())
    # Without times to be hidden, the first and the last are known without reading them.
    _flagged(connection, loaded, sum(flag for flag in SAID if any(flag & one for one in flags)))
    models = connection.execute(f"SELECT DISTINCT {_MODEL} FROM flagged").fetchall()
    times = _row(connection, 'SELECT min("at"), max("at") FROM flagged')
    return _Profile(flags, tuple(models), *times)


_MODEL = "provider, model, coalesce(batch, false)"
_MOST_DAYS = 20_000


def _traffic(connection: "DuckDBPyConnection", profile: _Profile) -> Iterator[Traffic]:
    """Name the models with the days on which they may have been asked.

    All days between the first and the last are named: to ask for prices of some more days takes
    less time than to look which days there are. A single time that is far off makes many of them.
    """
    if profile.flagged(_UNTIMED):
        yield from (Traffic(*model, None) for model in profile.models)
    if profile.first is None or profile.last is None:
        return
    start, many = profile.first.date(), (profile.last.date() - profile.first.date()).days + 1
    if many * len(profile.models) > _MOST_DAYS:
        sql = f'SELECT DISTINCT {_MODEL}, CAST("at" AS DATE) FROM flagged WHERE "at" IS NOT NULL'
        yield from (Traffic(*found) for found in connection.execute(sql).fetchall())
        return
    days = [start + timedelta(days=number) for number in range(many)]
    yield from (Traffic(*model, day) for model in profile.models for day in days)


def _counted(connection: "DuckDBPyConnection", loaded: Loaded, profile: _Profile) -> RowCounts:
    """Count the rows; those of files that stay where they are were not counted before."""
    other = profile.flagged(_UNREADABLE)
    rows = sum(profile.flags.values())
    loaded.files[:] = [
        replace(file, rows=_rows_of(connection, file)) if file.rows < 0 else file
        for file in loaded.files
    ]
    read = rows + loaded.bad + loaded.other
    return RowCounts(read=read, bad=loaded.bad, other=loaded.other + other)


def _rows_of(connection: "DuckDBPyConnection", file: FileRead) -> int:
    sql = "SELECT count(*) FROM flagged WHERE source = ?"
    return int(_row(connection, sql, [file.path])[0])


def _problems(connection: "DuckDBPyConnection", profile: _Profile, order: str) -> Iterator[Problem]:
    """Count each thing that is wrong with any row, with where it first stands."""
    for flag, said in SAID.items():
        if rows := profile.flagged(flag):
            # Without one, rows come in the order of the files and their lines.
            sql = f"SELECT source, line FROM flagged WHERE flags & {flag} > 0 {order} LIMIT 1"
            yield Problem(what=said, rows=rows, first=Where(*_row(connection, sql)))


def _notes(profile: _Profile, today: date) -> Iterator[str]:
    if profile.flagged(_UNTIMED):
        yield f"requests without a time are priced as of {today.isoformat()}"


def _row(connection: "DuckDBPyConnection", sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
    return connection.execute(sql, list(values)).fetchone() or ()
