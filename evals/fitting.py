"""Fits strategies that learn from samples: on the selection rows, and on those alone."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..compressors.base import NotApplicable, StrategyContext
from ..compressors.fitted import FittedStrategy, learned_params
from ..compressors.registry import build, load
from ..compressors.variants import Chain, propose
from ..core.protocols import TargetError
from ..core.types import (
    GenerationSettings,
    Message,
    PromptTemplate,
    Request,
    Sample,
    Score,
    StrategySpec,
    Variant,
)
from ..models.spending import BudgetExceeded
from .metrics import Metric
from .plan import FITTING, RowPlan
from .runner import Mode, Runner

_REDRAWN = 0.7
"""Least temperature of a text that is written anew: at 0 each would be the same as the first."""


class Waiting(Exception):  # noqa: N818 - a state, not an error
    """What a strategy is fitted on waits in a batch."""


@dataclass(frozen=True, kw_only=True)
class RowsBench:
    """Scores templates on some rows through the runner: the bench that strategies are fitted on.

    Args:
        runner: Of the prompt and target.
        baseline: The prompt as it is; its outcomes are the runner's.
        samples: The rows that may be learned from.
        metric: What judges.
        mode: How the target is asked.
        accepted: The margin, in the metric's unit.
        chain: Strategies that were applied before the one that is fitted.
    """

    runner: Runner
    baseline: Variant
    samples: Sequence[Sample]
    metric: Metric
    mode: Mode
    accepted: float
    chain: Chain = ()

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.samples)

    @property
    def margin(self) -> float:
        """The loss that is accepted, in the metric's unit; above 0."""
        return max(self.accepted, 1e-9)

    async def scores(self, template: PromptTemplate) -> tuple[float | None, ...]:
        """Return each row's score, greater is better; ``None`` where it failed.

        Raises:
            BudgetExceeded: the spending cap is reached.
            Waiting: some answers wait in a batch.
        """
        outcomes = await self.runner.run(self._variant(template), self.samples, self.mode)
        if any(outcome.waits for outcome in outcomes):
            raise Waiting
        if self.runner.out_of_budget:
            raise BudgetExceeded("the spending cap was reached")
        sign = 1.0 if self.metric.higher_is_better else -1.0
        results = [outcome.result for outcome in outcomes]
        return tuple(sign * r.value if isinstance(r, Score) else None for r in results)

    def _variant(self, template: PromptTemplate) -> Variant:
        if not self.chain and template == self.baseline.template:
            return self.baseline
        told = repr((template.messages, template.settings, [str(spec) for spec in self.chain]))
        name = f"fitting {hashlib.sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()}"
        return Variant(name=name, template=template, chain=self.chain)

    async def write(self, prompt: str, *, max_output_tokens: int = 1024, replicate: int = 0) -> str:
        """Return what the target writes; replicates above 0 are drawn at a temperature.

        Raises:
            BudgetExceeded: the spending cap is reached.
            TargetError: no answer came.
            Waiting: the answer waits in a batch.
        """
        own = self.baseline.template.settings
        warmth = own.temperature if replicate == 0 else max(own.temperature, _REDRAWN)
        settings = GenerationSettings(
            max_output_tokens=max_output_tokens,
            temperature=warmth,
            seed=None if own.seed is None else own.seed + replicate,
            effort=own.effort,
        )
        request = Request(
            messages=(Message("user", prompt),), settings=settings, replicate=replicate
        )
        try:
            return (await self.runner.client.ask(request)).text
        except BudgetExceeded:
            self.runner.out_of_budget = True
            raise
        except TargetError as error:
            if error.kind == "pending":
                raise Waiting from error
            raise


def is_fitted_here(spec: StrategySpec) -> bool:
    """Tell whether a strategy must be fitted before it can be applied."""
    if "samples" not in load(spec.name).needs:
        return False
    strategy = build(spec)
    return not (isinstance(strategy, FittedStrategy) and strategy.fitted)


def any_fitted(chains: Sequence[Chain]) -> bool:
    """Tell whether some chain has a strategy to fit."""
    return any(is_fitted_here(spec) for chain in chains for spec in chain)


async def fit_chains(
    chains: Sequence[Chain],
    template: PromptTemplate,
    bench: RowsBench | None,
    plan: RowPlan,
    context: StrategyContext,
) -> tuple[tuple[Chain, ...], tuple[Variant, ...]]:
    """Fit the strategies of chains that learn from samples, each at its place in its chain.

    Args:
        chains: What was asked for.
        template: The baseline.
        bench: On the selection rows; ``None`` where nothing can judge the input side.
        plan: Says whether the rows are enough.
        context: What strategies are handed.

    Returns:
        The chains to go on with, and a rejected variant for each that could not be fitted.

    Raises:
        Waiting: an answer that one is fitted on waits in a batch.
    """
    fitted: list[Chain] = []
    rejected: list[Variant] = []
    for chain in chains:
        if not any_fitted((chain,)):
            fitted.append(chain)
            continue
        try:
            fitted.append(await _fit(chain, _usable(bench, plan), context))
        except NotApplicable as error:
            rejected.append(_rejected(chain, template, context, error.reason))
        except BudgetExceeded:
            reason = "the spending cap was reached while it was fitted"
            rejected.append(_rejected(chain, template, context, reason))
    return tuple(fitted), tuple(rejected)


def _usable(bench: RowsBench | None, plan: RowPlan) -> RowsBench:
    """Return the bench if its rows are enough, and others are left to confirm on.

    Raises:
        NotApplicable: nothing can judge, or there are too few rows.
    """
    if bench is None:
        raise NotApplicable("needs a metric that judges the prompt's side: it is fitted on samples")
    if not plan.fitted:
        raise NotApplicable(
            f"needs at least {2 * FITTING + 1} eval rows of different clusters: {FITTING} to be "
            f"fitted on, the others to be confirmed on; here are {len(plan.rows)}"
        )
    return bench


def _rejected(
    chain: Chain, template: PromptTemplate, context: StrategyContext, reason: str
) -> Variant:
    (variant,) = propose(template, (chain,), context)
    return replace(variant, rejected=reason)


async def _fit(chain: Chain, bench: RowsBench, context: StrategyContext) -> Chain:
    done: Chain = ()
    for spec in chain:
        if is_fitted_here(spec):
            template = bench.baseline.template
            if done:
                # What cannot be applied is found again, and told, when the chain is proposed.
                template = propose(template, (done,), context)[0].template
            spec = await _fit_one(spec, template, replace(bench, chain=done), context)
        done = (*done, spec)
    return done


async def _fit_one(
    spec: StrategySpec, template: PromptTemplate, bench: RowsBench, context: StrategyContext
) -> StrategySpec:
    runner = bench.runner
    phase, runner.phase = runner.phase, f"{runner.phase}: fitting {spec.name}"
    try:
        strategy = await build(spec).fit(template, replace(context, notes=[]), bench)
    finally:
        runner.phase = phase
    return StrategySpec(spec.name, learned_params(strategy, dict(spec.params)))
