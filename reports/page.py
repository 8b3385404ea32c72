"""A page for a terminal: sentences that wrap, rows that do not, colours only where asked for."""

from collections.abc import Iterable
from io import StringIO
from typing import TYPE_CHECKING

from .safe import clean

if TYPE_CHECKING:
    from rich.text import Text


class Page:
    """Collects lines; long sentences wrap with their indent, table rows and commands never."""

    def __init__(self, width: int, colour: bool) -> None:
        from rich.console import Console

        self.width = width
        self._file = StringIO()
        self._console = Console(
            file=self._file,
            width=width,
            force_terminal=colour,
            color_system="standard" if colour else None,
            no_color=not colour,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def gap(self) -> None:
        """Write an empty line."""
        self._file.write("\n")

    def row(self, parts: Iterable[tuple[str, str]]) -> None:
        """Write one line that is not wrapped, as (text, style) parts."""
        self._print(_assemble(parts), wrap=False)

    def say(self, text: str, style: str = "", indent: int = 2, hang: int = 0) -> None:
        """Write a sentence, wrapped at ``indent``; further lines by ``hang`` more."""
        from rich.text import Text

        lines = Text(text).wrap(self._console, self.width - indent - hang)
        for index, line in enumerate(lines):
            line.rstrip()
            space = " " * (indent + (hang if index else 0))
            # Where a line is broken, what stood in its middle may come to read as a command.
            self._print(_assemble([(space, ""), (clean(line.plain), style)]), wrap=False)

    def text(self) -> str:
        """Return all that was written."""
        return self._file.getvalue()

    def _print(self, text: "Text", *, wrap: bool) -> None:
        self._console.print(text, no_wrap=not wrap, overflow="ignore", crop=False, soft_wrap=True)


def _assemble(parts: Iterable[tuple[str, str]]) -> "Text":
    from rich.text import Text

    return Text.assemble(*((text, style) for text, style in parts if text))
