"""`costopt analyze`: prompts and eval sets in, a report out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from .. import __version__
from ..compressors.registry import entry, load, parse_spec
from ..compressors.variants import DEFAULT_CHAINS, Chain
from ..core.deaf import deaf
from ..core.discovery import load_prompts
from ..core.errors import CostoptError
from ..core.evidence import SpentOnJudge
from ..core.forecast import Forecast
from ..core.progress import Progress
from ..core.protocols import ContextCompressor
from ..core.report import PromptReport, Report, Skipped, Spent, UnknownOutcome
from ..models.journal import Lost
from ..models.lingua import open_lingua
from .across import across
from .assemble import PromptResult, report_prompt
from .attributed import Attributing
from .attributed import begin as begin_attribution
from .crossed import Crossing
from .desk import Desk
from .findings import with_measured
from .forecasting import Outlook, forecast_of, outlook
from .judge_forecast import judge_forecast
from .judging import Seat
from .measure import FIRST_LOOK
from .opening import Shared, open_desk, open_seat, open_shared
from .options import AnalyzeOptions
from .plan import DEFAULT_SAMPLES
from .prepare import Prepared, prepare
from .runner import Tally
from .suggesting import suggestions


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
    shared: Shared | None
    results: dict[tuple[str, int], list[PromptResult]] = field(
        default_factory=dict[tuple[str, int], list[PromptResult]]
    )
    crossings: dict[tuple[str, int], Crossing] = field(
        default_factory=dict[tuple[str, int], Crossing]
    )
    outlooks: dict[tuple[str, int], dict[str, Outlook]] = field(
        default_factory=dict[tuple[str, int], dict[str, Outlook]]
    )
    attributions: dict[tuple[str, int], Attributing] = field(
        default_factory=dict[tuple[str, int], Attributing]
    )
    forecast: tuple[Forecast, ...] = ()
    out_of_budget: bool = False
    seat: Seat | None = None
    """Who judges, where a prompt's metric needs it."""


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
            raise Interrupted(_report(run, partial=True)) from None
    else:
        return _report(run, partial=run.out_of_budget)
    finally:
        _close(run.shared)


def foresee(options: AnalyzeOptions, progress: Progress) -> tuple[Forecast, ...]:
    """Return what `analyze` would ask for, target by target; no model is asked.

    Raises:
        CostoptError: bad input or missing configuration.
    """
    run, chains = _open(options, progress)
    try:
        asyncio.run(_foresee_all(run, chains))
    finally:
        _close(run.shared)
    return run.forecast


async def _foresee_all(run: _Run, chains: tuple[Chain, ...]) -> None:
    try:
        _begin(run, chains)
    finally:
        await _give_back(run)


async def _give_back(run: _Run) -> None:
    for desk in run.desks:
        await desk.aclose()
    if run.seat is not None:
        await run.seat.client.target.close()


def _open(options: AnalyzeOptions, progress: Progress) -> tuple[_Run, tuple[Chain, ...]]:
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
        _close(shared)
        raise
    run = _Run(
        options=options,
        prompts=prompts,
        skipped=loaded.skipped,
        desks=desks,
        shared=shared,
        seat=seat,
    )
    return run, chains


def _close(shared: Shared | None) -> None:
    if shared is not None:
        with deaf():
            shared.close()


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


async def _run_all(run: _Run, chains: tuple[Chain, ...], foretold: Foretold | None) -> None:
    if run.shared is not None and run.shared.executor is not None:
        asyncio.get_running_loop().set_default_executor(run.shared.executor)
    try:
        _begin(run, chains)
        if foretold is not None and run.forecast:
            foretold(run.forecast)
        await _measure_all(run)
    finally:
        await _give_back(run)


def _begin(run: _Run, chains: tuple[Chain, ...]) -> None:
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


async def _measure_all(run: _Run) -> None:
    run.crossings = {key: Crossing(results) for key, results in run.results.items()}
    if run.options.batch:
        await _measure_together(run)
        return
    for key, results in run.results.items():
        await _measure_one(run, results, run.crossings[key])
        await _attribute(run, key)


async def _measure_together(run: _Run) -> None:
    """Measure all prompts at once: what they ask for together is one round of batches."""
    measured = [m for results in run.results.values() for r in results if (m := r.measurement)]
    await asyncio.gather(*(measurement.run() for measurement in measured))
    run.out_of_budget = any(m.setup.runner.out_of_budget for m in measured)
    crossings = [run.crossings[key] for key, results in run.results.items() if len(results) > 1]
    if not run.out_of_budget:
        await asyncio.gather(*(crossing.run() for crossing in crossings))
        run.out_of_budget = any(crossing.out_of_budget for crossing in crossings)


async def _measure_one(run: _Run, results: list[PromptResult], crossing: Crossing) -> None:
    """Measure a prompt at each target, and then the targets against each other."""
    for result in results:
        if result.measurement is not None and not run.out_of_budget:
            await result.measurement.run()
            run.out_of_budget = result.measurement.setup.runner.out_of_budget
    if len(results) > 1 and not run.out_of_budget:
        await crossing.run()
        run.out_of_budget = crossing.out_of_budget


async def _attribute(run: _Run, key: tuple[str, int]) -> None:
    """Measure what each segment of a prompt does, where that was asked for."""
    asked = run.attributions.get(key)
    if asked is not None and asked.attributor is not None and not run.out_of_budget:
        await asked.attributor.run()
        run.out_of_budget = asked.attributor.scorer.stopped


def _estimate(run: _Run, chains: tuple[Chain, ...]) -> int:
    """Roughly how many requests are ahead; the display replaces it as the plan becomes known."""
    rows = sum(
        min(len(p.eval_set.samples), run.options.samples or DEFAULT_SAMPLES)
        + FIRST_LOOK
        + 5 * (len(chains) + 4)
        for p in run.prompts
        if p.eval_set is not None
    )
    return 0 if run.options.static else rows * len(run.desks)


def _prompt(run: _Run, prompt: Prepared) -> PromptReport:
    report = report_prompt(prompt, run.results.get(prompt.key, []))
    attributing = run.attributions.get(prompt.key)
    if attributing is not None:
        report = replace(report, attribution=attributing.report())
    crossing = run.crossings.get(prompt.key)
    if crossing is None:
        return report
    report = replace(report, across=across(crossing, report.variants, report.recommended))
    meters = [result.meter for result in run.results[prompt.key]]
    report = with_measured(report, prompt.template, meters)
    if run.options.suggest_targets:
        found = suggestions(report, run.desks, run.outlooks[prompt.key])
        report = replace(report, suggestions=found)
    return report


def _report(run: _Run, *, partial: bool) -> Report:
    prompts = tuple(_prompt(run, prompt) for prompt in run.prompts)
    clients = [desk.client for desk in run.desks if desk.client is not None]
    clients += [run.seat.client] if run.seat is not None else []
    waiting = _waiting_notes(run.desks)
    return Report(
        costopt_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=run.options.seed,
        partial=partial or bool(waiting),
        targets=tuple(desk.info for desk in run.desks),
        spent=Spent(
            usd=sum((c.usd for c in clients), Decimal(0)),
            requests=sum(c.requests for c in clients),
            cached_answers=sum(c.cached_answers for c in clients),
            input_tokens=sum(c.input_tokens for c in clients),
            output_tokens=sum(c.output_tokens for c in clients),
            unknown_outcome=_unknown(run.shared),
            forecast=run.forecast,
            judge=_spent_on_judge(run.seat),
        ),
        skipped=run.skipped,
        prompts=prompts,
        static=run.options.static,
        notes=(*waiting, *_notes(run, prompts)),
    )


def _spent_on_judge(seat: Seat | None) -> SpentOnJudge | None:
    if seat is None:
        return None
    return SpentOnJudge(
        judge=seat.name,
        usd=seat.client.usd,
        requests=seat.client.requests,
        cached_answers=seat.client.cached_answers,
        input_tokens=seat.client.input_tokens,
        output_tokens=seat.client.output_tokens,
    )


def _notes(run: _Run, prompts: tuple[PromptReport, ...]) -> tuple[str, ...]:
    if not run.options.suggest_targets or any(prompt.suggestions for prompt in prompts):
        return ()
    return (
        "no cheaper model is suggested: that takes measured answers at a target whose provider's "
        "list prices are known, and a cheaper model among them",
    )


def _unknown(shared: Shared | None) -> UnknownOutcome | None:
    lost = shared.ledger.unknown if shared is not None else Lost()
    return UnknownOutcome(requests=lost.requests, usd=lost.usd) if lost.requests else None


def _waiting_notes(desks: tuple[Desk, ...]) -> tuple[str, ...]:
    """Say what waits in batches, and how to come back to it."""
    notes: list[str] = []
    for desk in desks:
        waiting = desk.batches.waiting if desk.batches else None
        if waiting is not None:
            batches = f"batch {', '.join(waiting.batches)}"
            notes.append(
                f"{waiting.requests} requests to {desk.name} wait in {batches}, at most "
                f"${waiting.usd.normalize():f}; the batches go on without this program: look with "
                "`costopt batch status`, and run the same command again to go on"
            )
    return tuple(notes)
