"""``file://`` references: inside the root only, whatever links and dots say."""

import re
from itertools import islice
from pathlib import Path

from ..documents import Document, Node

CODE = re.compile(r"(?:exec|python|javascript|package|golang|ruby):", re.IGNORECASE)
_BARE = re.compile(
    r"[\w][\w./*-]*\.(?:txt|json|jsonl|ya?ml|csv|md|j2|jinja2?|js|cjs|mjs|ts|py)(?::\w+)?"
)
MAX_FILES = 200


def is_reference(text: str) -> bool:
    """Return whether a text names a file, as ``file://x`` or bare as older files do.

    Example:
        >>> is_reference("file://a.txt"), is_reference("a.txt"), is_reference("Write a.txt now")
        (True, True, False)
    """
    text = text.strip()
    return text.startswith("file://") or bool(_BARE.fullmatch(text))


def inside(path: Path, root: Path) -> bool:
    """Return whether a path, all links followed, is in a folder."""
    return path.resolve().is_relative_to(root.resolve())


def resolve(document: Document, node: Node, folder: Path, root: Path) -> list[Path]:
    """Return the files that a reference names; with ``*``, all that match, sorted.

    Raises:
        CostoptError: it is absolute, climbs with ``..``, leaves the root through a link, or
            names nothing.
    """
    name = node.value.strip().removeprefix("file://")
    path = Path(name)
    if path.is_absolute() or name.startswith(("~", "\\")) or re.match(r"[A-Za-z]:", name):
        raise document.error(node, f"an absolute path is not read: {name[:120]}")
    if ".." in path.parts or "\\" in name:
        raise document.error(node, f"a path that leaves the folder is not read: {name[:120]}")
    found = [folder / path]
    if "*" in name:
        found = sorted(islice(folder.glob(name), MAX_FILES))
    if not found or not all(candidate.is_file() for candidate in found):
        raise document.error(node, f"no such file: {name[:120]}")
    for candidate in found:
        if not inside(candidate, root):
            raise document.error(node, f"a link that leaves the folder is not read: {name[:120]}")
    return found
