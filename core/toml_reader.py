"""Typed reading of TOML tables, with errors that name the file, the line and the nearest key."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from .errors import CostoptError, Where, nearest

MAX_BYTES = 1_000_000
"""A configuration larger than this is not read."""

Check = Callable[[object], Any]
"""Returns the value as it is used, or raises ValueError saying what is expected."""


def whole(minimum: int = 0) -> Check:
    """Return a check for a whole number of at least ``minimum``."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise ValueError(f"a whole number of {minimum} or more")
        return value

    return check


def money(value: object) -> Decimal:
    """Return a finite amount of 0 or more, exactly as it is written.

    Example:
        >>> money("0.15")
        Decimal('0.15')
    """
    expected = "an amount of 0 or more, such as 0.15"
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(expected)
    try:
        amount = Decimal(value)
    except ArithmeticError:
        raise ValueError(expected) from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(expected)
    return amount


def number(low: float, high: float | None = None) -> Check:
    """Return a check for a finite number in ``[low, high]``."""
    expected = f"a number of {low:g} or more" if high is None else f"a number in {low:g}..{high:g}"

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValueError(expected)
        found = Decimal(value)
        if not found.is_finite() or found < Decimal(str(low)):
            raise ValueError(expected)
        if high is not None and found > Decimal(str(high)):
            raise ValueError(expected)
        return float(found)

    return check


def text(value: object) -> str:
    """Return a string that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text in quotes")
    return value


def texts(value: object) -> tuple[str, ...]:
    """Return one or more strings as a tuple.

    Example:
        >>> texts("a"), texts(["a", "b"])
        (('a',), ('a', 'b'))
    """
    found: object = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(v, str) for v in found):
        raise ValueError('a text in quotes, or a list of them: ["a", "b"]')
    return tuple(text(item) for item in found)


def flag(value: object) -> bool:
    """Return a truth value."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


@dataclass(frozen=True)
class TomlFile:
    """A parsed TOML file with its text, so that errors can name the line."""

    path: str
    text: str
    data: Mapping[str, Any]

    def where(self, section: tuple[str, ...], key: str | None = None) -> Where:
        """Return the place of a table, or of a key in it, as far as it can be found."""
        line = _line_of(self.text, section, key)
        if line is None and section:
            line = _line_of(self.text, section[:-1], section[-1])
        return Where(self.path, line)

    def error(
        self, what: str, section: tuple[str, ...], key: str | None, hint: str | None = None
    ) -> CostoptError:
        """Return an error at a table or at a key in it."""
        return CostoptError(what, where=self.where(section, key), hint=hint)

    def values(
        self, data: object, section: tuple[str, ...], schema: Mapping[str, Check]
    ) -> dict[str, Any]:
        """Return the checked values of a table, its keys spelled with underscores.

        Raises:
            CostoptError: ``data`` is no table, a key is unknown, or a value has a wrong type.
        """
        if not isinstance(data, dict):
            raise self.error(f"{_named(section)} must be a table", section[:-1], section[-1])
        return {
            self._known(key, section, schema): self._checked(key, value, section, schema)
            for key, value in data.items()
        }

    def _known(self, key: str, section: tuple[str, ...], schema: Mapping[str, Check]) -> str:
        name = key.replace("-", "_")
        if name not in schema:
            what = f'unknown key "{key}" in {_named(section)}'
            raise self.error(what, section, key, nearest(name, schema))
        return name

    def _checked(
        self, key: str, value: object, section: tuple[str, ...], schema: Mapping[str, Check]
    ) -> object:
        check = schema[self._known(key, section, schema)]
        try:
            return check(value)
        except ValueError as error:
            what = f'"{key}" in {_named(section)} must be {error}'
            raise self.error(what, section, key, f"found {_shown(value)}") from None


def read_toml(path: Path, *, kind: str = "configuration", option: str = "--config") -> TomlFile:
    """Read a TOML file; decimal numbers keep their digits.

    Args:
        path: The file.
        kind: What it holds, for errors.
        option: The option that names it.

    Raises:
        CostoptError: it cannot be read, is too large, is not UTF-8, or is not TOML.
    """
    name = path.as_posix()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CostoptError(f"the {kind} is larger than 1 MB", where=Where(name))
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        hint = f"name an existing file with {option}"
        raise CostoptError(f"no such {kind} file", where=Where(name), hint=hint) from None
    except UnicodeDecodeError:
        hint = "save it as UTF-8"
        raise CostoptError("not UTF-8 text", where=Where(name), hint=hint) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        what = f"the {kind} cannot be read: {reason}"
        raise CostoptError(what, where=Where(name)) from None
    return TomlFile(name, content, _parse(name, content))


def _parse(name: str, content: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError) as error:
        found = re.search(r"\s*\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (None, None)
        what = str(error)[: found.start()] if found else str(error)
        hint = "see https://toml.io for the format"
        raise CostoptError(
            f"broken TOML: {what}", where=Where(name, line, column), hint=hint
        ) from None


def _named(section: tuple[str, ...]) -> str:
    parts = (part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in section)
    return f"[{'.'.join(parts)}]"


def _shown(value: object) -> str:
    shown = f'"{value}"' if isinstance(value, str) else str(value)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _line_of(content: str, section: tuple[str, ...], key: str | None) -> int | None:
    """Find a key's line by reading headers; inline tables and odd spellings are not found."""
    wanted, current, header = tuple(section), (), None
    for index, line in enumerate(content.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            current = _keys(stripped.strip("[]"))
            if current == wanted:
                header = index
        elif "=" in stripped and key is not None:
            full = (*current, *_keys(stripped.split("=", 1)[0]))
            if full[: len(wanted) + 1] == (*wanted, key):
                return index
        if key is not None and current[: len(wanted) + 1] == (*wanted, key):
            return index
    return header


def _keys(dotted: str) -> tuple[str, ...]:
    found = re.findall(r'"([^"]*)"|\'([^\']*)\'|([\w-]+)', dotted)
    return tuple(next(part for part in match if part) if any(match) else "" for match in found)
