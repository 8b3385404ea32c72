"""Writes results: to standard output, or to a file all at once."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from ..core.errors import CostoptError, Where

_PLAIN = str.maketrans("−…→—·Δ°", "-.>--do")
"""Stand-ins of the same width, for a standard output that is not Unicode."""
MIN_WIDTH, OFF_TERMINAL_WIDTH, MAX_WIDTH = 60, 80, 140


def page_width() -> int:
    """Return the columns to lay out for: the terminal's, ``COLUMNS``, or 80 off a terminal."""
    columns = shutil.get_terminal_size((OFF_TERMINAL_WIDTH, 24)).columns
    return max(MIN_WIDTH, min(columns, MAX_WIDTH))


def wants_colour(no_color: bool, output: Path | None, stream: TextIO | None = None) -> bool:
    """Return whether to colour: on a terminal, unless told not to.

    Args:
        no_color: Whether the user said so.
        output: The file that is written instead of a stream.
        stream: The stream; standard output where it is left out.
    """
    told_not_to = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return output is None and (stream or sys.stdout).isatty() and not told_not_to


def check_output(output: Path | None) -> None:
    """Refuse an output file that cannot be written, before anything is spent.

    Raises:
        CostoptError: it is a folder, or its folder is missing or not writable.
    """
    if output is None:
        return
    where = Where(output.as_posix())
    if output.is_dir():
        raise CostoptError("the output is a folder", where=where, hint="name a file in it")
    if _is_special(output):
        return
    if not output.parent.is_dir():
        hint = f"make it first: mkdir -p {output.parent.as_posix()}"
        raise CostoptError("the output's folder does not exist", where=where, hint=hint)
    if not os.access(output.parent, os.W_OK):
        raise CostoptError("the output's folder is not writable", where=where)


def emit(text: str, output: Path | None) -> None:
    """Write a finished text to standard output, or to a file all at once.

    A reader that went away (``| head``) is no error.

    Raises:
        CostoptError: the file cannot be written.
    """
    if output is not None:
        write_file(output, text.encode("utf-8", "replace"))
        return
    try:
        sys.stdout.write(_encodable(text))
        sys.stdout.flush()
    except BrokenPipeError:
        silence_output()


def silence_output() -> None:
    """Send what is still to be written nowhere: Python flushes once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_link(path: Path, named: Sequence[Path]) -> None:
    """Refuse to write through a link that leads out of what the user named.

    Inside is the repository of a named folder or file, or where there is none the folder itself.

    Raises:
        CostoptError: the file is, or lies behind, a link that leads outside.
    """
    from ..core.discovery import repository

    folders = [(one if one.is_dir() else one.parent).absolute() for one in named]
    # A link's own name must not say where its inside is: the folder that it lies in does.
    roots = [repository(folder.resolve()) or folder.resolve() for folder in folders]
    if not any(path.resolve().is_relative_to(root) for root in roots):
        raise CostoptError(
            "this is a link that leads outside, so it is not written",
            where=Where(path.as_posix()),
            hint=f"name the file itself: {path.resolve().as_posix()}",
        )


def write_file(path: Path, data: bytes, *, expected: bytes | None = None) -> None:
    """Replace a file's content all at once: a crash leaves the old or the new, never half.

    An existing file keeps its mode, and a link stays a link: what it points to is replaced. What is
    no regular file, such as a pipe or ``/dev/null``, is written into and stays what it is.

    Args:
        path: The file.
        data: Its new content.
        expected: What it has to hold still, where what is written was made from that.

    Raises:
        CostoptError: it cannot be written, or holds something else by now.
    """
    import tempfile

    target = path.resolve()
    temporary: Path | None = None
    try:
        if _is_special(path):
            path.write_bytes(data)
            return
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        _check_unchanged(target, expected, path)
        temporary.replace(target)
        temporary = None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CostoptError(f"cannot write: {reason}", where=Where(path.as_posix())) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _check_unchanged(target: Path, expected: bytes | None, path: Path) -> None:
    if expected is not None and target.read_bytes() != expected:
        raise CostoptError(
            "the file changed since it was read, so it is not written",
            where=Where(path.as_posix()),
            hint="run it again without changing the file meanwhile",
        )


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _encodable(text: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text
