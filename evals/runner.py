"""Runs variants on samples: renders, asks through the client, scores; keeps every outcome."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from ..compressors.contexts import Shortener, at_run_time
from ..compressors.registry import build
from ..core.errors import CostoptError
from ..core.progress import Progress, Snapshot
from ..core.protocols import Asker, TargetError
from ..core.render import render
from ..core.types import Answer, Failure, FailureKind, Message, Request, Sample, Score, Variant
from ..models.spending import BudgetExceeded
from .judge_prompt import Task, as_request
from .judging import Referee
from .metrics import Metric, as_text, averaged, best

Mode = Literal["generate", "likelihood", "drift"]
HARMFUL = "empty-variables"
"""The harmful control: the prompt with every variable emptied."""
REPEATED = "none"
"""The A/A control: the baseline drawn a second time."""
BASELINE = "baseline"
"""The prompt as it is."""

_BLOCK = 8
_KINDS = {
    "timeout": FailureKind.TIMEOUT,
    "refused": FailureKind.REFUSED,
    "pending": FailureKind.PENDING,
    "missing": FailureKind.MISSING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One variant on one sample in one mode."""

    variant: Variant
    sample: Sample
    mode: Mode

    @property
    def key(self) -> tuple[str, str, Mode]:
        """What tells it from the other trials of its prompt and target."""
        return self.variant.name, self.sample.id, self.mode


def fair_order(asked: Sequence[tuple[Variant, Sequence[Sample], Mode]]) -> list[Trial]:
    """Return trials in an order in which every variant is equally far at any time.

    A block of rows of one variant, the same block of the next, and so on: an early stop leaves all
    variants with about the same rows, and requests that begin alike still run together, so that a
    cache of prefixes finds them.

    Example:
        >>> rows = [Sample(id=str(number), inputs={}) for number in range(9)]
        >>> from costopt.core.types import PromptTemplate, Source, Syntax
        >>> template = PromptTemplate(name="p", messages=(), variables=(), syntax=Syntax.NONE,
        ...                           source=Source(path="p", format="text", raw=""))
        >>> one, two = Variant(name="a", template=template), Variant(name="b", template=template)
        >>> order = fair_order([(one, rows, "generate"), (two, rows, "generate")])
        >>> "".join(trial.variant.name for trial in order)
        'aaaaaaaabbbbbbbbab'
    """
    longest = max((len(rows) for _, rows, _ in asked), default=0)
    return [
        Trial(variant=variant, sample=sample, mode=mode)
        for start in range(0, longest, _BLOCK)
        for variant, rows, mode in asked
        for sample in rows[start : start + _BLOCK]
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a trial gave: a score or a failure, and the answers it was read from."""

    trial: Trial
    result: Score | Failure
    answers: tuple[Answer, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether its request waits in a batch."""
        return isinstance(self.result, Failure) and self.result.kind is FailureKind.PENDING

    @property
    def draws(self) -> int:
        """How many answers were drawn for its score."""
        return len(self.answers) if self.trial.mode == "generate" else 1


@dataclass(kw_only=True)
class Tally:
    """How far the whole run is, over all prompts and targets."""

    done: int = 0
    failed: int = 0
    planned: int = 0


@dataclass(kw_only=True)
class Runner:
    """Runs trials of one prompt at one target, and remembers their outcomes.

    Trials of one call are dispatched in order, so that requests that share a prefix run together.
    """

    client: Asker
    metrics: Mapping[Mode, Metric]
    progress: Progress
    tally: Tally
    phase: str = ""
    cap_usd: Decimal | None = None
    labels: tuple[str, ...] = ()
    shortener: Shortener | None = None
    referee: Referee | None = None
    """Who compares answers, where a judge does."""
    repeats: int = 1
    """How often each variant is drawn on each row."""
    most_repeats: int = 1
    """How often that was asked for; the replicates of the A/A control begin there."""
    outcomes: dict[tuple[str, str, Mode], Outcome] = field(
        default_factory=dict[tuple[str, str, Mode], Outcome]
    )
    out_of_budget: bool = False
    deadline: float | None = None
    """When nothing more is asked, by the monotonic clock in seconds."""

    async def run(
        self, variant: Variant, samples: Sequence[Sample], *modes: Mode
    ) -> tuple[Outcome, ...]:
        """Run ``variant`` on ``samples``; what was run before is not run again."""
        trials = [
            Trial(variant=variant, sample=sample, mode=mode) for sample in samples for mode in modes
        ]
        await self.run_trials(trials)
        return tuple(self.outcomes[trial.key] for trial in trials if trial.key in self.outcomes)

    async def run_trials(self, trials: Sequence[Trial]) -> None:
        """Run trials in their order, as many at a time as the client sends at once."""
        new = [trial for trial in trials if trial.key not in self.outcomes]
        self.tally.planned = max(self.tally.planned, self.tally.done + len(new))
        queue = iter(new)

        async def work() -> None:
            # One queue for all: a worker that is free takes the next.
            for trial in queue:
                await self._run_one(trial)

        await asyncio.gather(*(work() for _ in range(min(self.client.most, len(new)))))

    async def _run_one(self, trial: Trial) -> None:
        outcome = await self._outcome(trial)
        self.outcomes[trial.key] = outcome
        if outcome.waits:
            return
        self.tally.done += 1
        # What a cap kept from being asked did not fail.
        self.tally.failed += (
            isinstance(outcome.result, Failure) and outcome.result.kind is not FailureKind.BUDGET
        )
        self.progress.update(
            Snapshot(
                phase=self.phase,
                done=self.tally.done,
                total=max(self.tally.planned, self.tally.done),
                failed=self.tally.failed,
                cached=self.client.cached_answers,
                usd=self.client.usd + (self.referee.seat.client.usd if self.referee else 0),
                cap_usd=self.cap_usd,
            )
        )

    async def _outcome(self, trial: Trial) -> Outcome:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            self.out_of_budget = True
        if self.out_of_budget:
            return Outcome(trial=trial, result=Failure(FailureKind.BUDGET, "the cap was reached"))
        try:
            requests = (
                await asyncio.to_thread(self._requests, trial)
                if any(at_run_time(spec) for spec in trial.variant.chain)
                else self._requests(trial)
            )
        except CostoptError as error:
            return Outcome(trial=trial, result=Failure(FailureKind.RENDER, error.what))
        try:
            answers = tuple([await self.client.ask(request) for request in requests])
        except BudgetExceeded as error:
            self.out_of_budget = True
            return Outcome(trial=trial, result=Failure(FailureKind.BUDGET, str(error)))
        except TargetError as error:
            kind = _KINDS.get(error.kind, FailureKind.TARGET)
            return Outcome(trial=trial, result=Failure(kind, str(error)))
        if not answers:
            reason = "the baseline gave no text to compare with"
            return Outcome(trial=trial, result=Failure(FailureKind.TARGET, reason))
        return Outcome(trial=trial, result=await self._result(trial, answers), answers=answers)

    async def _result(self, trial: Trial, answers: tuple[Answer, ...]) -> Score | Failure:
        metric = self.metrics.get(trial.mode)
        if self.referee is None or metric is None or metric.kind != "judged":
            return self._score(trial, answers)
        if trial.variant.name == BASELINE:
            return Score(0.0, answers[0].text, "what the others are held against")
        held = self.outcomes.get((BASELINE, trial.sample.id, "generate"))
        if held is None or not held.answers:
            return Failure(FailureKind.TARGET, "the baseline gave no answer to compare with")
        before = [_restored(held.trial.variant, answer).text for answer in held.answers]
        after = [_restored(trial.variant, answer).text for answer in answers]
        try:
            return await self.referee.score(self.task(held.trial), before, after)
        except BudgetExceeded as error:
            self.out_of_budget = True
            return Failure(FailureKind.BUDGET, str(error))

    def task(self, trial: Trial) -> Task:
        """Return what the answers to a trial answer, as a judge is told."""
        references = trial.sample.references
        return Task(
            request=as_request(render_trial(trial.variant, trial.sample, self.shortener)),
            reference=as_text(references[0]) if references else None,
        )

    def _score(self, trial: Trial, answers: tuple[Answer, ...]) -> Score | Failure:
        metric = self.metrics.get(trial.mode)
        if metric is None:
            return Score(0.0, answers[0].text, "generated for its length only")
        if trial.mode == "generate":
            answers = tuple(_restored(trial.variant, answer) for answer in answers)
        results = [metric.score(one, trial.sample, labels=self.labels or None) for one in answers]
        return averaged(results) if trial.mode == "generate" else best(results)

    def _requests(self, trial: Trial) -> tuple[Request, ...]:
        request = Request(
            messages=render_trial(trial.variant, trial.sample, self.shortener),
            settings=trial.variant.template.settings,
            replicate=first_replicate(trial.variant, self.most_repeats),
        )
        if trial.mode == "generate":
            first = request.replicate
            return tuple(replace(request, replicate=first + n) for n in range(self.repeats))
        return tuple(
            replace(request, continuation=continuation)
            for continuation in self._continuations(trial)
            if continuation
        )

    def first_requests(self, variant: Variant, samples: Sequence[Sample]) -> list[Request]:
        """Return the first draw's request of each row that renders."""
        found: list[Request] = []
        for sample in samples:
            try:
                trial = Trial(variant=variant, sample=sample, mode="generate")
                found.append(self._requests(trial)[0])
            except CostoptError:
                continue
        return found

    def _continuations(self, trial: Trial) -> tuple[str, ...]:
        if trial.mode == "likelihood":
            return tuple(as_text(reference) for reference in trial.sample.references)
        outcome = self.outcomes.get((BASELINE, trial.sample.id, "generate"))
        return tuple(answer.text for answer in outcome.answers) if outcome else ()


def first_replicate(variant: Variant, repeats: int) -> int:
    """Return the number of a variant's first draw: the A/A control has draws of its own."""
    return repeats if variant.name == REPEATED else 0


def _restored(variant: Variant, answer: Answer) -> Answer:
    """Return an answer as it would read without the variant's strategies: what is scored."""
    text = answer.text
    for spec in reversed(variant.chain):
        text = build(spec).restore(text)
    return answer if text == answer.text else replace(answer, text=text)


def render_trial(
    variant: Variant, sample: Sample, shortener: Shortener | None = None
) -> tuple[Message, ...]:
    """Return the messages that a target is sent; the harmful control has its inputs emptied.

    Context strategies of the variant's chain shorten the inputs through ``shortener``.

    Raises:
        CostoptError: a variable has no value, or the template is not renderable within bounds.
    """
    inputs = shortener.shorten(variant, sample).inputs if shortener else sample.inputs
    if variant.name == HARMFUL:
        inputs = {
            name: _emptied(value) for name, value in {**variant.template.defaults, **inputs}.items()
        }
    return render(variant.template, inputs)


def _emptied(value: object) -> object:
    return type(value)() if isinstance(value, str | list | dict | tuple) else ""
