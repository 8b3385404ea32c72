"""What a change is shown as: its words, its diff, the rows it was filled with."""

import difflib
from collections.abc import Iterator, Sequence

from ..core.checked import PromptChange
from .cases import Case
from .changes import Change
from .rows import Rows, said_of_rows

_MOST_LINES = 5_000
"""Lines of both versions that are compared, at most: a diff of more is read by nobody."""


def shown_changes(
    changes: Sequence[Change], used: Sequence[Rows], cases: Sequence[Case]
) -> Iterator[PromptChange]:
    """Yield what changed of each prompt.

    Args:
        changes: All changes.
        used: The rows of those that the head still has, in their order.
        cases: The same with their numbers; none where nothing was counted.
    """
    known = {id(case.change): case for case in cases}
    kept = (change for change in changes if change.head is not None)
    rows = {id(change): one for change, one in zip(kept, used, strict=True)}
    for change in changes:
        case, filled = known.get(id(change)), rows.get(id(change))
        said = None
        if case is not None and filled is not None:
            said = said_of_rows(filled, case.report.eval_set)
        yield PromptChange(
            name=change.name,
            path=change.path,
            status=change.status,
            old_path=change.old_path,
            why=change.why,
            rows=said,
            diff=_diff(change),
            new_findings=case.new_findings if case else (),
            gone_findings=case.gone_findings if case else (),
            notes=(*change.notes, *((filled.note,) if filled and filled.note else ())),
        )


def _diff(change: Change) -> tuple[str, ...]:
    was, now = (
        version.prompt.template.source.raw.splitlines() if version else []
        for version in (change.base, change.head)
    )
    if was == now:
        return ()
    if len(was) + len(now) > _MOST_LINES:
        return (f"({len(was):,} lines before, {len(now):,} now: too many to show)",)
    old = f"a/{change.old_path or change.path}" if change.base else "/dev/null"
    new = f"b/{change.path}" if change.head else "/dev/null"
    return tuple(difflib.unified_diff(was, now, old, new, lineterm=""))
