"""Strategies, input side and output side; the guard; the registry.

Example:
    >>> from costopt import compressors
    >>> compressors.get("whitespace").side
    'input'
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Strategy

__all__ = ["get"]


def get(name: str, **params: Any) -> "Strategy":  # noqa: ANN401 - a strategy's own parameters
    """Make a strategy by its name or code; see `registry.get`."""
    from .registry import get as registered

    return registered(name, **params)
