"""``costopt init``: a configuration, CI jobs and a pre-commit entry for a project."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import CostoptError, nearest
from .options import Debug

if TYPE_CHECKING:
    from ..reports.starting.plan import Ci, Planned

_DONE = {"write": "wrote", "replace": "replaced", "add": "added to", "keep": "kept"}
_WOULD = {"write": "would write", "replace": "would replace", "add": "would add to", "keep": "kept"}


def init(
    ci: Annotated[
        str | None,
        typer.Option(
            "--ci",
            metavar="github|gitlab|none",
            help="For which host. Default: gitlab where there is a .gitlab-ci.yml, else github.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there already.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Set a project up: costopt.toml, the jobs for CI, and a pre-commit entry.

    Asks nothing. Files that are there already stay as they are; in a pre-commit
    configuration the entry is added. Run again, it changes nothing.

    \b
    Examples:
      costopt init --dry-run
      costopt init
      costopt init --ci gitlab
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    from .. import __version__
    from ..core.discovery import repository
    from ..reports.starting.folders import prompt_folders
    from ..reports.starting.plan import plan_files

    root = repository(Path.cwd()) or Path.cwd()
    host = _host(ci, root)
    folders = prompt_folders(root)
    files = plan_files(root, folders, host, __version__, force=force)
    if not dry_run:
        _write(root, files)
    _show(files, folders, host, dry_run)


def _host(given: str | None, root: Path) -> "Ci":
    from ..reports.starting.plan import CIS

    if given is None:
        return "gitlab" if (root / ".gitlab-ci.yml").exists() else "github"
    if given not in CIS:
        raise CostoptError(f'unknown host "{given}"', hint=nearest(given, CIS))
    return given


def _write(root: Path, files: "Sequence[Planned]") -> None:
    """Write the files; all links are looked at before the first is written."""
    from .output import check_link, write_file

    changed = [file for file in files if file.does != "keep"]
    for file in changed:
        check_link(root / file.name, [root])
    for file in changed:
        path = root / file.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"cannot make the folder of {file.name}: {error.strerror}"
            raise CostoptError(what, hint="is a file in its place?") from None
        write_file(path, file.text.encode("utf-8"))


def _show(files: "Sequence[Planned]", folders: Sequence[str], host: "Ci", dry_run: bool) -> None:
    from .output import emit

    words = _WOULD if dry_run else _DONE
    width = max(len(words[file.does]) for file in files)
    lines = [
        f"{words[file.does]:<{width}}  {file.name}" + (f" ({file.why})" if file.why else "")
        for file in files
    ]
    lines += ["", *_found(folders)]
    text = "\n".join([*lines, "", *_next(host, found=bool(folders))]) + "\n"
    if not dry_run:
        emit(text, None)
        return
    sys.stderr.write(text)
    emit("\n".join(f"--- {file.name}\n{file.text}" for file in files), None)


def _found(folders: Sequence[str]) -> list[str]:
    """Return which folders the files name."""
    from ..reports.safe import clean

    if folders:
        return [f"Prompts: {', '.join(clean(folder, 100) for folder in folders)}"]
    return [
        "No folder of prompts was found, so that all of these files name prompts/.",
        "Until it holds one, a check ends with 2: there is nothing to look at.",
    ]


def _next(host: "Ci", *, found: bool) -> list[str]:
    """Return what is to be done next."""
    steps = [
        "Set calls_per_month in costopt.toml: it turns tokens into money a month.",
        "Commit it: a check reads limits from the base branch, never from a change.",
        "Change a prompt and try it: costopt check --static --base HEAD",
    ]
    if not found:
        steps.insert(0, "Put your prompts into prompts/, or your folder's name in its place.")
    if host != "none":
        steps.append("Merge it: CI runs the check on pull requests from then on.")
    if host == "github":
        steps.append("Comments begin once costopt-comment.yml is on the default branch.")
    return ["Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]
