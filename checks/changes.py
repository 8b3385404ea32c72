"""Which prompts a change touches: their files, their eval sets, and what is configured of them."""

import filecmp
import posixpath
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace

from ..core.checked import Status
from ..core.discovery import eval_set_names
from ..core.errors import CostoptError
from ..core.report import Skipped
from ..core.types import PromptTemplate
from .differences import Difference
from .reading import FileRead, Version, candidates, read_version
from .scan import Scan
from .trees import CommitTree, WorkingTree

_FRONT = ("name", "feature", "calls_per_month", "metric", "margin", "targets", "eval_set")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A prompt that differs between base and head.

    Attributes:
        path: Its path at the head, at the base where it was deleted.
        status: What happened to it.
        head: As it is now; ``None`` where it was deleted.
        base: As it was; ``None`` where it was added.
        why: What changed, in words.
        notes: What else is to be known about it.
    """

    path: str
    status: Status
    head: Version | None
    base: Version | None
    why: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The prompt's name at the head, at the base where it was deleted."""
        version = self.head or self.base
        return version.prompt.template.name if version else self.path

    @property
    def asks_the_same(self) -> bool:
        """Whether both versions send the same: only what is known of the prompt changed."""
        if self.base is None or self.head is None:
            return False
        was, now = (version.prompt.template for version in (self.base, self.head))
        return _sent(was) == _sent(now)

    @property
    def key(self) -> tuple[str, int, bool]:
        """What tells it from the other changes."""
        version = self.head or self.base
        index = version.prompt.template.source.index if version else 0
        return self.path, index, self.head is None

    @property
    def old_path(self) -> str | None:
        """Its path at the base, where that is another."""
        old = self.base.prompt.template.source.path if self.base else None
        return old if old != self.path else None


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A file that the head has and that cannot be read."""

    path: str
    error: CostoptError
    what: str = "it cannot be read as a prompt any more"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """All that a change touches."""

    changes: tuple[Change, ...]
    broken: tuple[Broken, ...]
    skipped: tuple[Skipped, ...]
    unchanged: int


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Both versions of the repository, and what differs."""

    base: CommitTree
    head: WorkingTree
    differences: Sequence[Difference]
    wanted: Callable[[str], bool]
    """Whether a path is among those that the user named."""
    named: Collection[str] = ()
    """Files that the user named."""
    configured: Callable[[str, str], bool] = lambda old, new: False
    """Whether head configures a prompt otherwise than base."""


def find_changes(repository: Repository) -> Changes:
    """Return the prompts that a change touches, sorted by path."""
    return _Finder(repository).find()


class _Finder:
    def __init__(self, repository: Repository) -> None:
        self.of = repository
        self.old = candidates(repository.base, repository.named)
        self.new = candidates(repository.head, repository.named)
        both = [d for d in repository.differences if d.old and d.new]
        self.renamed = {
            d.new: d.old for d in both if d.new and d.old in self.old and d.new != d.old
        }
        named = (path for d in repository.differences for path in (d.old, d.new))
        self.touched = frozenset(path for path in named if path is not None)

    def find(self) -> Changes:
        changes: list[Change] = []
        broken: list[Broken] = []
        skipped: list[Skipped] = []
        unchanged = 0
        scanned = Scan(self.of.head.root, self.touched)
        for path in sorted(self.new):
            old = self.renamed.get(path, path)
            if not (self.of.wanted(path) or self.of.wanted(old)):
                continue
            if not self._may_differ(path, old, scanned):
                unchanged += scanned.is_prompt(path, self.new[path])
                continue
            head = self._head(path)
            base = read_version(self.of.base, old, self.old)
            skipped += head.skipped
            found = self._compared(head, base)
            changes += found
            unchanged += len(head.versions) - sum(1 for one in found if one.head)
            if head.broken is not None:
                broken += self._lost(path, head.broken, base)
        changes += self._gone()
        broken += self._linked()
        # What two configurations refer to is one prompt.
        distinct = {change.key: change for change in reversed(changes)}
        return Changes(
            changes=tuple(sorted(distinct.values(), key=lambda change: change.key)),
            broken=tuple(broken),
            skipped=tuple(skipped),
            unchanged=unchanged,
        )

    def _head(self, path: str) -> FileRead:
        try:
            return read_version(self.of.head, path, self.new)
        except CostoptError as error:  # It is a link by now: that is the head's own doing.
            return FileRead(broken=error)

    def _lost(self, path: str, error: CostoptError, base: FileRead) -> Iterator[Broken]:
        """Yield a file that was a prompt, or is a new one by its name; others may be none."""
        if base.versions:
            yield Broken(path=path, error=error)
        elif self.new[path] and base.broken is None:
            yield Broken(path=path, error=error, what="it is new and cannot be read as a prompt")

    def _may_differ(self, path: str, old: str, scanned: Scan) -> bool:
        return (
            path in self.touched
            or old not in self.old
            or self._beside(path)
            or scanned.names(path)
            or self.of.configured(old, path)
        )

    def _beside(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return any(posixpath.join(folder, one) in self.touched for one in eval_set_names(name))

    def _gone(self) -> Iterator[Change]:
        """Yield what is no prompt any more: deleted, or called otherwise than a prompt."""
        kept = {self.renamed.get(path, path) for path in self.new}
        for path in sorted(self.old):
            if path not in kept and self.of.wanted(path):
                for version in read_version(self.of.base, path, self.old).versions:
                    change = _one_sided(None, version)
                    if change is not None:
                        yield change

    def _linked(self) -> Iterator[Broken]:
        """Yield prompts that became links: a program may follow them, and a check does not."""
        top = self.of.head.root
        for path in sorted(set(self.old) - set(self.new)):
            folder = posixpath.dirname(path)
            linked = (top / path).is_symlink() or (top / folder).resolve() != top.resolve() / folder
            if not linked or not self.of.wanted(path):
                continue
            if read_version(self.of.base, path, self.old).versions:
                yield Broken(path=path, error=CostoptError("it is a link, or lies behind one"))

    def _compared(self, head: FileRead, base: FileRead) -> list[Change]:
        if head.broken is not None:
            return []
        pairs = _pairs(head.versions, base.versions)
        found = [change for pair in pairs if (change := self._change(*pair)) is not None]
        if base.broken is None:
            return found
        note = f"the base's version cannot be read, so that there is none: {base.broken.what}"
        return [replace(change, notes=(*change.notes, note)) for change in found]

    def _change(self, new: Version | None, old: Version | None) -> Change | None:
        if new is None or old is None:
            return _one_sided(new, old)
        now, was = new.prompt.template, old.prompt.template
        why = [*_why(was, now)]
        if self._rows_differ(old, new):
            why.append("eval set")
        if self.of.configured(was.source.path, now.source.path):
            why.append("configuration")
        moved = was.source.path != now.source.path
        if not why and not moved:
            return None
        return Change(
            path=now.source.path,
            status="renamed" if moved else "modified",
            head=new,
            base=old,
            why=tuple(why),
            notes=tuple(dict.fromkeys((*old.notes, *new.notes))),
        )

    def _rows_differ(self, old: Version, new: Version) -> bool:
        return (
            old.rows != new.rows
            and (old.rows is None or new.rows is None or not self._same_rows(old.rows, new.rows))
        ) or (old.rows == new.rows and old.rows in self.touched)

    def _same_rows(self, old: str, new: str) -> bool:
        """Return whether an eval set only moved."""
        self.of.base.fetch([old])
        self.of.head.fetch([new])
        return filecmp.cmp(self.of.base.root / old, self.of.head.root / new, shallow=False)


def _one_sided(new: Version | None, old: Version | None) -> Change | None:
    """Return a prompt that was added or deleted."""
    version = new or old
    if version is None:
        return None
    return Change(
        path=version.prompt.template.source.path,
        status="added" if old is None else "deleted",
        head=new,
        base=old,
        notes=version.notes,
    )


def _pairs(
    head: Sequence[Version], base: Sequence[Version]
) -> Iterator[tuple[Version | None, Version | None]]:
    """Pair the prompts of one file: by name where names tell them apart, else by position."""
    old, new = ([one.prompt.template.name for one in side] for side in (base, head))
    if len(head) == len(base) == 1 or len({*old}) < len(old) or len({*new}) < len(new):
        for at in range(max(len(head), len(base))):
            yield (head[at] if at < len(head) else None, base[at] if at < len(base) else None)
        return
    known = dict(zip(old, base, strict=True))
    for name, version in zip(new, head, strict=True):
        yield version, known.pop(name, None)
    for version in known.values():
        yield None, version


def _sent(template: PromptTemplate) -> tuple[object, ...]:
    return template.messages, template.syntax, template.settings, dict(template.defaults)


def _why(was: PromptTemplate, now: PromptTemplate) -> Iterator[str]:
    if (was.messages, was.variables, was.syntax, dict(was.defaults)) != (
        now.messages, now.variables, now.syntax, dict(now.defaults)
    ):  # fmt: skip
        yield "text"
    if was.settings != now.settings:
        yield "settings"
    if was.inline_samples != now.inline_samples:
        yield "eval set"
    if any(getattr(was, key) != getattr(now, key) for key in _FRONT):
        yield "front matter"
    if was.source.raw != now.source.raw and was.messages == now.messages:
        yield from () if _says_otherwise(was, now) else ("comments",)


def _says_otherwise(was: PromptTemplate, now: PromptTemplate) -> bool:
    return any(
        getattr(was, item.name) != getattr(now, item.name)
        for item in fields(was)
        if item.name != "source"
    )
