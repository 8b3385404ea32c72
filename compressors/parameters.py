"""Parameters of strategies: read from text, and checked against the types of their fields."""

from dataclasses import fields
from functools import cache
from math import isfinite
from numbers import Integral, Real
from typing import Any, get_args, get_type_hints

from .base import Strategy

__all__ = ["fits", "hints", "shown", "typed"]

_PLAIN = frozenset({bool, int, float, str, type(None)})
_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


@cache
def hints(cls: type[Strategy]) -> dict[str, Any]:
    """Return the types of a strategy's parameters by their names; any type where none is told."""
    try:
        return get_type_hints(cls)
    except NameError:  # a plugin's type that is imported for type checkers alone
        return {item.name: Any for item in fields(cls)}


def _kinds(hint: Any) -> frozenset[Any]:  # noqa: ANN401 - a type, or several
    return frozenset(get_args(hint) or (hint,))


def shown(hint: Any) -> str:  # noqa: ANN401 - the type is the parameter's own
    """Return a type as it is written.

    Example:
        >>> shown(float), shown(int | None)
        ('float', 'int | None')
    """
    return getattr(hint, "__name__", str(hint))


def fits(value: object, hint: Any) -> bool:  # noqa: ANN401 - the type is the parameter's own
    """Tell whether a value is of a parameter's type: numbers are finite, and no ``bool`` is one.

    Of a type that is made of others than plain ones, only the strategy itself knows.

    Example:
        >>> fits(1, float), fits("1", float), fits(float("inf"), float), fits(True, int)
        (True, False, False, False)
    """
    kinds = _kinds(hint)
    if not kinds <= _PLAIN:
        return True
    if isinstance(value, bool):
        return bool in kinds
    if not isinstance(value, Real):
        return any(isinstance(value, kind) for kind in kinds)
    if isinstance(value, Integral) and int in kinds:
        return True
    return float in kinds and _is_finite(value)


def _is_finite(value: Real) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def typed(text: str, hint: Any) -> Any:  # noqa: ANN401 - the type is the parameter's own
    """Read a parameter's value as one of its types.

    Raises:
        ValueError: it is none of them.

    Example:
        >>> typed("0.5", float), typed("none", int | None), typed("on", bool)
        (0.5, None, True)
    """
    kinds = _kinds(hint)
    if type(None) in kinds and text.lower() in ("none", ""):
        return None
    if bool in kinds:
        if text.lower() not in _TRUE | _FALSE:
            raise ValueError(text)
        return text.lower() in _TRUE
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                if float not in kinds or kind is float:
                    raise
    return text
