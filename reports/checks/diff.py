"""Text and diffs in a Markdown fence that they cannot close."""

import re
from collections.abc import Sequence

from ..numbers import count
from ..safe import visible

_LINES = 200
_CHARACTERS = 8_000
_LONGEST = 1_000


def fence(lines: Sequence[str], language: str) -> list[str]:
    """Return lines in a fence longer than any run of backticks in them.

    Example:
        >>> fence(["a ``` b"], "console")
        ['````console', 'a ``` b', '````']
    """
    runs = (len(run) for line in lines for run in re.findall("`+", line))
    mark = "`" * max(3, max(runs, default=0) + 1)
    return [f"{mark}{language}", *lines, mark]


def fenced_diff(diff: Sequence[str]) -> list[str]:
    """Return a diff in a fence, and how many lines of it are left out."""
    if not diff:
        return []
    shown = _first(diff)
    more = len(diff) - len(shown)
    said = [f"{count(more)} more lines of the diff are in `--format json`."] if more else []
    return ["", *fence(shown, "diff"), *said]


def _first(diff: Sequence[str]) -> list[str]:
    """Return the first lines, none of them long, as far as they come to a screen or two."""
    shown: list[str] = []
    room = _CHARACTERS
    for line in diff[:_LINES]:
        text = diff_line(line)
        if shown and len(text) > room:
            break
        shown.append(text)
        room -= len(text) + 1
    return shown


def diff_line(line: str) -> str:
    """Return a line of a diff with what is not printable as escapes, cut where it is long.

    Example:
        >>> diff_line(" ::error::x"), diff_line("+" + "a" * 2000)[-3:]
        (' : :error::x', 'aa…')
    """
    text = visible(line[:_LONGEST])
    # An unchanged line has no sign in front of what a CI log would obey.
    if text.lstrip().startswith("::"):
        text = text.replace("::", ": :", 1)
    return text + "…" if len(line) > _LONGEST else text
