"""How deep a check can look: what a key, a store, or neither of them allow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..core.checked import Depth
from ..core.progress import Progress, Silent
from ..core.report import PromptReport, Report
from ..evals.options import AnalyzeOptions
from ..evals.plan import ONE_CANDIDATE
from ..evals.versions import Versions, analyze_versions
from ..models.usable import why_unusable
from .cases import sides_of


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found, how deep that is, and why it is no deeper.

    ``counted`` is the report of a static look, which is the same on every machine.
    """

    report: Report
    counted: Report
    depth: Depth
    reason: str | None


def look(
    versions: Sequence[Versions],
    options: AnalyzeOptions,
    progress: Progress,
    *,
    replay: bool,
    differ: Sequence[bool],
) -> Looked:
    """Analyse both versions as deep as can be.

    Args:
        versions: The prompts.
        options: Targets, caps and so on.
        progress: Told how far it is.
        replay: Whether stored answers alone are to be read.
        differ: Of each prompt, whether its versions ask something else: nobody is asked about
            those that do not, since there is nothing to find out.

    Raises:
        CostoptError: bad input or missing configuration.
        Interrupted: Ctrl-C; carries the partial report.
    """
    counted = analyze_versions(versions, options, Silent(), depth="static")
    if options.static:
        return Looked(
            report=counted, counted=counted, depth="static", reason="a static check was asked for"
        )
    why = _pointless(counted, differ)
    if why is not None:
        return Looked(report=counted, counted=counted, depth="static", reason=why)
    asked = [one for one, other in zip(versions, differ, strict=True) if other]
    lacking = None if replay else _lacking(options)
    if not replay and lacking is None:
        report = analyze_versions(asked, options, progress, depth="measured")
        return _together(report, counted, differ, "measured", None)
    report = analyze_versions(asked, options, progress, depth="replay")
    if lacking is None:
        return _together(report, counted, differ, "replay", "stored answers were asked for")
    # Half of the answers would be no decision.
    missing = sum(_missing(prompt, options.samples) for prompt in report.prompts)
    if not missing:
        return _together(report, counted, differ, "replay", lacking)
    why = f"{lacking}, and the store lacks {missing:,} of the answers that it would take"
    return Looked(report=counted, counted=counted, depth="static", reason=why)


def _pointless(counted: Report, differ: Sequence[bool]) -> str | None:
    """Say why no answer would tell anything."""
    if not any(differ):
        return "no changed prompt asks anything else than before"
    rows = [prompt.eval_set for prompt, one in zip(counted.prompts, differ, strict=True) if one]
    return None if any(rows) else "no changed prompt has eval rows that fill it"


def _together(
    report: Report, counted: Report, differ: Sequence[bool], depth: Depth, reason: str | None
) -> Looked:
    return Looked(
        report=merged(report, counted, differ), counted=counted, depth=depth, reason=reason
    )


def merged(report: Report, counted: Report, differ: Sequence[bool]) -> Report:
    """Return a report of all prompts, of which only those that differ were asked about."""
    found = iter(report.prompts)
    pairs = zip(counted.prompts, differ, strict=True)
    prompts = tuple(next(found) if asked else still for still, asked in pairs)
    return replace(report, prompts=prompts)


def _lacking(options: AnalyzeOptions) -> str | None:
    """Return why a target cannot be asked; ``None`` where all can."""
    names = (*options.targets, *((options.judge,) if options.judge else ()))
    found = (why_unusable(name, options.config, offline=options.offline) for name in names)
    return next((why for why in found if why is not None), None)


def _missing(prompt: PromptReport, samples: int | None) -> int:
    """Return how many answers the store lacks for both versions at all targets."""
    if prompt.eval_set is None:
        return 0
    rows = min(prompt.eval_set.rows, samples or ONE_CANDIDATE)
    missing = 0
    for sides in sides_of(prompt):
        for version in (sides.base, sides.head):
            if version is not None:
                held = version.quality.n + version.quality.failures if version.quality else 0
                missing += max(rows - held, 0)
    return missing
