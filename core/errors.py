"""The one error that users see: what went wrong, where, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class Where:
    """A place in a file; lines and columns count from 1.

    Example:
        >>> str(Where("prompts/a.md", 3, 7))
        'prompts/a.md:3:7'
    """

    path: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """Return ``path:line:column``, as far as it is known."""
        return ":".join(
            str(part) for part in (self.path, self.line, self.column) if part is not None
        )


class CostoptError(Exception):
    """Something the user can mend.

    Args:
        what: One sentence: what went wrong.
        where: The place, where there is one.
        hint: What to do about it.

    Example:
        >>> error = CostoptError("empty file", where=Where("a.md", 1), hint="write a prompt")
        >>> error.what, str(error.where), error.hint
        ('empty file', 'a.md:1', 'write a prompt')
    """

    def __init__(self, what: str, *, where: Where | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Return the error as one line, for lists such as a report's ``skipped``."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}"


def nearest(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """Return a hint that names the known name nearest to ``name``.

    Args:
        name: The name that is not known.
        known: Those that are.
        otherwise: What to say where none is near; by default they are all listed.

    Example:
        >>> nearest("whitspace", ["whitespace", "filler"])
        'did you mean "whitespace"?'
        >>> nearest("whitspace", [])
        'known: none'
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f'did you mean "{close[0]}"?'
    return otherwise or "known: " + (", ".join(names) or "none")
