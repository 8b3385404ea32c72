"""The model that shortens text, for programs that call a strategy without a run around it.

Strategies never import `models`; the package's own entry says, once, how such a model is opened.
"""

from collections.abc import Callable

from .protocols import ContextCompressor

_OPENERS: list[Callable[[], ContextCompressor]] = []


def register(opener: Callable[[], ContextCompressor]) -> None:
    """Say how the model is opened; a later call replaces an earlier one."""
    _OPENERS[:] = [opener]


def open_compressor() -> ContextCompressor:
    """Open it.

    Raises:
        CostoptError: the extra that it needs is not installed, or its weights are missing.
    """
    return _OPENERS[0]()
