"""What was found out about logs while they were read: counts, and what is wrong with them."""

from dataclasses import dataclass

from ..core.errors import Where
from ..core.report import Skipped


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something in the logs that a reader should know of.

    Attributes:
        what: In words: "lines that are no JSON".
        rows: How many rows it is about.
        first: Where the first of them stands; ``None`` where that is unknown.
    """

    what: str
    rows: int
    first: Where | None = None


@dataclass(frozen=True, kw_only=True)
class RowCounts:
    """How many rows there were.

    ``read`` are all records and lines that were not empty; ``bad`` of them could not be read,
    ``other`` are no requests, ``duplicate`` repeat a request's identifier, and ``requests`` are
    what is left and counted. ``unpriced`` of these have no known price.
    """

    read: int = 0
    bad: int = 0
    other: int = 0
    duplicate: int = 0
    unpriced: int = 0

    @property
    def requests(self) -> int:
        """What is left and counted."""
        return self.read - self.bad - self.other - self.duplicate


@dataclass(frozen=True)
class FileRead:
    """A file that was read: which format it was taken for, and how many records it had."""

    path: str
    format: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that is known about what was read."""

    files: tuple[FileRead, ...]
    rows: RowCounts
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
