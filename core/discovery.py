"""Finding prompts: which files of a folder are prompts, and which eval set belongs to each."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import CostoptError, Where
from .formats import FORMATS, NotAPromptError, format_of, read_file
from .formats.promptfoo import references, skipped
from .report import Skipped
from .types import PromptTemplate

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

EVAL_SUFFIXES = (".jsonl", ".csv", ".parquet")
MAX_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Found:
    """A file that may be a prompt."""

    path: Path
    shown: str
    """The path as the user named it, with forward slashes."""
    eval_set: Path | None
    """The eval set beside it, if there is one."""
    named: bool = False
    """Whether the user named the file itself, or it is called ``prompt.*``."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, sorted by path within each argument."""

    files: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class LoadedPrompt:
    """A template with its eval set: the front matter's, or the one beside the file."""

    template: PromptTemplate
    eval_set: Path | str | None
    """A file, or a hub id (``hf:…``) as the front matter names it."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """All prompts that could be read, and what could not, with reasons."""

    prompts: tuple[LoadedPrompt, ...]
    skipped: tuple[Skipped, ...]


def discover(paths: Sequence[Path]) -> Discovery:
    """Find the prompt files under paths; a folder is searched recursively.

    ``README*``, ``LICENSE*``, ``evals.*``, ``*.evals.*``, hidden and git-ignored files are no
    prompts; beside ``prompt.*`` nothing else is one; what a promptfoo configuration refers to
    is part of that. Links to folders are not followed.

    Args:
        paths: Files and folders; a file is taken as it is.

    Raises:
        CostoptError: a path that does not exist, or nothing found under all of them.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        shown = path.as_posix()
        if path.is_dir():
            files = _folder(path)
        elif path.exists():
            files = [Found(path, shown, _beside(path), named=True)]
        else:
            raise CostoptError(f"no such file or folder: {shown}", where=Where(shown))
        for file in files:
            found.setdefault(file.path.resolve(), file)
    if not found:
        shown = ", ".join(path.as_posix() for path in paths) or "nothing"
        endings = ", ".join(suffix for suffixes in FORMATS.values() for suffix in suffixes)
        raise CostoptError(f"no prompts found in {shown}", hint=f"prompts end in {endings}")
    return Discovery(tuple(found.values()))


def load_prompts(paths: Sequence[Path]) -> Loaded:
    """Find and read prompts; a file that cannot be read is listed with its reason.

    Raises:
        CostoptError: a missing path, nothing found, a named file that cannot be read, or not
            one prompt among all that was found.
    """
    read = read_found(discover(paths).files)
    if not read.loaded.prompts:
        _refuse(paths, read.errors)
    return read.loaded


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of files that may be prompts, and why the others could not be."""

    loaded: Loaded
    errors: tuple[CostoptError, ...]


def read_found(files: Iterable[Found]) -> Read:
    """Read files; one that cannot be read is listed with its reason, and stops nothing."""
    prompts: list[LoadedPrompt] = []
    left: list[Skipped] = []
    errors: list[CostoptError] = []
    for file in files:
        try:
            reading = read_file(file.path, shown=file.shown)
        except NotAPromptError as error:
            if file.named:
                errors.append(error)
                left.append(skipped(error, file.shown))
        except CostoptError as error:
            errors.append(error)
            left.append(skipped(error, file.shown))
        else:
            left += reading.notes
            templates = (parsed.template for parsed in reading.parsed)
            prompts += [LoadedPrompt(t, _eval_set(t, file)) for t in templates]
    return Read(Loaded(tuple(prompts), tuple(left)), tuple(errors))


def _refuse(paths: Sequence[Path], errors: Sequence[CostoptError]) -> None:
    if len(errors) == 1:
        raise errors[0]
    shown = ", ".join(path.as_posix() for path in paths)
    if not errors:
        raise CostoptError(f"no prompts found in {shown}", hint="YAML and JSON need messages")
    first = errors[0]
    what = f"none of {len(errors)} files can be read as a prompt; the first: {first.what}"
    raise CostoptError(what, where=first.where, hint=first.hint)


def _eval_set(template: PromptTemplate, file: Found) -> Path | str | None:
    if template.eval_set is None:
        return file.eval_set
    if template.eval_set.startswith("hf:"):
        return template.eval_set
    return file.path.parent / template.eval_set


def _beside(path: Path) -> Path | None:
    """Return the eval set that stands beside a prompt file."""
    names = (path.with_name(name) for name in eval_set_names(path.name))
    return next((candidate for candidate in names if candidate.is_file()), None)


def eval_set_names(name: str) -> tuple[str, ...]:
    """Return what the eval set beside a prompt file may be called; the first that is there is it.

    ``evals.*`` beside ``prompt.*``, else ``STEM.evals.*`` beside ``STEM.*``.

    Example:
        >>> eval_set_names("faq.md")
        ('faq.evals.jsonl', 'faq.evals.csv', 'faq.evals.parquet')
    """
    path = Path(name)
    stems = dict.fromkeys((path.stem, path.name.split(".")[0]))
    bases = [f"{stem}.evals" for stem in stems]
    if _is_prompt_name(path.name):
        bases.insert(0, "evals")
    return tuple(base + suffix for base in bases for suffix in EVAL_SUFFIXES)


def _is_prompt_name(name: str) -> bool:
    return name.split(".")[0].lower() == "prompt" and "." in name


def _is_other(name: str) -> bool:
    """Return whether a file's name says that it is no prompt."""
    lower = name.lower()
    return (
        lower.startswith((".", "readme", "license"))
        or lower.startswith("evals.")
        or ".evals." in lower
    )


def _folder(root: Path) -> list[Found]:
    """Return the prompt files under a folder, sorted."""
    ignored = _Ignore(root)
    top = root.resolve()
    found: list[Found] = []
    count = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        real = top / here.relative_to(root)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and not ignored(real, name, is_folder=True)
        )
        kept = [name for name in sorted(names) if _may_be_prompt(name)]
        kept = [name for name in kept if not ignored(real, name, is_folder=False)]
        count += len(names)
        if count > MAX_FILES:
            what = f"more than {MAX_FILES:,} files under {root.as_posix()}"
            raise CostoptError(what, where=Where(root.as_posix()), hint="name a smaller folder")
        found += _files(here, kept)
    used = _referenced(file.path for file in found)
    return [file for file in found if not used or file.path.resolve() not in used]


def _files(folder: Path, names: Sequence[str]) -> Iterator[Found]:
    for name, named in _picked(names):
        path = folder / name
        if path.is_file():
            yield Found(path, path.as_posix(), _beside(path), named=named)


def _may_be_prompt(name: str) -> bool:
    return not _is_other(name) and format_of(Path(name)) is not None


def _picked(names: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield which files of one folder are prompts: beside ``prompt.*`` nothing else is one."""
    own = [name for name in names if _is_prompt_name(name)]
    for name in own or names:
        yield name, bool(own)


def prompt_files(listing: Iterable[str]) -> dict[str, bool]:
    """Return which files of a listing are prompts by their names, as a search would find them.

    What a promptfoo configuration refers to is still among them: their names do not tell.

    Args:
        listing: Paths with forward slashes, relative to one root; what git ignores is not in it.

    Returns:
        The path, and whether the file is called ``prompt.*``.

    Example:
        >>> prompt_files(["a/prompt.md", "a/notes.md", "b/faq.md", "b/README.md", ".x/c.md"])
        {'a/prompt.md': True, 'b/faq.md': False}
    """
    folders: dict[str, list[str]] = {}
    for path in listing:
        folder, _, name = path.rpartition("/")
        if _may_be_prompt(name) and not f"/{folder}".count("/."):
            folders.setdefault(folder, []).append(name)
    return {
        f"{folder}/{name}".lstrip("/"): named
        for folder in sorted(folders)
        for name, named in _picked(sorted(folders[folder]))
    }


def _referenced(paths: Iterable[Path]) -> frozenset[Path]:
    configs = [path for path in paths if format_of(path) == "promptfoo"]
    return frozenset(file for path in configs for file in references(path))


class _Ignore:
    """Whether git ignores a path: every ``.gitignore`` from the repository's root down."""

    def __init__(self, root: Path) -> None:
        self.top = repository(root.resolve())
        self.specs: dict[Path, list[tuple[int, GitIgnoreSpec]]] = {}

    def __call__(self, folder: Path, name: str, *, is_folder: bool) -> bool:
        """Return it for a name in a folder, whose links are resolved already."""
        if self.top is None:
            return False
        full = f"{folder.as_posix()}/{name}" + ("/" if is_folder else "")
        decided = False
        for length, spec in self._above(folder, self.top):
            answer = spec.check_file(full[length:]).include
            decided = decided if answer is None else answer
        return decided

    def _above(self, folder: Path, top: Path) -> "list[tuple[int, GitIgnoreSpec]]":
        """Return the rules that hold in a folder, outermost first, with their base's length."""
        if folder not in self.specs:
            parents = [parent for parent in (folder, *folder.parents) if parent.is_relative_to(top)]
            found = ((len(parent.as_posix()) + 1, _ignore_file(parent)) for parent in parents[::-1])
            self.specs[folder] = [(length, spec) for length, spec in found if spec is not None]
        return self.specs[folder]


def repository(path: Path) -> Path | None:
    """Return the repository that a folder is in; outside of one nothing is ignored."""
    candidates = (path, *path.parents)
    return next((folder for folder in candidates if (folder / ".git").exists()), None)


@cache
def _ignore_file(folder: Path) -> "GitIgnoreSpec | None":
    file = folder / ".gitignore"
    try:
        if not file.is_file() or file.stat().st_size > 1_000_000:
            return None
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)
