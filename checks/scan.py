"""Looks through unchanged files for the names of changed ones, without parsing them."""

import posixpath
import re
from collections.abc import Collection
from pathlib import Path

from ..core.formats import format_of
from .trees import regular

_BETWEEN = re.compile(r"[\s\"'/\\,\[\]{}()<>`:;|]+")
"""What stands between the names of files in a text."""
_MOST_BYTES = 5_000_000


class Scan:
    """Which unchanged files name a changed one: an eval set, or a part of a configuration."""

    def __init__(self, root: Path, touched: Collection[str]) -> None:
        self.root, self.touched = root, touched
        # A name with spaces is looked for by its last word: text does not say where it begins.
        self.wanted = frozenset(words[-1] for path in touched if (words := _words(path)))
        self.read: dict[str, str] = {}

    def names(self, path: str) -> bool:
        """Return whether a prompt's file may name a changed file."""
        text = self._text(path)
        if "*" in text and "file://" in text:
            folder = posixpath.dirname(path)
            return any(not folder or one.startswith(f"{folder}/") for one in self.touched)
        return any(word in self.wanted for word in _words(text))

    def is_prompt(self, path: str, named: bool) -> bool:
        """Return whether a file that is not read further seems to be a prompt."""
        if named or format_of(Path(path)) not in ("chat-yaml", "chat-json"):
            return True
        text = self._text(path)
        return any(word in text for word in ("messages", "role", "prompts"))

    def _text(self, path: str) -> str:
        if path not in self.read:
            self.read = {path: self._load(path)}
        return self.read[path]

    def _load(self, path: str) -> str:
        file = self.root / path
        if not regular(self.root, path) or file.stat().st_size > _MOST_BYTES:
            return ""
        return file.read_bytes().decode("utf-8", "replace")


def _words(text: str) -> list[str]:
    words = (word.strip(".").lower() for word in _BETWEEN.split(text))
    return [word for word in words if word]
