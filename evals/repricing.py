"""A saved report at other prices: the same answers and verdicts, other money, chosen anew.

Nothing is asked and nothing is measured again. Tokens and verdicts are those of the report; costs,
the front and the recommendation follow from them by the rules of `analyze`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from ..core.errors import CostoptError, nearest
from ..core.money import PricedBefore, PriceInfo
from ..core.report import Report, TargetInfo
from ..costs.hit_rates import cache_terms
from ..costs.prices import Price, price_for
from .repriced import Recount, reprice_prompt


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The prices that are wanted.

    Attributes:
        prices: One's own, by ``provider:model`` or target; they go before the price list's.
        on: The day that the price list is read for; ``None``: that of the report's price.
        priced_as: ``provider:model`` by target; the key "" is for every target.
        source: What one's own prices come from, to be named.
    """

    prices: Mapping[str, Mapping[str, Decimal]] = field(
        default_factory=dict[str, Mapping[str, Decimal]]
    )
    on: date | None = None
    priced_as: Mapping[str, str] = field(default_factory=dict[str, str])
    source: str = ""

    def model_of(self, target: TargetInfo) -> str | None:
        """Return the model that a target is to be priced as; ``None`` where it stays as it is."""
        return self.priced_as.get(target.name) or self.priced_as.get("")


def reprice(report: Report, wanted: Wanted, recount: Recount | None = None) -> Report:
    """Return the report at other prices, saying so.

    Args:
        report: What `analyze` found.
        wanted: The prices.
        recount: Counts stored texts, where a model with another tokenizer is wanted.

    Raises:
        CostoptError: a target or a price that is not known, or nothing that would change.
    """
    _check_names(report, wanted)
    prices = {target.name: _price(target, wanted) for target in report.targets}
    changed = {name: price for name, price in prices.items() if price is not None}
    if not changed:
        known = ", ".join(sorted({reference(target) or target.name for target in report.targets}))
        raise CostoptError("these prices are of no target of this report", hint=f"it has {known}")
    targets = tuple(_info(target, prices[target.name], wanted) for target in report.targets)
    done = [
        reprice_prompt(prompt, {t.name: t for t in targets}, changed, recount)
        for prompt in report.prompts
    ]
    notes = [_said(target) for target in targets if target.name in changed]
    return replace(
        report,
        targets=targets,
        prompts=tuple(prompt for prompt, _ in done),
        notes=tuple(dict.fromkeys([*report.notes, *notes, *(n for _, own in done for n in own)])),
    )


def reference(target: TargetInfo) -> str | None:
    """Return the ``provider:model`` that a target is priced as; ``None`` where none is named."""
    named = (target.priced_as, target.name, target.model)
    return next((name for name in named if name is not None and ":" in name), None)


def _check_names(report: Report, wanted: Wanted) -> None:
    names = [target.name for target in report.targets]
    for name in wanted.priced_as:
        if name and name not in names:
            raise CostoptError(f'the report has no target "{name}"', hint=nearest(name, names))


def _price(target: TargetInfo, wanted: Wanted) -> Price | None:
    """Return the price that a target is to have; ``None`` where nothing changes for it."""
    given = wanted.model_of(target)
    name = given or reference(target) or target.name
    own = wanted.prices.get(target.name) or wanted.prices.get(name)
    if own is None and given is None and (wanted.prices or _not_listed(target)):
        return None
    day = wanted.on or _day(target)
    price = price_for(name, overrides=own, on=day)
    if price is None:
        when = f" on {wanted.on}" if wanted.on else ""
        raise CostoptError(
            f"no price of {name} is known{when}",
            hint=f'give one in a file: --prices FILE with a table ["{name}"]',
        )
    if own is None or not wanted.source:
        return price
    return replace(price, source=price.source.replace("configuration", wanted.source, 1))


def _not_listed(target: TargetInfo) -> bool:
    """Whether no list has the target's price: it is a server of one's own, or its own price."""
    if target.price is None:
        return reference(target) is None
    return target.price.usd_per_hour is not None or "configuration" in target.price.source


def _day(target: TargetInfo) -> date | None:
    try:
        return date.fromisoformat(target.price.as_of) if target.price else None
    except ValueError:
        return None


def _info(target: TargetInfo, price: Price | None, wanted: Wanted) -> TargetInfo:
    if price is None:
        return target
    return replace(
        target,
        priced_as=wanted.model_of(target) or target.priced_as,
        price=price.info,
        cache=cache_terms(price),
        repriced_from=PricedBefore(priced_as=target.priced_as, price=target.price),
    )


def _said(target: TargetInfo) -> str:
    before = target.repriced_from or PricedBefore()
    was = _words(reference(replace(target, priced_as=before.priced_as)), before.price)
    now = _words(reference(target), target.price)
    return f"{target.name}: re-priced from {was} to {now}; no model was asked"


def _words(name: str | None, price: PriceInfo | None) -> str:
    who = f"{name} at " if name else ""
    if price is None:
        return f"{who}no known price"
    source = ", ".join(part for part in (price.source, price.as_of) if part)
    if price.usd_per_hour is not None:
        return f"{who}{_rate(price.usd_per_hour)} an hour ({source})"
    read = f", {_rate(price.cache_read)} cached" if price.cache_read is not None else ""
    return f"{who}{_rate(price.input)} in{read}, {_rate(price.output)} out ({source})"


def _rate(amount: Decimal | None) -> str:
    return "unknown" if amount is None else f"${amount.normalize():f}"
