"""One process at a time: a lock on a file, freed by the system however a process ends."""

import os
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

_POLL_S = 0.2


@contextmanager
def file_lock(path: Path, waiting: Callable[[], None] | None = None) -> Generator[None]:
    """Hold an exclusive lock on ``path``; wait for it as long as another process holds it.

    Args:
        path: The lock's own file; made where it is missing (mode 0600) and left behind.
        waiting: Called once where the lock is not free at once.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try_lock(descriptor):
            if waiting is not None:
                waiting()
            # Polled, so that Ctrl-C works everywhere.
            while not _try_lock(descriptor):
                time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Say whether some process, this one too, holds the lock on ``path``."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
