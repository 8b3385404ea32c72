"""What git knows of prompts' files: since when each version has been on the current branch.

Only first parents count: what a merge brought is on the branch since the merge. A commit's time is
not when it was deployed, so all that follows from it is estimated, and is marked as that.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from ..core.errors import CostoptError
from ..core.formats import reread
from ..core.git import Git, open_git
from ..core.types import PromptTemplate

MARK = "~"
"""What a revision begins with that no log recorded: it is estimated, by commit time."""

_DIGITS = 12
_MOST_COMMITS = 1000
_MOST_TEXTS = 20
_MOST_BYTES = 5_000_000
_LATEST = 253_402_300_799
"""The last second that a date can have; git knows later ones."""
_LOG = (
    "log", f"--max-count={_MOST_COMMITS}", "--first-parent", "--diff-merges=first-parent",
    "--follow", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--name-status",
    "-z", "--format=tformat:@%H %ct",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a prompt's file.

    Attributes:
        since: Since when the branch has it, UTC: the commit's time, and no earlier than that of
            the version before.
        commit: The commit that brought it.
        path: Where the file lay then, in the repository; ``None`` where it was gone.
        known: Whether this commit brought it. At the end of a shallow clone an earlier one may
            have.
    """

    since: datetime
    commit: str
    path: str | None
    known: bool = True

    @property
    def revision(self) -> str | None:
        """What requests of this time are said to have been made with; ``None``: unknown.

        Example:
            >>> Version(since=datetime(2026, 1, 1), commit="0123456789abcdef", path="a").revision
            '~0123456789ab'
        """
        return f"{MARK}{self.commit[:_DIGITS]}" if self.known and self.path is not None else None


@dataclass(frozen=True, kw_only=True)
class History:
    """The versions of a prompt's file, the oldest first.

    Attributes:
        template: The prompt as its file is now.
        versions: The versions.
        past: What earlier versions said, as far as they could be read: the same prompt with
            another text.
        notes: What is to be known about it.
        unknown: Why there are no versions; ``None`` where there are.
    """

    template: PromptTemplate
    versions: tuple[Version, ...] = ()
    past: tuple[PromptTemplate, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: str | None = None


def histories(templates: Sequence[PromptTemplate]) -> tuple[History, ...]:
    """Return the history of each prompt; without git or a repository it is empty, and says so."""
    git_of, cut_of = cache(open_git), cache(_cut)
    return tuple(_history(template, git_of, cut_of) for template in templates)


def every_version(found: Sequence[History]) -> tuple[PromptTemplate, ...]:
    """Return all prompts as they are now, and then as they were."""
    now = (one.template for one in found)
    return (*now, *(version for one in found for version in one.past))


def _history(
    template: PromptTemplate,
    git_of: Callable[[Path], Git],
    cut_of: Callable[[Git], frozenset[str]],
) -> History:
    path = Path(template.source.path)
    if path.is_symlink():
        return History(template=template, unknown="a link has no history of its own")
    folder = path.parent.resolve()
    try:
        git = git_of(folder)
        name = (folder / path.name).relative_to(git.root.resolve()).as_posix()
        versions = tuple(_versions(git.read(*_LOG, "--", name), cut_of(git)))
    except (CostoptError, ValueError) as error:
        why = error.what if isinstance(error, CostoptError) else str(error)
        return History(template=template, unknown=why)
    if not versions:
        return History(template=template, unknown="in no commit of this branch")
    texts = _texts(git, versions) if template.source.format != "promptfoo" else ()
    return History(
        template=template,
        versions=versions,
        past=tuple(_past(template, [text for text in texts if text is not None])),
        notes=tuple(_notes(template, versions, texts)),
    )


def _cut(git: Git) -> frozenset[str]:
    """Return the commits behind which a shallow clone has nothing."""
    name = git.line("rev-parse", "--git-path", "shallow")
    file = git.root / name if name else None
    return (
        frozenset(file.read_text().split()) if file is not None and file.is_file() else frozenset()
    )


def _versions(log: bytes, cut: frozenset[str]) -> Iterator[Version]:
    """Read what git wrote, the newest commit first, and yield the oldest version first."""
    since = datetime.min
    for commit, seconds, path in reversed(list(_commits(log))):
        # A commit that is dated before its parent was on the branch no earlier than that.
        dated = datetime.fromtimestamp(min(seconds, _LATEST), UTC).replace(tzinfo=None)
        since = max(since, dated)
        yield Version(since=since, commit=commit, path=path, known=commit not in cut)


def _commits(log: bytes) -> Iterator[tuple[str, int, str | None]]:
    """Yield each commit with its time and where the file lay after it."""
    words = iter(log.decode("utf-8", "surrogateescape").split("\0"))
    commit, seconds = "", 0
    for word in words:
        if word.startswith("@"):
            commit, _, time = word[1:].partition(" ")
            seconds = int(time)
        elif status := word.strip():
            path = next(words, "")
            if status[0] in "RC":
                path = next(words, "")
            yield commit, seconds, None if status == "D" else path


def _texts(git: Git, versions: Sequence[Version]) -> tuple[str | None, ...]:
    """Return what the newest versions say, the newest first; ``None`` where that is not at hand."""
    names = [
        f"{one.commit}:{one.path}"
        for one in reversed(versions[-_MOST_TEXTS:])
        if one.path is not None and "\n" not in one.path
    ]
    sizes = git.run("cat-file", "--batch-check=%(objecttype) %(objectsize)", stdin=_lines(names))
    told = sizes.out.splitlines()
    wanted = [name for name, one in zip(names, told, strict=False) if _is_small(one)]
    found = dict(
        zip(wanted, _blobs(git.run("cat-file", "--batch", stdin=_lines(wanted)).out), strict=False)
    )
    return tuple(found.get(name) for name in names)


def _lines(names: Sequence[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")


def _is_small(told: bytes) -> bool:
    kind, _, size = told.partition(b" ")
    return kind == b"blob" and int(size) <= _MOST_BYTES


def _blobs(found: bytes) -> Iterator[str | None]:
    """Yield each file's text; ``None`` for what is no UTF-8."""
    at = 0
    while at < len(found):
        end = found.index(b"\n", at)
        size = int(found[at:end].rsplit(b" ", 1)[1])
        try:
            yield found[end + 1 : end + 1 + size].decode()
        except UnicodeDecodeError:
            yield None
        at = end + 2 + size


def _past(template: PromptTemplate, texts: Sequence[str]) -> Iterator[PromptTemplate]:
    """Yield the prompt with each earlier text that is still a prompt of its format."""
    for text in dict.fromkeys(texts):
        if text == template.source.raw:
            continue
        try:
            then = replace(template, source=replace(template.source, raw=text))
            yield replace(reread(then).template, name=template.name)
        except (CostoptError, IndexError):
            continue


def _notes(
    template: PromptTemplate, versions: Sequence[Version], texts: Sequence[str | None]
) -> Iterator[str]:
    shown = template.source.path
    if texts and texts[0] is not None and _same_lines(texts[0]) != _same_lines(template.source.raw):
        yield f"{shown} has changes that are not committed: they are in no revision"
    if not versions[0].known:
        until = f" before {versions[1].since.date().isoformat()}" if len(versions) > 1 else ""
        yield f"this clone is shallow: which revision {shown} was of{until} is unknown"
    if len(versions) == _MOST_COMMITS:
        yield f"of {shown} the latest {_MOST_COMMITS:,} commits are looked at"


def _same_lines(text: str) -> str:
    """Leave out how lines end: git may write that as the system has it."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")
