"""One prompt of a saved report at other prices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..core.money import CostInfo
from ..core.report import (
    Delta,
    PromptReport,
    Recommendation,
    TargetInfo,
    Tokens,
    VariantReport,
)
from ..costs.cost import mean_request, money_of
from ..costs.prices import Price
from ..costs.request import MeanRequest
from ..costs.tokens import counter_for
from .caching import Beginning, prefix_info
from .meter import fraction, number
from .payback import pays_back
from .recommending import recommended, with_front
from .reranking import across_again


@dataclass(frozen=True, kw_only=True)
class Recounted:
    """A variant's tokens as another model counts them, and those of its prefix."""

    tokens: Tokens
    prefix: int
    moved: int


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What could be counted anew: by the variant's name; ``why`` the rest could not."""

    found: Mapping[str, Recounted]
    why: str | None = None


Recount: TypeAlias = Callable[[PromptReport, TargetInfo, str], Counts]
"""Counts a prompt's stored texts at a target as another model does."""

_NO_TEXTS = Counts(found={}, why="its texts are not at hand to be counted with another tokenizer")


def reprice_prompt(
    prompt: PromptReport,
    targets: Mapping[str, TargetInfo],
    prices: Mapping[str, Price],
    recount: Recount | None,
) -> tuple[PromptReport, tuple[str, ...]]:
    """Return a prompt at other prices, and what is to be said of it.

    Args:
        prompt: The prompt as it was reported.
        targets: The report's targets as they are priced now.
        prices: The new prices, of the targets that have one.
        recount: Counts stored texts, where a target is priced as a model with other tokens.
    """
    notes: list[str] = []
    variants: list[VariantReport] = []
    chosen: list[Recommendation] = []
    for name in dict.fromkeys(variant.target for variant in prompt.variants):
        own = [variant for variant in prompt.variants if variant.target == name]
        kept = next((found for found in prompt.recommended if found.target == name), None)
        if name in prices:
            own, said = _at_target(prompt, own, targets[name], prices[name], recount)
            notes += said
            kept = _chosen(prompt, own, kept)
        variants += own
        chosen += [kept] if kept is not None else []
    if any(variant.prefix is None for variant in prompt.variants):
        notes.append(
            "the report is of an older costopt: it holds no prefixes and not which variants were "
            "confirmed, so what a cache does stays unknown and recommendations stay as they were"
        )
    across = prompt.across and across_again(prompt.across, variants)
    done = replace(
        prompt,
        variants=tuple(variants),
        recommended=tuple(chosen),
        across=across,
        suggestions=(),
    )
    return done, tuple(notes)


def _chosen(
    prompt: PromptReport, variants: Sequence[VariantReport], was: Recommendation | None
) -> Recommendation | None:
    """Return the recommendation at the new prices, by the verdicts that were measured."""
    if was is None or any(variant.prefix is None for variant in variants):
        return was
    if variants[0].cost.usd_per_1k is None:
        reason = "as it was recommended before: what it costs at these prices is not known"
        payback = was.payback and replace(was.payback, calls=None, months=None)
        return replace(was, reason=reason, payback=payback)
    found = recommended(was.target, variants)
    if was.payback is None:
        return found
    payback = pays_back(was.payback, found, variants, prompt.calls_per_month)
    return replace(found, payback=payback)


def _at_target(
    prompt: PromptReport,
    variants: Sequence[VariantReport],
    target: TargetInfo,
    price: Price,
    recount: Recount | None,
) -> tuple[list[VariantReport], list[str]]:
    """Return a prompt's variants at one target, at its new price."""
    notes: list[str] = []
    unknown: set[str] = set()
    if not _same_tokens(variants[0], target, price):
        counts = recount(prompt, target, price.ref) if recount else _NO_TEXTS
        # Without the baseline there is nothing to hold the others against, in the same tokens.
        found = counts.found if variants[0].name in counts.found else {}
        variants = [_counted(variant, found.get(variant.name)) for variant in variants]
        unknown = {v.name for v in variants if v.name not in found}
        left = [v.name for v in variants if v.name in unknown and v.rejected is None]
        if left:
            which = f"without money: {', '.join(left)}" if found else "without money"
            notes.append(f"{prompt.name}: {which}{f': {counts.why}' if counts.why else ''}")
    priced = _Pricing(prompt=prompt, price=price, target=target, baseline=variants[0])
    return list(with_front([priced.anew(v, unknown=v.name in unknown) for v in variants])), notes


def _same_tokens(variant: VariantReport, target: TargetInfo, price: Price) -> bool:
    """Whether the report's tokens are those that the new price is for."""
    before = target.repriced_from.priced_as if target.repriced_from else None
    if target.priced_as == before:
        return True
    counter = counter_for(price.ref)
    return variant.tokens.tokenizer == counter.tokenizer and (
        counter.exact or before is not None  # An estimate is another model's as well as this one's.
    )


def _counted(variant: VariantReport, found: Recounted | None) -> VariantReport:
    if found is None:
        return variant
    prefix = variant.prefix
    if prefix is not None:
        prefix = replace(prefix, tokens=found.prefix, moved_tokens=found.moved)
    return replace(variant, tokens=found.tokens, prefix=prefix)


@dataclass(frozen=True, kw_only=True)
class _Pricing:
    """A prompt at a target with its new price."""

    prompt: PromptReport
    target: TargetInfo
    price: Price
    baseline: VariantReport

    def anew(self, variant: VariantReport, *, unknown: bool) -> VariantReport:
        """Return a variant at the new price; without money where its tokens are unknown."""
        if unknown:
            delta = variant.delta and replace(variant.delta, usd_per_1k=None)
            return replace(variant, cost=CostInfo(evidence="estimated"), delta=delta)
        cost = self._cost(variant)
        prefix = None
        if variant.prefix is not None:
            base = None if variant is self.baseline else self._beginning(self.baseline)
            prefix = prefix_info(self._beginning(variant), base, exact=variant.tokens.exact)
        return replace(variant, cost=cost, delta=self._delta(variant, cost), prefix=prefix)

    def _cost(self, variant: VariantReport) -> CostInfo:
        output_side = any(strategy.side == "output" for strategy in variant.strategies)
        if output_side and variant.tokens.output_mean is None:
            return CostInfo()
        return money_of(
            self._request(variant),
            calls_per_month=self.prompt.calls_per_month,
            cache_hit_rate=self.prompt.cache_hit_rate,
            batch=self.prompt.batch,
            evidence=self._evidence(variant),
        )

    def _request(self, variant: VariantReport) -> MeanRequest:
        tokens = variant.tokens
        output = tokens.output_mean
        if output is None:  # As in a run: without own answers, the baseline's length, or logs'.
            output = self.baseline.tokens.output_mean
        if output is None:
            output = self.prompt.output_tokens_per_call
        return mean_request(
            input_mean=_input(tokens),
            output_mean=output or 0.0,
            price=self.price,
            cache_read_mean=tokens.cache_read_mean,
            cache_write_mean=tokens.cache_write_mean,
            reasoning_mean=tokens.reasoning_mean,
            prefix_tokens=variant.prefix.tokens if variant.prefix else None,
        )

    def _beginning(self, variant: VariantReport) -> Beginning:
        return Beginning(
            tokens=variant.prefix.tokens if variant.prefix else 0,
            moved=variant.prefix.moved_tokens if variant.prefix else 0,
            request=self._request(variant),
        )

    def _evidence(self, variant: VariantReport) -> str:
        """Say what the money rests on: measured tokens at another price are a replay."""
        was = variant.cost.evidence
        if was != "measured":
            return was
        before = self.target.repriced_from
        same = before is not None and before.priced_as == self.target.priced_as
        return "replayed" if same else "estimated"

    def _delta(self, variant: VariantReport, cost: CostInfo) -> Delta | None:
        if variant.delta is None:
            return None
        before, after = self.baseline.tokens, variant.tokens
        measured = before.output_mean is not None and after.output_mean is not None
        return replace(
            variant.delta,
            input_tokens=fraction(_input(before), _input(after)),
            output_tokens=fraction(before.output_mean, after.output_mean) if measured else None,
            usd_per_1k=fraction(
                number(self._cost(self.baseline).usd_per_1k), number(cost.usd_per_1k)
            ),
        )


def _input(tokens: Tokens) -> float:
    return tokens.input_mean if tokens.input_mean is not None else float(tokens.template)
