"""Reads both lock files of a check, and says what a new one would hold."""

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..core.errors import CostoptError, Where
from ..core.progress import Silent
from ..core.report import PromptReport
from ..evals.options import AnalyzeOptions
from ..evals.versions import analyze_versions
from .budgets import input_tokens
from .cases import Case, sides_of
from .changes import Change
from .lock import LOCK_NAME, Lock, Locked, read_lock, rounded
from .opening import Opened
from .ratchet import Locks, entry_of, key_of, keys_of
from .reading import candidates, read_version
from .rows import alone
from .scope import Scope
from .trees import regular


def lock_path(opened: Opened) -> str:
    """Return where the lock file lies in the repository: beside the configuration."""
    return posixpath.join(opened.configured.folder, LOCK_NAME)


def base_lock(opened: Opened) -> Lock | None:
    """Return the base's lock; ``None`` where it has none, and so nothing is ratcheted.

    Raises:
        CostoptError: it cannot be read.
    """
    path = lock_path(opened)
    if path not in opened.tip.files:
        return None
    opened.tip.fetch([path])
    try:
        return read_lock(opened.tip.root / path)
    except CostoptError as error:
        line = error.where.line if error.where else None
        where = Where(f"{path} (of the base)", line)
        raise CostoptError(error.what, where=where, hint=error.hint) from None


def head_lock(opened: Opened) -> tuple[Lock, tuple[str, ...]]:
    """Return the head's lock, and why it cannot be read; without one it is empty."""
    path = lock_path(opened)
    if not os.path.lexists(opened.git.root / path):
        return {}, ()
    if not regular(opened.git.root, path):
        return {}, (f"the head's {path} is a link, and is not read",)
    try:
        return read_lock(opened.git.root / path), ()
    except CostoptError as error:
        return {}, (f"the head's {path} cannot be read: {error.what}",)


def updated(
    opened: Opened,
    scope: Scope,
    cases: Sequence[Case],
    changes: Iterable[Change],
    locks: Locks,
    options: AnalyzeOptions,
) -> Lock:
    """Return the lock that the head should have.

    Changed prompts get their numbers, deleted ones go, and those that were in no lock yet are
    counted; what was measured before and was not now stays.
    """
    known = candidates(opened.head, scope.files)
    held = {**locks.base, **locks.head}
    kept = {key: dict(rows) for key, rows in held.items() if _path(key) in opened.head.files}
    for change in changes:
        kept.pop(_old_key(change), None)
    for case in cases:
        old, new = keys_of(case)
        last = held.get(new) or held.get(old or "") or {}
        # Another job may check other targets: what it keeps of them is not this run's to drop.
        kept[new] = {**last, **dict(_entries(case, last))}
    locked = {_path(key) for key in kept}
    missing = [path for path in known if scope.holds(path) and path not in locked]
    return {**_counted(opened, missing, known, options), **kept}


def _path(key: str) -> str:
    """Return the path of a lock's key: a ``#`` may be part of it."""
    path, sign, number = key.rpartition("#")
    return path if sign and number.isdigit() else key


def _old_key(change: Change) -> str:
    version = change.base
    if version is None:
        return change.path
    source = version.prompt.template.source
    return key_of(source.path, source.index)


def _entries(case: Case, held: Mapping[str, Locked]) -> Iterator[tuple[str, Locked]]:
    measured = {sides.target: sides for sides in case.sides}
    for counted in sides_of(case.counted):
        last = held.get(counted.target)
        yield counted.target, entry_of(case, counted, measured[counted.target], last)


def _counted(
    opened: Opened, paths: Sequence[str], known: dict[str, bool], options: AnalyzeOptions
) -> Lock:
    """Return entries of prompts that no lock has yet."""
    read = [v for path in paths for v in read_version(opened.head, path, known).versions]
    found, versions = alone(opened, read)
    if not versions:
        return {}
    report = analyze_versions(versions, options, Silent(), depth="static")
    return {
        key_of(one.prompt.template.source.path, one.prompt.template.source.index): _rows(prompt)
        for one, prompt in zip(found, report.prompts, strict=True)
    }


def _rows(prompt: PromptReport) -> dict[str, Locked]:
    return {
        sides.target: rounded(Locked(input_tokens=input_tokens(sides.head)))
        for sides in sides_of(prompt)
    }


def target_file(opened: Opened) -> Path:
    """Return the lock file to write.

    Raises:
        CostoptError: it is a link, or lies behind one.
    """
    path = lock_path(opened)
    file = opened.git.root / path
    if os.path.lexists(file) and not regular(opened.git.root, path):
        raise CostoptError("the lock is a link, so it is not written", where=Where(path))
    return file
