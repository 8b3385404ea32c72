"""``costopt.lock``: what each prompt costs at each target, kept so that it only ever falls.

A TOML file that is written sorted and the same way each time, so that a change of it reads well
in a diff and merges well.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..core.toml_reader import Check, TomlFile, money, number, read_toml, text, whole

LOCK_NAME = "costopt.lock"
_VERSION = 1
_HEAD = """\
# What each prompt costs at each target, a request: `costopt check` fails where it grows.
# Written by `costopt check --update-lock`; do not edit.
"""
_TOKENS_PLACES, _USD_DIGITS, _QUALITY_PLACES = 2, 6, 4


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A prompt at a target.

    Attributes:
        input_tokens: The prompt filled with its rows, a mean; counted, so that it is the same on
            every machine.
        output_tokens: The mean of its answers, as last measured.
        usd_per_1k: USD for 1,000 requests, as last measured, at the prices of then.
        metric: What its quality is measured by.
        quality: The mean score, as last measured.
        quality_low: The lower 95 % bound of that mean; ``None`` where its unit has no range.
        quality_high: The upper one.
        n: The rows that it is of.
    """

    input_tokens: float
    output_tokens: float | None = None
    usd_per_1k: Decimal | None = None
    metric: str | None = None
    quality: float | None = None
    quality_low: float | None = None
    quality_high: float | None = None
    n: int | None = None


Lock = Mapping[str, Mapping[str, Locked]]
"""By the prompt's path (with ``#2`` for the second of a file), then by target."""

_SCHEMA: Mapping[str, Check] = {
    "input_tokens": number(0),
    "output_tokens": number(0),
    "usd_per_1k": money,
    "metric": text,
    "quality": number(-1e9),
    "quality_low": number(-1e9),
    "quality_high": number(-1e9),
    "n": whole(0),
}


def read_lock(path: Path) -> Lock:
    """Read a lock file.

    Raises:
        CostoptError: it cannot be read, is no TOML, or holds what this version does not know.
    """
    file = read_toml(path, kind="lock", option="--base")
    values = file.values(file.data, (), {"version": whole(1), "prompts": lambda value: value})
    if values.get("version") != _VERSION:
        hint = "write it anew: costopt check --update-lock"
        raise file.error("a lock file of another version of costopt", (), "version", hint)
    tables = _table(file, values.get("prompts", {}), ("prompts",))
    return {prompt: _targets(file, prompt, found) for prompt, found in tables.items()}


def _targets(file: TomlFile, prompt: str, found: object) -> dict[str, Locked]:
    section = ("prompts", prompt)
    rows: dict[str, Locked] = {}
    for target, values in _table(file, found, section).items():
        known = file.values(values, (*section, target), _SCHEMA)
        if "input_tokens" not in known:
            raise file.error(f'no input_tokens for "{prompt}"', (*section, target), None)
        rows[target] = Locked(**known)
    return rows


def _table(file: TomlFile, found: object, section: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise file.error(f"[{'.'.join(section)}] must be a table", section[:-1], section[-1])
    return found


def write_lock(lock: Lock) -> str:
    r"""Return the text of a lock file.

    Example:
        >>> text = write_lock({"a.md": {"mini": Locked(input_tokens=12.5, n=40)}})
        >>> text.splitlines()[4:]
        ['[prompts."a.md"."mini"]', 'input_tokens = 12.5', 'n = 40']
    """
    parts = [f"{_HEAD}version = {_VERSION}\n"]
    for prompt in sorted(lock):
        for target in sorted(lock[prompt]):
            lines = _lines(rounded(lock[prompt][target]))
            parts.append(f"[prompts.{_key(prompt)}.{_key(target)}]\n" + "".join(lines))
    return "\n".join(parts)


def rounded(locked: Locked) -> Locked:
    """Return what the file holds of it: no more digits than anybody reads in a diff."""

    def cut(value: float | None, places: int) -> float | None:
        return None if value is None else round(value, places)

    usd = locked.usd_per_1k
    return replace(
        locked,
        input_tokens=round(locked.input_tokens, _TOKENS_PLACES),
        output_tokens=cut(locked.output_tokens, _TOKENS_PLACES),
        usd_per_1k=None if usd is None else Decimal(f"{usd:.{_USD_DIGITS}g}"),
        quality=cut(locked.quality, _QUALITY_PLACES),
        quality_low=cut(locked.quality_low, _QUALITY_PLACES),
        quality_high=cut(locked.quality_high, _QUALITY_PLACES),
    )


def _lines(locked: Locked) -> Iterator[str]:
    for item in fields(locked):
        value = getattr(locked, item.name)
        if value is not None:
            yield f"{item.name} = {_value(value)}\n"


def _value(value: object) -> str:
    if isinstance(value, str):
        return _key(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _key(text: str) -> str:
    # A JSON string of ASCII is a TOML string too, but for the escape of what lies past the first
    # plane, of which JSON makes two halves and TOML one number.
    plain = "".join(f"\\U{ord(c):08X}" if ord(c) > 0xFFFF else json.dumps(c)[1:-1] for c in text)
    return f'"{plain}"'.replace("\x7f", "\\u007F")
