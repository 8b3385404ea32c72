"""Which of the logs that are there are those that the ledger knows, also under another name."""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files import LogFile, sniffed
from .contents import digest_of, head_digest, stamp, stream
from .states import State

_WHOLE = -1


@dataclass(frozen=True, kw_only=True)
class Known:
    """A log that is there, with what the ledger knows of it.

    Attributes:
        log: The file.
        path: Where it lies, without links.
        state: How far it was read; ``None`` where it is new.
        displaced: The log that had this name before, and is under no other one now.
        replaces: Whether what was read of that one does not count any more.
    """

    log: LogFile
    path: str
    state: State | None
    displaced: State | None = None
    replaces: bool = False


def recognise(logs: Sequence[LogFile], states: Sequence[State]) -> list[Known]:
    """Return the logs with what is known of each, told by their name and by what they hold."""
    given = {os.path.realpath(log.path): log for log in logs}
    named = {state.path: state for state in states if state.path is not None}
    found: dict[str, State] = {
        path: named[path]
        for path, log in given.items()
        if path in named and holds(log, named[path])
    }
    new = [path for path in given if path not in found]
    if new:
        taken = {state.id for state in found.values()}
        free = [one for one in states if one.id not in taken and not _elsewhere(one, given)]
        for path in new:
            state = _same(given[path], free)
            if state is not None:
                found[path] = state
                free.remove(state)
    return [
        _known(path, log, found.get(path), named.get(path), set(found.values()))
        for path, log in given.items()
    ]


def _known(
    path: str, log: LogFile, state: State | None, named: State | None, found: set[State]
) -> Known:
    displaced = named if named is not None and named not in found else None
    replaces = displaced is not None and state is None and _replaced(log, displaced)
    return Known(log=log, path=path, state=state, displaced=displaced, replaces=replaces)


def _replaced(log: LogFile, old: State) -> bool:
    """Whether a file was written anew in place, and not begun anew after it was put away.

    What is packed, or makes sense as a whole only, is an export that was made again, unless its
    name says that logs are handed on through it. Lines that begin as they did were edited.
    """
    if old.shape == "whole" or log.packing != "none":
        return not log.turned
    return head_digest(log, old.head_bytes) == old.head


def _elsewhere(state: State, given: dict[str, LogFile]) -> bool:
    """Whether a log still lies where it was, and was only not named this time."""
    if state.path is None or state.path in given or not Path(state.path).is_file():
        return False
    return holds(sniffed(Path(state.path), state.shown), state)


def holds(log: LogFile, state: State) -> bool:
    """Whether a file holds what was read of a log: more lines may follow."""
    try:
        if (state.size, state.changed) == stamp(log, time.time_ns()) and state.changed >= 0:
            return True
        if state.shape == "whole":
            return digest_of(log) == state.head
        return not log.parquet and stream(log, state) is not None
    except OSError:
        return False  # Why it cannot be read is said when it is read.


def _same(log: LogFile, free: Sequence[State]) -> State | None:
    """Return the log that this is under another name; the longest, where several begin alike."""
    matching = [state for state in _alike(log, free) if holds(log, state)]
    return max(matching, key=lambda state: state.position, default=None)


def _alike(log: LogFile, free: Sequence[State]) -> Iterator[State]:
    """Those that begin as a file does; each length is read once."""
    heads: dict[int, str] = {}
    for state in free:
        if state.shape != "whole" and not state.position:
            continue  # Nothing is known of what it held.
        many = _WHOLE if state.shape == "whole" else state.head_bytes
        if many not in heads:
            heads[many] = _begins(log, many)
        if heads[many] == state.head:
            yield state


def _begins(log: LogFile, many: int) -> str:
    try:
        return digest_of(log) if many == _WHOLE else head_digest(log, many)
    except OSError:
        return ""  # Why it cannot be read is said when it is read.
