"""Which paths a user wants to have checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import CostoptError, Where
from .configuration import inside
from .opening import Opened


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Folders and files, by their names in the repository; the root's is empty."""

    names: tuple[str, ...]
    files: frozenset[str]
    """Those of them that are files: taken as prompts, whatever they are called."""

    def holds(self, path: str) -> bool:
        """Return whether a path is one of them, or lies below one.

        Example:
            >>> Scope(names=("a/b",), files=frozenset()).holds("a/b/c.md")
            True
        """
        return any(not n or path == n or path.startswith(f"{n}/") for n in self.names)


def scope_of(opened: Opened, paths: Sequence[Path]) -> Scope:
    """Return what a user named; nothing is the current folder.

    Raises:
        CostoptError: a path outside of the repository, or one that neither version has.
    """
    files = opened.head.files.keys() | opened.fork.files.keys()
    found: list[str] = []
    for path in paths or (opened.cwd,):
        name = inside(opened.git.root, opened.cwd / path)
        if name is None:
            raise CostoptError(
                "this path lies outside of the repository", where=Where(path.as_posix())
            )
        if paths and name and name not in files and not _is_folder(files, name):
            raise CostoptError(
                "neither the base nor the head has this file or folder",
                where=Where(path.as_posix()),
                hint="what git ignores, and what lies behind a link, is not checked",
            )
        found.append(name)
    return Scope(names=tuple(found), files=frozenset(name for name in found if name in files))


def _is_folder(files: set[str], name: str) -> bool:
    return any(file.startswith(f"{name}/") for file in files)
