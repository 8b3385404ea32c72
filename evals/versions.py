"""Two versions of prompts on the same rows, as one report: what a check on a pull request reads."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from ..core.checked import Depth
from ..core.deaf import deaf
from ..core.errors import CostoptError
from ..core.progress import Progress
from ..core.report import PromptReport, Report
from .assemble import PromptResult
from .opening import Replay, Shared, open_desk, open_replay, open_seat, open_shared
from .options import AnalyzeOptions
from .run import Interrupted, Run, give_back, report_of
from .runner import Tally
from .version_desk import begin_versions, edits
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
    _check(options, depth)
    options = _options(options, depth)
    # Every eval set is loaded before anything is asked, so that a bad row costs nothing.
    pairs = tuple(pair_up(one, options) for one in versions)
    if len({pair.head.key for pair in pairs}) < len(pairs):
        raise ValueError("a prompt stands among the versions twice")
    books = _books(options, progress, depth)
    try:
        return _run(pairs, options, progress, books)
    finally:
        if books is not None:
            with deaf():
                books.close()


def _run(
    pairs: Sequence[Pair],
    options: AnalyzeOptions,
    progress: Progress,
    books: Shared | Replay | None,
) -> Report:
    """Open and price the targets, and measure."""
    judged = any(pair.base.judged for pair in pairs)
    seat = open_seat(options, progress, books) if judged else None
    run = Run(
        options=options,
        prompts=tuple(pair.head for pair in pairs),
        skipped=(),
        desks=tuple(
            open_desk(name, options, progress, shared=books, compressor=None, seat=seat)
            for name in dict.fromkeys(options.targets)
        ),
        shared=books if isinstance(books, Shared) else None,
        seat=seat,
    )
    try:
        asyncio.run(_run_all(run, pairs))
    except (KeyboardInterrupt, asyncio.CancelledError):
        with deaf():
            raise Interrupted(_report(run, pairs, partial=True)) from None
    return _report(run, pairs, partial=run.out_of_budget)


def _options(options: AnalyzeOptions, depth: Depth) -> AnalyzeOptions:
    """Return the options of a depth: what sends nothing needs no cap."""
    options = replace(
        options, static=depth == "static", attribute=False, suggest_targets=False, batch=False
    )
    if depth == "measured":
        return options
    return replace(options, max_cost=None, max_requests=None, max_minutes=None, engine="local")


def _books(options: AnalyzeOptions, progress: Progress, depth: Depth) -> Shared | Replay | None:
    if depth == "static":
        return None
    return open_replay(options, progress) if depth == "replay" else open_shared(options, progress)


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
    try:
        tally = Tally()
        for pair in pairs:
            run.results[pair.head.key] = _begin(run, pair, tally)
        measurements = [m for found in run.results.values() for r in found if (m := r.measurement)]
        tally.planned = sum(2 * len(m.setup.plan.rows) for m in measurements)
        for measurement in measurements:
            if not run.out_of_budget:
                await measurement.run()
                run.out_of_budget = measurement.setup.runner.out_of_budget
    finally:
        await give_back(run)


def _begin(run: Run, pair: Pair, tally: Tally) -> list[PromptResult]:
    """Begin at each target; findings are counted and priced at the first."""
    first, *others = (begin_versions(desk, pair, tally) for desk in run.desks)
    return [replace(first, edits=edits(run.desks[0], pair)), *others]


def _report(run: Run, pairs: Sequence[Pair], *, partial: bool) -> Report:
    report = report_of(run, partial=partial)
    prompts = tuple(_prompt(pair, found) for pair, found in zip(pairs, report.prompts, strict=True))
    return replace(report, prompts=prompts)


def _prompt(pair: Pair, report: PromptReport) -> PromptReport:
    """Add what is to be known of both versions; which one to use is not recommended here."""
    notes = tuple(dict.fromkeys((*pair.notes, *report.notes)))
    return replace(report, recommended=(), notes=notes)
