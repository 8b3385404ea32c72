"""How deep a check can look: what a key, a store, or neither of them allow."""

from collections.abc import Sequence
from dataclasses import dataclass

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
) -> Looked:
    """Analyse both versions as deep as can be.

    Raises:
        CostoptError: bad input or missing configuration.
        Interrupted: Ctrl-C; carries the partial report.
    """
    counted = analyze_versions(versions, options, Silent(), depth="static")
    if options.static:
        return Looked(
            report=counted, counted=counted, depth="static", reason="a static check was asked for"
        )
    if not any(prompt.eval_set for prompt in counted.prompts):
        why = "no changed prompt has eval rows that fill it"
        return Looked(report=counted, counted=counted, depth="static", reason=why)
    if replay:
        report = analyze_versions(versions, options, progress, depth="replay")
        why = "stored answers were asked for"
        return Looked(report=report, counted=counted, depth="replay", reason=why)
    lacking = _lacking(options)
    if lacking is None:
        report = analyze_versions(versions, options, progress, depth="measured")
        return Looked(report=report, counted=counted, depth="measured", reason=None)
    return _without_a_key(versions, options, progress, counted, lacking)


def _lacking(options: AnalyzeOptions) -> str | None:
    """Return why a target cannot be asked; ``None`` where all can."""
    names = (*options.targets, *((options.judge,) if options.judge else ()))
    found = (why_unusable(name, options.config, offline=options.offline) for name in names)
    return next((why for why in found if why is not None), None)


def _without_a_key(
    versions: Sequence[Versions],
    options: AnalyzeOptions,
    progress: Progress,
    counted: Report,
    lacking: str,
) -> Looked:
    """Look at stored answers, if they are all there: half of them would be no decision."""
    report = analyze_versions(versions, options, progress, depth="replay")
    missing = sum(_missing(prompt, options.samples) for prompt in report.prompts)
    if not missing:
        return Looked(report=report, counted=counted, depth="replay", reason=lacking)
    why = f"{lacking}, and the store lacks {missing:,} of the answers that it would take"
    return Looked(report=counted, counted=counted, depth="static", reason=why)


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
