"""Which files differ between a commit and the working tree, the untracked ones too."""

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import CostoptError
from ..core.git import Git


@dataclass(frozen=True)
class Difference:
    """A file that differs.

    Attributes:
        old: Its path at the commit; ``None`` where it was added.
        new: Its path in the working tree; ``None`` where it was deleted.
    """

    old: str | None
    new: str | None


def differences(git: Git, commit: str, untracked: Iterable[str]) -> tuple[Difference, ...]:
    """Return what differs between a commit and the working tree; git finds the renames.

    Untracked files take part as if they had been added, in a copy of the index, so that a file
    that was renamed without telling git is a renamed one here too.
    """
    new = sorted(untracked)
    if not new:
        return _diff(git, commit, {})
    with tempfile.TemporaryDirectory(prefix="costopt-index-") as folder:
        copy = Path(folder) / "index"
        shown = git.read("rev-parse", "--path-format=absolute", "--git-path", "index")
        index = Path(shown.decode("utf-8", "surrogateescape").rstrip("\n"))
        if index.is_file():
            shutil.copyfile(index, copy)
        env = {"GIT_INDEX_FILE": str(copy)}
        names = b"\0".join(name.encode() for name in new)
        from_stdin = ("--pathspec-from-file=-", "--pathspec-file-nul")
        git.read("add", "--intent-to-add", *from_stdin, stdin=names, env=env)
        return _diff(git, commit, env)


def is_clean(git: Git, untracked: Iterable[str]) -> bool:
    """Return whether the working tree is what HEAD says."""
    quiet = ("diff", "--quiet", "--no-ext-diff", "--no-textconv", "HEAD", "--")
    return not any(True for _ in untracked) and git.run(*quiet).status == 0


def _diff(git: Git, commit: str, env: dict[str, str]) -> tuple[Difference, ...]:
    found = git.read(
        "diff", "--name-status", "-z", "-M", "--no-ext-diff", "--no-textconv", "--no-color",
        "--ignore-submodules=all", "--no-relative", commit, "--", env=env,
    )  # fmt: skip
    words = iter(word.decode("utf-8", "replace") for word in found.split(b"\0") if word)
    return tuple(_difference(status, words) for status in words)


def _difference(status: str, words: Iterable[str]) -> Difference:
    names = iter(words)
    first = next(names)
    kind = status[:1]
    if kind in ("R", "C"):
        return Difference(first if kind == "R" else None, next(names))
    if kind == "A":
        return Difference(None, first)
    if kind == "D":
        return Difference(first, None)
    if kind in ("M", "T"):
        return Difference(first, first)
    raise CostoptError(
        f"git has {first} in conflict", hint="finish the merge, or the rebase, first"
    )
