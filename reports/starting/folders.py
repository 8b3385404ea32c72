"""Where a project keeps its prompts, as far as names tell."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ...core.discovery import discover
from ...core.errors import CostoptError

_NAMES = frozenset({"prompts", "prompt_templates", "prompt-templates"})
_SUFFIXES = frozenset({".prompt", ".prompty"})
_MOST = 20


def prompt_folders(root: Path) -> tuple[str, ...]:
    """Return the folders that hold prompts, relative to ``root``, with ``/`` at their ends.

    A file is taken for a prompt here where its name or its folder's says so: any Markdown file
    may be read as a prompt, and most are none.
    """
    try:
        found = discover([root]).files
    except CostoptError:
        return ()
    names = [PurePosixPath(one.path.relative_to(root).as_posix()) for one in found]
    folders = {_folder(name, one.named) for name, one in zip(names, found, strict=True)}
    plain = {folder for folder in folders if folder is not None and _plain(folder)}
    return tuple(f"{folder}/" for folder in _topmost(_joined(plain)))[:_MOST]


def _folder(name: PurePosixPath, named: bool) -> PurePosixPath | None:
    """Return the folder that a prompt's place suggests; ``None`` where it suggests none."""
    for parent in reversed(name.parents):
        if parent.name.lower() in _NAMES:
            return parent
    by_name = named or name.suffix in _SUFFIXES or name.stem == "promptfooconfig"
    inside = len(name.parts) > 1
    return name.parent if by_name and inside else None


def _plain(folder: PurePosixPath) -> bool:
    """Return whether a name can stand in YAML, TOML and a glob without being read as more."""
    name = folder.as_posix()
    spaced = any(part != part.strip() for part in folder.parts)
    return not spaced and all(letter.isalnum() or letter in "/_-. " for letter in name)


def _joined(folders: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    """Replace folders that lie beside one another by the one that they are in."""
    found = set(folders)
    counts = Counter(folder.parent for folder in found if len(folder.parts) > 1)
    shared = {parent for parent, count in counts.items() if count > 1}
    return {folder.parent if folder.parent in shared else folder for folder in found}


def _topmost(folders: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    found = set(folders)
    return sorted(one for one in found if not found & set(one.parents))
