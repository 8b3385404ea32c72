"""One target of a run, with its price and client; starts the prompts' measurements."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from ..compressors.base import StrategyContext
from ..compressors.contexts import Shortener, at_run_time
from ..compressors.variants import Chain, propose
from ..core.errors import CostoptError
from ..core.paths import answers_dir
from ..core.progress import Progress
from ..core.protocols import Asker, ContextCompressor, Target, TokenCounter
from ..core.report import TargetInfo
from ..core.types import Answer, EvalSet, Request, Variant
from ..costs.prices import Price
from ..models.batch_client import BatchClient
from ..models.capabilities import Fit, fit
from ..models.keys import request_key
from ..models.store import AnswerStore
from ..models.targets import EMBEDDED, declared
from .assemble import PromptResult
from .evalset import labels_of, references
from .fitting import any_fitted
from .judging import Referee, Seat
from .measure import Measurement
from .meter import Meter
from .metrics import as_text, get
from .options import AnalyzeOptions
from .payback import paid_by
from .plan import STATIC_ROWS, RowPlan, plan_rows
from .prepare import Prepared
from .runner import Mode, Runner, Tally
from .setup import Judge, Setup


@dataclass(kw_only=True)
class Desk:
    """A target with its price and counter; without a client in a static run."""

    name: str
    info: TargetInfo
    counter: TokenCounter
    """The tokenizer that money is counted with."""
    recount: bool
    price: Price | None
    options: AnalyzeOptions
    progress: Progress
    own: Price | None = None
    """What calls are really billed at; ``None`` where that is nothing or unknown."""
    target: Target | None = None
    client: Asker | None = None
    batches: BatchClient | None = None
    """The client, where it asks in batches."""
    store: AnswerStore | None = None
    replayed: bool = False
    """Whether answers come out of the store alone."""
    compressor: ContextCompressor | None = None
    seat: Seat | None = None
    """Who judges answers, the same for all targets; ``None`` where no judge was named."""
    began: float = field(default_factory=time.monotonic)

    def begin(self, prompt: Prepared, chains: tuple[Chain, ...], tally: Tally) -> PromptResult:
        """Return a prompt's result in the making; with a measurement where there can be one."""
        context = self.context_for(prompt)
        shortener = self.shortener_for(context)
        proposed = propose(prompt.template, chains, context)
        if prompt.eval_set is None:
            proposed = tuple(_without_rows(variant) for variant in proposed)
        variants = (Variant(name="baseline", template=prompt.template), *proposed)
        meter = self.meter_for(prompt, shortener)
        judges = self.judges_for(prompt)
        fits = self.fit(prompt)
        measurement = None
        if prompt.eval_set is not None and self.measures(judges, fits):
            plan = self._plan(prompt.eval_set, chains, variants)
            meter.rows = plan.rows
            measurement = Measurement(
                Setup(
                    template=prompt.template,
                    chains=chains,
                    join=len(chains) > 1,
                    context=context,
                    plan=plan,
                    runner=self.runner_for(prompt, judges, tally, shortener),
                    meter=meter,
                    judges=judges,
                    race=self.options.search == "racing" and self.batches is None,
                    together=self.batches is not None,
                )
            )
        return self.result_of(variants, meter, measurement, judges, fit_notes(fits), prompt)

    def result_of(
        self,
        variants: tuple[Variant, ...],
        meter: Meter,
        measurement: Measurement | None,
        judges: dict[str, Judge | None],
        notes: tuple[str, ...],
        prompt: Prepared,
    ) -> PromptResult:
        """Put a result together, measured or not."""
        if measurement is not None and meter.hourly:
            meter.timed = partial(_generated, measurement)
        return PromptResult(
            target=self.name,
            static=variants,
            meter=meter,
            measurement=measurement,
            judges=judges,
            notes=(*notes, *(_counted_note(prompt, meter) if measurement is None else ())),
            lookup=self.stored,
            paid=paid_by(
                self.own,
                free=self.name == EMBEDDED,
                concurrency=lambda: meter.concurrency,
            ),
        )

    def measures(self, judges: dict[str, Judge | None], fits: Fit) -> bool:
        """Whether rows can be measured here: somebody is asked, can answer, and is judged."""
        return self.client is not None and any(judges.values()) and fits.cannot is None

    def context_for(self, prompt: Prepared) -> StrategyContext:
        """Return what strategies are handed for a prompt."""
        return StrategyContext(
            count=self.counter,
            compressor=self.compressor,
            capabilities=self.target.capabilities if self.target else frozenset(),
            references=_references(prompt),
        )

    def shortener_for(self, context: StrategyContext) -> Shortener:
        """Return what shortens variables' values."""
        return Shortener(context=context, timings=answers_dir(self.options.run_dir) / "timings")

    def meter_for(self, prompt: Prepared, shortener: Shortener) -> Meter:
        """Return what weighs a prompt's variants, on the first rows until there is a plan."""
        rows = prompt.eval_set.samples if prompt.eval_set else ()
        most = self.options.samples or STATIC_ROWS
        return Meter(
            counter=self.counter,
            price=self.price,
            recount=self.recount,
            rows=rows[:most],
            calls_per_month=prompt.template.calls_per_month,
            cache_hit_rate=prompt.rule.cache_hit_rate,
            logged_output=prompt.rule.output_tokens_per_call,
            batch=bool(prompt.rule.batch),
            shortener=shortener,
            replayed=self.replayed,
        )

    def stored(self, request: Request) -> Answer | None:
        """Return the stored answer to a request; nobody is asked."""
        if self.target is None or self.store is None:
            return None
        return self.store.get(request_key(self.target.identity, request))

    def _plan(
        self, eval_set: EvalSet, chains: tuple[Chain, ...], variants: tuple[Variant, ...]
    ) -> RowPlan:
        """Choose the rows; where there are several targets, the same ones for all of them."""
        shared = len(set(self.options.targets)) > 1
        proposed = sum(1 for v in variants[1:] if v.rejected is None)
        return plan_rows(
            eval_set,
            samples=self.options.samples,
            candidates=(len(chains) if shared else proposed) + 2,
            seed=self.options.seed,
            local=self.name == EMBEDDED,
            shared=shared,
            fitted=any_fitted(chains),
        )

    def fit(self, prompt: Prepared) -> Fit:
        """Say whether the target can do what the prompt's settings ask for."""
        if self.target is None:
            return Fit()
        known = declared(self.name, self.options.config)
        settings = prompt.template.settings
        return fit(settings, self.name, self.target.capabilities, declared=known)

    def runner_for(
        self,
        prompt: Prepared,
        judges: dict[str, Judge | None],
        tally: Tally,
        shortener: Shortener,
    ) -> Runner:
        """Return what runs a prompt's trials."""
        if self.client is None or prompt.eval_set is None:
            raise ValueError("a runner needs a client and an eval set")
        return Runner(
            client=self.client,
            metrics={judge.mode: judge.metric for judge in judges.values() if judge},
            progress=self.progress,
            tally=tally,
            phase=prompt.template.name,
            cap_usd=self.options.max_cost,
            labels=labels_of(prompt.eval_set),
            shortener=shortener,
            deadline=self._deadline,
            referee=self._referee(judges),
            repeats=self.options.repeats,
            most_repeats=self.options.repeats,
        )

    def _referee(self, judges: dict[str, Judge | None]) -> Referee | None:
        """Return who compares answers, where the metric is a judge's."""
        judged = any(judge and judge.metric.kind == "judged" for judge in judges.values())
        if self.seat is None or self.target is None or not judged:
            return None
        same = self.seat.client.target.identity == self.target.identity
        return Referee(seat=self.seat, same_model=same)

    @property
    def _deadline(self) -> float | None:
        minutes = self.options.max_minutes
        return None if minutes is None else self.began + 60.0 * minutes

    def judges_for(self, prompt: Prepared) -> dict[str, Judge | None]:
        """Say what judges each side: log-likelihood only ever judges the input side."""
        can = self.target.capabilities if self.target else frozenset[str]()
        asked = prompt.asked_metric
        if asked is not None and not asked.reads_answers and self.target is not None:
            if "loglikelihood" not in can:
                raise CostoptError(
                    f'the target "{self.name}" gives no log-likelihoods, which '
                    f'"{asked.name}" needs',
                    hint="use --target embedded, or a metric of generated answers",
                )
            return {"input": self._judge(prompt, asked.name), "output": None}
        if asked is not None:
            judge = self._judge(prompt, asked.name)
            return {"input": judge, "output": judge}
        if prompt.metric is not None and not prompt.metric.reads_answers:
            return {"input": self._judge(prompt, prompt.metric.name), "output": None}
        output = self._judge(prompt, prompt.metric.name) if prompt.metric else None
        if "loglikelihood" in can:
            name = "log_likelihood" if prompt.has_references else "drift"
            return {"input": self._judge(prompt, name), "output": output}
        return {"input": output, "output": output}

    def _judge(self, prompt: Prepared, name: str) -> Judge:
        metric = get(name)
        margin = metric.default_margin
        if prompt.margin is not None and prompt.template.metric in (None, name):
            margin = prompt.margin
        if self.options.margin is not None:
            margin = self.options.margin
        modes: dict[str, Mode] = {
            "generated": "generate",
            "log_likelihood": "likelihood",
            "drift": "drift",
            "judged": "generate",
        }
        return Judge(metric=metric, margin=margin, mode=modes[metric.kind])

    async def aclose(self) -> None:
        """Give the target back."""
        if self.batches is not None:
            await self.batches.close()
        if self.target is not None:
            await self.target.close()


def fit_notes(fits: Fit) -> tuple[str, ...]:
    """Return what is to be said of how a prompt's settings fit a target."""
    return (*((f"not measured: {fits.cannot}",) if fits.cannot else ()), *fits.notes)


def _counted_note(prompt: Prepared, meter: Meter) -> tuple[str, ...]:
    """Say where input tokens are counted on some of the rows, and no plan says which."""
    rows = len(prompt.eval_set.samples) if prompt.eval_set else 0
    if len(meter.rows) != STATIC_ROWS or rows == STATIC_ROWS:
        return ()
    return (f"input tokens are counted on the first {STATIC_ROWS:,} of {rows:,} rows",)


def _generated(measurement: Measurement) -> Iterator[Answer]:
    """Yield all answers that the target generated for a prompt."""
    for outcome in measurement.setup.runner.outcomes.values():
        if outcome.trial.mode == "generate":
            yield from outcome.answers


def _references(prompt: Prepared) -> tuple[str, ...]:
    if prompt.eval_set is None:
        return ()
    return tuple(as_text(one) for one in references(prompt.eval_set.samples))


def _without_rows(variant: Variant) -> Variant:
    """Reject what shortens a variable's value where no row gives it one."""
    if variant.rejected is None and any(at_run_time(spec) for spec in variant.chain):
        return replace(variant, rejected="it shortens what rows fill in: it needs an eval set")
    return variant
