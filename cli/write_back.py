"""Writes recommended variants back into their prompts' files, each as a diff first."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..core.errors import CostoptError
from .asking import is_terminal, say

if TYPE_CHECKING:
    from ..core.report import PromptReport, Report
    from ..core.types import PromptTemplate
    from ..reports.edits import Edit


def templates_of(paths: Sequence[Path]) -> "tuple[PromptTemplate, ...]":
    """Return the templates of all prompts as their files are now.

    They are read before a run: what is written afterwards is made from this text, and only into a
    file that still holds it. What cannot be read is the run's to say.
    """
    from ..core.discovery import load_prompts

    try:
        return tuple(prompt.template for prompt in load_prompts(paths).prompts)
    except CostoptError:
        return ()


def write_recommended(
    report: "Report",
    named: Sequence[Path],
    templates: "Sequence[PromptTemplate]",
    *,
    yes: bool,
    quiet: bool,
    colour: bool,
) -> None:
    """Write every recommended variant that is not the baseline into its prompt's file.

    Each file's change is shown on standard error. On a terminal the user is asked, unless ``yes``;
    elsewhere ``--write`` was the answer.

    Args:
        report: What was analysed.
        named: The files and folders that the user named: nothing outside of them is written.
        templates: What `templates_of` read before the run.
        yes: Whether not to ask.
        quiet: Whether to show nothing; where the user is asked, the change is shown all the same.
        colour: Whether to use the terminal's colours.

    Raises:
        CostoptError: the first file that could not be written; all the others are.
    """
    errors: list[CostoptError] = []
    shown = False
    for path, prompts in _by_file(report.prompts).items():
        try:
            shown |= _write(path, prompts, named, templates, yes=yes, quiet=quiet, colour=colour)
        except CostoptError as error:
            errors.append(error)
    if not shown and not errors and not quiet:
        say("nothing to write: no variant is recommended over its baseline")
    for error in errors[1:]:
        say(f"not written: {error}")
    if errors:
        raise errors[0]


def _by_file(prompts: "Iterable[PromptReport]") -> "dict[str, list[PromptReport]]":
    files: dict[str, list[PromptReport]] = {}
    for prompt in prompts:
        files.setdefault(prompt.path, []).append(prompt)
    return files


def _write(
    path: str,
    prompts: "Sequence[PromptReport]",
    named: Sequence[Path],
    templates: "Sequence[PromptTemplate]",
    *,
    yes: bool,
    quiet: bool,
    colour: bool,
) -> bool:
    """Write one file's prompts; tell whether anything was recommended for them."""
    from ..core.formats import load_file
    from ..reports.edits import edit, recommended
    from .output import check_link, write_file

    if all(recommended(prompt) is None for prompt in prompts):
        return False
    own = [template for template in templates if template.source.path == path]
    change = edit(path, prompts, own or load_file(Path(path)))
    ask = not yes and is_terminal()
    if change.after != change.before:
        check_link(Path(path), [*named, Path(path)])
        if ask or not quiet:
            _show(change, colour)
        if ask and not typer.confirm(f"Write {_clean(path)}?", default=False, err=True):
            say(f"left as it is: {_clean(path)}")
            return True
        before, after = change.before.encode("utf-8"), change.after.encode("utf-8")
        write_file(Path(path), after, expected=before)
    if not quiet:
        _told(change)
    return True


def _show(change: "Edit", colour: bool) -> None:
    from ..reports.diffs import unified

    names = ", ".join(_clean(variant.name) for variant in change.variants.values())
    told = f"{_clean(change.path)} ({names})"
    say(unified(change.before, change.after, _clean(change.path), told, colour=colour).rstrip("\n"))


def _told(change: "Edit") -> None:
    from ..reports.runtime import program_lines

    said = "wrote" if change.after != change.before else "nothing to write"
    for variant in change.variants.values():
        what = f"{said} {_clean(variant.name)}" if said == "wrote" else said
        say(f"{what} into {_clean(change.path)}")
        for call in program_lines(variant):
            say(f"  when a request is made: {call}")


def _clean(text: str) -> str:
    from ..reports.safe import clean

    return clean(text)


def dump_all(templates: "Iterable[PromptTemplate]") -> str:
    """Return the text of one file with the changes of all its templates in it.

    Raises:
        CostoptError: the file has no place for a change.
    """
    from ..core.formats import dump

    text: str | None = None
    for template in templates:
        source = template.source if text is None else replace(template.source, raw=text)
        text = dump(replace(template, source=source))
    return text or ""
