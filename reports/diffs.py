"""A file's change as a unified diff, with nothing in it that a terminal would obey."""

import difflib

from .safe import visible

_COLOURS = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}


def unified(before: str, after: str, name: str, changed: str, *, colour: bool = False) -> str:
    r"""Return a unified diff; control characters are written as escapes.

    Args:
        before: The file's text as it is.
        after: As it is to be.
        name: The file's name.
        changed: What to call it after the change.
        colour: Whether to use the terminal's colours.

    Example:
        >>> print(unified("a\nb\n", "a\n", "x.md", "x.md (shorter)"), end="")
        --- x.md
        +++ x.md (shorter)
        @@ -1,2 +1 @@
         a
        -b
    """
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), name, changed
    )
    return "".join(_line(line, colour) for line in lines)


def _line(line: str, colour: bool) -> str:
    text = visible(line.rstrip("\r\n"))
    code = _COLOURS.get(line[:1], "") if colour else ""
    shown = f"{code}{text}\x1b[0m" if code else text
    return shown + ("\n" if line.endswith("\n") else "\n\\ No newline at end of file\n")
