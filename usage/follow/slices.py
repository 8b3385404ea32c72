"""Cutting what was added to a log into files that end where a line ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..survey import LONGEST, CutError
from .contents import SAMPLE

SLICE = 256 << 20
"""Bytes that are read into the ledger at a time: a run that is killed goes on behind them."""
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of a log, in a file of ours.

    Attributes:
        path: The file; it begins with the table's header.
        size: Bytes of the log in it.
        lines: Ends of lines in it.
        recent: Its last bytes, `SAMPLE` at most.
        ended: Whether it ends where a line ends; the last slice is what comes behind the last end,
            which may be nothing.
        cut: Whether the packed data stops there before its end.
    """

    path: Path
    size: int
    lines: int
    recent: bytes
    ended: bool
    cut: bool = False


def slices(
    pieces: Iterator[bytes], folder: Path, *, header: bytes, quoted: bool, most: int = SLICE
) -> Iterator[Slice]:
    """Write a log into files, each of which ends where a line ends, but the last.

    Args:
        pieces: The log.
        folder: Where to write; each file is removed when the next one is asked for.
        header: What each file begins with.
        quoted: Whether a line's end may stand in quotes, where it ends no record.
        most: Bytes after which a file is cut.
    """
    part, cut = _Part(folder, header, quoted), False
    try:
        for piece in _until_cut(pieces):
            cut = piece is None
            part.write(piece or b"")
            if part.end and (part.size >= most or cut):
                yield from _given(part, rest := part.split())
                part = rest
        if part.end:
            yield from _given(part, rest := part.split())
            part = rest
        yield part.done(ended=False, cut=cut)
    finally:
        part.remove()


def _until_cut(pieces: Iterator[bytes]) -> Iterator[bytes | None]:
    """Return the pieces, and ``None`` where packed data stops before its end."""
    try:
        yield from pieces
    except CutError:
        yield None


def _given(part: "_Part", rest: "_Part") -> Iterator[Slice]:
    """Give a part away, and remove it when it was read."""
    try:
        yield part.done(ended=True)
    except BaseException:
        rest.remove()
        raise
    finally:
        part.remove()


def whole_records(data: bytes) -> bytes:
    r"""Return what comes before a record of a table that has no end yet.

    Example:
        >>> whole_records(b'a,b\n1,"x\ny"\n2,"z\n')
        b'a,b\n1,"x\ny"\n'
    """
    return data[: _end_in(data, inside=data.count(b'"') % 2 == 1)]


def _end_in(data: bytes, *, inside: bool) -> int:
    """Return where the last record in some bytes ends: behind a line's end outside of quotes.

    Args:
        data: The bytes.
        inside: Whether they end inside of quotes.
    """
    at = len(data)
    while (line := data.rfind(b"\n", 0, at)) >= 0:
        inside ^= data.count(b'"', line, at) % 2 == 1
        if not inside:
            return line + 1
        at = line
    return 0


class _Part:
    """A file that is being written, and where in it the last record ends."""

    def __init__(self, folder: Path, header: bytes, quoted: bool, number: int = 0) -> None:
        self._folder, self._header, self._quoted, self._number = folder, header, quoted, number
        self.path = folder / f"slice-{number}"
        self._file = self.path.open("w+b")
        self._file.write(header)
        self.size, self.end, self._line = 0, 0, 0
        self._lines = 0
        self._inside = False

    def write(self, piece: bytes) -> None:
        """Add bytes."""
        end = piece.rfind(b"\n") + 1
        if self._quoted:
            self._inside ^= piece.count(b'"') % 2 == 1
            end = _end_in(piece, inside=self._inside)
        last = piece.rfind(b"\n") + 1
        if last:
            self._line = self.size + last
        if end:
            self.end = self.size + end
        self._file.write(piece)
        self.size += len(piece)
        self._lines += piece.count(b"\n")
        if self._quoted and self.size - self.end > LONGEST and self._line > self.end:
            # No record is that long: it was no quote that opened one.
            self.end, self._inside = self._line, False

    def split(self) -> "_Part":
        """Cut the file behind its last record, and return what follows as another one."""
        rest = _Part(self._folder, self._header, self._quoted, self._number + 1)
        self._file.seek(len(self._header) + self.end)
        while data := self._file.read(_CHUNK):
            rest.write(data)
        self._file.seek(len(self._header) + self.end)
        self._file.truncate()
        self.size = self.end
        self._lines -= rest._lines
        return rest

    def remove(self) -> None:
        """Close the file, and remove it."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def done(self, *, ended: bool, cut: bool = False) -> Slice:
        """Close the file."""
        self._file.seek(max(len(self._header), len(self._header) + self.size - SAMPLE))
        recent = self._file.read()
        self._file.close()
        return Slice(
            path=self.path,
            size=self.size,
            lines=self._lines,
            recent=recent,
            ended=ended,
            cut=cut,
        )
