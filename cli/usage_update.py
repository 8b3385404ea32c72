"""Writes what a log measured of prompts into the configuration, as a diff first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..core.errors import CostoptError, Where
from .asking import is_terminal, say

if TYPE_CHECKING:
    from datetime import datetime

    from ..core.configured import Config
    from ..core.types import PromptTemplate
    from ..usage.export import Entry, Export
    from ..usage.opening import Requests

_BOM = "\ufeff"
_PROMPTS = Path("prompts")


@dataclass(frozen=True, kw_only=True)
class Updating:
    """The options ``--update-config`` and ``--yes``."""

    update: bool
    yes: bool

    def check(self) -> None:
        """Refuse an option without the one that it is about.

        Raises:
            CostoptError: ``--yes`` stands alone.
        """
        if self.yes and not self.update:
            raise CostoptError(
                "--yes answers what --update-config asks", hint="give --update-config too"
            )

    def prompts(self, named: Sequence[Path] | None) -> Sequence[Path]:
        """Return where prompts lie; what is to be written is about some, so there is a default.

        Raises:
            CostoptError: none are named where they are needed, and there is no ``prompts/``.
        """
        if named or not self.update:
            return named or ()
        if not _PROMPTS.is_dir():
            raise CostoptError(
                "--update-config writes of prompts, and there is no folder prompts/ here",
                hint="say where they are: --prompts PATH",
            )
        return (_PROMPTS,)

    def measured(
        self,
        requests: "Requests",
        templates: "Sequence[PromptTemplate]",
        settings: "Config",
        since: "datetime | None",
        until: "datetime | None",
    ) -> "Export | None":
        """Return what is to be written of open logs; ``None`` where nothing was asked for."""
        if not self.update:
            return None
        from ..usage.export import export
        from ..usage.volumes import volumes

        found = volumes(
            requests.connection,
            templates,
            requests.first,
            requests.last,
            since=since,
            until=until,
        )
        return export(found, templates, _placed(settings))

    def write(
        self, found: "Export | None", settings: "Config", *, quiet: bool, no_color: bool
    ) -> None:
        """Write what was measured, where that was asked for.

        Raises:
            CostoptError: it cannot be written.
        """
        import sys

        from .output import wants_colour

        if found is not None:
            colour = wants_colour(no_color, None, sys.stderr)
            write_measured(found, _placed(settings), yes=self.yes, quiet=quiet, colour=colour)


def _placed(settings: "Config") -> "Config":
    """Return a configuration with the file that it is written to, if there is none yet."""
    from dataclasses import replace

    from ..core.config import FILE_NAME

    return settings if settings.path is not None else replace(settings, path=Path(FILE_NAME))


def write_measured(
    found: "Export", settings: "Config", *, yes: bool, quiet: bool, colour: bool
) -> None:
    """Write measured values into the configuration; a missing one is made.

    The change is shown on standard error. On a terminal the user is asked, unless ``yes``;
    elsewhere ``--update-config`` was the answer.

    Args:
        found: What is to be written.
        settings: The configuration as it was read, with its path.
        yes: Whether not to ask.
        quiet: Whether to show nothing; where the user is asked, or a value is replaced, the
            change is shown all the same.
        colour: Whether to use the terminal's colours.

    Raises:
        CostoptError: it cannot be written.
    """
    from .output import check_link, write_file

    path = settings.path or Path()
    shown = _shown(path)
    before = _read(path)
    text = before or ""
    bom = _BOM if text.startswith(_BOM) else ""
    after = bom + _changed(text.removeprefix(_BOM), found, path)
    if after != text:
        ask = not yes and is_terminal()
        if ask or not quiet or _replaces(found, settings):
            _show(found, text, after, shown, colour)
        check_link(path, [path])
        if ask and not typer.confirm(f"Write {shown}?", default=False, err=True):
            say(f"left as it is: {shown}")
            return
        expected = None if before is None else before.encode("utf-8")
        write_file(path, after.encode("utf-8"), expected=expected)
    if not quiet:
        _tell(found, shown, written=after != text)


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CostoptError(f"cannot be read: {error}", where=Where(path.as_posix())) from None


def _changed(text: str, found: "Export", path: Path) -> str:
    from ..core.toml_writer import Noted, with_values
    from ..usage.measured import OWN

    prefix = ("tool", "costopt") if path.name == "pyproject.toml" else ()
    for entry in found.entries:
        values = {key: Noted(one.value, one.comment, OWN) for key, one in entry.settings.items()}
        text = with_values(text, (*prefix, "prompts", entry.glob), values)
    return text


def _replaces(found: "Export", settings: "Config") -> bool:
    """Return whether a value that stands there becomes another one."""
    return any(
        (was := getattr(settings.rule_for(entry.path), key)) is not None and was != one.value
        for entry in found.entries
        for key, one in entry.settings.items()
    )


def _show(found: "Export", before: str, after: str, shown: str, colour: bool) -> None:
    from ..reports.diffs import unified

    changed = f"{shown} (measured in logs)"
    say(unified(before, after, shown, changed, colour=colour).rstrip("\n"))
    for entry in found.entries:
        _tell_notes(entry)


def _tell_notes(entry: "Entry") -> None:
    from ..reports.safe import clean

    for note in entry.notes:
        say(clean(f"{entry.path}: {note}"))


def _tell(found: "Export", shown: str, *, written: bool) -> None:
    from ..reports.safe import clean

    for line in found.left:
        say(clean(f"not written: {line}"))
    prompts = len(found.entries)
    if written:
        say(f"wrote what was measured of {prompts} prompt{'s' * (prompts != 1)} into {shown}")
    else:
        why = "all of it stands there" if prompts else "nothing was measured that can be written"
        say(f"nothing to write into {shown}: {why}")


def _shown(path: Path) -> str:
    from ..reports.safe import clean

    here = Path.cwd()
    inside = path.is_absolute() and path.is_relative_to(here)
    return clean((path.relative_to(here) if inside else path).as_posix())
