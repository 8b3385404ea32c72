"""`costopt analyze`: prompts and eval sets in, a report out."""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from ..compressors.registry import entry, load, parse_spec
from ..compressors.variants import DEFAULT_CHAINS, Chain
from ..core.deaf import deaf
from ..core.discovery import load_prompts
from ..core.errors import CostoptError
from ..core.forecast import Forecast
from ..core.progress import Progress
from ..core.protocols import ContextCompressor
from ..core.report import Report
from ..models.lingua import open_lingua
from .assemble import PromptResult
from .attributed import begin as begin_attribution
from .crossed import Crossing
from .desk import Desk
from .forecasting import forecast_of, outlook
from .judge_forecast import judge_forecast
from .measure import FIRST_LOOK
from .opening import open_desk, open_seat, open_shared
from .options import AnalyzeOptions
from .plan import DEFAULT_SAMPLES
from .prepare import Prepared, prepare
from .run import Interrupted, Run, close, give_back, report_of
from .runner import Tally

__all__ = ["Interrupted", "analyze", "foresee"]

Foretold: TypeAlias = Callable[[tuple[Forecast, ...]], None]
"""Told what a run is expected to ask for, before its first request."""


def analyze(
    options: AnalyzeOptions, progress: Progress, foretold: Foretold | None = None
) -> Report:
    """Analyse prompts at targets.

    Raises:
        CostoptError: bad input or missing configuration; nothing was spent.
        Interrupted: Ctrl-C; carries the partial report.
    """
    run, chains = _open(options, progress)
    try:
        asyncio.run(_run_all(run, chains, foretold))
    except (KeyboardInterrupt, asyncio.CancelledError):
        with deaf():
            raise Interrupted(report_of(run, partial=True)) from None
    else:
        return report_of(run, partial=run.out_of_budget)
    finally:
        close(run.shared)


def foresee(options: AnalyzeOptions, progress: Progress) -> tuple[Forecast, ...]:
    """Return what `analyze` would ask for, target by target; no model is asked.

    Raises:
        CostoptError: bad input or missing configuration.
    """
    run, chains = _open(options, progress)
    try:
        asyncio.run(_foresee_all(run, chains))
    finally:
        close(run.shared)
    return run.forecast


async def _foresee_all(run: Run, chains: tuple[Chain, ...]) -> None:
    try:
        _begin(run, chains)
    finally:
        await give_back(run)


def _open(options: AnalyzeOptions, progress: Progress) -> tuple[Run, tuple[Chain, ...]]:
    """Read the prompts, and open and price the targets."""
    chains = _chains(options)
    loaded = load_prompts(options.paths)
    # Every eval set is loaded before anything is asked, so that a bad row costs nothing.
    prompts = tuple(prepare(prompt, options) for prompt in loaded.prompts)
    shared = None if options.static else open_shared(options, progress)
    try:
        compressor = _compressor(chains, options, progress)
        judged = any(prompt.judged for prompt in prompts)
        seat = open_seat(options, progress, shared) if judged else None
        desks = tuple(
            open_desk(name, options, progress, shared=shared, compressor=compressor, seat=seat)
            for name in dict.fromkeys(options.targets)
        )
        for desk in desks:
            _check_capable(desk, prompts)
    except BaseException:
        close(shared)
        raise
    run = Run(
        options=options,
        prompts=prompts,
        skipped=loaded.skipped,
        desks=desks,
        shared=shared,
        seat=seat,
    )
    return run, chains


def _check_capable(desk: Desk, prompts: tuple[Prepared, ...]) -> None:
    """Refuse a target at which no prompt could be measured; where some can, the others say why."""
    reasons = [desk.fit(prompt).cannot for prompt in prompts if prompt.eval_set is not None]
    if reasons and all(reasons):
        raise CostoptError(
            f"nothing can be measured: {reasons[0]}",
            hint="name another target, or say what yours can do as capabilities = […] under "
            "[targets.NAME]",
        )


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


async def _run_all(run: Run, chains: tuple[Chain, ...], foretold: Foretold | None) -> None:
    if run.shared is not None and run.shared.executor is not None:
        asyncio.get_running_loop().set_default_executor(run.shared.executor)
    try:
        _begin(run, chains)
        if foretold is not None and run.forecast:
            foretold(run.forecast)
        await _measure_all(run)
    finally:
        await give_back(run)


def _begin(run: Run, chains: tuple[Chain, ...]) -> None:
    """Plan every prompt at every target, and foresee what that will ask for."""
    tally = Tally(planned=_estimate(run, chains))
    for position, desk in enumerate(run.desks):
        for prompt in run.prompts:
            result = desk.begin(prompt, chains, tally)
            run.results.setdefault(prompt.key, []).append(result)
            if run.options.attribute and position == 0:
                asked = begin_attribution(
                    result, prompt.template, seed=run.options.seed, others=len(run.desks) - 1
                )
                run.attributions[prompt.key] = asked
                tally.planned += asked.requests
            found = outlook(
                desk,
                result,
                position=position,
                targets=len(run.desks),
                attributing=run.attributions.get(prompt.key) if position == 0 else None,
            )
            run.outlooks.setdefault(prompt.key, {})[desk.name] = found
    if not run.options.static:
        run.forecast = tuple(
            forecast_of(desk, [found[desk.name] for found in run.outlooks.values()])
            for desk in run.desks
        )
        if run.seat is not None:
            found = (one for by_desk in run.outlooks.values() for one in by_desk.values())
            parts = [part for one in found for part in one.judge]
            run.forecast += (judge_forecast(run.seat, parts),)


async def _measure_all(run: Run) -> None:
    run.crossings = {key: Crossing(results) for key, results in run.results.items()}
    if run.options.batch:
        await _measure_together(run)
        return
    for key, results in run.results.items():
        await _measure_one(run, results, run.crossings[key])
        await _attribute(run, key)


async def _measure_together(run: Run) -> None:
    """Measure all prompts at once: what they ask for together is one round of batches."""
    measured = [m for results in run.results.values() for r in results if (m := r.measurement)]
    await asyncio.gather(*(measurement.run() for measurement in measured))
    run.out_of_budget = any(m.setup.runner.out_of_budget for m in measured)
    crossings = [run.crossings[key] for key, results in run.results.items() if len(results) > 1]
    if not run.out_of_budget:
        await asyncio.gather(*(crossing.run() for crossing in crossings))
        run.out_of_budget = any(crossing.out_of_budget for crossing in crossings)


async def _measure_one(run: Run, results: list[PromptResult], crossing: Crossing) -> None:
    """Measure a prompt at each target, and then the targets against each other."""
    for result in results:
        if result.measurement is not None and not run.out_of_budget:
            await result.measurement.run()
            run.out_of_budget = result.measurement.setup.runner.out_of_budget
    if len(results) > 1 and not run.out_of_budget:
        await crossing.run()
        run.out_of_budget = crossing.out_of_budget


async def _attribute(run: Run, key: tuple[str, int]) -> None:
    """Measure what each segment of a prompt does, where that was asked for."""
    asked = run.attributions.get(key)
    if asked is not None and asked.attributor is not None and not run.out_of_budget:
        await asked.attributor.run()
        run.out_of_budget = asked.attributor.scorer.stopped


def _estimate(run: Run, chains: tuple[Chain, ...]) -> int:
    """Roughly how many requests are ahead; the display replaces it as the plan becomes known."""
    rows = sum(
        min(len(p.eval_set.samples), run.options.samples or DEFAULT_SAMPLES)
        + FIRST_LOOK
        + 5 * (len(chains) + 4)
        for p in run.prompts
        if p.eval_set is not None
    )
    return 0 if run.options.static else rows * len(run.desks)
