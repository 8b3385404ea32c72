"""Opens what a check compares: the base out of git, and what is checked out."""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import CostoptError, Where
from ..core.git import Git, open_git
from .configuration import Configured, configured, inside
from .revisions import Revisions, resolve
from .trees import CommitTree, WorkingTree, commit_tree, working_tree


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Both versions of a repository.

    Attributes:
        git: The repository.
        revisions: The commits.
        fork: The files where the head left the base: what prompts are compared with.
        tip: The base's files as they are now: whose configuration and lock count.
        head: What is checked out.
        untracked: Files of it that git does not track, and does not ignore.
        configured: The base's configuration.
        cwd: The folder that relative paths start from.
    """

    git: Git
    revisions: Revisions
    fork: CommitTree
    tip: CommitTree
    head: WorkingTree
    untracked: frozenset[str]
    configured: Configured
    cwd: Path


@contextmanager
def opened(ref: str, config: Path | None, cwd: Path) -> Generator[Opened]:
    """Open a check against a revision; files of the base are written to a folder of its own.

    Args:
        ref: The base.
        config: The configuration that is named, if one is.
        cwd: The current folder.

    Raises:
        CostoptError: no git, no repository, no such base, or a configuration that cannot be read.
    """
    git = open_git(cwd)
    revisions = resolve(git, ref)
    with tempfile.TemporaryDirectory(prefix="costopt-check-") as folder:
        scratch = Path(folder).resolve()
        tip = commit_tree(git, revisions.base, scratch / "tip")
        fork = tip
        if revisions.fork != revisions.base:
            fork = commit_tree(git, revisions.fork, scratch / "fork")
        head, untracked = working_tree(git)
        yield Opened(
            git=git,
            revisions=revisions,
            fork=fork,
            tip=tip,
            head=head,
            untracked=untracked,
            configured=configured(tip, head, config, cwd),
            cwd=cwd,
        )


def with_eval_set(both: Opened, named: str) -> Opened:
    """Return a check with the same rows for all prompts: a file, as the base has it, or ``hf:ID``.

    Raises:
        CostoptError: the base has no such file.
    """
    name = named if named.startswith("hf:") else inside(both.git.root, both.cwd / named)
    if name is None or (name not in both.tip.files and not named.startswith("hf:")):
        hint = "a check fills both versions with rows that the change did not write: merge them"
        raise CostoptError("the base has no such eval set", where=Where(named), hint=hint)
    config = both.configured.config
    defaults = {**config.defaults, "eval_set": name}
    configured = replace(both.configured, config=replace(config, defaults=defaults))
    return replace(both, configured=configured)
