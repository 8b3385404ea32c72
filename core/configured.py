"""What is configured: the values that `core.config` reads out of a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TargetConfig:
    """A target as it is configured under ``[targets.NAME]``.

    ``price`` is in USD per million tokens, with the keys ``input``, ``cache_read``,
    ``cache_write`` and ``output``, and so is ``batch_price``, what is paid for requests in a
    batch; ``usd_per_hour`` is for a server of one's own; ``requests_per_minute`` is a limit
    above 0.
    """

    name: str
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    concurrency: int | None = None
    requests_per_minute: float | None = None
    price: Mapping[str, Decimal] | None = None
    batch_price: Mapping[str, Decimal] | None = None
    usd_per_hour: Decimal | None = None
    priced_as: str | None = None
    capabilities: frozenset[str] | None = None
    """What it can do; ``None`` where that was not declared."""


@dataclass(frozen=True, kw_only=True)
class PromptRule:
    """What ``[prompts."GLOB"]`` says about the prompts that match; None is "says nothing".

    ``cache_hit_rate`` is in [0, 1]; ``output_tokens_per_call`` is how long answers are in use, as
    request logs say; ``margin`` in the metric's own unit. A merged rule's ``glob``
    is that of the last rule that matched. What begins with ``max_`` and ``min_`` are the budgets
    that `costopt check` keeps: tokens a request, ``max_growth`` as a fraction of the base.
    """

    glob: str = ""
    feature: str | None = None
    calls_per_month: int | None = None
    cache_hit_rate: float | None = None
    output_tokens_per_call: float | None = None
    batch: bool | None = None
    margin: float | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    max_usd_per_1k: Decimal | None = None
    max_usd_per_month: Decimal | None = None
    max_growth: float | None = None
    max_latency_p95_s: float | None = None
    min_quality: float | None = None


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole configuration; without a file, all of it is empty."""

    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Option name, with underscores, to its value: see ``DEFAULTS``."""
    targets: Mapping[str, TargetConfig] = field(default_factory=dict[str, TargetConfig])
    prompts: tuple[PromptRule, ...] = ()
    """In the file's order."""
    features: Mapping[str, Decimal] = field(default_factory=dict[str, Decimal])
    """What all prompts of a feature may cost in a month, in USD."""
    waits: Mapping[str, float] = field(default_factory=dict[str, float])
    """How long answers of a feature may take, in seconds: from a day on, they can be batched."""
    fail_on: tuple[str, ...] = ()
    """Codes or names of findings that a change may not bring."""
    usage_columns: Mapping[str, str] = field(default_factory=dict[str, str])
    """``[usage.columns]``: what is read out of a plain log, to the column that it stands in."""
    path: Path | None = None
    folder: PurePosixPath | None = None
    """Where it lies in a repository whose paths prompts are named by; ``None`` where prompts are
    named as the user named them. Then no link is followed: names are compared as they are."""

    def rule_for(self, path: Path | str) -> PromptRule:
        """Return what all matching rules say together; later ones win, key by key.

        Globs are those of ``.gitignore``, relative to the configuration's folder: ``*.md``
        matches in every folder, ``prompts/`` all that lies below it.

        Example:
            >>> first = PromptRule(glob="*.md", feature="chat", calls_per_month=10)
            >>> second = PromptRule(glob="faq/", calls_per_month=20)
            >>> rule = Config(prompts=(first, second)).rule_for("faq/a.md")
            >>> rule.feature, rule.calls_per_month
            ('chat', 20)
        """
        merged = PromptRule()
        name = self.name_of(Path(path))
        for rule in self.prompts:
            if matches(rule.glob, name):
                merged = replace(merged, **_said(rule))
        return merged

    def name_of(self, path: Path) -> str:
        """Return what globs call a file: its path from the configuration's folder."""
        if self.folder is not None:
            inside = path.is_relative_to(self.folder)
            return path.relative_to(self.folder).as_posix() if inside else path.as_posix()
        if self.path is None:
            return path.as_posix()
        try:
            return path.resolve().relative_to(self.path.parent.resolve()).as_posix()
        except ValueError:
            return path.as_posix()


def _said(rule: PromptRule) -> dict[str, Any]:
    values = {item.name: getattr(rule, item.name) for item in fields(rule)}
    return {key: value for key, value in values.items() if value is not None}


def matches(glob: str, name: str) -> bool:
    """Return whether a glob of ``.gitignore`` matches a path.

    Raises:
        ValueError: it is no valid glob.
    """
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines([glob]).match_file(name)
