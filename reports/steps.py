"""Which step long work is at, on standard error; nothing is said of work that is done soon."""

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..usage.watch import Step, Watch, unwatched
from .safe import clean

if TYPE_CHECKING:
    from rich.status import Status

_AFTER_S = 1.0
_AFTER_IN_A_LOG_S = 5.0
_EVERY_S = 0.25
_MB = 1_000_000


@contextmanager
def steps(*, quiet: bool, colour: bool) -> Generator[Watch]:
    """Yield what is told of each step; it is shown once the work has taken some time.

    On a terminal it is one line that goes away, after a second. Elsewhere, after five, a line a
    step, and one for each tenth where bytes are counted.

    Args:
        quiet: Show nothing at all.
        colour: Whether colour is allowed; ``NO_COLOR`` forbids it too.
    """
    if quiet:
        yield unwatched
        return
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    shown = _Shown(live, colour and not os.environ.get("NO_COLOR"))
    shown.start()
    try:
        yield shown.tell
    finally:
        shown.stop()


def said(step: Step, reached: int) -> str:
    """Return a step in words.

    Args:
        step: The step.
        reached: Bytes that are done.

    Example:
        >>> said(Step(what="reading logs", total=40_000_000), 2_000_000)
        'reading logs: 2 of 40 MB'
    """
    what = clean(step.what, 200)
    if step.total < _MB:
        return what
    return f"{what}: {reached / _MB:,.0f} of {step.total / _MB:,.0f} MB"


class _Shown(threading.Thread):
    """Looks at the step from time to time: the work itself is not held up by the display."""

    def __init__(self, live: bool, colour: bool) -> None:
        super().__init__(daemon=True)
        self._live, self._colour = live, colour
        self._step: Step | None = None
        self._ended = threading.Event()
        self._last = ("", -1)
        self._reached = ("", 0)
        self._status: Status | None = None

    def tell(self, step: Step) -> None:
        """Note what is done now."""
        self._step = step

    def stop(self) -> None:
        """Show nothing any more."""
        self._ended.set()
        self.join()
        if self._status is not None:
            self._status.stop()

    def run(self) -> None:
        """Show the step that the work is at."""
        begun, after = time.monotonic(), _AFTER_S if self._live else _AFTER_IN_A_LOG_S
        while not self._ended.wait(_EVERY_S):
            step = self._step
            if step is not None and time.monotonic() - begun > after:
                (self._redraw if self._live else self._line)(step, self._most(step))

    def _most(self, step: Step) -> int:
        """The bytes that are done: a file is gone through more than once, which is no way back."""
        what, before = self._reached
        reached = max(step.reached, before if what == step.what else 0)
        self._reached = (step.what, min(reached, step.total))
        return self._reached[1]

    def _line(self, step: Step, reached: int) -> None:
        tenth = 10 * reached // step.total if step.total else 0
        if (step.what, tenth) == self._last:
            return
        self._last = (step.what, tenth)
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(said(step, reached).encode(encoding, "replace").decode(encoding) + "\n")
        sys.stderr.flush()

    def _redraw(self, step: Step, reached: int) -> None:
        from rich.console import Console
        from rich.status import Status
        from rich.text import Text

        if self._status is None:
            console = Console(stderr=True, no_color=not self._colour)
            self._status = Status(Text(said(step, reached)), console=console)
            self._status.start()
        self._status.update(Text(said(step, reached)))
