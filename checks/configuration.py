"""The configuration that counts, which is the base's, and what the head's would change."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.config import FILE_NAME, load_config, mentions_costopt
from ..core.configured import Config, PromptRule
from ..core.errors import CostoptError, Where
from .trees import CommitTree, Tree, WorkingTree, regular

_PROJECT = "pyproject.toml"
_TABLES = ("defaults", "targets", "features", "fail_on")
_AS_WRITTEN = {"defaults": "[costopt]", "fail_on": "[check]"}


@dataclass(frozen=True, kw_only=True)
class Configured:
    """What is configured.

    Attributes:
        config: The base's; its paths are those of the repository.
        path: Its file in the repository; ``None`` where it is none of the repository's.
        head: What the head has there; ``None`` where that is the same or cannot be read.
        notes: What the head's would change.
        broken: Why the head's cannot be read: once merged, no command would run with it.
    """

    config: Config
    path: str | None
    head: Config | None = None
    notes: tuple[str, ...] = ()
    broken: CostoptError | None = None

    @property
    def folder(self) -> str:
        """The folder in the repository that relative paths start from."""
        return posixpath.dirname(self.path) if self.path else ""

    def differs(self, old: str, new: str) -> bool:
        """Return whether the head says something else of a prompt than the base."""
        if self.head is None:
            return False
        return _bare(self.head.rule_for(new)) != _bare(self.config.rule_for(old))


def configured(base: CommitTree, head: WorkingTree, given: Path | None, cwd: Path) -> Configured:
    """Return the base's configuration: the one that is named, else the nearest above ``cwd``.

    A file that is named and lies in the repository is read as the base has it: a pull request
    could change it otherwise.

    Raises:
        CostoptError: the base's cannot be read, or it has none where one was named.
    """
    path: str | None = None
    if given is not None:
        path = inside(head.root, given)
        if path is None:
            own = replace(load_config(given, cwd), folder=PurePosixPath())
            return Configured(config=own, path=None)
        if path not in base.files:
            raise CostoptError(
                "the base has no such configuration, and the head's does not count",
                where=Where(path),
                hint="merge it first, or name a file outside of the repository",
            )
    here = inside(head.root, cwd) or ""
    found = _read(base, path, here, head.root)
    return replace(found, **_compared(found, base, head, here, named=path is not None))


def inside(root: Path, path: Path) -> str | None:
    """Return a path's name in the repository; ``None`` outside of it. Links are not followed.

    Example:
        >>> inside(Path("/r"), Path("/r/a/../b.md")), inside(Path("/r"), Path("/x"))
        ('b.md', None)
    """
    full = Path(posixpath.normpath(Path.cwd() / path))
    for top in (root, root.resolve()):
        if full.is_relative_to(top):
            name = full.relative_to(top).as_posix()
            return "" if name == "." else name
    return None


def _read(tree: Tree, path: str | None, here: str, top: Path) -> Configured:
    """Read a version's configuration, and name its paths as they are in the repository."""
    wanted = [path] if path else _above(tree, here)
    tree.fetch(wanted)
    root = tree.root
    (root / here).mkdir(parents=True, exist_ok=True)
    (root / ".git").touch()  # The search for a configuration ends where a repository begins.
    try:
        config = load_config(root / path if path else None, root / here)
    except CostoptError as error:
        raise _renamed(error, root) from None
    if config.path is None:
        return Configured(config=config, path=None)
    name = config.path.resolve().relative_to(root.resolve()).as_posix()
    folder = PurePosixPath(name).parent
    return Configured(
        config=replace(
            config,
            path=Path(name),
            folder=folder,
            defaults=_rooted(dict(config.defaults), root, top),
        ),
        path=name,
    )


def _above(tree: Tree, here: str) -> list[str]:
    folders = ["", *(str(parent) for parent in PurePosixPath(here).parents), here]
    names = (posixpath.join(f, name) for f in folders if f != "." for name in (FILE_NAME, _PROJECT))
    return [name for name in dict.fromkeys(names) if name in tree.files]


def _rooted(defaults: dict[str, Any], root: Path, top: Path) -> dict[str, Any]:
    """Let a folder for answers lie in the working tree, and rows be named in the repository."""
    start = f"{root}/"  # What was absolute does not begin so; what climbs with .. still does.
    for key in ("run_dir", "eval_set"):
        value = defaults.get(key)
        if value is not None and f"{value}/".startswith(start):
            moved = posixpath.normpath(posixpath.join(top, f"{value}/".removeprefix(start)))
            defaults[key] = moved if key == "run_dir" else inside(top, Path(moved)) or moved
    return defaults


def _renamed(error: CostoptError, root: Path) -> CostoptError:
    """Return an error that names the file as the repository does."""
    where = error.where
    name = inside(root, Path(where.path)) if where else None
    if where is None or name is None:
        return error
    place = Where(f"{name} (of the base)", where.line, where.column)
    return CostoptError(error.what, where=place, hint=error.hint)


def _compared(
    found: Configured, base: CommitTree, head: WorkingTree, here: str, *, named: bool
) -> dict[str, Any]:
    """Return the head's configuration and what it changes, where it is another."""
    path = found.path if named else _winner(found, head, here)
    notes = [*_taken_away(found, head, path)]
    if path is None or (path == found.path and path not in head.files):
        return {"notes": tuple(notes)}
    if not regular(head.root, path):
        link = f"the head's {path} is a link, and is not read; the base's holds here"
        return {"notes": (*notes, link)}
    content = (head.root / path).read_bytes()
    if path == found.path:
        base.fetch([path])
        if (base.root / path).read_bytes() == content:
            return {}
    said = _said_of(found, path, content, base.root)
    return {**said, "notes": (*notes, *said.get("notes", ()))}


def _winner(found: Configured, head: WorkingTree, here: str) -> str | None:
    """Return the file that a command would read once this is merged: the nearest above."""
    folders = (here, *(str(parent) for parent in PurePosixPath(here).parents))
    for folder in ("" if folder == "." else folder for folder in folders):
        for name in (FILE_NAME, _PROJECT):
            path = posixpath.join(folder, name)
            if (path == found.path and path in head.files) or _counts(head, path):
                return path
    return None


def _counts(head: WorkingTree, path: str) -> bool:
    file = head.root / path
    own = file.name == FILE_NAME
    if file.is_symlink():
        return own
    return path in head.files and regular(head.root, path) and (own or mentions_costopt(file))


def _taken_away(found: Configured, head: WorkingTree, path: str | None) -> Iterator[str]:
    """Say that the base's file is there no more, or that another would be read before it."""
    if found.path is not None and found.path not in head.files:
        yield f"the head deletes {found.path}; the base's holds here"
    elif found.path is not None and path != found.path:
        yield (
            f"the head brings {path}, which would be read in the place of {found.path}, with all "
            "of its limits, once this is merged"
        )


def _said_of(found: Configured, path: str, content: bytes, scratch: Path) -> dict[str, Any]:
    copy = scratch / ".git-head" / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(content)
    try:
        config = load_config(copy, copy.parent)
    except CostoptError as error:
        line, column = (error.where.line, error.where.column) if error.where else (None, None)
        return {"broken": CostoptError(error.what, where=Where(path, line, column))}
    folder = PurePosixPath(path).parent
    config = replace(config, path=Path(path), folder=folder)
    changed = [*_changed(found.config, config)]
    if not changed:
        return {"head": config}
    verb = "changes" if found.path == path else "brings"
    note = f"the head {verb} {', '.join(changed)} of {path}, which counts once this is merged"
    return {"head": config, "notes": (note,)}


def _changed(base: Config, head: Config) -> Iterator[str]:
    """Yield the tables that differ, as they are written."""
    for table in _TABLES:
        was, now = getattr(base, table), getattr(head, table)
        if table == "defaults":
            was, now = ({k: v for k, v in d.items() if k != "run_dir" and k != "eval_set"}
                        for d in (was, now))  # fmt: skip
        if was != now:
            yield _AS_WRITTEN.get(table, f"[{table}]")
    if base.prompts != head.prompts:
        globs = {one.glob: one for one in base.prompts}, {one.glob: one for one in head.prompts}
        for glob in dict.fromkeys((*globs[0], *globs[1])):
            if globs[0].get(glob) != globs[1].get(glob):
                yield f'[prompts."{glob}"]'


def _bare(rule: PromptRule) -> PromptRule:
    return replace(rule, glob="")
