"""The eval rows that both versions of a prompt are filled with, which are the base's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import CostoptError
from ..core.report import EvalSetInfo
from ..evals.evalset import load_eval_set
from ..evals.versions import Versions
from .changes import Change
from .opening import Opened
from .reading import Version


@dataclass(frozen=True, kw_only=True)
class Rows:
    """An eval set for both versions.

    Attributes:
        path: Where it lies; ``None`` for none, or for what the prompt's own file holds.
        shown: Its name in the repository.
        other: What the head has in its place, in words; ``None`` where that is the same.
        broken: Why the head's cannot be read: it would be the base's once this is merged.
        note: Why there is none, where that is to be said.
    """

    path: Path | None = None
    shown: str | None = None
    other: str | None = None
    broken: CostoptError | None = None
    note: str | None = None


def rows_of(opened: Opened, change: Change, touched: frozenset[str]) -> Rows:
    """Return the rows of a prompt: the base's, where the base has some, else the head's."""
    base, head = change.base, change.head
    default = opened.configured.config.defaults.get("eval_set")
    try:
        if default is not None and not default.startswith("hf:"):
            return _default_rows(opened, default)
        if base is not None and _has_rows(base):
            return _base_rows(opened, base, head, touched)
        if head is None or head.rows is None:
            return Rows()
        opened.head.fetch([head.rows])
        return Rows(path=opened.head.root / head.rows, shown=head.rows)
    except CostoptError as error:
        return Rows(note=f"its eval rows are not read: {error}")


def _default_rows(opened: Opened, path: str) -> Rows:
    """Return the rows that the base's configuration names for all prompts."""
    if path not in opened.tip.files:
        return Rows(note=f"the eval set {path} is no file of the base, so it is not read")
    opened.tip.fetch([path])
    return Rows(path=opened.tip.root / path, shown=path)


def _has_rows(version: Version) -> bool:
    return version.rows is not None or bool(version.prompt.template.inline_samples)


def _base_rows(
    opened: Opened, base: Version, head: Version | None, touched: frozenset[str]
) -> Rows:
    if base.rows is None:
        return Rows()
    now = head.rows if head else None
    if base.rows not in touched and base.rows in opened.head.files:
        opened.head.fetch([base.rows])  # The same at both: no copy of it is needed.
        path = opened.head.root / base.rows
    else:
        opened.fork.fetch([base.rows])
        path = opened.fork.root / base.rows
    rows = Rows(path=path, shown=base.rows)
    if head is None or (now == base.rows and now not in touched):
        return rows
    return (
        replace(rows, other="the head has none") if now is None else _other(opened, rows, now, head)
    )


def versions_of(change: Change, rows: Rows) -> Versions:
    """Return a change as what is measured.

    Raises:
        ValueError: the head does not have it any more.
    """
    if change.head is None:
        raise ValueError(f"{change.path} was deleted")
    return Versions(
        head=change.head.prompt,
        base=change.base.prompt if change.base else None,
        eval_set=rows.path,
        shown_eval_set=rows.shown,
    )


def alone(opened: Opened, found: Sequence[Version]) -> tuple[list[Version], list[Versions]]:
    """Return prompts of the head, each once, and the same as what is analysed without a base."""
    keyed = {(v.prompt.template.source.path, v.prompt.template.source.index): v for v in found}
    distinct = list(keyed.values())
    opened.head.fetch(one.rows for one in distinct if one.rows)
    root = opened.head.root
    return distinct, [
        Versions(
            head=one.prompt,
            base=None,
            eval_set=root / one.rows if one.rows else None,
            shown_eval_set=one.rows,
        )
        for one in distinct
    ]


def _other(opened: Opened, rows: Rows, path: str, version: Version) -> Rows:
    """Return rows with what is to be known of the head's own."""
    variables = version.prompt.template.variables
    try:
        opened.head.fetch([path])
        found = load_eval_set(
            opened.head.root / path,
            variables=variables,
            defaults=dict.fromkeys(variables),
            shown=path,
        )
    except CostoptError as error:
        said = f"the head's {path}: cannot be read: {error.what}"
        return replace(rows, other=said, broken=error)
    said = f"the head's {path}: {_counted(len(found.samples))} (sha256 {found.sha256[:12]})"
    return replace(rows, other=said)


def said_of_rows(rows: Rows, used: EvalSetInfo | None) -> str | None:
    """Say which rows were used, and what the head's are where those are others."""
    if used is None:
        return None
    whose = "" if rows.other is None else " as the base has it"
    said = f"{_counted(used.rows)} of {used.path}{whose} (sha256 {used.sha256[:12]})"
    return said if rows.other is None else f"{said}; {rows.other}"


def _counted(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"
