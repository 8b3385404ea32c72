"""Typed decoding: JSON values into the frozen dataclasses of `core`, by their annotations."""

# What is decoded may come from somebody else's pull request, so nothing is taken on trust: a
# number of a million digits would fit a double's text and fill a page.

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from ..core.errors import CostoptError

T = TypeVar("T")

REPORT_HINT = "write reports with: costopt analyze PATH --format json --output report.json"
_DIGITS = 40
"""Before or behind the point: beyond all that is counted or paid, and short to write out."""


class _Wrong(Exception):  # noqa: N818 (never leaves this module)
    """What is wrong, and where."""


def decode(
    kind: type[T], value: object, path: str, *, what: str = "a report", hint: str = REPORT_HINT
) -> T:
    """Return ``value`` as ``kind``; keys that the dataclass does not have are left out.

    Args:
        kind: A dataclass whose fields are dataclasses, tuples, mappings or scalars.
        value: As ``json.loads(..., parse_float=Decimal)`` returns it.
        path: Where it stands, for errors: ``prompts[0].variants``.
        what: What it was taken for, for errors.
        hint: How to get one.

    Raises:
        CostoptError: a key is missing, or a value has the wrong type.
    """
    try:
        return cast(T, _any(kind, value, path))
    except _Wrong as wrong:
        raise CostoptError(f"not {what}: {wrong}", hint=hint) from None
    except RecursionError:
        raise CostoptError(f"not {what}: nested too deep", hint=hint) from None


def _any(kind: Any, value: object, path: str) -> object:  # noqa: ANN401 (a type, or a generic alias)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(kind), value, path)
    if origin is Literal:
        return _literal(get_args(kind), value, path)
    if origin is tuple:
        return _items(get_args(kind)[0], value, path)
    if origin is Mapping:
        return plain(_expect(isinstance(value, dict), value, "an object", path))
    if is_dataclass(kind):
        return _dataclass(kind, value, path)
    return _scalar(kind, value, path)


def _one_of(kinds: tuple[Any, ...], value: object, path: str) -> object:
    """Decode a union: ``None``, a text where texts are allowed, else its first kind."""
    if value is None and type(None) in kinds:
        return None
    return value if isinstance(value, str) and str in kinds else _any(kinds[0], value, path)


def _expect(ok: bool, value: object, expected: str, path: str) -> object:
    if not ok:
        raise _Wrong(f"{path} must be {expected}")
    return value


def _literal(allowed: tuple[Any, ...], value: object, path: str) -> object:
    known = " or ".join(f'"{name}"' for name in allowed)
    return _expect(isinstance(value, str) and value in allowed, value, known, path)


def _items(kind: Any, value: object, path: str) -> tuple[object, ...]:  # noqa: ANN401
    items = cast("list[object]", _expect(isinstance(value, list), value, "a list", path))
    return tuple(_any(kind, item, f"{path}[{index}]") for index, item in enumerate(items))


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _dataclass(kind: Any, value: object, path: str) -> object:  # noqa: ANN401
    data = cast("dict[str, object]", _expect(isinstance(value, dict), value, "an object", path))
    found: dict[str, object] = {}
    for item in fields(kind):
        place = f"{path}.{item.name}" if path else item.name
        if item.name in data:
            found[item.name] = _any(_hints(kind)[item.name], data[item.name], place)
        elif item.default is MISSING and item.default_factory is MISSING:
            _expect(False, None, "there", place)
    return kind(**found)


def _scalar(kind: Any, value: object, path: str) -> object:  # noqa: ANN401
    numeric = isinstance(value, int | Decimal) and not isinstance(value, bool)
    numeric = numeric and _is_writable(Decimal(cast(Decimal, value)))
    if kind is str:
        return _expect(isinstance(value, str), value, "a text", path)
    if kind is bool:
        return _expect(isinstance(value, bool), value, "true or false", path)
    if kind is int:
        whole = numeric and isinstance(value, int)
        return _expect(whole, value, "a whole number", path)
    _expect(numeric, value, "a number", path)
    if kind is Decimal:
        return Decimal(cast(Decimal, value))
    # A whole number stays one, so that a report read and written again is the same text.
    return value if isinstance(value, int) else float(cast(Decimal, value))


def _is_writable(number: Decimal) -> bool:
    return number.is_finite() and (not number or abs(number.adjusted()) <= _DIGITS)


def plain(value: object) -> Any:  # noqa: ANN401 (JSON)
    """Return free JSON with floats instead of Decimal."""
    if isinstance(value, Decimal):
        return float(cast(Decimal, _expect(_is_writable(value), value, "less", "a number")))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
