"""The two versions of a repository: a commit's files, and those of the working tree.

Both say which regular files they have and put one at hand on demand, so that what reads prompts
and configurations by path reads base and head alike. No link and no submodule is followed.
"""

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from ..core.errors import CostoptError, Where
from ..core.git import Git

REGULAR = frozenset({"100644", "100755"})
MOST_BYTES = 512 * 1024**2
"""The most that is written of a commit's files, so that no commit fills a disk."""
_LFS = b"version https://git-lfs.github.com/spec/"


class Tree(Protocol):
    """One version of the repository."""

    @property
    def root(self) -> Path:
        """The folder that stands for the repository's top."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """Its regular files by their paths, each with what tells its content, if known."""
        ...

    def fetch(self, paths: Iterable[str]) -> None:
        """Put files at hand below ``root``.

        Raises:
            CostoptError: one cannot be had.
        """
        ...


@dataclass
class WorkingTree:
    """What is checked out: tracked files, and untracked ones that git does not ignore."""

    git: Git
    files: dict[str, str]

    @property
    def root(self) -> Path:
        """The top of the working tree."""
        return self.git.root

    def drop(self, paths: Iterable[str]) -> None:
        """Take files off the list that are not there."""
        for path in paths:
            self.files.pop(path, None)

    def fetch(self, paths: Iterable[str]) -> None:
        """Refuse what is no regular file by now, or lies behind a link: a link leads anywhere.

        Raises:
            CostoptError: one is, or lies behind, a link.
        """
        for path in paths:
            if not regular(self.root, path):
                raise CostoptError(
                    "a link, or no file: a check reads regular files only", where=Where(path)
                )


@dataclass
class CommitTree:
    """The files of a commit; those that are asked for are written below ``root``."""

    git: Git
    commit: str
    root: Path
    """A folder of the check's own."""
    files: Mapping[str, str]
    written: set[str] = field(default_factory=set[str])
    size: int = 0

    def fetch(self, paths: Iterable[str]) -> None:
        """Write files below ``root``, as they are in the commit.

        Raises:
            CostoptError: an object is missing, kept in Git LFS, or all are larger than allowed.
        """
        wanted = [path for path in dict.fromkeys(paths) if path not in self.written]
        if not wanted:
            return
        names = "".join(f"{self.files[path]}\n" for path in wanted).encode()
        done = self.git.run("cat-file", "--batch", "--buffer", stdin=names)
        if done.status != 0:
            raise _absent(wanted[0], f" ({done.said})" if done.said else "")
        at, turned = 0, self._turned(wanted)
        for path in wanted:
            at = self._write(path, done.out, at, turned=path in turned)

    def _turned(self, paths: Sequence[str]) -> frozenset[str]:
        """Return the files whose line ends git turned when it checked the head out.

        Else a file would differ from itself, in every line.
        """
        listed = self.git.run("ls-files", "--eol", "-z", "--full-name", "--", *paths).out
        facts = (entry.partition("\t") for entry in _entries(listed))
        return frozenset(name for said, _, name in facts if said.split()[:2] == ["i/lf", "w/crlf"])

    def _write(self, path: str, found: bytes, at: int, *, turned: bool) -> int:
        end = found.index(b"\n", at)
        head = found[at:end].split()
        if len(head) != 3 or head[1] != b"blob":
            raise _absent(path, "")
        content = found[end + 1 : end + 1 + int(head[2])]
        self.size += len(content)
        if self.size > MOST_BYTES:
            raise CostoptError("more than 512 MB of the base are needed", where=Where(path))
        if content.startswith(_LFS):
            raise CostoptError(
                "its content at the base is kept in Git LFS, which a check does not fetch",
                where=Where(path),
                hint="keep prompts and eval sets in git itself",
            )
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        plain = turned and b"\r" not in content
        target.write_bytes(content.replace(b"\n", b"\r\n") if plain else content)
        self.written.add(path)
        return end + 2 + len(content)


def _absent(path: str, why: str) -> CostoptError:
    return CostoptError(
        f"its content at the base is not in this clone, and a check fetches nothing{why}",
        where=Where(path),
        hint="clone without --filter, or fetch all of it: git fetch --refetch",
    )


def commit_tree(git: Git, commit: str, root: Path) -> CommitTree:
    """Return the files of a commit; nothing is written yet."""
    listed = git.read("ls-tree", "-r", "-z", "--full-tree", commit)
    files: dict[str, str] = {}
    for entry in _entries(listed):
        facts, _, name = entry.partition("\t")
        mode, _, identity = facts.split(" ")
        if mode in REGULAR and safe(name):
            files[name] = identity
    return CommitTree(git, commit, root, files)


def working_tree(git: Git) -> tuple[WorkingTree, frozenset[str]]:
    """Return what is checked out, and which of it git does not track."""
    listed = git.read("ls-files", "-z", "--stage", "--full-name")
    files: dict[str, str] = {}
    for entry in _entries(listed):
        facts, _, name = entry.partition("\t")
        if facts.split(" ")[0] in REGULAR and safe(name):
            files[name] = ""
    for name in _entries(git.read("ls-files", "-z", "--deleted", "--full-name")):
        files.pop(name, None)
    others = git.read("ls-files", "-z", "--others", "--exclude-standard", "--full-name")
    untracked = frozenset(
        name for name in _entries(others) if safe(name) and regular(git.root, name)
    )
    files.update(dict.fromkeys(untracked, ""))
    return WorkingTree(git, files), untracked


def _entries(listed: bytes) -> list[str]:
    # Names that are no UTF-8 are left out: no prompt is named so, and they could not be shown.
    found = (entry for entry in listed.split(b"\0") if entry)
    return [text for entry in found if "\ufffd" not in (text := entry.decode("utf-8", "replace"))]


def safe(name: str) -> bool:
    """Return whether a path of git's stays below the folder that it is put under.

    Example:
        >>> safe("a/b.md"), safe("../b.md"), safe("/etc/b.md"), safe("a/.git/b")
        (True, False, False, False)
    """
    parts = PurePosixPath(name).parts
    odd = any(part == ".." or part.lower() == ".git" for part in parts)
    return bool(parts) and not name.startswith("/") and "\\" not in name and not odd


def regular(root: Path, name: str) -> bool:
    """Return whether a path leads to a regular file without any link on its way."""
    here = root
    parts = PurePosixPath(name).parts
    for at, part in enumerate(parts):
        here = here / part
        try:
            mode = here.lstat().st_mode
        except OSError:
            return False
        last = at == len(parts) - 1
        if not (stat.S_ISREG(mode) if last else stat.S_ISDIR(mode)):
            return False
    return True
