"""Which files are logs: files, globs, folders and standard input, with what each is packed in."""

import glob
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..core.errors import CostoptError, Where

STDIN = "-"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".log")
"""What a log's name ends in inside of a folder, before ``.1``, ``.gz`` and ``.zst``."""
Packing = Literal["none", "gzip", "zstd"]

_MAGIC: tuple[tuple[bytes, Packing], ...] = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"))
_PARQUET = b"PAR1"
_PACKED = re.compile(r"\.(gz|zst|zstd)$")
_TURNED = re.compile(r"[.-]\d[\d_.Tt-]*$")


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file with log lines.

    Attributes:
        path: Where it lies.
        shown: What the user calls it.
        packing: How it is compressed, told by its first bytes and not by its name.
        parquet: Whether it is a Parquet file.
    """

    path: Path
    shown: str
    packing: Packing = "none"
    parquet: bool = False

    @property
    def kind(self) -> str:
        """The name's ending without ``.1``, ``.gz`` or ``.zst``, such as ``.csv``."""
        return Path(plain_name(self.shown)).suffix

    @property
    def turned(self) -> bool:
        """Whether the name is one that a log gets when the next one takes its own: ``a.log.1``."""
        return bool(_TURNED.search(_PACKED.sub("", self.shown.lower())))


def plain_name(name: str) -> str:
    """Return a log's name in small letters, without what packing and rotation add to it.

    Example:
        >>> plain_name("app.log.2.gz"), plain_name("App.jsonl-20261126T1015")
        ('app.log', 'app.jsonl')
    """
    return _TURNED.sub("", _PACKED.sub("", name.lower()))


def find_logs(names: Sequence[str], scratch: Path) -> tuple[LogFile, ...]:
    """Return the files that the user means, each once, in the order given.

    Args:
        names: Files, globs, folders (searched recursively for `SUFFIXES`), or ``-``.
        scratch: A folder of ours, where standard input is kept while it is read.

    Raises:
        CostoptError: a name matches nothing, or nothing at all was named.
    """
    found: dict[str, LogFile] = {}
    for name in names:
        for path, shown in _expanded(name, scratch):
            found.setdefault(os.path.realpath(path), sniffed(path, shown))
    if not found:
        raise CostoptError("no logs to read", hint="name files, globs or folders, or - for stdin")
    return tuple(found.values())


def _expanded(name: str, scratch: Path) -> Iterator[tuple[Path, str]]:
    """Return the files of one argument, with the names that the user knows them by."""
    path = Path(name)
    if name == STDIN:
        yield _kept_stdin(scratch), STDIN
    elif path.is_dir():
        yield from _in_folder(path)
    elif path.is_fifo():
        yield _kept_pipe(path, scratch), path.as_posix()
    elif path.exists():
        yield path, path.as_posix()
    else:
        yield from _matching(name)


def _kept_stdin(scratch: Path) -> Path:
    """Keep standard input in a file: it is read more than once."""
    kept = scratch / "stdin"
    with kept.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    return kept


def _kept_pipe(path: Path, scratch: Path) -> Path:
    """Keep what a pipe such as ``<(zcat log.gz)`` gives: it can be read only once."""
    number, kept = tempfile.mkstemp(prefix="pipe-", dir=scratch)
    with path.open("rb") as pipe, os.fdopen(number, "wb") as file:
        shutil.copyfileobj(pipe, file, 1 << 20)
    return Path(kept)


def _in_folder(folder: Path) -> Iterator[tuple[Path, str]]:
    paths = sorted(path for path in _walked(folder) if _is_log(path))
    if not paths:
        hint = f"a log's name ends in {', '.join(SUFFIXES)}, or in that with .gz or .zst"
        raise CostoptError("no logs in this folder", where=Where(folder.as_posix()), hint=hint)
    yield from ((path, path.as_posix()) for path in paths)


def _walked(folder: Path) -> Iterable[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in names if not name.startswith("."))


def _is_log(path: Path) -> bool:
    return plain_name(path.name).endswith(SUFFIXES) and path.is_file()


def _matching(name: str) -> Iterator[tuple[Path, str]]:
    # Path.glob takes no absolute patterns.
    matches = glob.glob(name, recursive=True)  # noqa: PTH207
    paths = sorted(path for path in matches if Path(path).is_file())
    if not paths:
        hint = "name an existing file or folder, a glob in quotes, or - for standard input"
        raise CostoptError("no such log", where=Where(name), hint=hint)
    yield from ((Path(path), Path(path).as_posix()) for path in paths)


def sniffed(path: Path, shown: str) -> LogFile:
    """Tell a file's packing by its first bytes; what cannot be opened is said when it is read."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError:
        return LogFile(path, shown)
    packing: Packing = "none"
    for magic, name in _MAGIC:
        packing = name if head.startswith(magic) else packing
    return LogFile(path, shown, packing, head == _PARQUET)
