"""Which files `costopt init` writes, and which it leaves as they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...core.config import FILE_NAME, mentions_costopt
from ...core.errors import CostoptError, Where
from .precommit import has_hook, with_entry
from .texts import config_text, hook_text, workflow_text

Ci = Literal["github", "gitlab", "none"]
CIS: tuple[Ci, ...] = ("github", "gitlab", "none")
_GITLAB, _OWN_GITLAB = ".gitlab-ci.yml", ".gitlab/costopt.yml"
_HOOKS = ".pre-commit-config.yaml"
_LARGEST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A file, and what becomes of it.

    Attributes:
        name: Its path, relative to the project.
        does: ``write`` where there is none, ``replace`` where it is written over, ``add`` where
            an entry is added, ``keep`` where it is left.
        text: What it is to hold; what would be put into it where it is kept.
        why: Why it is kept, or what is to be done by hand.
    """

    name: str
    does: Literal["write", "replace", "add", "keep"]
    text: str
    why: str | None = None


def plan_files(
    root: Path, folders: Sequence[str], ci: Ci, version: str, *, force: bool
) -> tuple[Planned, ...]:
    """Return what becomes of each file.

    Args:
        root: The project's folder.
        folders: Those that hold prompts.
        ci: For which host.
        version: The version of costopt that CI installs.
        force: Whether files that differ are written over.

    Raises:
        CostoptError: a file that is there cannot be read.
    """
    found = [_config(root, folders, force)]
    if ci == "github":
        for name in ("costopt.yml", "costopt-comment.yml"):
            text = workflow_text(name, folders, version)
            found.append(_whole(root, f".github/workflows/{name}", text, force))
    if ci == "gitlab":
        text = workflow_text("gitlab.yml", folders, version)
        found.append(_whole(root, _OWN_GITLAB, text, force))
        found.append(_gitlab(root))
    found.append(_hooks(root, hook_text(folders, version)))
    return tuple(found)


def _config(root: Path, folders: Sequence[str], force: bool) -> Planned:
    text = config_text(folders)
    if not (root / FILE_NAME).exists() and mentions_costopt(root / "pyproject.toml"):
        why = "pyproject.toml has [tool.costopt]"
        return Planned(name=FILE_NAME, does="keep", text=text, why=why)
    return _whole(root, FILE_NAME, text, force)


def _whole(root: Path, name: str, text: str, force: bool) -> Planned:
    before = _read(root / name)
    if before is None:
        return Planned(name=name, does="write", text=text)
    if before == text:
        return Planned(name=name, does="keep", text=text, why="it is as it would be written")
    if force:
        return Planned(name=name, does="replace", text=text)
    return Planned(name=name, does="keep", text=text, why="there is one; --force writes over it")


def _gitlab(root: Path) -> Planned:
    include = f"include:\n  - local: {_OWN_GITLAB}\n"
    before = _read(root / _GITLAB)
    if before is None:
        return Planned(name=_GITLAB, does="write", text=include)
    if _OWN_GITLAB in before:
        return Planned(name=_GITLAB, does="keep", text=include, why="it includes costopt's job")
    why = f"add to its include: - local: {_OWN_GITLAB}"
    return Planned(name=_GITLAB, does="keep", text=include, why=why)


def _hooks(root: Path, entry: str) -> Planned:
    before = _read(root / _HOOKS)
    if before is None or not before.strip():
        return Planned(name=_HOOKS, does="write", text=f"repos:\n{entry}")
    if has_hook(before):
        return Planned(name=_HOOKS, does="keep", text=entry, why="it has the hook")
    added = with_entry(before, entry)
    if added is None:
        why = "add the hook by hand: costopt init --dry-run shows it"
        return Planned(name=_HOOKS, does="keep", text=entry, why=why)
    return Planned(name=_HOOKS, does="add", text=added)


def _read(file: Path) -> str | None:
    where = Where(file.as_posix())
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CostoptError(f"cannot read: {error.strerror}", where=where) from None
    if len(data) > _LARGEST:
        raise CostoptError("larger than 1 MB", where=where)
    return data.decode("utf-8", "surrogateescape")  # is no YAML then, so that nothing is added
