"""Reading files as the raw text that they are, for counting."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import CostoptError, Where

MAX_BYTES = 64 * 1024 * 1024
STDIN = "-"


@dataclass(frozen=True)
class RawText:
    """A file's text, byte-order mark and newlines untouched; ``path`` as the user named it."""

    path: str
    text: str


@dataclass(frozen=True)
class Passed:
    """A file below a named folder that was not counted, and why."""

    path: str
    reason: str


def read_all(paths: Iterable[str]) -> Iterator[RawText | Passed]:
    """Read files, and the files below folders, in order; ``-`` is standard input.

    Below a folder, what is hidden, binary, too large or unreadable is passed over and named.
    Links to folders are not followed.

    Raises:
        CostoptError: a path that the user named is missing or cannot be read as text.
    """
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            yield from _below(Path(path))
        else:
            yield RawText(path, _text(path))


def _below(folder: Path) -> Iterator[RawText | Passed]:
    """Read what lies below a folder."""
    for current, folders, files in os.walk(folder):
        here = Path(current)
        for name in sorted(name for name in [*folders, *files] if name.startswith(".")):
            yield Passed((here / name).as_posix(), "hidden")
        # os.walk descends into what is left in the list, in its order.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(name for name in files if not name.startswith(".")):
            path = (here / name).as_posix()
            try:
                yield RawText(path, _text(path))
            except CostoptError as error:
                yield Passed(path, error.what)


def _text(path: str) -> str:
    """Read one file."""
    where = Where("<stdin>" if path == STDIN else path)
    data = _bytes(path, where)
    if len(data) > MAX_BYTES:
        raise CostoptError(f"larger than {MAX_BYTES // 2**20} MiB", where=where)
    if b"\0" in data:
        raise CostoptError("binary, not text", where=where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CostoptError(
            "not UTF-8 text", where=Where(where.path, line), hint="save it as UTF-8"
        ) from None


def _bytes(path: str, where: Where) -> bytes:
    """Read at most one byte more than may be."""
    if path == STDIN:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    if Path(path).exists() and not Path(path).is_file():  # A pipe would keep us waiting.
        raise CostoptError("neither a file nor a folder", where=where)
    try:
        with Path(path).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise CostoptError("no such file or folder", where=where) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CostoptError(f"cannot be read: {reason}", where=where) from None
