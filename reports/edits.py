"""What a report's variants make of their prompts' files: texts only, nothing is written here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.errors import CostoptError, Where
from ..core.file_names import safe_name, with_digest
from ..core.formats import dump, name_of
from ..core.report import PromptReport, Report, VariantReport
from ..core.types import PromptTemplate

Key = tuple[str, str]
"""A prompt's path and name, which tell it from the others of a run."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A file with all that is recommended in it.

    Attributes:
        path: The file.
        before: Its text.
        after: Its text with the variants in it.
        variants: They, by the names of their prompts.
    """

    path: str
    before: str
    after: str
    variants: Mapping[str, VariantReport]


@dataclass(frozen=True, kw_only=True)
class VariantFile:
    """One variant as a file of the prompt's own format.

    Attributes:
        name: Its path below the folder of all variants, with forward slashes.
        text: What it holds.
        path: The prompt's file.
        prompt: The prompt's name.
        variant: The variant's name.
        targets: Where the variant is this one.
    """

    name: str
    text: str
    path: str
    prompt: str
    variant: str
    targets: tuple[str, ...]

    @property
    def origin(self) -> dict[str, str]:
        """What says whether another file is an earlier state of this one."""
        return {"path": self.path, "prompt": self.prompt, "variant": self.variant}


def recommended(prompt: PromptReport) -> VariantReport | None:
    """Return the variant to write into a prompt's file; ``None`` where that is the baseline.

    Raises:
        CostoptError: its targets recommend different variants.
    """
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


def edit(path: str, prompts: Sequence[PromptReport], templates: Sequence[PromptTemplate]) -> Edit:
    """Return a file with what is recommended for its prompts.

    What shortens values when a request is made leaves the prompt as it is.

    Args:
        path: The file.
        prompts: Its prompts with a recommendation that is not the baseline.
        templates: The file's templates, as they were read before the run.

    Raises:
        CostoptError: the targets of a prompt disagree, the file is not the one that was analysed,
            or it has no place for a change.
    """
    variants: dict[str, VariantReport] = {}
    raw = templates[0].source.raw if templates else ""
    text = raw
    for prompt in prompts:
        variant = recommended(prompt)
        if variant is None:
            continue
        template = _analysed(prompt, templates)
        variants[prompt.name] = variant
        # The prompts of one file are edited one after the other, each in the text so far.
        source = replace(template.source, raw=text)
        text = dump(_changed(replace(template, source=source), variant))
    return Edit(path=path, before=raw, after=text, variants=variants)


def _changed(template: PromptTemplate, variant: VariantReport) -> PromptTemplate:
    return replace(template, messages=variant.messages, settings=variant.settings)


def _analysed(prompt: PromptReport, templates: Sequence[PromptTemplate]) -> PromptTemplate:
    """Return the template that a report is about."""
    baseline = next(v for v in prompt.variants if v.verdict == "baseline")
    for template in templates:
        same = (template.messages, template.settings) == (baseline.messages, baseline.settings)
        if same and template.name == prompt.name:
            return template
    raise CostoptError(
        "the file changed since it was analysed, so it is not written",
        where=Where(prompt.path),
        hint="run it again without changing the file meanwhile",
    )


@dataclass(frozen=True)
class Plan:
    """All variants as files, and what cannot be one, with the reason."""

    files: tuple[VariantFile, ...]
    left_out: tuple[str, ...]


def plan(report: Report, templates: Sequence[PromptTemplate]) -> Plan:
    """Return every variant as a file ``NAME/VARIANT.ext``; controls and refused ones are none.

    Names are made safe: whatever a prompt or a strategy is called, no file lies outside of the
    folder. Variants that differ between targets have the target's name too.

    Args:
        report: What was analysed.
        templates: The templates of its prompts, as they were read.
    """
    files: list[VariantFile] = []
    left_out: list[str] = []
    folders = _folders(report.prompts)
    for prompt in report.prompts:
        own = [template for template in templates if template.source.path == prompt.path]
        try:
            template = _analysed(prompt, own)
        except CostoptError as error:
            left_out.append(str(error))
            continue
        found = _files(prompt, template, folders[prompt.path, prompt.name], left_out)
        files += _apart(found)
    return Plan(tuple(files), tuple(left_out))


def _folders(prompts: Iterable[PromptReport]) -> dict[Key, str]:
    """Return a folder's name for each prompt; two that would share one get their path's digest."""
    names = {(prompt.path, prompt.name): safe_name(prompt.name) for prompt in prompts}
    shared = [name.casefold() for name in names.values()]
    return {
        key: with_digest(name, "\0".join(key)) if shared.count(name.casefold()) > 1 else name
        for key, name in names.items()
    }


def _files(
    prompt: PromptReport, template: PromptTemplate, folder: str, left_out: list[str]
) -> list[VariantFile]:
    ending = _ending(prompt.path)
    written: dict[tuple[str, str], VariantFile] = {}
    for variant in prompt.variants:
        if variant.control or variant.rejected is not None:
            continue
        if variant.verdict != "baseline" and not _differs(variant, template):
            left_out.append(f"{variant.name} of {prompt.path}: it changes no file")
            continue
        try:
            text = dump(_changed(template, variant))
        except CostoptError as error:
            left_out.append(f"{variant.name} of {prompt.path}: {error.what}")
            continue
        same = written.get((variant.name, text))
        written[variant.name, text] = VariantFile(
            name=f"{folder}/{safe_name(variant.name)}{ending}",
            text=text,
            path=prompt.path,
            prompt=prompt.name,
            variant=variant.name,
            targets=(*(same.targets if same else ()), variant.target),
        )
    return list(written.values())


def _differs(variant: VariantReport, template: PromptTemplate) -> bool:
    return (variant.messages, variant.settings) != (template.messages, template.settings)


def _ending(path: str) -> str:
    """Return all that follows a prompt's name in its file's name: ``.md.j2`` of ``a.md.j2``."""
    name = Path(path).name
    if name.lower().startswith("promptfooconfig"):
        return Path(path).suffix
    stem = "prompt" if name.startswith("prompt.") else name_of(Path(path))
    return name[len(stem) :] if name.startswith(stem) else Path(path).suffix


def _apart(files: Sequence[VariantFile]) -> list[VariantFile]:
    """Give files of one name the names of their targets, and if need be a digest."""
    shared = [file.name.casefold() for file in files]
    kept: list[VariantFile] = []
    for file in files:
        if shared.count(file.name.casefold()) > 1:
            told = f"{file.variant}@{'+'.join(file.targets)}"
            name = with_digest(safe_name(told), told)
            folder = file.name.rpartition("/")[0]
            file = replace(file, name=f"{folder}/{name}{_ending(file.path)}")
        kept.append(file)
    return kept
