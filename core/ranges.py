"""Half-open ranges of a text, looked up without trying each of them."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate


class Ranges:
    """Some ranges, in any order; they may overlap.

    Example:
        >>> code = Ranges([(8, 9), (2, 5)])
        >>> code.touch(4, 8), code.touch(5, 8)
        (True, False)
    """

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        found = sorted(ranges)
        self._starts = [start for start, _ in found]
        self._reach = list(accumulate((end for _, end in found), max))

    def touch(self, start: int, end: int) -> bool:
        """Return whether any of the ranges has a character in ``[start, end)``."""
        before = bisect_left(self._starts, end)
        return before > 0 and self._reach[before - 1] > start
