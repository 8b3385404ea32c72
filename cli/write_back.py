"""Writes changed templates back into their files."""

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import CostoptError, Where

if TYPE_CHECKING:
    from ..core.report import PromptReport, Report, VariantReport
    from ..core.types import PromptTemplate


def write_recommended(report: "Report", *, quiet: bool) -> None:
    """Write every recommended variant that is not the baseline into its prompt's file.

    Raises:
        CostoptError: targets recommend different variants of a prompt, a file changed since it
            was read, or its format has no place for the change. Files before it are written.
    """
    from ..reports.runtime import program_lines
    from ..reports.safe import clean

    for prompt in report.prompts:
        variant = _recommended(prompt)
        if variant is None:
            continue
        written = _write(prompt, variant)
        if not quiet:
            said = f"wrote {clean(variant.name)} into" if written else "nothing to write into"
            print(f"{said} {clean(prompt.path)}", file=sys.stderr)
            for call in program_lines(variant):
                print(f"  when a request is made: {call}", file=sys.stderr)


def dump_all(templates: Iterable["PromptTemplate"]) -> str:
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


def _recommended(prompt: "PromptReport") -> "VariantReport | None":
    chosen = {(r.target, r.variant) for r in prompt.recommended}
    found = [v for v in prompt.variants if (v.target, v.name) in chosen]
    changed = [v for v in found if v.verdict != "baseline"]
    if not changed:
        return None
    if len({(v.messages, str(v.settings)) for v in found}) > 1:
        hint = "choose one with --target"
        what = "the targets recommend different variants, so none is written"
        raise CostoptError(what, where=Where(prompt.path), hint=hint)
    return changed[0]


def _write(prompt: "PromptReport", variant: "VariantReport") -> bool:
    """Write a variant into its prompt's file; tell whether there was anything to write.

    What shortens values when a request is made leaves the prompt as it is.
    """
    from ..core.formats import dump, load_file
    from .output import write_file

    path = Path(prompt.path)
    template = _same(load_file(path), prompt, variant)
    if (variant.messages, variant.settings) == (template.messages, template.settings):
        return False
    text = dump(replace(template, messages=variant.messages, settings=variant.settings))
    write_file(path, text.encode("utf-8"))
    return True


def _same(
    templates: Sequence["PromptTemplate"], prompt: "PromptReport", variant: "VariantReport"
) -> "PromptTemplate":
    baseline = next(
        v for v in prompt.variants if v.target == variant.target and v.verdict == "baseline"
    )
    for template in templates:
        if template.messages == baseline.messages and template.name == prompt.name:
            return template
    hint = "run it again without changing the file meanwhile"
    what = "the file changed since it was analysed, so it is not written"
    raise CostoptError(what, where=Where(prompt.path), hint=hint)
