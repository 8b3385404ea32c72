"""A run in the making, and its report at any moment."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal

from .. import __version__
from ..core.deaf import deaf
from ..core.evidence import SpentOnJudge
from ..core.forecast import Forecast
from ..core.report import PromptReport, Report, Skipped, Spent, UnknownOutcome
from ..models.journal import Lost
from .across import across
from .assemble import PromptResult, report_prompt
from .attributed import Attributing
from .crossed import Crossing
from .desk import Desk
from .findings import with_measured
from .forecasting import Outlook
from .judging import Seat
from .opening import Shared
from .options import AnalyzeOptions
from .prepare import Prepared
from .suggesting import suggestions


class Interrupted(Exception):  # noqa: N818 - the user's wish, not an error
    """Ctrl-C: what was done until then is in ``report``."""

    def __init__(self, report: Report) -> None:
        super().__init__("interrupted")
        self.report = report


@dataclass(kw_only=True)
class Run:
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


async def give_back(run: Run) -> None:
    """Give the run's targets back."""
    for desk in run.desks:
        await desk.aclose()
    if run.seat is not None:
        await run.seat.client.target.close()


def close(shared: Shared | None) -> None:
    """Close what the targets of a run share."""
    if shared is not None:
        with deaf():
            shared.close()


def _prompt(run: Run, prompt: Prepared) -> PromptReport:
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


def report_of(run: Run, *, partial: bool) -> Report:
    """Return the report of a run as far as it is."""
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


def _notes(run: Run, prompts: tuple[PromptReport, ...]) -> tuple[str, ...]:
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
