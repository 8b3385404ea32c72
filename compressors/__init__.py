"""Strategies, input side and output side; the guard; the registry.

What is listed here is all that a program, or a package with strategies of its own, needs. Nothing
is imported before it is used.

Example:
    >>> from costopt import compressors
    >>> compressors.get("whitespace").side
    'input'
    >>> compressors.check_strategy(compressors.get("whitespace"))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import (
        ContextStrategy,
        NotApplicable,
        Strategy,
        StrategyContext,
        map_free_text,
        map_messages,
    )
    from .contract import check_strategy, template_of

__all__ = [
    "ContextStrategy",
    "NotApplicable",
    "Strategy",
    "StrategyContext",
    "check_strategy",
    "get",
    "map_free_text",
    "map_messages",
    "template_of",
]

_HOMES = {
    "ContextStrategy": "base",
    "NotApplicable": "base",
    "Strategy": "base",
    "StrategyContext": "base",
    "check_strategy": "contract",
    "map_free_text": "base",
    "map_messages": "base",
    "template_of": "contract",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever is asked for
    """Import what is asked for from the module that it is defined in."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def get(name: str, **params: Any) -> "Strategy":  # noqa: ANN401 - a strategy's own parameters
    """Make a strategy by its name or code; see `registry.get`."""
    from .registry import get as registered

    return registered(name, **params)
