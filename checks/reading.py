"""Reads the prompts of one version of a repository, named by their paths in it."""

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.discovery import Found, LoadedPrompt, eval_set_names, prompt_files, read_found
from ..core.errors import CostoptError
from ..core.formats import format_of
from ..core.formats.promptfoo import references
from ..core.report import Skipped
from .trees import Tree

_STRUCTURED = frozenset({"promptfoo", "chat-yaml", "chat-json"})
_REFERRED = (".txt", ".json", ".jsonl", ".yaml", ".yml", ".csv", ".md", ".j2", ".jinja", ".jinja2")
_MOST_REFERRED = 2_000


@dataclass(frozen=True, kw_only=True)
class Version:
    """A prompt as one version of the repository has it.

    Attributes:
        prompt: The template, named by its path in the repository. Its eval set is left out.
        rows: The path of its eval set in the repository; ``None`` without one.
        notes: Why its eval set is not read.
    """

    prompt: LoadedPrompt
    rows: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FileRead:
    """What a file holds: prompts, or the reason why it cannot be read as one."""

    versions: tuple[Version, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    broken: CostoptError | None = None


def candidates(tree: Tree, named: Collection[str]) -> dict[str, bool]:
    """Return the files that are prompts by their names, and whether they surely are.

    Args:
        tree: One version of the repository.
        named: Files that the user named, which are taken as they are.
    """
    found = prompt_files(tree.files)
    own = {path: True for path in named if path in tree.files and format_of(Path(path))}
    return {**found, **own}


def read_version(tree: Tree, path: str, known: Mapping[str, bool]) -> FileRead:
    """Read a file's prompts.

    Args:
        tree: One version of the repository.
        path: The file; where it is none of ``known``, it holds no prompt.
        known: What `candidates` found in it.

    Raises:
        CostoptError: the file cannot be put at hand.
    """
    if path not in known or _referred(tree, path, known):
        return FileRead()
    _fetch(tree, path)
    read = read_found([Found(tree.root / path, path, None, named=known[path])])
    if read.errors:
        return FileRead(skipped=read.loaded.skipped, broken=read.errors[0])
    found = tuple(_version(tree, path, prompt) for prompt in read.loaded.prompts)
    return FileRead(versions=found, skipped=read.loaded.skipped)


def _fetch(tree: Tree, path: str) -> None:
    """Put a file at hand, and what a promptfoo configuration may refer to."""
    tree.fetch([path])
    if format_of(Path(path)) not in _STRUCTURED:
        return
    content = (tree.root / path).read_bytes()
    if b"prompts" in content and b"." in content:
        tree.fetch(_below(tree, path))


def _below(tree: Tree, path: str) -> list[str]:
    folder = posixpath.dirname(path)
    inside = (name for name in tree.files if not folder or name.startswith(f"{folder}/"))
    return [name for name in inside if name.lower().endswith(_REFERRED)][:_MOST_REFERRED]


def _referred(tree: Tree, path: str, known: Mapping[str, bool]) -> bool:
    """Return whether a promptfoo configuration above a file makes it a part of that."""
    above = [
        config
        for config in known
        if format_of(Path(config)) == "promptfoo"
        and config != path
        and f"/{path}".startswith(f"/{posixpath.dirname(config)}".rstrip("/") + "/")
    ]
    for config in above:
        _fetch(tree, config)
        if (tree.root / path).resolve() in references(tree.root / config):
            return True
    return False


def _version(tree: Tree, path: str, prompt: LoadedPrompt) -> Version:
    rows, why = _rows(tree, path, prompt)
    return Version(prompt=replace(prompt, eval_set=None), rows=rows, notes=why)


def _rows(tree: Tree, path: str, prompt: LoadedPrompt) -> tuple[str | None, tuple[str, ...]]:
    """Return a prompt's eval set; one that is no file of the repository is not followed."""
    named = prompt.template.eval_set
    folder, _, name = path.rpartition("/")
    if named is None:
        beside = (posixpath.join(folder, one) for one in eval_set_names(name))
        return next((one for one in beside if one in tree.files), None), ()
    if named.startswith("hf:"):
        return None, (f"its eval set {named} is no file: a check reads no data set of a hub",)
    found = posixpath.normpath(posixpath.join(folder, named))
    if found in tree.files:
        return found, ()
    return None, (f"its eval set {named} is no file of this repository, so it is not read",)
