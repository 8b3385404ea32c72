"""Setting values in a TOML file that people write: all that stands there stays as it is."""

import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import CostoptError

if TYPE_CHECKING:
    from tomlkit.items import AbstractTable, Item


@dataclass(frozen=True)
class Noted:
    """A value, and what the comment behind it says.

    Attributes:
        value: The value.
        comment: What it says, without ``#``. It replaces a comment that begins with ``own``, and
            goes before any other.
        own: How comments of this kind begin.
    """

    value: int | float
    comment: str
    own: str


def with_values(text: str, section: tuple[str, ...], values: Mapping[str, Noted]) -> str:
    r"""Return a file's text with some values of a table set; a missing table comes last.

    Comments, order and spelling of everything else stay.

    Args:
        text: The file's text.
        section: The table, such as ``("prompts", "faq.md")``.
        values: Its keys with their values.

    Raises:
        CostoptError: it cannot be done without changing something else, or tomlkit is missing.

    Example:
        >>> noted = {"calls": Noted(20, "from logs", "from")}
        >>> with_values("[a]\ncalls = 1 # guess\n", ("a",), noted)
        '[a]\ncalls = 20 # from logs; guess\n'
    """
    try:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError
    except ImportError:
        raise CostoptError(
            "changing a configuration needs tomlkit, which is not installed",
            hint="install it with: pip install 'costopt[logs]'",
        ) from None
    unix = text.replace("\r\n", "\n")
    try:
        document = tomlkit.parse(unix)
    except TOMLKitError as error:
        raise CostoptError(f"this TOML cannot be changed: {error}") from None
    table = _table(document, section)
    if table is None:
        written = unix + ("" if unix.endswith("\n") or not unix else "\n")
        written += ("\n" if unix else "") + _new_table(section, values)
    else:
        _set(table, values)
        written = tomlkit.dumps(document)
    _check(unix, written, section, values)
    return written.replace("\n", "\r\n") if "\r\n" in text else written


def _table(document: Mapping[str, Any], section: tuple[str, ...]) -> "AbstractTable | None":
    found: Any = document
    for part in section:
        if part not in found:
            return None
        found = found[part]
    return found


def _new_table(section: tuple[str, ...], values: Mapping[str, Noted]) -> str:
    import tomlkit

    name = ".".join(tomlkit.key(part).as_string() for part in section)
    table = tomlkit.table()
    _set(table, values)
    return f"[{name}]\n{table.as_string()}"


def _set(table: "AbstractTable", values: Mapping[str, Noted]) -> None:
    """Set values; what is new comes behind the last value, and not behind what follows that."""
    from tomlkit.items import InlineTable

    body = table.value.body
    after: list[Any] = []
    while body and body[-1][0] is None:
        after.insert(0, body.pop())
    spelled = {key.replace("-", "_"): key for key in table}
    for key, noted in values.items():
        own = spelled.get(key, key)
        before = table.get(own)
        table[own] = noted.value
        if not isinstance(table, InlineTable):  # Nothing may stand behind a value there.
            _comment(table[own], before, noted)
    body.extend(after)


def _comment(item: "Item", before: "Item | None", noted: Noted) -> None:
    said = before.trivia.comment.lstrip("# ") if before is not None else ""
    kept = said.partition("; ")[2] if said.startswith(noted.own) else said
    item.comment("; ".join(part for part in (noted.comment, kept) if part))
    item.trivia.comment_ws = before.trivia.comment_ws if before is not None and said else "  "


def _check(before: str, after: str, section: tuple[str, ...], values: Mapping[str, Noted]) -> None:
    """Read both, and refuse what is different in anything but these values."""
    expected = deepcopy(tomllib.loads(before))
    table = expected
    for part in section:
        table = table.setdefault(part, {})
    spelled = {key.replace("-", "_"): key for key in table}
    table.update({spelled.get(key, key): noted.value for key, noted in values.items()})
    try:
        same = tomllib.loads(after) == expected
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        name = ".".join(section)
        raise CostoptError(
            f'the values of "{name}" cannot be written without changing something else',
            hint='write the table as lines of its own: [prompts."…"]',
        )
