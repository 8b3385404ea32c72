"""Variants: chains of strategies applied to a template, each checked by the guard."""

from collections.abc import Sequence
from dataclasses import MISSING, fields, replace

from ..core.errors import CostoptError
from ..core.types import PromptTemplate, Safety, Side, StrategySpec, Variant
from ..costs.prefix import static_prefix
from .base import NotApplicable, Strategy, StrategyContext
from .contexts import at_run_time
from .controls import HARMFUL
from .guard import check
from .guard import dropped as lost_anchors
from .registry import build, entry, load

__all__ = ["CONTROLS", "DEFAULT_CHAINS", "HARMFUL", "Chain", "lossless_chains", "propose"]

Chain = tuple[StrategySpec, ...]

NO_CHANGE = "no change"


def _alone(*names: str) -> tuple[Chain, ...]:
    return tuple((StrategySpec(name),) for name in names)


DEFAULT_CHAINS: tuple[Chain, ...] = _alone(
    "whitespace", "json-minify", "table-compact", "repeated-rule", "filler",
    "answer-only", "concise", "token-budget", "max-tokens",
)  # fmt: skip
"""What is tried where nothing is asked for: each strategy alone."""

CONTROLS: tuple[Chain, ...] = _alone("none", "answer-concisely", HARMFUL)
"""What stands in every comparison."""


def lossless_chains(chains: Sequence[Chain]) -> tuple[Chain, ...]:
    """Return the chains of which every strategy is lossless."""
    return tuple(c for c in chains if all(entry(spec.name).safety == "lossless" for spec in c))


def propose(
    template: PromptTemplate, specs: Sequence[Chain], context: StrategyContext
) -> tuple[Variant, ...]:
    """Apply each chain to the template, and let the guard judge every step.

    Args:
        template: The baseline.
        specs: Chains of strategy specs.
        context: What strategies are handed; ``notes`` are collected for each variant apart.

    Returns:
        One variant a chain, in order. What cannot be used has ``rejected`` set, and then holds the
        template as far as the chain came: the guard's reason, ``"no change"``, or "saves no
        tokens" where the input does not get shorter.

    Raises:
        CostoptError: a strategy's name or parameter is unknown.
    """
    return tuple(_variant(template, chain, context) for chain in specs)


def _variant(template: PromptTemplate, chain: Chain, context: StrategyContext) -> Variant:
    known = [entry(spec.name) for spec in chain]
    side: Side = "output" if any(item.side == "output" for item in known) else "input"
    safety: Safety = "lossy" if any(item.safety == "lossy" for item in known) else "lossless"
    control = any(item.control for item in known)
    own = replace(context, notes=[])
    chain, after, rejected = _applied(template, chain, own)
    dropped: tuple[str, ...] = ()
    if rejected is None and not control:
        rewrites = frozenset[str]().union(*(load(spec.name).rewrites for spec in chain))
        dropped = lost_anchors(template, after, rewrites)
        # What a value is shortened to is only known once a row gives it one.
        if not any(at_run_time(spec) for spec in chain):
            rejected = _worthless(template, after, side, context)
            if rejected and any("order" in load(spec.name).rewrites for spec in chain):
                rejected = _uncached(template, after, context, rejected)
    return Variant(
        name="+".join(str(spec) for spec in chain),
        template=after,
        chain=chain,
        side=side,
        safety=safety,
        control=control,
        dropped=dropped,
        rejected=rejected,
        notes=tuple(own.notes),
    )


def _applied(
    template: PromptTemplate, chain: Chain, context: StrategyContext
) -> tuple[Chain, PromptTemplate, str | None]:
    """Apply a chain, and return it with the parameters that its strategies derived."""
    bound = list(chain)
    for at, spec in enumerate(chain):
        bound[at], after, refused = _step(template, spec, context)
        if refused is not None:
            return tuple(bound), template, _said(chain, spec, refused)
        template = after
    return tuple(bound), template, None


def _step(
    template: PromptTemplate, spec: StrategySpec, context: StrategyContext
) -> tuple[StrategySpec, PromptTemplate, str | None]:
    """Apply one strategy, and return what came out with the reason for refusing it, if any."""
    strategy = build(spec)
    try:
        bound = strategy.bind(template, context)
        if bound is not strategy:
            spec, strategy = _spec_of(bound), bound
        after = strategy.apply(template, context)
        refused = check(template, after, strategy.safety, strategy.side, strategy.rewrites).rejected
    except NotApplicable as error:
        return spec, template, error.reason
    except CostoptError:
        raise
    except Exception as error:
        package = entry(spec.name).plugin
        if package is None:
            raise
        return spec, template, f"it failed, and is of {package}: {type(error).__name__}: {error}"
    return spec, after, refused


def _spec_of(strategy: Strategy) -> StrategySpec:
    """Return the spec that makes this strategy again: its parameters that are no defaults."""
    default = {item.name: item.default for item in fields(strategy) if item.default is not MISSING}
    params = {
        name: value
        for name, value in strategy.get_params().items()
        if name not in default or value != default[name]
    }
    return StrategySpec(strategy.name, params)


def _said(chain: Chain, spec: StrategySpec, reason: str) -> str:
    return reason if len(chain) == 1 else f"{spec.name}: {reason}"


def _uncached(
    before: PromptTemplate, after: PromptTemplate, context: StrategyContext, otherwise: str
) -> str | None:
    """Return ``otherwise`` unless a longer prefix, at the same tokens, makes up for it."""
    old, new = (context.count(static_prefix(one)) for one in (before, after))
    grew = context.count(after.text) > context.count(before.text)
    return otherwise if grew or new <= old else None


def _worthless(
    before: PromptTemplate, after: PromptTemplate, side: Side, context: StrategyContext
) -> str | None:
    if before.messages == after.messages and before.settings == after.settings:
        return NO_CHANGE
    if side == "output":
        return None
    old, new = (context.count(t.text) + context.count(t.schemas) for t in (before, after))
    return f"saves no tokens ({old} before, {new} after)" if new >= old else None
