"""Runs git, and lets nothing of the tree run with it: no hook, pager, filter, key or remote."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import CostoptError

_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.attributesFile=/dev/null",
    "log.showRoot=true",
    "log.showSignature=false",  # A program that the repository names would look at keys.
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "submodule.recurse=false",
    "protocol.allow=never",  # A partial clone would fetch what it lacks, over the network.
)
_ENV = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PAGER": "cat",
}
_DROPPED = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_PREFIX"})
"""Of the environment: a hook of git sets some of them, and they are not this run's."""
_REF = re.compile(r"[^\x00-\x20\x7f:?*\[\\-][^\x00-\x20\x7f:?*\[\\]*")
_LONGEST_SAID = 300


@dataclass(frozen=True)
class Done:
    """What a run of git gave."""

    status: int
    out: bytes
    said: str
    """The first line of its errors."""


@dataclass(frozen=True)
class Git:
    """The git of one working tree.

    Attributes:
        root: The top of the working tree.
    """

    root: Path

    def run(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Done:
        """Run a command of git and return what it gave, whatever its status.

        Raises:
            CostoptError: git is not installed.
        """
        return _run(self.root, args, stdin, env or {})

    def read(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """Run a command of git that has to succeed, and return its output.

        Raises:
            CostoptError: it failed; git's own words are in the error.
        """
        done = self.run(*args, stdin=stdin, env=env)
        if done.status != 0:
            raise CostoptError(f"git {args[0]} failed: {done.said or f'status {done.status}'}")
        return done.out

    def line(self, *args: str) -> str | None:
        """Return the one line that a command of git writes, or ``None`` where it fails."""
        done = self.run(*args)
        return done.out.decode("utf-8", "surrogateescape").strip() if done.status == 0 else None


def open_git(folder: Path) -> Git:
    """Return the git of the working tree that a folder lies in.

    Raises:
        CostoptError: git is not installed, there is no repository, or git refuses it.
    """
    done = _run(folder, ("rev-parse", "--show-toplevel"), b"", {})
    if done.status == 0 and done.out.strip():
        return Git(Path(os.fsdecode(done.out.rstrip(b"\r\n"))))
    if "dubious ownership" in done.said:
        hint = f"if it is yours: git config --global --add safe.directory {folder.as_posix()}"
        raise CostoptError(f"git refuses this repository: {done.said}", hint=hint)
    raise CostoptError(
        "this folder is in no working tree of git",
        hint="run it inside of a clone; costopt compare takes two files without git",
    )


def check_ref(ref: str) -> str:
    """Return a revision's name if it may be one; what git would take for an option is none.

    Raises:
        CostoptError: it cannot be the name of a revision.

    Example:
        >>> check_ref("origin/main~2")
        'origin/main~2'
    """
    if len(ref) > 1000 or not _REF.fullmatch(ref):
        raise CostoptError(
            f'"{ref[:100]}" is no name of a revision', hint="such as --base origin/main"
        )
    return ref


def _run(folder: Path, args: Sequence[str], stdin: bytes, env: Mapping[str, str]) -> Done:
    safe = [word for setting in _SAFE for word in ("-c", setting)]
    own = {name: value for name, value in os.environ.items() if name not in _DROPPED}
    try:
        done = subprocess.run(
            ["git", "--no-pager", *safe, *args],
            cwd=folder,
            input=stdin,
            capture_output=True,
            env={**own, **_ENV, **env},
            check=False,
        )
    except FileNotFoundError:
        raise CostoptError(
            "git is not installed",
            hint="install git, or compare two files with costopt compare",
        ) from None
    return Done(done.returncode, done.stdout, _first(done.stderr))


def _first(errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return lines[0][:_LONGEST_SAID].removeprefix("fatal: ") if lines else ""
