"""Two versions of prompts on the same rows, as one report: what a check on a pull request reads."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ..core.checked import Depth
from ..core.deaf import deaf
from ..core.errors import CostoptError
from ..core.progress import Progress
from ..core.report import PromptReport, Report
from .opening import open_desk, open_seat, open_shared
from .options import AnalyzeOptions
from .run import Interrupted, Run, close, give_back, report_of
from .runner import Tally
from .version_pair import Pair, Versions, pair_up

__all__ = ["Versions", "analyze_versions"]


def analyze_versions(
    versions: Sequence[Versions], options: AnalyzeOptions, progress: Progress, *, depth: Depth
) -> Report:
    """Hold two versions of each prompt against each other on the same rows.

    At each target the variant ``baseline`` is the base's version and ``head`` the head's; an added
    prompt has ``baseline`` alone, which is its own. All rows decide together, at 5 % each side.

    Args:
        versions: The prompts; what ``options.paths`` says is not read.
        options: Targets, metric, margin, caps and where answers are kept. Strategies are not
            measured here.
        progress: Told how far it is.
        depth: ``static`` asks nobody and measures no quality, ``replay`` reads stored answers
            alone, ``measured`` asks the targets for what is not stored.

    Raises:
        CostoptError: bad input or missing configuration; nothing was spent.
        Interrupted: Ctrl-C; carries the partial report.
    """
    run, pairs = _open(versions, options, progress, depth)
    try:
        asyncio.run(_run_all(run, pairs))
    except (KeyboardInterrupt, asyncio.CancelledError):
        with deaf():
            raise Interrupted(_report(run, pairs, partial=True)) from None
    else:
        return _report(run, pairs, partial=run.out_of_budget)
    finally:
        close(run.shared)


def _open(
    versions: Sequence[Versions], options: AnalyzeOptions, progress: Progress, depth: Depth
) -> tuple[Run, tuple[Pair, ...]]:
    """Read the rows, and open and price the targets."""
    _check(options, depth)
    options = replace(options, static=depth == "static", attribute=False, suggest_targets=False)
    # Every eval set is loaded before anything is asked, so that a bad row costs nothing.
    pairs = tuple(pair_up(one, options) for one in versions)
    if len({pair.head.key for pair in pairs}) < len(pairs):
        raise ValueError("a prompt stands among the versions twice")
    shared = None if options.static else open_shared(options, progress)
    try:
        judged = any(pair.base.judged for pair in pairs)
        seat = open_seat(options, progress, shared) if judged else None
        desks = tuple(
            open_desk(name, options, progress, shared=shared, compressor=None, seat=seat)
            for name in dict.fromkeys(options.targets)
        )
    except BaseException:
        close(shared)
        raise
    run = Run(
        options=options,
        prompts=tuple(pair.head for pair in pairs),
        skipped=(),
        desks=desks,
        shared=shared,
        seat=seat,
    )
    return run, pairs


def _check(options: AnalyzeOptions, depth: Depth) -> None:
    """Refuse what this cannot do.

    Raises:
        CostoptError: batches were asked for.
    """
    if options.batch and depth == "measured":
        raise CostoptError(
            "two versions are not held against each other in batches: that takes hours",
            hint="leave --batch out; answers that `costopt analyze --batch` stored are used",
        )


async def _run_all(run: Run, pairs: Sequence[Pair]) -> None:
    if run.shared is not None and run.shared.executor is not None:
        asyncio.get_running_loop().set_default_executor(run.shared.executor)
    try:
        tally = Tally()
        for pair in pairs:
            run.results[pair.head.key] = [desk.begin_versions(pair, tally) for desk in run.desks]
        for results in run.results.values():
            for result in results:
                if result.measurement is not None and not run.out_of_budget:
                    await result.measurement.run()
                    run.out_of_budget = result.measurement.setup.runner.out_of_budget
    finally:
        await give_back(run)


def _report(run: Run, pairs: Sequence[Pair], *, partial: bool) -> Report:
    report = report_of(run, partial=partial)
    prompts = tuple(_prompt(pair, found) for pair, found in zip(pairs, report.prompts, strict=True))
    return replace(report, prompts=prompts)


def _prompt(pair: Pair, report: PromptReport) -> PromptReport:
    """Add what is to be known of both versions; which one to use is not recommended here."""
    notes = tuple(dict.fromkeys((*pair.notes, *report.notes)))
    return replace(report, recommended=(), notes=notes)
