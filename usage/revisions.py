"""The revision of a request's prompt where the log records none, by the time of commits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..core.types import PromptTemplate
from .prompt_history import MARK, History, Version

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def with_revisions(
    connection: "DuckDBPyConnection",
    requests: str,
    found: Sequence[History],
    first: datetime | None,
    last: datetime | None,
) -> str:
    """Return SQL for the same requests, with revisions by commit time where none is recorded.

    A request has the last version that was committed at or before its time. This is what an ASOF
    join does, written so that DuckDB leaves it out of every query that does not ask for revisions.

    Args:
        connection: The database; a small table is made in it.
        requests: SQL for the requests.
        found: The histories of prompts.
        first: The time of the log's first request.
        last: The time of its last one.
    """
    rows = [*_rows(found, first, last)]
    if not rows:
        return requests
    connection.execute(
        "CREATE TEMP TABLE prompt_versions(prompt VARCHAR, since TIMESTAMP, revision VARCHAR)"
    )
    connection.executemany("INSERT INTO prompt_versions VALUES (?, ?, ?)", rows)
    known = (
        "SELECT prompt, list(since ORDER BY since, rowid) AS times, "
        "list(revision ORDER BY since, rowid) AS revisions FROM prompt_versions GROUP BY prompt"
    )
    then = 'v.revisions[len(list_filter(v.times, lambda one: one <= r."at"))]'
    return (
        f"SELECT r.* REPLACE (coalesce(r.revision, {then}) AS revision) "
        f"FROM ({requests}) r LEFT JOIN ({known}) v ON v.prompt = r.prompt"
    )


def revision_notes(connection: "DuckDBPyConnection", found: Sequence[History]) -> tuple[str, ...]:
    """Say which revisions of the relation ``requests`` are estimated, and which are unknown.

    Nothing is said of prompts whose requests all have a recorded one.
    """
    names = names_of(one.template for one in found)
    marked, without = _unrecorded(connection, [*names])
    notes = [_marked_note(marked)] if marked else []
    unknown: dict[str, list[str]] = {}
    for one in found:
        own = {name for name, template in names.items() if template is one.template}
        if own & without.keys():
            notes += one.notes
        if one.unknown is not None and any(without.get(name) for name in own):
            unknown.setdefault(one.unknown, []).append(one.template.source.path)
    shared = [name for name, template in names.items() if template is None and without.get(name)]
    if shared:
        unknown["several prompts are called so"] = shared
    for why, which in unknown.items():
        notes.append(f"revisions by commit time are unknown of {listed(which)}: {why}")
    return tuple(dict.fromkeys(notes))


def _unrecorded(connection: "DuckDBPyConnection", names: list[str]) -> tuple[int, dict[str, int]]:
    """Return how many revisions are estimated, and of each such prompt how many are unknown."""
    if not names:
        return 0, {}
    rows = connection.execute(
        "SELECT prompt, count(*) FILTER (starts_with(revision, $mark)), "
        "count(*) FILTER (revision IS NULL) FROM requests "
        "WHERE prompt IN (SELECT unnest($names)) GROUP BY prompt",
        {"mark": MARK, "names": names},
    ).fetchall()
    return sum(row[1] for row in rows), {row[0]: row[2] for row in rows if row[1] or row[2]}


def _marked_note(marked: int) -> str:
    return (
        f"the log records no revision of {marked:,} requests: theirs, marked {MARK}, is estimated "
        "by commit time, the last commit of this branch by then that touched the prompt's file, "
        "which is not when it was deployed"
    )


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return some names in a sentence.

    Example:
        >>> listed(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def names_of(templates: Iterable[PromptTemplate]) -> dict[str, PromptTemplate | None]:
    """Return what a log may call each prompt: its name or its file; ``None``: that is of several.

    Example:
        >>> from costopt.core.formats import load_string
        >>> names_of([load_string("Hi", shown="a/hi.md")]).keys()
        dict_keys(['hi', 'a/hi.md'])
    """
    names: dict[str, PromptTemplate | None] = {}
    for template in templates:
        for name in dict.fromkeys((template.name, template.source.path)):
            names[name] = None if name in names else template
    return names


def _rows(
    found: Sequence[History], first: datetime | None, last: datetime | None
) -> Iterator[tuple[str, datetime, str | None]]:
    """Yield the versions that requests of this log can have been made with, in order."""
    if first is None or last is None:
        return
    of: Mapping[str, History] = {_key(one.template): one for one in found}
    for name, template in names_of(one.template for one in found).items():
        if template is not None:
            for version in _within(of[_key(template)].versions, first, last):
                yield name, version.since, version.revision


def _key(template: PromptTemplate) -> str:
    return f"{template.source.path}#{template.source.index}"


def _within(versions: Sequence[Version], first: datetime, last: datetime) -> Sequence[Version]:
    begun = [at for at, version in enumerate(versions) if version.since <= first]
    started = versions[begun[-1] :] if begun else versions
    return [version for version in started if version.since <= last]
