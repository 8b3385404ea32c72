"""`costopt analyze`: prompts and eval sets in, a report out."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from .. import __version__
from ..compressors.registry import entry, load, parse_spec
from ..compressors.variants import DEFAULT_CHAINS, Chain
from ..core.deaf import deaf
from ..core.discovery import load_prompts
from ..core.errors import CostoptError
from ..core.progress import Progress
from ..core.protocols import ContextCompressor
from ..core.report import Report, Skipped, Spent, UnknownOutcome
from ..models.journal import Lost
from ..models.lingua import open_lingua
from .assemble import PromptResult, report_prompt
from .desk import Desk, Shared, open_desk, open_shared
from .measure import FIRST_LOOK
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
    shared: Shared | None
    results: dict[tuple[str, int], list[PromptResult]] = field(
        default_factory=dict[tuple[str, int], list[PromptResult]]
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
    try:
        compressor = _compressor(chains, options, progress)
        desks = tuple(
            open_desk(name, options, progress, shared=shared, compressor=compressor)
            for name in dict.fromkeys(options.targets)
        )
        for desk in desks:
            _check_capable(desk, prompts)
        run = _Run(
            options=options, prompts=prompts, skipped=loaded.skipped, desks=desks, shared=shared
        )
        try:
            asyncio.run(_run_all(run, chains, shared))
        except (KeyboardInterrupt, asyncio.CancelledError):
            with deaf():
                raise Interrupted(_report(run, partial=True)) from None
        return _report(run, partial=run.out_of_budget)
    finally:
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


async def _run_all(run: _Run, chains: tuple[Chain, ...], shared: Shared | None) -> None:
    if shared is not None and shared.executor is not None:
        asyncio.get_running_loop().set_default_executor(shared.executor)
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
    measured = [m for results in run.results.values() for r in results if (m := r.measurement)]
    if run.options.batch:
        # What all prompts ask for at once is one round of batches.
        await asyncio.gather(*(measurement.run() for measurement in measured))
        run.out_of_budget = any(m.setup.runner.out_of_budget for m in measured)
        return
    for measurement in measured:
        if not run.out_of_budget:
            await measurement.run()
            run.out_of_budget = measurement.setup.runner.out_of_budget


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


def _report(run: _Run, *, partial: bool) -> Report:
    prompts = tuple(
        report_prompt(prompt, run.results.get(prompt.key, [])) for prompt in run.prompts
    )
    clients = [desk.client for desk in run.desks if desk.client is not None]
    notes = _waiting_notes(run.desks)
    return Report(
        costopt_version=__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=run.options.seed,
        partial=partial or bool(notes),
        targets=tuple(desk.info for desk in run.desks),
        spent=Spent(
            usd=sum((c.usd for c in clients), Decimal(0)),
            requests=sum(c.requests for c in clients),
            cached_answers=sum(c.cached_answers for c in clients),
            input_tokens=sum(c.input_tokens for c in clients),
            output_tokens=sum(c.output_tokens for c in clients),
            unknown_outcome=_unknown(run.shared),
        ),
        skipped=run.skipped,
        prompts=prompts,
        static=run.options.static,
        notes=notes,
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
