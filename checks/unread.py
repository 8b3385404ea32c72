"""What a change brings and cannot be read: it fails, for once merged nothing could check it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..core.errors import CostoptError
from ..evals.options import AnalyzeOptions
from ..evals.version_pair import pair_up
from .changes import Broken, Change, Changes
from .rows import Rows, versions_of

Key = tuple[str, int, bool]


def without_unread(changes: Changes, rows: Mapping[Key, Rows], options: AnalyzeOptions) -> Changes:
    """Return changes without new prompts that cannot be measured; those, and rows, are broken.

    A prompt that the base has is measured by the base's rules, so that only a new one can make
    that impossible.

    Args:
        changes: What the head touches.
        rows: The rows of each change that the head still has, by its key.
        options: Targets and so on.
    """
    static = replace(options, static=True)
    errors = {
        change.key: error
        for change in changes.changes
        if change.base is None and (error := _refused(change, rows[change.key], static))
    }
    broken = [*changes.broken, *_rows_broken(rows)]
    broken += [
        Broken(
            path=error.where.path if error.where else key[0],
            error=error,
            what="it is new and cannot be checked",
        )
        for key, error in errors.items()
    ]
    kept = tuple(change for change in changes.changes if change.key not in errors)
    return replace(changes, changes=kept, broken=tuple(broken))


def _refused(change: Change, rows: Rows, options: AnalyzeOptions) -> CostoptError | None:
    try:
        pair_up(versions_of(change, rows), options)
    except CostoptError as error:
        return error
    return None


def _rows_broken(rows: Mapping[Key, Rows]) -> Iterator[Broken]:
    """Yield eval sets of the head that cannot be read, each once."""
    errors = {str(one.broken): one.broken for one in rows.values() if one.broken is not None}
    for error in errors.values():
        path = error.where.path if error.where else ""
        yield Broken(path=path, error=error, what="these eval rows cannot be read")
