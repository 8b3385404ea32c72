"""Where costopt keeps what it can make or fetch again."""

import os
from pathlib import Path

from .errors import CostoptError, Where


def cache_dir() -> Path:
    """Return costopt's folder in the user's cache; it exists, and is the user's alone if new.

    ``$XDG_CACHE_HOME/costopt`` where that variable holds an absolute path (on every system, so
    that tests and CI can move it), else the platform's own cache folder. A relative
    ``XDG_CACHE_HOME`` is ignored, as the XDG base directory specification asks.

    Raises:
        CostoptError: the folder cannot be made.

    Example:
        >>> cache_dir().name
        'costopt'
    """
    folder = _location()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CostoptError(
            f"the cache folder cannot be made: {error.strerror or error}",
            where=Where(str(folder)),
            hint="set XDG_CACHE_HOME to a folder that you may write to",
        ) from error
    return folder


def answers_dir(run_dir: Path | None) -> Path:
    """Return where a run keeps its answers and its batches: ``run_dir``, or the user's cache."""
    return run_dir or cache_dir() / "answers"


def _location() -> Path:
    """Return the folder's path without making it."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    if Path(home).is_absolute():
        return Path(home) / "costopt"
    # Imported here: on the platforms that need it, it costs what `--help` should not pay.
    from platformdirs import user_cache_path

    return user_cache_path("costopt", appauthor=False)
