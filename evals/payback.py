"""What measuring a prompt cost, and after how many calls a recommendation has paid for it."""

import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeAlias

from ..core.money import Payback
from ..core.report import Recommendation, VariantReport
from ..core.types import Answer
from ..costs.prices import Price, cost_of

Paid: TypeAlias = Callable[[Answer], Decimal | None]
"""What an answer cost; ``None`` where that is unknown."""


def paid_by(price: Price | None, *, free: bool, concurrency: Callable[[], float | None]) -> Paid:
    """Return what says what an answer of a target cost.

    Args:
        price: What the target's calls are billed at.
        free: Whether they are billed nothing.
        concurrency: How many requests shared the time of a server that is paid by the hour.
    """

    def paid(answer: Answer) -> Decimal | None:
        if free:
            return Decimal(0)
        if price is None:
            return None
        if price.usd_per_hour is None:
            return cost_of(answer.usage, price)
        together = concurrency()
        if answer.latency_s is None or not together:
            return None
        return cost_of(answer.usage, price, seconds=answer.latency_s / together)

    return paid


def spent_on(answers: Iterable[Answer], paid: Paid) -> Payback:
    """Return what answers cost, each of them once however often it was used."""
    distinct = {(a.created, a.latency_s, a.text, a.usage, a.logprobs): a for a in answers}
    costs = [paid(answer) for answer in distinct.values()]
    known = [cost for cost in costs if cost is not None]
    usd = sum(known, Decimal(0)) if len(known) == len(costs) else None
    return Payback(answers=len(costs), usd=usd)


def pays_back(
    spent: Payback,
    chosen: Recommendation,
    variants: Sequence[VariantReport],
    calls_per_month: int | None,
) -> Payback:
    """Return after how many calls a recommendation has paid for what measuring it cost.

    Args:
        spent: What it cost.
        chosen: What is recommended.
        variants: The target's.
        calls_per_month: How often the prompt is called; ``None`` where that is unknown.

    Example:
        >>> from costopt.core.report import Recommendation
        >>> keeps = Recommendation(target="t", variant="baseline", reason="")
        >>> pays_back(Payback(answers=2, usd=Decimal(1)), keeps, (), None).calls is None
        True
    """
    saved = _saved_per_call(chosen, variants)
    if spent.usd is None or saved is None:
        return Payback(answers=spent.answers, usd=spent.usd)
    calls = math.ceil(spent.usd / saved)
    months = calls / calls_per_month if calls_per_month else None
    return Payback(answers=spent.answers, usd=spent.usd, calls=calls, months=months)


def _saved_per_call(chosen: Recommendation, variants: Sequence[VariantReport]) -> Decimal | None:
    """Return the USD that a call saves; ``None`` where it saves none, or that is unknown."""
    costs = {variant.name: variant.cost.usd_per_1k for variant in variants}
    before, after = costs.get("baseline"), costs.get(chosen.variant)
    if before is None or after is None or after >= before:
        return None
    return (before - after) / 1000
