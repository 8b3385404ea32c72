"""What reading and reckoning tell whoever watches; the display lives in `reports`."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that has begun, and how far it is where that is known.

    Attributes:
        what: In words: "reading logs".
        done: Bytes that are behind.
        total: Of how many bytes; 0 where there is nothing to count.
        part: Bytes that are being worked on.
        percent: Returns how much of them is done, in percent; negative where that is unknown.
    """

    what: str
    done: int = 0
    total: int = 0
    part: int = 0
    percent: Callable[[], float] | None = None

    @property
    def reached(self) -> int:
        """Bytes that are done now."""
        found = self.percent() if self.percent and self.part else 0
        return self.done + int(self.part * min(max(found, 0), 100) / 100)


Watch = Callable[[Step], None]


def unwatched(step: Step) -> None:
    """Watch nothing."""
