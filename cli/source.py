"""Reads a named file, or standard input for ``-``."""

import sys
from pathlib import Path

from ..core.errors import CostoptError, Where


def read_text(path: Path, limit: int) -> str:
    """Return the text of a file, or of standard input where the path is ``-``.

    Args:
        path: The file, or ``-``.
        limit: The most bytes to read.

    Raises:
        CostoptError: missing, a folder, unreadable, over the limit, or not UTF-8.
    """
    where = Where("<stdin>" if str(path) == "-" else path.as_posix())
    data = _read(path, limit + 1, where)
    if len(data) > limit:
        raise CostoptError(f"larger than {limit // (1024 * 1024)} MiB", where=where)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = Where(where.path, line)
        raise CostoptError("not UTF-8 text", where=place, hint="save it as UTF-8") from None


def _read(path: Path, size: int, where: Where) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read(size)
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        reason = {"FileNotFoundError": "no such file", "IsADirectoryError": "this is a folder"}
        what = reason.get(type(error).__name__, error.strerror or type(error).__name__)
        raise CostoptError(what, where=where) from None
