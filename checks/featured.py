"""Finds what belongs to a feature that has a budget, and prices it as cheaply as can be."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from ..core.progress import Silent
from ..core.report import PromptReport
from ..evals.options import AnalyzeOptions
from ..evals.versions import analyze_versions
from .cases import Case, sides_of
from .changes import Changes
from .features import Feature, Monthly, monthly
from .lock import Lock
from .opening import Opened
from .ratchet import key_of
from .reading import Version, candidates, read_version
from .rows import alone
from .scope import Scope
from .trees import regular

_MOST_BYTES = 5_000_000


def features_of(
    opened: Opened,
    scope: Scope,
    changes: Changes,
    cases: Sequence[Case],
    lock: Lock,
    options: AnalyzeOptions,
) -> Iterator[Feature]:
    """Yield the features with a budget that changed prompts belong to.

    Only then are unchanged prompts read, and only those that name the feature or are configured
    for it; their money is what the lock last measured, else the list price of their input.
    """
    config = opened.configured.config
    for name, limit in config.features.items():
        changed = tuple(case for case in cases if case.report.feature == name)
        if not changed:
            continue
        touched = {change.path for change in changes.changes}
        members = _members(opened, scope, name, touched)
        yield Feature(
            name=name,
            limit=limit,
            changed=changed,
            others=_priced(opened, members, lock, options),
        )


def _members(opened: Opened, scope: Scope, feature: str, touched: set[str]) -> list[Version]:
    known = candidates(opened.head, scope.files)
    found: list[Version] = []
    for path in known:
        if path in touched or not _may_belong(opened, path, feature):
            continue
        for version in read_version(opened.head, path, known).versions:
            template = version.prompt.template
            rule = opened.configured.config.rule_for(template.source.path)
            belongs = (rule.feature or template.feature) == feature
            if belongs and template.source.path not in touched:
                found.append(version)
    return found


def _may_belong(opened: Opened, path: str, feature: str) -> bool:
    """Return whether a prompt is configured for a feature, or its file names it."""
    said = opened.configured.config.rule_for(path).feature
    if said is not None:
        return said == feature
    file = opened.head.root / path
    if not regular(opened.head.root, path) or file.stat().st_size > _MOST_BYTES:
        return False
    return b"feature" in file.read_bytes()


def _priced(
    opened: Opened, members: Sequence[Version], lock: Lock, options: AnalyzeOptions
) -> dict[str, list[Monthly]]:
    """Return the money of each member, target by target."""
    found: dict[str, list[Monthly]] = {target: [] for target in options.targets}
    unlocked: list[Version] = []
    for version in members:
        rows = _locked(opened, version, lock, options)
        if rows is None:
            unlocked.append(version)
        else:
            for target, one in rows.items():
                found[target].append(one)
    for report in _counted(opened, unlocked, options):
        for sides in sides_of(report):
            found[sides.target].append(monthly(sides.head))
    return found


def _locked(
    opened: Opened, version: Version, lock: Lock, options: AnalyzeOptions
) -> Mapping[str, Monthly] | None:
    """Return what the lock last measured; ``None`` where it lacks a target."""
    template = version.prompt.template
    held = lock.get(key_of(template.source.path, template.source.index), {})
    rule = opened.configured.config.rule_for(template.source.path)
    calls = rule.calls_per_month if rule.calls_per_month is not None else template.calls_per_month
    found: dict[str, Monthly] = {}
    for target in dict.fromkeys(options.targets):
        price = held[target].usd_per_1k if target in held else None
        if price is None:
            return None
        usd = None if calls is None else price * Decimal(calls) / 1000
        found[target] = Monthly(usd=usd, whole=True)
    return found


def _counted(
    opened: Opened, members: Sequence[Version], options: AnalyzeOptions
) -> tuple[PromptReport, ...]:
    if not members:
        return ()
    _, versions = alone(opened, members)
    return analyze_versions(versions, options, Silent(), depth="static").prompts
