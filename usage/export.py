"""What a log measured of prompts, as values for ``[prompts."GLOB"]`` of the configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from ..core.configured import Config, matches
from ..core.types import PromptTemplate
from .measured import FEWEST, comment, measured
from .revisions import listed, names_of
from .volumes import Volume, Volumes

_SPECIAL = "\\*?[!#"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A value to be written.

    Attributes:
        value: The value.
        comment: From which requests of which days it is.
    """

    value: int | float
    comment: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be written of one prompt.

    Attributes:
        path: Its file.
        glob: The table's glob: the file itself.
        settings: The values by their keys.
        notes: What is to be known about them.
    """

    path: str
    glob: str
    settings: Mapping[str, Setting]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Export:
    """All that is to be written, and what is not, with why."""

    entries: tuple[Entry, ...] = ()
    left: tuple[str, ...] = ()


def export(found: Volumes, templates: Sequence[PromptTemplate], config: Config) -> Export:
    """Return what is to be written of measured volumes.

    Args:
        found: The volumes.
        templates: The prompts.
        config: The configuration; its ``path`` says where globs start from.
    """
    if found.length <= timedelta():
        return Export(left=("the log has no time that passes: nothing can be said of a month",))
    entries: list[Entry] = []
    left: list[str] = []
    unlinked: list[str] = []
    for template in templates:
        volume = found.of.get((template.source.path, template.source.index), Volume())
        why = _unfit(template, templates, config)
        if why is None and not volume.requests:
            unlinked.append(template.source.path)
        elif why is None and volume.requests < FEWEST:
            why = f"{volume.requests} requests, fewer than {FEWEST}"
        elif why is None:
            entry, missing = _entry(template, volume, found, config)
            entries += [entry] if entry.settings else []
            left += [f"{template.source.path}: {one}" for one in missing]
        if why is not None:
            left.append(f"{template.source.path}: {why}")
    if found.others:
        left.append(f"{found.others:,} requests of this time are linked to none of these prompts")
    if unlinked:
        left.append(f"no request of this time is linked to: {listed(unlinked)}")
    return Export(entries=tuple(entries), left=tuple(dict.fromkeys(left)))


def glob_of(name: str) -> str:
    r"""Return the glob that matches one file alone.

    Example:
        >>> glob_of("faq.md"), glob_of("prompts/a[1].md")
        ('/faq.md', 'prompts/a\\[1].md')
    """
    escaped = "".join(f"\\{one}" if one in _SPECIAL else one for one in name)
    return escaped if "/" in name else f"/{escaped}"


def _unfit(
    template: PromptTemplate, templates: Sequence[PromptTemplate], config: Config
) -> str | None:
    """Say why nothing can be written of a prompt, whatever was measured."""
    path = template.source.path
    if sum(one.source.path == path for one in templates) > 1:
        return "its file holds several prompts, and a rule is for the whole file"
    if names_of(templates).get(template.name) is None:
        return f'several prompts are called "{template.name}"'
    name = config.name_of(Path(path))
    if name.startswith(("/", "../")):
        return "it lies outside of the configuration's folder, so that no rule can name it"
    return None if matches(glob_of(name), name) else "no glob can name this file"


def _entry(
    template: PromptTemplate, volume: Volume, found: Volumes, config: Config
) -> tuple[Entry, list[str]]:
    """Return what is to be written of a prompt, and what cannot be, with why."""
    name = config.name_of(Path(template.source.path))
    glob = _written(config, name) or glob_of(name)
    settings: dict[str, Setting] = {}
    left: list[str] = []
    for key, one in measured(volume, found.length).items():
        later = _later(config, glob, name, key)
        if one.value is None:
            left.append(f"{key}: {one.why}")
        elif later is not None:
            left.append(f'{key}: [prompts."{later}"] stands below its own rule and would hold')
        else:
            settings[key] = Setting(value=one.value, comment=comment(found, one.requests))
    notes = tuple(_notes(template, volume, config, glob, settings))
    return Entry(path=template.source.path, glob=glob, settings=settings, notes=notes), left


def _written(config: Config, name: str) -> str | None:
    """Return the glob of the rule that is for this file alone, if there is one."""
    own = {glob_of(name), f"/{glob_of(name).removeprefix('/')}"}
    return next((rule.glob for rule in config.prompts if rule.glob in own), None)


def _later(config: Config, glob: str, name: str, key: str) -> str | None:
    """Return the glob of a rule behind the prompt's own one that sets the same."""
    globs = [rule.glob for rule in config.prompts]
    behind = config.prompts[globs.index(glob) + 1 :] if glob in globs else ()
    setting = (r.glob for r in behind if getattr(r, key) is not None and matches(r.glob, name))
    return next(setting, None)


def _notes(
    template: PromptTemplate,
    volume: Volume,
    config: Config,
    glob: str,
    settings: Mapping[str, Setting],
) -> Iterator[str]:
    """Say what these values take the place of, where the file's diff does not show it."""
    name = config.name_of(Path(template.source.path))
    for key, setting in settings.items():
        wider = [r for r in config.prompts if getattr(r, key) is not None and matches(r.glob, name)]
        if wider and wider[-1].glob != glob and getattr(wider[-1], key) != setting.value:
            said = f"{getattr(wider[-1], key):,}"
            rule = f'[prompts."{wider[-1].glob}"]'
            yield f"{key}: for this prompt it goes before the {said} of {rule}"
    own, calls = template.calls_per_month, settings.get("calls_per_month")
    if own is not None and calls is not None and own != calls.value:
        yield f"calls_per_month: it goes before the {own:,} of the prompt's own front matter"
    if volume.models > 1:
        yield f"the values are of {volume.models} models together"
    if volume.revisions > 1:
        yield (
            f"the values are of {volume.revisions} revisions together; --since leaves earlier "
            "ones out"
        )
