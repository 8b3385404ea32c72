"""Looking through a log before DuckDB reads it: how many lines, and what would be lost there.

DuckDB stops at a packed file that is cut off (gzip), or takes it for whole (zstd), and drops a line
that is longer than its buffers without a word. So each file is gone through once, as bytes, and
where it has any of these, what can be read is copied and that copy is read.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from ..core.errors import CostoptError
from .files import LogFile

LONGEST = 8_000_000
"""Bytes of a line; a longer one is counted as bad. Requests are a thousand times shorter."""
_CHUNK = 1 << 20
_ZSTD_CHUNK = 1 << 10
"""Packed bytes at a time: four of them may stand for a block of 128 KB, and none is held back."""
_GZIP = 31
_HEAD_LINES = 100


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is in a file.

    Attributes:
        lines: Lines, the last one too where it has no end.
        ended: Whether the last line has an end; without one it may still be being written.
        cut: Whether the packed data stops before its end.
        too_long: The numbers of lines over `LONGEST`, from 1.
        size: Bytes of the file as it was when this was counted.
    """

    lines: int = 0
    ended: bool = True
    cut: bool = False
    too_long: tuple[int, ...] = ()
    size: int = 0

    @property
    def whole(self) -> bool:
        """Whether DuckDB can read the file as it is."""
        return not self.cut and not self.too_long


def survey(log: LogFile) -> Survey:
    """Go through a file once, in bounded memory.

    Raises:
        CostoptError: it is packed with zstd and there is nothing to unpack it.
    """
    found = Survey(size=log.path.stat().st_size)
    lines, length, long, last = 0, 0, [], b"\n"
    try:
        for piece in pieces(log):
            first = piece.find(b"\n")
            if first < 0:
                length += len(piece)
            else:
                if length + first > LONGEST:
                    long.append(lines + 1)
                lines += piece.count(b"\n")
                length = len(piece) - 1 - piece.rfind(b"\n")
            last = piece[-1:]
    except CutError:
        found = replace(found, cut=True)
    if length > LONGEST:
        long.append(lines + 1)
    ended = last == b"\n"
    return replace(found, lines=lines + (not ended), ended=ended, too_long=tuple(long))


def readable_copy(log: LogFile, found: Survey, target: Path) -> LogFile:
    """Copy what DuckDB can read of a file; a line that is too long becomes an empty one."""
    skipped, line, skipping = set(found.too_long), 1, 1 in found.too_long
    with target.open("wb") as file:
        try:
            for piece in pieces(log):
                for part in piece.splitlines(keepends=True) if skipped else (piece,):
                    _copy(file, part, skipping=skipping)
                    if skipped and part.endswith(b"\n"):
                        line += 1
                        skipping = line in skipped
        except CutError:
            pass  # That it is cut off was said when it was surveyed.
    return LogFile(target, log.shown)


def head_of(log: LogFile) -> str:
    """Return the beginning of a file: some megabytes at most, and no more than some lines."""
    head = b""
    try:
        for piece in pieces(log):
            head += piece
            if head.count(b"\n") > _HEAD_LINES or len(head) > LONGEST:
                break
    except CutError:
        pass  # What is there is enough to tell what it is.
    return head.decode("utf-8", "replace")


def _copy(file: IO[bytes], part: bytes, *, skipping: bool) -> None:
    file.write((b"\n" if part.endswith(b"\n") else b"") if skipping else part)


class CutError(Exception):
    """The packed data stops before its end, or is damaged there."""


def pieces(log: LogFile) -> Iterator[bytes]:
    """Return a file's bytes, unpacked, in pieces of about a megabyte; none of them is empty.

    Raises:
        CutError: the packed data stops before its end.
        CostoptError: it is packed with zstd and there is nothing to unpack it.
    """
    unpack = {"none": _as_it_is, "gzip": _gunzipped, "zstd": _unzstd}[log.packing]
    with log.path.open("rb") as file:
        yield from (piece for piece in unpack(file) if piece)


def _as_it_is(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece


def _gunzipped(file: IO[bytes]) -> Iterator[bytes]:
    """Unpack gzip, one member after the other; Python's own reader loses the last megabyte."""
    unpacker = zlib.decompressobj(_GZIP)
    while packed := file.read(_CHUNK):
        while packed:
            if unpacker.eof:
                unpacker = zlib.decompressobj(_GZIP)
            try:
                yield unpacker.decompress(packed, _CHUNK)
            except zlib.error as error:
                raise CutError from error
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if not unpacker.eof:
        raise CutError


def _unzstd(file: IO[bytes]) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError:
        raise CostoptError(
            "reading zstd needs zstandard, which is not installed",
            hint="install it with: pip install 'costopt[logs]'",
        ) from None
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    while packed := file.read(_ZSTD_CHUNK):
        while packed:
            if unpacker.eof:
                unpacker = zstandard.ZstdDecompressor().decompressobj()
            try:
                yield unpacker.decompress(packed)
            except zstandard.ZstdError as error:
                raise CutError from error
            packed = unpacker.unused_data if unpacker.eof else b""
    if not unpacker.eof:
        raise CutError
