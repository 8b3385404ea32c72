"""Adds an entry to a pre-commit configuration, and leaves the rest as it was written."""

from typing import Any

import yaml

HOOK = "costopt-check"


def has_hook(text: str) -> bool:
    """Return whether a configuration has the entry already.

    Example:
        >>> has_hook("repos: [{repo: local, hooks: [{id: costopt-check}]}]")
        True
    """
    repos = [repo for repo in _repos(_load(text)) or () if isinstance(repo, dict)]
    listed = [repo["hooks"] for repo in repos if isinstance(repo.get("hooks"), list)]
    return any(isinstance(hook, dict) and hook.get("id") == HOOK for one in listed for hook in one)


def with_entry(text: str, entry: str) -> str | None:
    r"""Return a configuration with an entry more, ``None`` where it cannot be put in by text.

    Args:
        text: The configuration.
        entry: An item of ``repos``, indented by two spaces.

    Example:
        >>> print(with_entry("repos:\n- repo: a\n  rev: b\n", "  - repo: local\n"), end="")
        repos:
        - repo: a
          rev: b
        - repo: local
    """
    before = _load(text)
    repos = _repos(before)
    if not repos:
        return None
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if line.startswith("repos:")), None)
    if start is None:
        return None
    block = [*range(start + 1, len(lines))]
    first = next((lines[i] for i in block if lines[i].lstrip().startswith("- ")), "")
    indent = " " * (len(first) - len(first.lstrip()))
    end = next((i for i in block if _is_key(lines[i])), len(lines))
    while lines[end - 1].strip() == "" or lines[end - 1].startswith("#"):
        end -= 1
    entry = entry.replace("\n", "\r\n") if "\r\n" in text else entry
    added = "".join(indent + line[2:] for line in entry.splitlines(keepends=True))
    joint = "" if lines[end - 1].endswith("\n") else "\n"
    found = "".join(lines[:end]) + joint + added + "".join(lines[end:])
    wanted = {**before, "repos": [*repos, *_load(f"repos:\n{entry}")["repos"]]}
    return found if _load(found) == wanted else None


def _is_key(line: str) -> bool:
    return not line[0].isspace() and line[0] not in "#-"


def _load(text: str) -> Any:  # noqa: ANN401 (YAML)
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        return None


def _repos(data: object) -> "list[Any] | None":
    repos = data.get("repos") if isinstance(data, dict) else None
    return repos if isinstance(repos, list) else None
