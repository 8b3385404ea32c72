"""What a log holds, as bytes: known again by its beginning and by what was read last of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

from ..files import LogFile
from ..survey import LONGEST, CutError, pieces
from .states import State

SAMPLE = 4096
"""Bytes by which a beginning and an end are known: some lines, with their times."""
_CHUNK = 1 << 20
_SETTLED_NS = 2_000_000_000


def digest(data: bytes) -> str:
    """Return by what bytes are known again; they cannot be got back from it."""
    return blake2b(data, digest_size=16).hexdigest()


def digest_of(log: LogFile) -> str:
    """Return the digest of all that a file holds, unpacked."""
    found = blake2b(digest_size=16)
    try:
        for piece in pieces(log):
            found.update(piece)
    except CutError:
        found.update(b"cut")
    return found.hexdigest()


def head_digest(log: LogFile, many: int) -> str:
    """Return the digest of so many bytes at the beginning, unpacked."""
    head = b""
    try:
        for piece in pieces(log):
            head += piece
            if len(head) >= many:
                break
    except CutError:
        pass  # What is there is compared.
    return digest(head[:many])


def stamp(log: LogFile, now_ns: int) -> tuple[int, int]:
    """Return a file's size and when it was changed, in nanoseconds.

    A change may follow within the same tick of the clock: what changed just now has no time.
    """
    found = log.path.stat()
    settled = found.st_mtime_ns < now_ns - _SETTLED_NS
    return found.st_size, found.st_mtime_ns if settled else -1


@dataclass
class Stream:
    """A log from some place on.

    Attributes:
        head: The first bytes of all of it, `SAMPLE` at most.
        recent: The bytes before the place, `SAMPLE` at most.
        pieces: What follows.
    """

    head: bytes
    recent: bytes
    pieces: Iterator[bytes]


def stream(log: LogFile, state: State | None = None) -> Stream | None:
    """Open a log behind what was read of it; ``None`` where it does not hold that.

    Args:
        log: The file.
        state: What is known of it; all of it is read where left out.
    """
    if state is None:
        return Stream(b"", b"", _bounded(log, 0) if log.packing == "none" else pieces(log))
    found = _seek(log, state) if log.packing == "none" else _skip(log, state)
    if found is None or digest(found.head[: state.head_bytes]) != state.head:
        return None
    return found if digest(found.recent) == state.recent else None


def _bounded(log: LogFile, start: int) -> Iterator[bytes]:
    """Read on to where the file ends now: one that grows all the time would have no end."""
    left = log.path.stat().st_size - start
    with log.path.open("rb") as file:
        file.seek(start)
        while left > 0 and (piece := file.read(min(_CHUNK, left))):
            left -= len(piece)
            yield piece


def _seek(log: LogFile, state: State) -> Stream | None:
    if log.path.stat().st_size < state.position:
        return None
    with log.path.open("rb") as file:
        head = file.read(min(SAMPLE, state.position))
        file.seek(state.position - state.recent_bytes)
        recent = file.read(state.recent_bytes)
    return Stream(head, recent, _bounded(log, state.position))


def _skip(log: LogFile, state: State) -> Stream | None:
    """Unpack up to the place; the beginning is compared before the rest is unpacked."""
    parts = pieces(log)
    head, recent, passed, rest = b"", b"", 0, b""
    while passed < state.position:
        try:
            piece = next(parts, b"")
        except CutError:
            return None
        if not piece:
            return None
        rest = piece[state.position - passed :]
        piece = piece[: state.position - passed]
        head = (head + piece)[:SAMPLE] if len(head) < SAMPLE else head
        enough = len(head) >= state.head_bytes
        if enough and digest(head[: state.head_bytes]) != state.head:
            return None
        recent = (recent + piece)[-state.recent_bytes :]
        passed += len(piece)
    return Stream(head, recent, chain([rest] if rest else [], parts))


def header_of(log: LogFile) -> bytes:
    """Return a table's first line with its end; nothing where it has none yet."""
    head = b""
    try:
        for piece in pieces(log):
            head += piece
            if b"\n" in piece or len(head) > LONGEST:
                break
    except CutError:
        pass  # What is there is looked at.
    return head[: head.find(b"\n") + 1]


def without(parts: Iterator[bytes], many: int) -> Iterator[bytes]:
    """Leave so many bytes out at the beginning."""
    for piece in parts:
        rest = piece[many:]
        many = max(0, many - len(piece))
        if rest:
            yield rest
