"""Opens what a run needs: its books and cap, and each target with its price and client."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from ..core.configured import TargetConfig
from ..core.errors import CostoptError
from ..core.paths import answers_dir
from ..core.progress import Progress
from ..core.protocols import Asker, ContextCompressor, Target, TokenCounter
from ..core.report import TargetInfo
from ..core.types import Request, Usage, schemas_text
from ..costs.billing import billed_price
from ..costs.hit_rates import cache_terms
from ..costs.prices import Price, cost_of, default_priced_as, price_for
from ..costs.tokens import counter_for, server_counter_for
from ..models.batch_client import BatchClient
from ..models.batches.base import BatchApi
from ..models.batches.journal import BatchJournal
from ..models.batches.opening import open_batches
from ..models.batches.pricing import batch_price_of
from ..models.batches.quiet import CountingExecutor
from ..models.client import Client
from ..models.cluster import Cluster
from ..models.compatible import DEFAULT_TIMEOUT_S
from ..models.ledger import Ledger
from ..models.pacing import Pace
from ..models.replay import ReplayClient
from ..models.spending import Spending
from ..models.store import FILE_NAME, AnswerStore
from ..models.targets import EMBEDDED, open_target
from .desk import Desk
from .judging import Seat
from .options import AnalyzeOptions
from .server_time import ServerTime, TimedTarget


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


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What takes the place of `Shared` where nobody is asked: a store, if there is one."""

    store: AnswerStore | None

    def close(self) -> None:
        """Give the store back."""
        if self.store is not None:
            self.store.close()


def open_replay(options: AnalyzeOptions, progress: Progress) -> Replay:
    """Open the answer store where there is one; none is made."""
    folder = answers_dir(options.run_dir)
    there = (folder / FILE_NAME).is_file()
    return Replay(store=AnswerStore(folder, progress.note) if there else None)


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
    shared: Shared | Replay | None,
    compressor: ContextCompressor | None,
    seat: Seat | None = None,
) -> Desk:
    """Open and price a target; without ``shared`` nothing will be asked (a static run).

    With a `Replay` nothing is asked either, and it answers with what is stored.

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
            cache=cache_terms(price),
        ),
        counter=counter,
        recount=reference is not None,
        price=price,
        own=own,
        options=options,
        progress=progress,
        target=target,
        compressor=compressor,
        seat=seat,
    )
    if target is None or shared is None:
        return desk
    if isinstance(shared, Replay):
        desk.store, desk.client = shared.store, ReplayClient(target, shared.store)
        desk.replayed = True
        return desk
    desk.store = shared.ledger.store
    if api is not None:
        desk.client = desk.batches = _batch_client(target, api, config, shared, desk)
    else:
        desk.client = _client(target, config, own, desk.counter, options, progress, shared)
    return desk


def open_seat(
    options: AnalyzeOptions, progress: Progress, shared: Shared | Replay | None
) -> Seat | None:
    """Open and price the judge, which shares the run's store, cap and books.

    Raises:
        CostoptError: an unknown target, missing weights or key, or a cap on unpriced calls.
    """
    if options.judge is None or shared is None:
        return None
    name = options.judge
    config = options.config.targets.get(name) or TargetConfig(name=name)
    own = _own_price(name, config)
    _check_cap(name, own, options)
    target = _open(name, options, progress, shared)
    if target is None:
        return None
    counter = _own_counter(name, config, target)
    if isinstance(shared, Replay):
        client: Asker = ReplayClient(target, shared.store)
    else:
        client = _client(target, config, own, counter, options, progress, shared)
    return Seat(
        name=name,
        client=client,
        counter=counter,
        own=own,
        free=name == EMBEDDED,
    )


def _client(
    target: Target,
    config: TargetConfig,
    own: Price | None,
    counter: TokenCounter,
    options: AnalyzeOptions,
    progress: Progress,
    shared: Shared,
) -> Client:
    """Return the client of a target, which pays by the token, by the hour, or nothing."""
    most = _most_at_once(config.name, config, options)
    price_usd: Callable[[Usage], Decimal | None] | None = None
    worst_case: Callable[[Request], Decimal] | None = None
    if own is not None and own.usd_per_hour is not None:
        hours = ServerTime(own.usd_per_hour, longest_s=DEFAULT_TIMEOUT_S, concurrency=most)
        target, price_usd, worst_case = TimedTarget(target, hours), hours.charge, hours.worst_case
    elif own is not None:
        price_usd = partial(cost_of, price=own)
        worst_case = partial(_worst_case, price=own, counter=counter)
    return Client(
        target=target,
        ledger=shared.ledger,
        price_usd=price_usd,
        worst_case=worst_case,
        pace=Pace(most, config.requests_per_minute),
        note=progress.note,
    )


def _most_at_once(name: str, config: TargetConfig, options: AnalyzeOptions) -> int:
    """Return how many requests may be under way: the embedded model answers one at a time."""
    workers = options.workers if options.engine == "ray" else 1
    return options.concurrency or config.concurrency or (workers if name == EMBEDDED else 8)


def _open(
    name: str, options: AnalyzeOptions, progress: Progress, shared: Shared | Replay | None
) -> Target | None:
    if options.static:
        return None
    config, replayed = options.config, isinstance(shared, Replay)
    target = open_target(
        name, config, offline=options.offline, progress=progress, asked=not replayed
    )
    if isinstance(shared, Shared) and shared.cluster is not None:
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
    if target is not None:
        return target.counter
    count = server_counter_for if config.base_url is not None else counter_for
    return count(config.model or name)


def _worst_case(request: Request, *, price: Price, counter: TokenCounter) -> Decimal:
    """Return the most that a request can cost; an estimated count is taken half as high again."""
    tokens = sum(counter(message.content) + 8 for message in request.messages)
    tokens += counter(schemas_text(request.settings))
    bound = tokens if counter.exact else tokens * 3 // 2
    usage = Usage(input=bound, output=request.settings.max_output_tokens)
    return cost_of(usage, price) or Decimal(0)
