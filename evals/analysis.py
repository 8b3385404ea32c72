"""`costopt analyze`: prompts and eval sets in, a report out."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from .. import __version__
from ..compressors.registry import entry, load, parse_spec
from ..compressors.variants import DEFAULT_CHAINS
from ..core.discovery import load_prompts
from ..core.progress import Progress
from ..core.protocols import ContextCompressor
from ..core.report import PromptReport, Report, Skipped, Spent
from ..models.lingua import open_lingua
from .across import across
from .assemble import PromptResult, report_prompt
from .crossed import Crossing
from .desk import Desk, open_desk, open_shared
from .measure import FIRST_LOOK, Chain
from .options import AnalyzeOptions
from .plan import DEFAULT_SAMPLES
from .prepare import Prepared, prepare
from .runner import Tally


class Interrupted(Exception):  # noqa: N818 - the user's wish, not an error
    """Ctrl-C: what was done until then is in ``report``."""

    def __init__(self, report: Report) -> None:
        super().__init__("interrupted")
        self.report = report


@dataclass(kw_only=True)
class _Run:
    """A run in the making: all that the report is made of, at any moment."""

    options: AnalyzeOptions
    prompts: tuple[Prepared, ...]
    skipped: tuple[Skipped, ...]
    desks: tuple[Desk, ...]
    results: dict[tuple[str, int], list[PromptResult]] = field(
        default_factory=dict[tuple[str, int], list[PromptResult]]
    )
    crossings: dict[tuple[str, int], Crossing] = field(
        default_factory=dict[tuple[str, int], Crossing]
    )
    out_of_budget: bool = False


def analyze(options: AnalyzeOptions, progress: Progress) -> Report:
    """Analyse prompts at targets.

    Raises:
        CostoptError: bad input or missing configuration; nothing was spent.
        Interrupted: Ctrl-C; carries the partial report.
    """
    chains = _chains(options)
    loaded = load_prompts(options.paths)
    # Every eval set is loaded before anything is asked, so that a bad row costs nothing.
    prompts = tuple(prepare(prompt, options) for prompt in loaded.prompts)
    shared = None if options.static else open_shared(options, progress)
    compressor = _compressor(chains, options, progress)
    names = dict.fromkeys(options.targets)
    desks = tuple(
        open_desk(name, options, progress, shared=shared, compressor=compressor) for name in names
    )
    run = _Run(options=options, prompts=prompts, skipped=loaded.skipped, desks=desks)
    try:
        asyncio.run(_run_all(run, chains))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise Interrupted(_report(run, partial=True)) from None
    return _report(run, partial=run.out_of_budget)


def _chains(options: AnalyzeOptions) -> tuple[Chain, ...]:
    chains = tuple(parse_spec(text) for text in options.strategies) or DEFAULT_CHAINS
    if options.lossless:
        chains = tuple(c for c in chains if all(entry(s.name).safety == "lossless" for s in c))
    return chains


def _compressor(
    chains: tuple[Chain, ...], options: AnalyzeOptions, progress: Progress
) -> ContextCompressor | None:
    """Open the model that shortens text, where a strategy of this run needs one."""
    if not any("model" in load(spec.name).needs for chain in chains for spec in chain):
        return None
    return open_lingua(None, offline=options.offline, progress=progress)


async def _run_all(run: _Run, chains: tuple[Chain, ...]) -> None:
    try:
        await _measure_all(run, chains)
    finally:
        for desk in run.desks:
            await desk.aclose()


async def _measure_all(run: _Run, chains: tuple[Chain, ...]) -> None:
    tally = Tally(planned=_estimate(run, chains))
    for desk in run.desks:
        for prompt in run.prompts:
            run.results.setdefault(prompt.key, []).append(desk.begin(prompt, chains, tally))
    for key, results in run.results.items():
        run.crossings[key] = Crossing(results)
        await _measure_one(run, results, run.crossings[key])


async def _measure_one(run: _Run, results: list[PromptResult], crossing: Crossing) -> None:
    """Measure a prompt at each target, and then the targets against each other."""
    for result in results:
        if result.measurement is not None and not run.out_of_budget:
            await result.measurement.run()
            run.out_of_budget = result.measurement.setup.runner.out_of_budget
    if len(results) > 1 and not run.out_of_budget:
        await crossing.run()
        run.out_of_budget = crossing.out_of_budget


def _estimate(run: _Run, chains: tuple[Chain, ...]) -> int:
    """Roughly how many requests are ahead; the display replaces it as the plan becomes known."""
    rows = sum(
        len(p.eval_set.samples[: run.options.samples or DEFAULT_SAMPLES])
        + FIRST_LOOK
        + 5 * (len(chains) + 4)
        for p in run.prompts
        if p.eval_set is not None
    )
    return 0 if run.options.static else rows * len(run.desks)


def _prompt(run: _Run, prompt: Prepared) -> PromptReport:
    report = report_prompt(prompt, run.results.get(prompt.key, []))
    crossing = run.crossings.get(prompt.key)
    if crossing is None:
        return report
    return replace(report, across=across(crossing, report.variants, report.recommended))


def _report(run: _Run, *, partial: bool) -> Report:
    prompts = tuple(_prompt(run, prompt) for prompt in run.prompts)
    clients = [desk.client for desk in run.desks if desk.client is not None]
    return Report(
        costopt_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=run.options.seed,
        partial=partial,
        targets=tuple(desk.info for desk in run.desks),
        spent=Spent(
            usd=sum((c.usd for c in clients), Decimal(0)),
            requests=sum(c.requests for c in clients),
            cached_answers=sum(c.cached_answers for c in clients),
            input_tokens=sum(c.input_tokens for c in clients),
            output_tokens=sum(c.output_tokens for c in clients),
        ),
        skipped=run.skipped,
        prompts=prompts,
        static=run.options.static,
    )
