"""Progress on standard error: a live line on a terminal, a line per tenth without one."""

import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.progress import Progress, Silent, Snapshot
from .numbers import usd
from .safe import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_MB = 1_000_000


@contextmanager
def watch(*, quiet: bool, colour: bool) -> Generator[Progress]:
    """Yield a display for standard error: live on a terminal, plain lines elsewhere.

    Args:
        quiet: Show nothing at all.
        colour: Whether colour is allowed; ``NO_COLOR`` forbids it too.
    """
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Plain()
    else:
        with Live(colour and not os.environ.get("NO_COLOR")) as live:
            yield live


def spent(snapshot: Snapshot) -> str:
    """Return what has been spent, and of how much.

    Example:
        >>> from decimal import Decimal
        >>> spent(Snapshot(phase="x", done=1, total=2, usd=Decimal("0.5"), cap_usd=Decimal(2)))
        '$0.5000 of $2.00'
    """
    if snapshot.cap_usd is None:
        return usd(snapshot.usd)
    return f"{usd(snapshot.usd)} of {usd(snapshot.cap_usd)}"


def counts(snapshot: Snapshot) -> str:
    """Return what is done, failed and cached.

    Example:
        >>> counts(Snapshot(phase="x", done=3, total=10, failed=1))
        '3/10 done, 1 failed'
    """
    parts = [f"{snapshot.done}/{max(snapshot.total, snapshot.done)} done"]
    parts += [f"{snapshot.failed} failed"] if snapshot.failed else []
    parts += [f"{snapshot.cached} cached"] if snapshot.cached else []
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a duration in minutes and seconds.

    Example:
        >>> duration(75.4)
        '1:15'
    """
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


class Clock:
    """Rate and time left of live requests; answers from the store take no time and do not count."""

    def __init__(self) -> None:
        self._start: float | None = None
        self._first = 0

    def said(self, snapshot: Snapshot) -> str:
        """Return the rate and the time left, or nothing while too little is known."""
        live = snapshot.done - snapshot.cached
        now = time.monotonic()
        if self._start is None:
            self._start, self._first = now, live
        made, passed = live - self._first, now - self._start
        if made < 5 or passed < 2:
            return ""
        rate = made / passed
        left = max(snapshot.total - snapshot.done, 0) / rate
        return f"{rate:.1f}/s, about {duration(left)} left"


class Plain:
    """Lines for a log: notes, and one line for each tenth of the way."""

    def __init__(self) -> None:
        self._tenth = -1
        self._download = ("", -1)
        self._clock = Clock()

    def note(self, text: str) -> None:
        """Print a line."""
        self._line(clean(text, 400))

    def update(self, snapshot: Snapshot) -> None:
        """Print a line where another tenth is done."""
        said = self._clock.said(snapshot)
        tenth = 10 * snapshot.done // snapshot.total if snapshot.total else 0
        if tenth <= self._tenth:
            return
        self._tenth = tenth
        parts = (clean(snapshot.phase, 60), counts(snapshot), f"spent {spent(snapshot)}", said)
        self._line("  ".join(part for part in parts if part))

    def download(self, what: str, done_bytes: int, total_bytes: int | None) -> None:
        """Print a line where another quarter is there."""
        quarter = 4 * done_bytes // total_bytes if total_bytes else 0
        if (what, quarter) == self._download:
            return
        self._download = (what, quarter)
        size = f" of {total_bytes / _MB:.0f} MB" if total_bytes else ""
        self._line(f"{clean(what, 200)}: {done_bytes / _MB:.0f} MB{size}")

    def _line(self, text: str) -> None:
        encoding = sys.stderr.encoding or "utf-8"
        print(text.encode(encoding, "replace").decode(encoding), file=sys.stderr, flush=True)


class Live:
    """A bar that rewrites itself; only for a terminal."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour
        self._clock = Clock()
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Live":
        """Start to draw."""
        self._console = self._make_console()
        self._bar = self._make_bar()
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(clean(text, 400), markup=False, highlight=False, emoji=False)

    def update(self, snapshot: Snapshot) -> None:
        """Redraw the bar of requests."""
        words = (counts(snapshot), f"spent {spent(snapshot)}", self._clock.said(snapshot))
        said = "  ".join(part for part in words if part)
        total = max(snapshot.total, snapshot.done, 1)
        self._show("requests", clean(snapshot.phase, 24), snapshot.done, total, said)

    def download(self, what: str, done_bytes: int, total_bytes: int | None) -> None:
        """Redraw the bar of a download."""
        size = f"/{total_bytes / _MB:.0f}" if total_bytes else ""
        said = f"{done_bytes / _MB:.0f}{size} MB"
        self._show(what, clean(what, 32), done_bytes, total_bytes, said)

    def _show(self, key: str, label: str, done: int, total: int | None, said: str) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._bar.add_task(label, total=total, said="")
        self._bar.update(
            self._tasks[key], description=label, completed=done, total=total, said=said
        )
        if key != "requests" and total is not None and done >= total:
            self._bar.remove_task(self._tasks.pop(key))

    def _make_console(self) -> "Console":
        from rich.console import Console

        return Console(stderr=True, no_color=not self._colour)

    def _make_bar(self) -> "Bar":
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            TextColumn("{task.fields[said]}", markup=False),
        )
        return Progress(*columns, console=self._console, transient=True, refresh_per_second=5)
