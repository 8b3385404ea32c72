"""Reads the plan of a run and the store: what it will ask for, before it asks for anything.

A few rows of each kind of request are rendered, counted and looked up in the store, and the rest
is taken to be like them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import NamedTuple

from ..compressors.contexts import Shortener, at_run_time
from ..compressors.registry import load
from ..compressors.variants import CONTROLS, propose
from ..core.errors import CostoptError
from ..core.forecast import Forecast
from ..core.types import Answer, Message, Request, Sample, Variant
from ..costs.forecast import Lengths, Part, forecast
from ..models.targets import EMBEDDED
from .assemble import PromptResult
from .attributed import Attributing, RunnerScorer
from .attribution import JOINT
from .desk import Desk
from .fitting import any_fitted
from .judge_forecast import Judged, judge_parts
from .measure import Measurement
from .metrics import as_text
from .plan import FINALISTS
from .runner import HARMFUL, REPEATED, Mode, first_replicate, render_trial
from .shapley import MOST_REQUESTS

_LOOKED_AT = 5
"""Rows that are rendered and looked up for each kind of request."""

_JOINED = 2
"""Chains that are made of what works, at most."""


@dataclass(frozen=True)
class _Ask:
    """Rows that a variant may be asked on; without a variant, one that is not known yet."""

    variant: Variant | None
    rows: Sequence[Sample]
    mode: Mode
    certain: bool
    times: int = 1
    draws: tuple[int, ...] = (0,)
    """Which draws of each row these are."""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What one prompt will ask of one target."""

    parts: tuple[Part, ...] = ()
    lengths: tuple[int, ...] = ()
    """Output tokens of stored answers."""
    references: tuple[int, ...] = ()
    """Tokens of reference answers."""
    logged: float | None = None
    """Output tokens of a call, as request logs say."""
    judge: tuple[Part, ...] = ()
    """What it will ask the judge."""
    fitting: bool = False
    """Whether strategies are fitted, whose requests nobody can count before."""


def outlook(
    desk: Desk,
    result: PromptResult,
    *,
    position: int,
    targets: int,
    attributing: Attributing | None = None,
) -> Outlook:
    """Return what a prompt will ask of a target.

    Args:
        desk: The target.
        result: The prompt's result in the making.
        position: The target's place among the run's targets; 0 is held against.
        targets: How many there are.
        attributing: What is attributed here, if anything.
    """
    measurement = result.measurement
    if measurement is None:
        return Outlook()
    look = _Look(desk=desk, result=result, measurement=measurement)
    output = result.judges["output"]
    crossed = targets > 1 and output is not None and output.mode == "generate"
    asks = [*_asks(result, measurement, crossed=crossed)]
    if crossed:
        asks += _crossing(measurement, first=position == 0)
    if attributing is not None:
        asks += _attribution(attributing)
    drawn = [one for ask in asks if ask.rows for one in _drawn(ask, measurement)]
    parts = tuple(part for ask in drawn if (part := look.part(ask)) is not None)
    rows = measurement.setup.plan.rows
    return Outlook(
        parts=parts,
        lengths=tuple(look.lengths),
        references=tuple(
            desk.counter(as_text(sample.references[0]))
            for sample in _spread(rows)
            if sample.references
        ),
        logged=measurement.setup.meter.logged_output,
        judge=judge_parts(result, desk.store, _judged(asks, result.static[0])),
        fitting=any_fitted(measurement.setup.chains),
    )


def _drawn(ask: _Ask, measurement: Measurement) -> list[_Ask]:
    """Part what is asked by draws: at temperature 0 the first may turn out to be enough."""
    repeats = measurement.setup.runner.most_repeats
    if ask.mode != "generate" or repeats == 1:
        return [ask]
    if measurement.setup.template.settings.temperature > 0:
        return [replace(ask, draws=tuple(range(repeats)))]
    return [ask, replace(ask, draws=tuple(range(1, repeats)), certain=False)]


def _judged(asks: Sequence[_Ask], baseline: Variant) -> list[Judged]:
    """Return what a judge may be asked to compare: the baseline is what all is held against."""
    return [
        Judged(variant=ask.variant, rows=ask.rows, times=ask.times)
        for ask in asks
        if ask.mode == "generate" and (ask.variant is None or ask.variant.name != baseline.name)
    ]


def forecast_of(desk: Desk, outlooks: Sequence[Outlook]) -> Forecast:
    """Return what a whole run will ask of a target."""
    notes: list[str] = []
    if any(found.fitting for found in outlooks):
        notes.append("without what is asked to fit strategies")
    hourly = desk.own is not None and desk.own.usd_per_hour is not None
    if hourly:
        notes.append("its server is paid by the hour")
    return forecast(
        desk.name,
        [part for found in outlooks for part in found.parts],
        lengths_of(outlooks),
        None if hourly else desk.own,
        free=desk.name == EMBEDDED,
        notes=notes,
    )


def lengths_of(outlooks: Sequence[Outlook]) -> Lengths:
    """Return how long answers are: stored ones, else what request logs say, else the references."""
    stored = [length for found in outlooks for length in found.lengths]
    if stored:
        return Lengths(mean=fmean(stored), stored=len(stored))
    lengths = [length for found in outlooks for length in _expected(found)]
    logged = any(found.parts and found.logged is not None for found in outlooks)
    return Lengths(mean=fmean(lengths) if lengths else None, logged=logged)


def _expected(found: Outlook) -> Sequence[float]:
    """Return a length for each row that was looked at."""
    if found.logged is None or not found.parts:
        return found.references
    return [found.logged] * max(1, len(found.references))


def _asks(result: PromptResult, measurement: Measurement, *, crossed: bool) -> Iterator[_Ask]:
    """Yield what a measurement asks: certainly, and where all that may be followed up is."""
    setup, plan = measurement.setup, measurement.setup.plan
    baseline = result.static[0]
    judging = result.judges["input"]
    mode = judging.mode if judging is not None else "generate"
    few = plan.rows[: plan.generated]
    ids = {sample.id for sample in few}
    for rows, certain in ((plan.selection, True), (plan.confirmation, False)):
        some = [s for s in rows if s.id in ids] if mode == "likelihood" else rows
        yield _Ask(baseline, some, "generate", certain or (crossed and mode == "generate"))
        if mode != "generate":
            yield _Ask(baseline, rows, mode, certain)
    for variant in _candidates(result, measurement):
        side = result.judges[variant.side]
        if side is not None:
            few_rows = plan.selection[: plan.screened_answers]
            rows = few_rows if variant.side == "output" else plan.selection
            yield _Ask(variant, rows, side.mode, certain=True)
    if setup.join:
        yield _Ask(None, plan.selection, mode, certain=False, times=_JOINED)
    if plan.split:
        yield _Ask(None, plan.confirmation, mode, certain=False, times=FINALISTS)
        if mode != "generate":
            yield _Ask(None, few, "generate", certain=False, times=FINALISTS)
        yield _Ask(None, plan.confirmation, mode, certain=False)  # the harmful control


def _crossing(measurement: Measurement, *, first: bool) -> Iterator[_Ask]:
    """Yield what the crossing of several targets asks beyond that."""
    setup, plan = measurement.setup, measurement.setup.plan
    judging = setup.judges["input"]
    if judging is not None and judging.mode != "generate":
        baseline = Variant(name="baseline", template=setup.template)
        yield _Ask(baseline, plan.rows, "generate", certain=True)
        yield _Ask(None, plan.selection, "generate", certain=False, times=FINALISTS)
        if first:
            yield _Ask(None, plan.rows, "generate", certain=False)
    yield _Ask(None, plan.confirmation, "generate", certain=False, times=FINALISTS)


def _attribution(attributing: Attributing) -> Iterator[_Ask]:
    """Yield what an attribution asks: each segment's first look surely, the rest perhaps."""
    found = attributing.attributor
    if found is None or not isinstance(found.scorer, RunnerScorer):
        return
    mode, first = found.scorer.mode, found.looks[0]
    for at in found.tried:
        variant = found.scorer.variant(found.left({at}))
        yield _Ask(variant, found.rows[:first], mode, certain=True)
        yield _Ask(variant, found.rows[first:], mode, certain=False)
    yield _Ask(None, found.rows, mode, certain=False, times=JOINT)
    # One row stands for all requests of the sampling: how many they are depends on the answers.
    yield _Ask(None, found.rows[:1], mode, certain=False, times=MOST_REQUESTS)


def _candidates(result: PromptResult, measurement: Measurement) -> Iterator[Variant]:
    """Yield the controls, and what is proposed and needs no fitting."""
    setup = measurement.setup
    for variant in propose(setup.template, CONTROLS, replace(setup.context, notes=[])):
        if variant.rejected is None or variant.name in (REPEATED, HARMFUL):
            yield variant
    for variant in result.static[1:]:
        if variant.rejected is None and not any_fitted((variant.chain,)):
            yield variant


def _spread(rows: Sequence[Sample]) -> Sequence[Sample]:
    """Return a few rows from all over."""
    step = max(1, len(rows) // _LOOKED_AT)
    return rows[::step][:_LOOKED_AT]


class _Seen(NamedTuple):
    """A request that was looked at: its input tokens, whether it is stored, and what it says."""

    tokens: int
    stored: bool
    said: tuple[tuple[Message, ...], str]


@dataclass(kw_only=True)
class _Look:
    """Renders, counts and looks up a few rows of each kind of request."""

    desk: Desk
    result: PromptResult
    measurement: Measurement
    lengths: list[int] = field(default_factory=list[int])

    def part(self, ask: _Ask) -> Part | None:
        """Return the requests of one kind; ``None`` where they cannot be rendered."""
        variant = ask.variant or self.result.static[0]
        seen = [self._row(variant, sample, ask) for sample in _spread(ask.rows)]
        requests = [request for row in seen for request in row]
        if not requests:
            return None
        generated = ask.mode == "generate"
        count = round(len(ask.rows) * ask.times * len(requests) / len(seen))
        # Rows that look the same, as with all variables emptied, are one request.
        draws = len(ask.draws)
        same = len(requests) > draws and len({request.said for request in requests}) == draws
        return Part(
            requests=draws if same else count,
            certain=ask.certain,
            input_mean=fmean(request.tokens for request in requests),
            output_most=variant.template.settings.max_output_tokens if generated else 0,
            stored=fmean(request.stored for request in requests) if ask.variant else 0.0,
        )

    def _row(self, variant: Variant, sample: Sample, ask: _Ask) -> list[_Seen]:
        """Return a row's requests."""
        try:
            messages = render_trial(variant, sample, self._shortener(variant))
        except CostoptError:
            return []
        request = Request(
            messages=messages,
            settings=variant.template.settings,
            replicate=first_replicate(variant, self.measurement.setup.runner.most_repeats),
        )
        tokens = sum(self.desk.counter(message.content) for message in messages)
        tokens += self.desk.counter(variant.template.schemas)
        if ask.mode == "generate":
            return [
                _Seen(
                    tokens,
                    self._stored(replace(request, replicate=request.replicate + n), count=True)
                    is not None,
                    (messages, f"draw {n}"),
                )
                for n in ask.draws
            ]
        if ask.mode == "drift":
            return [_Seen(tokens, False, (messages, sample.id))]
        return [
            _Seen(
                tokens,
                self._stored(replace(request, continuation=text)) is not None,
                (messages, text),
            )
            for text in map(as_text, sample.references)
            if text
        ]

    def _stored(self, request: Request, *, count: bool = False) -> Answer | None:
        found = self.result.lookup(request) if self.result.lookup else None
        if found is not None and count:
            self.lengths.append(found.usage.output)
        return found

    def _shortener(self, variant: Variant) -> Shortener | None:
        """Return what shortens values, apart from the run's own; never a model."""
        if any("model" in load(spec.name).needs for spec in variant.chain if at_run_time(spec)):
            return None
        return Shortener(context=replace(self.measurement.setup.context, notes=[]))
