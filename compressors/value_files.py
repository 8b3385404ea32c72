"""A variable's value as a file: text as it stands, or JSON for strategies that read messages."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.errors import CostoptError
from .base import ContextStrategy, Strategy

__all__ = ["ValueFile", "read_value", "value_strategies"]

_EXAMPLE = "sentences"
_BOM = "\ufeff"


def value_strategies(
    strategies: Sequence[Strategy], *, asked: bool
) -> tuple[ContextStrategy, ...] | None:
    """Return the strategies of a chain where they shorten a value; ``None`` where a prompt.

    Args:
        strategies: The chain.
        asked: Whether a value was asked for; else it is one where a strategy works on nothing
            else.

    Raises:
        CostoptError: the chain mixes both, or names variables of a prompt.
    """
    free = [s for s in strategies if isinstance(s, ContextStrategy) and s.on is None]
    if not asked and all(strategy.on_prompts for strategy in free):
        return None
    for strategy in strategies:
        _check(strategy, free)
    return tuple(free)


def _check(strategy: Strategy, free: Sequence[ContextStrategy]) -> None:
    """Raise a `CostoptError` unless a strategy can shorten a value that is a file."""
    name = strategy.name
    if not isinstance(strategy, ContextStrategy):
        first = free[0].name if free else _EXAMPLE
        mixed = f"{first} shortens a value, and {name} edits a prompt: one file cannot be both"
        raise CostoptError(
            mixed if free else f"{name} edits a prompt, and the file is to be a value",
            hint=f"for a value: --strategy {first}; for a variable of a prompt: {first}:on=NAME",
        )
    if strategy.on is not None:
        raise CostoptError(
            f"{name}:on={strategy.on} names a variable of a prompt, and the file is to be a value",
            hint="leave on= out, or shorten the prompt alone",
        )
    if strategy.question is not None:
        raise CostoptError(
            f"{name}:question={strategy.question} names a variable of a prompt, and the file is to "
            "be a value",
            hint='ask with --question "…"',
        )


@dataclass(frozen=True, kw_only=True)
class ValueFile:
    """A file's text, and the value that it is read as.

    Attributes:
        text: The whole file.
        value: The text, or a list of messages.
        holder: The object that has the messages under ``messages``; ``None`` where they are all.
    """

    text: str
    value: Any
    holder: dict[str, Any] | None = None

    def written(self, value: Any) -> str:  # noqa: ANN401 - what is left of `value`
        """Return the file's text with another value in it, laid out as the file was."""
        if value == self.value:
            return self.text
        if isinstance(value, str):
            return value
        whole = self._whole(value)
        plain = self.text.removeprefix(_BOM)
        text = _style(self._whole(self.value), plain.strip()).dump(whole)
        return self.text[: len(self.text) - len(plain)] + text + plain[len(plain.rstrip()) :]

    def _whole(self, value: object) -> object:
        return value if self.holder is None else {**self.holder, "messages": value}


def read_value(text: str, strategies: Sequence[ContextStrategy]) -> ValueFile:
    """Read a file as a value: JSON with messages where a strategy reads them, else the text.

    Example:
        >>> from costopt.compressors.registry import get
        >>> text = '[{"role": "user", "content": "Hi"}]'
        >>> read_value(text, [get("history")]).value
        [{'role': 'user', 'content': 'Hi'}]
        >>> read_value(text, [get("sentences")]).value == text
        True
    """
    plain = ValueFile(text=text, value=text)
    if not any(strategy.reads_messages for strategy in strategies):
        return plain
    try:
        data = json.loads(text.removeprefix(_BOM))
    except (ValueError, RecursionError):
        return plain
    if isinstance(data, list):
        return ValueFile(text=text, value=data)
    if isinstance(data, dict) and isinstance(data.get("messages"), list):
        return ValueFile(text=text, value=data["messages"], holder=data)
    return plain


@dataclass(frozen=True)
class _Style:
    """A way of writing JSON."""

    indent: int | str | None = None
    compact: bool = False
    ascii_only: bool = False

    def dump(self, data: object) -> str:
        """Return JSON that a file can hold: half a surrogate pair is always escaped."""
        marks = (",", ":") if self.compact else None
        text = json.dumps(data, ensure_ascii=self.ascii_only, indent=self.indent, separators=marks)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return replace(self, ascii_only=True).dump(data)
        return text


def _style(data: object, text: str) -> _Style:
    """Return the way of writing that gives ``text``; else one like it."""
    lines = [_Style(indent) for indent in (None, 2, 4, 1, "\t")]
    styles = (*lines, _Style(compact=True))
    for style in (*styles, *(replace(style, ascii_only=True) for style in styles)):
        if style.dump(data) == text:
            return style
    return _Style(2 if "\n" in text else None)
