"""JSON values that stand in one array or one after the other, as far as they can be read.

DuckDB refuses such a file as a whole where it breaks off or is damaged anywhere. So what comes
before that place is copied as lines, and those are read.
"""

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from .files import LogFile
from .survey import LONGEST, CutError, pieces

_SPACE = re.compile(r"[\s,\ufeff]*")
_DECODER = json.JSONDecoder()


class BrokenError(Exception):
    """There is more, and it is no JSON."""


def documents(texts: Iterator[str]) -> Iterator[Any]:
    """Return the values of an array, or values that stand one after the other.

    Args:
        texts: The file's text, in pieces.

    Raises:
        BrokenError: the next value breaks off, or is none.

    Example:
        >>> list(documents(iter(['[{"a": 1}, {"a"', ": 2}]"])))
        [{'a': 1}, {'a': 2}]
    """
    rest, listed, ended = "", None, False
    for text in texts:
        rest, at = rest + text, 0
        if listed is None and (at := _behind_space(rest)) < len(rest):
            listed = rest[at] == "["
            at += listed
        while not ended and (at := _behind_space(rest, at)) < len(rest):
            ended = bool(listed) and rest[at] == "]"
            found = None if ended else _value(rest, at)
            if found is None:
                at += ended
                break
            value, at = found
            yield value
        rest = rest[at:]
        if len(rest) > 2 * LONGEST:
            raise BrokenError
    if rest.strip() or (listed and not ended):
        raise BrokenError


def _behind_space(text: str, at: int = 0) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> tuple[Any, int] | None:
    """Return the next value and where it ends; ``None`` where it does not end here."""
    # Of numbers and words it cannot be told whether they go on; requests are objects.
    if text[at : at + 1] not in ("{", "["):
        return None
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def texts_of(log: LogFile) -> Iterator[str]:
    """Return the text of a file in pieces; what is no UTF-8 is replaced.

    Raises:
        BrokenError: the packed data is cut off or damaged.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    try:
        for piece in pieces(log):
            yield decoder.decode(piece)
    except CutError as error:
        raise BrokenError from error


def first_documents(log: LogFile, many: int) -> list[Any]:
    """Return so many values of a file at most: those before it breaks off."""
    found: list[Any] = []
    with suppress(BrokenError):
        found.extend(islice(documents(texts_of(log)), many))
    return found


def copy_as_lines(log: LogFile, target: Path) -> tuple[LogFile, int]:
    """Copy the values of a file as JSON lines, up to where they break off.

    Args:
        log: The file.
        target: Where to.

    Returns:
        The copy under the file's name, and how many values it holds.
    """
    many = 0
    with target.open("w", encoding="utf-8") as file, suppress(BrokenError):
        for value in documents(texts_of(log)):
            file.write(json.dumps(value) + "\n")
            many += 1
    return LogFile(target, log.shown), many
