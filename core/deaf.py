"""Deaf to Ctrl-C for a moment: while what was done until the first one is put together."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def deaf() -> Generator[None]:
    """Let no further Ctrl-C cut off what is done now; keep it short.

    Outside of the main thread nothing changes: signals do not arrive there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
