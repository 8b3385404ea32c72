"""``costopt check``: what a change does to prompts, and whether it may."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from .. import __version__
from ..core.checked import CheckReport, Gate
from ..core.errors import CostoptError, Where
from ..core.progress import Progress, Silent
from ..core.report import Finding, PromptReport, Report, Spent
from ..evals.options import AnalyzeOptions
from ..evals.run import Interrupted
from ..evals.versions import Versions, analyze_versions
from ..models.store import FILE_NAME, SEAL_KEY
from .cases import Case, rule_of
from .changes import Change, Changes, Repository, find_changes
from .configuration import inside
from .depth import Looked, look, merged
from .differences import Difference, differences, is_clean
from .featured import features_of
from .features import feature_gates
from .gates import check_codes, gates_of
from .lock import Lock
from .locking import base_lock, head_lock, lock_path, updated
from .opening import Opened
from .ratchet import Locks, gone_gates, ratchet_gates
from .rows import Rows, rows_of, versions_of
from .scope import Scope, scope_of
from .shown import shown_changes
from .unread import without_unread

_ANSWERS = f"{Path(FILE_NAME).stem}."
"""How all files of a store begin: a journal beside it decides what it holds, too."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a check was asked for, besides what `analyze` is.

    Attributes:
        paths: What to look at; none is the current folder.
        replay: Whether stored answers alone are read.
        allow_inconclusive: Whether not enough data is no reason for status 3.
        update_lock: Whether a new lock is to be made.
    """

    paths: tuple[Path, ...] = ()
    replay: bool = False
    allow_inconclusive: bool = False
    update_lock: bool = False


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was found.

    Attributes:
        report: The check.
        lock: What the lock file has to hold, where that was asked for.
        interrupted: Whether it was stopped before all was measured.
    """

    report: CheckReport
    lock: Lock | None = None
    interrupted: bool = False


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What is known before anything is counted."""

    scope: Scope
    differences: tuple[Difference, ...]
    changes: Changes
    rows: tuple[Rows, ...]
    """Of every change that the head still has, in their order."""

    @property
    def kept(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes.changes if change.head is not None)


def check(opened: Opened, wanted: Wanted, options: AnalyzeOptions, progress: Progress) -> Checked:
    """Check what changed between the base and the working tree.

    Args:
        opened: Both versions.
        wanted: What to look at, and how.
        options: Targets, caps and so on; its configuration is the base's.
        progress: Told how far it is.

    Raises:
        CostoptError: it could not run.
    """
    options = _own(options)
    check_codes(opened.configured.config.fail_on, opened.configured.path)
    _check_store(opened, options)
    found = _find(opened, wanted, options)
    locks = _locks(opened)
    versions = [versions_of(one, rows) for one, rows in zip(found.kept, found.rows, strict=True)]
    if not versions:
        looked = _nothing(found, options)
        return _checked(opened, wanted, options, found, looked, (), locks)
    differ = [not change.asks_the_same for change in found.kept]
    interrupted = False
    try:
        looked = look(versions, options, progress, replay=wanted.replay, differ=differ)
    except Interrupted as stopped:
        counted = analyze_versions(versions, options, Silent(), depth="static")
        report = merged(stopped.report, counted, differ)
        looked = Looked(report=report, counted=counted, depth="measured", reason=None)
        interrupted = True
    cases = _cases(opened, found, versions, looked, options)
    checked = _checked(opened, wanted, options, found, looked, cases, locks)
    return replace(checked, interrupted=interrupted)


def _own(options: AnalyzeOptions) -> AnalyzeOptions:
    """Return options without what a check does otherwise; a file of rows is read as base has it."""
    hub = options.eval_set is not None and options.eval_set.startswith("hf:")
    return replace(options, batch=False, eval_set=options.eval_set if hub else None)


def _find(opened: Opened, wanted: Wanted, options: AnalyzeOptions) -> _Found:
    scope = scope_of(opened, wanted.paths)
    differ = differences(opened.git, opened.revisions.fork, opened.untracked)
    # A folder that became a link still leads to files of these names: they are not the head's.
    opened.head.drop(one.old for one in differ if one.new is None and one.old is not None)
    changes = find_changes(
        Repository(
            base=opened.fork,
            head=opened.head,
            differences=differ,
            wanted=scope.holds,
            named=scope.files,
            configured=opened.configured.differs,
        )
    )
    touched = frozenset(path for one in differ for path in (one.old, one.new) if path is not None)
    rows = {
        change.key: rows_of(opened, change, touched)
        for change in changes.changes
        if change.head is not None
    }
    changes = without_unread(changes, rows, options)
    kept = tuple(rows[change.key] for change in changes.changes if change.head is not None)
    return _Found(scope=scope, differences=differ, changes=changes, rows=kept)


def _check_store(opened: Opened, options: AnalyzeOptions) -> None:
    """Refuse to write answers through a link of the checked tree: it may lead anywhere."""
    name = inside(opened.git.root, options.run_dir) if options.run_dir else None
    if name is None:
        return
    here = opened.git.root
    for part in Path(name).parts:
        here = here / part
        if here.is_symlink():
            raise CostoptError("the folder of the answers is a link", where=Where(name))
    for file in here.glob(f"{_ANSWERS}*"):
        if file.is_symlink():
            where = Where(file.relative_to(opened.git.root).as_posix())
            raise CostoptError("a file of the answers is a link, and is not followed", where=where)


def _nothing(found: _Found, options: AnalyzeOptions) -> Looked:
    why = "no prompt is left to look at" if found.changes.changes else "no prompt changed"
    report = Report(
        costopt_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.seed,
        partial=False,
        targets=(),
        spent=Spent(),
        skipped=(),
        prompts=(),
        static=True,
    )
    return Looked(report=report, counted=report, depth="static", reason=why)


def _cases(
    opened: Opened,
    found: _Found,
    versions: Sequence[Versions],
    looked: Looked,
    options: AnalyzeOptions,
) -> tuple[Case, ...]:
    before = _base_findings(found.kept, versions, looked.counted, options)
    return tuple(
        Case(
            change=change,
            report=report,
            counted=counted,
            base_findings=findings,
            rule=rule_of(opened.configured.config, change),
            depth="static" if change.asks_the_same else looked.depth,
            partial=looked.report.partial,
        )
        for change, report, counted, findings in zip(
            found.kept, looked.report.prompts, looked.counted.prompts, before, strict=True
        )
    )


def _base_findings(
    changes: Sequence[Change],
    versions: Sequence[Versions],
    counted: Report,
    options: AnalyzeOptions,
) -> list[tuple[Finding, ...]]:
    """Return the findings of each prompt's base; where the file is the same, they are the same."""
    alone = [
        replace(one, head=one.base) if one.base is not None and _differs(change) else None
        for change, one in zip(changes, versions, strict=True)
    ]
    asked = [one for one in alone if one is not None]
    read = analyze_versions(asked, options, Silent(), depth="static").prompts if asked else ()
    reports = iter(read)

    def of(change: Change, one: Versions | None, now: PromptReport) -> tuple[Finding, ...]:
        if one is not None:
            return next(reports).findings
        return now.findings if change.base is not None else ()

    return [of(*each) for each in zip(changes, alone, counted.prompts, strict=True)]


def _differs(change: Change) -> bool:
    if change.base is None or change.head is None:
        return False
    was, now = (one.prompt.template.source.raw for one in (change.base, change.head))
    return was != now


def _locks(opened: Opened) -> tuple[Lock | None, Lock, tuple[str, ...]]:
    base = base_lock(opened)
    head, notes = head_lock(opened)
    if base is None and head:
        notes = (*notes, f"the head brings {lock_path(opened)}, which counts once this is merged")
    elif base is not None and head != base:
        said = f"the head changes {lock_path(opened)}: its limits count once this is merged"
        notes = (*notes, said)
    return base, head, notes


def _checked(
    opened: Opened,
    wanted: Wanted,
    options: AnalyzeOptions,
    found: _Found,
    looked: Looked,
    cases: tuple[Case, ...],
    read: tuple[Lock | None, Lock, tuple[str, ...]],
) -> Checked:
    base, head, lock_notes = read
    locks = Locks(base=base or {}, head=head)
    lock: Lock | None = None
    if wanted.update_lock:
        lock = updated(opened, found.scope, cases, found.changes.changes, locks, options)
        locks = replace(locks, head=lock)
        lock_notes = ()
    config = opened.configured.config
    gates = [gate for case in cases for gate in gates_of(case, config.fail_on)]
    gates += _broken(found.changes)
    if opened.configured.broken is not None:
        what = "the configuration cannot be read, and nothing would run with it once merged"
        gates.append(_unreadable(opened.configured.broken, what))
    if base is not None:
        gates += [gate for case in cases for gate in ratchet_gates(case, locks)]
        gates += gone_gates(found.changes.changes, locks)
    for feature in features_of(opened, found.scope, found.changes, cases, locks.base, options):
        gates += feature_gates(feature)
    clean = is_clean(opened.git, opened.untracked)
    report = CheckReport(
        base=opened.revisions.ref,
        base_commit=opened.revisions.fork,
        head=f"commit {opened.revisions.head[:12]}" if clean else "working tree",
        depth=looked.depth,
        depth_reason=looked.reason,
        exit=_exit(gates, wanted, static=options.static),
        gates=tuple(gates),
        changes=tuple(shown_changes(found.changes.changes, found.rows, cases)),
        unchanged=found.changes.unchanged,
        report=replace(looked.report, skipped=found.changes.skipped),
        notes=(
            *opened.configured.notes,
            *lock_notes,
            *_store_notes(opened, options, found, looked),
        ),
    )
    return Checked(report=report, lock=lock)


def _broken(changes: Changes) -> Iterator[Gate]:
    """Yield a failed gate for all that cannot be read: it would not be checked."""
    for one in changes.broken:
        yield replace(_unreadable(one.error, one.what), path=one.path)


def _unreadable(error: CostoptError, what: str) -> Gate:
    where = error.where
    return Gate(
        prompt=None,
        gate="readable",
        outcome="failed",
        message=f"{what}: {error.what}",
        path=where.path if where else None,
        line=where.line if where else None,
        column=where.column if where else None,
    )


def _exit(gates: Sequence[Gate], wanted: Wanted, *, static: bool) -> int:
    outcomes = {gate.outcome for gate in gates}
    if "failed" in outcomes:
        return 1
    undecided = "inconclusive" in outcomes and not static
    return 3 if undecided and not wanted.allow_inconclusive else 0


def _store_notes(
    opened: Opened, options: AnalyzeOptions, found: _Found, looked: Looked
) -> Iterator[str]:
    """Say where answers may have been planted: whoever wrote the store decides the verdict."""
    name = inside(opened.git.root, options.run_dir) if options.run_dir else None
    if looked.depth == "static" or name is None or os.environ.get(SEAL_KEY):
        return
    start = posixpath.join(name, _ANSWERS)
    paths = (one.new for one in found.differences)
    if any(path is not None and path.startswith(start) for path in paths):
        yield (
            f"the answers of {name or 'the top folder'} came with this change, and nothing "
            f"vouches for them: set {SEAL_KEY} where they are made and read"
        )
