"""One target of a run: opened once, priced, with its client; starts the prompts' measurements."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from ..compressors.base import StrategyContext
from ..compressors.contexts import Shortener, at_run_time
from ..compressors.variants import Chain, propose
from ..core.config import TargetConfig
from ..core.errors import CostoptError
from ..core.paths import answers_dir
from ..core.progress import Progress
from ..core.protocols import Asker, ContextCompressor, Target, TokenCounter
from ..core.report import TargetInfo
from ..core.types import Answer, EvalSet, Request, Usage, Variant, schemas_text
from ..costs.billing import billed_price
from ..costs.prices import Price, cost_of, default_priced_as, price_for
from ..costs.tokens import counter_for
from ..models.batch_client import BatchClient
from ..models.batches.base import BatchApi
from ..models.batches.journal import BatchJournal
from ..models.batches.opening import open_batches
from ..models.batches.pricing import batch_price_of
from ..models.batches.quiet import CountingExecutor
from ..models.capabilities import Fit, fit
from ..models.client import Client
from ..models.cluster import Cluster
from ..models.compatible import DEFAULT_TIMEOUT_S
from ..models.keys import request_key
from ..models.ledger import Ledger
from ..models.pacing import Pace
from ..models.spending import Spending
from ..models.store import AnswerStore
from ..models.targets import declared, open_target
from .assemble import PromptResult
from .fitting import any_fitted
from .measure import Measurement
from .meter import Meter
from .metrics import as_text, get
from .options import AnalyzeOptions
from .plan import RowPlan, plan_rows
from .prepare import Prepared
from .runner import Mode, Runner, Tally
from .server_time import ServerTime, TimedTarget
from .setup import Judge, Setup

EMBEDDED = "embedded"


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
    compressor: ContextCompressor | None = None

    def begin(self, prompt: Prepared, chains: tuple[Chain, ...], tally: Tally) -> PromptResult:
        """Return a prompt's result in the making; with a measurement where there can be one."""
        context = StrategyContext(
            count=self.counter,
            compressor=self.compressor,
            capabilities=self.target.capabilities if self.target else frozenset(),
            references=_references(prompt),
        )
        shortener = Shortener(
            context=context, timings=answers_dir(self.options.run_dir) / "timings"
        )
        proposed = propose(prompt.template, chains, context)
        if prompt.eval_set is None:
            proposed = tuple(_without_rows(variant) for variant in proposed)
        variants = (Variant(name="baseline", template=prompt.template), *proposed)
        rows = prompt.eval_set.samples if prompt.eval_set else ()
        meter = Meter(
            counter=self.counter,
            price=self.price,
            recount=self.recount,
            rows=rows[: self.options.samples],
            calls_per_month=prompt.template.calls_per_month,
            cache_hit_rate=prompt.rule.cache_hit_rate,
            batch=bool(prompt.rule.batch),
            shortener=shortener,
        )
        judges = self._judges(prompt)
        fits = self.fit(prompt)
        measurement = None
        if (
            self.client is not None
            and prompt.eval_set is not None
            and any(judges.values())
            and fits.cannot is None
        ):
            plan = self._plan(prompt.eval_set, chains, variants)
            meter.rows = plan.rows
            measurement = Measurement(
                Setup(
                    template=prompt.template,
                    chains=chains,
                    join=len(chains) > 1,
                    context=context,
                    plan=plan,
                    runner=self._runner(prompt, judges, tally, shortener),
                    meter=meter,
                    judges=judges,
                    together=self.batches is not None,
                )
            )
            if meter.hourly:
                meter.timed = partial(_generated, measurement)
        return PromptResult(
            target=self.name,
            static=variants,
            meter=meter,
            measurement=measurement,
            judges=judges,
            notes=(*((f"not measured: {fits.cannot}",) if fits.cannot else ()), *fits.notes),
            lookup=self.stored,
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

    def _runner(
        self,
        prompt: Prepared,
        judges: dict[str, Judge | None],
        tally: Tally,
        shortener: Shortener,
    ) -> Runner:
        if self.client is None or prompt.eval_set is None:
            raise ValueError("a runner needs a client and an eval set")
        references = (r for s in prompt.eval_set.samples for r in s.references)
        return Runner(
            client=self.client,
            metrics={judge.mode: judge.metric for judge in judges.values() if judge},
            progress=self.progress,
            tally=tally,
            phase=prompt.template.name,
            cap_usd=self.options.max_cost,
            labels=tuple(dict.fromkeys(r for r in references if isinstance(r, str))),
            shortener=shortener,
        )

    def _judges(self, prompt: Prepared) -> dict[str, Judge | None]:
        """Say what judges each side: log-likelihood only ever judges the input side."""
        can = self.target.capabilities if self.target else frozenset[str]()
        asked = prompt.asked_metric
        if asked is not None and asked.kind != "generated" and self.target is not None:
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
        if prompt.metric is not None and prompt.metric.kind != "generated":
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
        }
        return Judge(metric=metric, margin=margin, mode=modes[metric.kind])

    async def aclose(self) -> None:
        """Give the target back."""
        if self.batches is not None:
            await self.batches.close()
        if self.target is not None:
            await self.target.close()


def _generated(measurement: Measurement) -> Iterator[Answer]:
    """Yield all answers that the target generated for a prompt."""
    for outcome in measurement.setup.runner.outcomes.values():
        if outcome.trial.mode == "generate":
            yield from outcome.answers


def _references(prompt: Prepared) -> tuple[str, ...]:
    if prompt.eval_set is None:
        return ()
    found = (as_text(one) for sample in prompt.eval_set.samples for one in sample.references)
    return tuple(dict.fromkeys(found))


def _without_rows(variant: Variant) -> Variant:
    """Reject what shortens a variable's value where no row gives it one."""
    if variant.rejected is None and any(at_run_time(spec) for spec in variant.chain):
        return replace(variant, rejected="it shortens what rows fill in: it needs an eval set")
    return variant


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What all targets of a run share: one store, one cap, one set of books.

    ``cluster`` is ``None`` where this process asks the targets itself, ``batches`` where it asks
    one request at a time.
    """

    ledger: Ledger
    cluster: Cluster | None = None
    batches: BatchJournal | None = None
    executor: CountingExecutor | None = None

    def close(self) -> None:
        """End the run's entries, and give the store and the cluster back."""
        if self.cluster is not None:
            self.cluster.close()
        if self.batches is not None:
            self.batches.close()
        self.ledger.close()
        self.ledger.store.close()


def open_shared(options: AnalyzeOptions, progress: Progress) -> Shared:
    """Open the answer store, begin the run's books, set the cap and join the cluster."""
    cluster = None
    if options.engine == "ray":
        progress.note("starting Ray" if options.ray_address is None else "joining the Ray cluster")
        cluster = Cluster(options.ray_address, options.workers)
    ledger = Ledger(
        AnswerStore(answers_dir(options.run_dir), progress.note),
        Spending(max_usd=options.max_cost, max_requests=options.max_requests),
    )
    left = ledger.journal.left_behind
    if left.requests:
        progress.note(
            f"a run before this one ended while {left.requests} requests were under way: they may "
            f"have been paid, at most ${left.usd:f}, and are asked again"
        )
    if ledger.journal.sharing:
        progress.note(f"other runs under way that share the cap: {ledger.journal.sharing}")
    return Shared(
        ledger=ledger,
        cluster=cluster,
        batches=BatchJournal(answers_dir(options.run_dir)) if options.batch else None,
        executor=CountingExecutor() if options.batch else None,
    )


def open_desk(
    name: str,
    options: AnalyzeOptions,
    progress: Progress,
    *,
    shared: Shared | None,
    compressor: ContextCompressor | None,
) -> Desk:
    """Open and price a target; without ``shared`` nothing will be asked (a static run).

    Raises:
        CostoptError: an unknown target, missing weights or key, or a cap on unpriced calls.
    """
    config = options.config.targets.get(name) or TargetConfig(name=name)
    priced_as = config.priced_as or (default_priced_as(name) if name == EMBEDDED else None)
    own = _own_price(name, config)
    _check_cap(name, own, options)
    if options.batch and not options.static:
        batch_price_of(name, config)
        target, api = open_batches(name, options.config)
    else:
        target, api = _open(name, options, progress, shared), None
    price = own or (price_for(priced_as) if priced_as else None)
    reference = priced_as if own is None and priced_as else None
    counter = counter_for(reference) if reference else _own_counter(name, config, target)
    desk = Desk(
        name=name,
        info=TargetInfo(
            name=name,
            model=target.model if target else config.model or name,
            priced_as=reference,
            price=price.info if price else None,
        ),
        counter=counter,
        recount=reference is not None,
        price=price,
        own=own,
        options=options,
        progress=progress,
        target=target,
        compressor=compressor,
    )
    if target is None or shared is None:
        return desk
    desk.store = shared.ledger.store
    if api is not None:
        desk.client = desk.batches = _batch_client(target, api, config, shared, desk)
    else:
        desk.client = _client(target, config, desk, shared)
    return desk


def _client(target: Target, config: TargetConfig, desk: Desk, shared: Shared) -> Client:
    """Return the client of a target, which pays by the token, by the hour, or nothing."""
    own, most = desk.own, _most_at_once(desk.name, config, desk.options)
    price_usd: Callable[[Usage], Decimal | None] | None = None
    worst_case: Callable[[Request], Decimal] | None = None
    if own is not None and own.usd_per_hour is not None:
        hours = ServerTime(own.usd_per_hour, longest_s=DEFAULT_TIMEOUT_S, concurrency=most)
        target, price_usd, worst_case = TimedTarget(target, hours), hours.charge, hours.worst_case
    elif own is not None:
        price_usd = partial(cost_of, price=own)
        worst_case = partial(_worst_case, price=own, counter=desk.counter)
    return Client(
        target=target,
        ledger=shared.ledger,
        price_usd=price_usd,
        worst_case=worst_case,
        pace=Pace(most, config.requests_per_minute),
        note=desk.progress.note,
    )


def _most_at_once(name: str, config: TargetConfig, options: AnalyzeOptions) -> int:
    """Return how many requests may be under way: the embedded model answers one at a time."""
    workers = options.workers if options.engine == "ray" else 1
    return options.concurrency or config.concurrency or (workers if name == EMBEDDED else 8)


def _open(
    name: str, options: AnalyzeOptions, progress: Progress, shared: Shared | None
) -> Target | None:
    if options.static:
        return None
    target = open_target(name, options.config, offline=options.offline, progress=progress)
    if shared is not None and shared.cluster is not None:
        return shared.cluster.open(target, options.config, offline=options.offline)
    return target


def _batch_client(
    target: Target, api: BatchApi, config: TargetConfig, shared: Shared, desk: Desk
) -> BatchClient:
    if shared.batches is None or shared.executor is None:
        raise ValueError("batches need a journal and an executor")
    price, executor = batch_price_of(desk.name, config), shared.executor
    return BatchClient(
        target=target,
        api=api,
        store=shared.ledger.store,
        journal=shared.batches,
        spending=shared.ledger.spending,
        price_usd=lambda usage: cost_of(usage, price),
        worst_case=partial(_worst_case, price=price, counter=target.counter),
        wait=desk.options.wait,
        busy=lambda: executor.busy,
        note=desk.progress.note,
    )


def _own_price(name: str, config: TargetConfig) -> Price | None:
    """Return the price that calls are really billed at; ``None`` where it is unknown."""
    if name == EMBEDDED:
        return None
    found = billed_price(name, config)
    if found is None or config.batch_price is None:
        return found
    return replace(found, batch=batch_price_of(name, config))


def _check_cap(name: str, own: Price | None, options: AnalyzeOptions) -> None:
    """Refuse a cap that could not be kept: what a request can cost at most has to be known.

    A rate of 0 is no price: a server that charges would then be asked without end.
    """
    if options.max_cost is None or options.static or name == EMBEDDED:
        return
    if options.batch:  # Then the batch price counts, and without one nothing is sent.
        return
    if own is not None and own.input and own.output:
        return
    known = "unknown" if own is None else "not one for each token in and out"
    raise CostoptError(
        f'the price of the target "{name}" is {known}, so --max-cost cannot be kept',
        hint=f"give [targets.{name}] in costopt.toml a price = {{ input = …, output = … }} above "
        "0, or limit the run with --max-requests",
    )


def _own_counter(name: str, config: TargetConfig, target: Target | None) -> TokenCounter:
    return target.counter if target else counter_for(config.model or name)


def _worst_case(request: Request, *, price: Price, counter: TokenCounter) -> Decimal:
    """Return the most that a request can cost; an estimated count is taken half as high again."""
    tokens = sum(counter(message.content) + 8 for message in request.messages)
    tokens += counter(schemas_text(request.settings))
    bound = tokens if counter.exact else tokens * 3 // 2
    usage = Usage(input=bound, output=request.settings.max_output_tokens)
    return cost_of(usage, price) or Decimal(0)
