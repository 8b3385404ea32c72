"""What `costopt analyze` writes besides its report: prompts changed in place, and all variants."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import CostoptError

if TYPE_CHECKING:
    from ..core.report import Report
    from ..core.types import PromptTemplate


@dataclass(frozen=True, kw_only=True)
class Writing:
    """The options ``--write``, ``--yes``, ``--output-dir`` and ``--force``."""

    write: bool
    yes: bool
    folder: Path | None
    force: bool

    def check(self) -> None:
        """Refuse what could not be written, before anything is spent.

        Raises:
            CostoptError: an option without the one that it is about, or a bad folder.
        """
        from .variant_files import check_folder

        if self.yes and not self.write:
            raise CostoptError("--yes answers what --write asks", hint="give --write too")
        if self.force and self.folder is None:
            raise CostoptError("--force is about --output-dir", hint="give --output-dir too")
        check_folder(self.folder)

    def templates(self, paths: Sequence[Path]) -> "tuple[PromptTemplate, ...]":
        """Return the prompts as their files are now, where anything is to be written."""
        from .write_back import templates_of

        return templates_of(paths) if self.write or self.folder is not None else ()

    def write_all(
        self,
        report: "Report",
        paths: Sequence[Path],
        templates: "Sequence[PromptTemplate]",
        *,
        quiet: bool,
        no_color: bool,
    ) -> None:
        """Write all variants, and then what is recommended.

        Raises:
            CostoptError: a file could not be written.
        """
        import sys

        from .output import wants_colour
        from .variant_files import write_variants
        from .write_back import write_recommended

        if self.folder is not None:
            write_variants(report, templates, self.folder, force=self.force, quiet=quiet)
        if self.write:
            colour = wants_colour(no_color, None, sys.stderr)
            write_recommended(report, paths, templates, yes=self.yes, quiet=quiet, colour=colour)
