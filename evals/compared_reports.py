"""Two reports of `costopt analyze`: what changed between them, variant by variant."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ..core.report import PriceInfo, PromptReport, Report, TargetInfo, VariantReport
from ..core.types import Verdict

Key = tuple[str, str, str]
"""Prompt, target and variant."""
Status = Literal["changed", "new", "gone", "unchanged"]

_MARGIN = 0.05


@dataclass(frozen=True, kw_only=True)
class Side:
    """A variant as one of the two reports has it; tokens are means, ``None`` is unknown."""

    input: float | None
    output: float | None
    usd_per_1k: Decimal | None
    metric: str | None
    quality: float | None
    verdict: Verdict
    recommended: bool


@dataclass(frozen=True, kw_only=True)
class VariantChange:
    """A variant in both reports; ``base`` is ``None`` where it is new, ``head`` where it is gone.

    ``changed`` names what is different: text, settings, tokens, cost, quality, verdict.
    """

    prompt: str
    target: str
    name: str
    status: Status
    base: Side | None
    head: Side | None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportComparison:
    """What changed from one report to another.

    Attributes:
        base: The first report's file.
        head: The second's.
        variants: All variants of both, in head's order, then those that are gone.
        prices: Targets whose prices are others, in words.
        worse: Why head is worse, sentence by sentence.
        notes: What else is to be known.
    """

    base: str
    head: str
    variants: tuple[VariantChange, ...]
    prices: tuple[str, ...]
    worse: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing changed."""
        return not self.prices and all(one.status == "unchanged" for one in self.variants)


def compare_reports(base: Report, head: Report, *, names: tuple[str, str]) -> ReportComparison:
    """Compare two reports; variants are matched by prompt, target and name.

    Prompts are matched by name, where several share one in a report by name and path. When they
    were made and what they cost is left out.

    Args:
        base: The first.
        head: The second.
        names: What the two are called.
    """
    twice = _twice(base) | _twice(head)
    old, new = dict(_variants(base, twice)), dict(_variants(head, twice))
    changes = [_change(key, old.get(key), new.get(key)) for key in dict.fromkeys((*new, *old))]
    return ReportComparison(
        base=names[0],
        head=names[1],
        variants=tuple(changes),
        prices=tuple(_prices(base, head)),
        worse=tuple(_worse(changes, new)),
        notes=tuple(_notes(base, head, changes)),
    )


@dataclass(frozen=True)
class _Held:
    """A variant with whether its report recommends it."""

    variant: VariantReport
    recommended: bool


def _twice(report: Report) -> set[str]:
    names = Counter(prompt.name for prompt in report.prompts)
    return {name for name, count in names.items() if count > 1}


def _variants(report: Report, twice: set[str]) -> Iterator[tuple[Key, _Held]]:
    for prompt in report.prompts:
        name = f"{prompt.name} ({prompt.path})" if prompt.name in twice else prompt.name
        best = {(one.target, one.variant) for one in prompt.recommended}
        for variant in prompt.variants:
            if variant.rejected is None:
                held = _Held(variant, (variant.target, variant.name) in best)
                yield (name, variant.target, variant.name), held


def _change(key: Key, old: _Held | None, new: _Held | None) -> VariantChange:
    changed = tuple(_differences(old, new)) if old and new else ()
    status: Status = "new" if old is None else "gone" if new is None else "unchanged"
    return VariantChange(
        prompt=key[0],
        target=key[1],
        name=key[2],
        status="changed" if changed else status,
        base=_side(old) if old else None,
        head=_side(new) if new else None,
        changed=changed,
    )


def _side(held: _Held) -> Side:
    variant = held.variant
    asked = variant.tokens.input_mean
    return Side(
        input=float(variant.tokens.template) if asked is None else asked,
        output=variant.tokens.output_mean,
        usd_per_1k=variant.cost.usd_per_1k,
        metric=variant.quality.metric if variant.quality else None,
        quality=variant.quality.mean if variant.quality else None,
        verdict=variant.verdict,
        recommended=held.recommended,
    )


def _differences(old: _Held, new: _Held) -> Iterator[str]:
    """Name what is different between two of one name."""
    was, now, before, after = old.variant, new.variant, _side(old), _side(new)
    if was.messages != now.messages:
        yield "text"
    if was.settings != now.settings:
        yield "settings"
    if not (_same(before.input, after.input) and _same(before.output, after.output)):
        yield "tokens"
    if not _same(before.usd_per_1k, after.usd_per_1k):
        yield "cost"
    if before.metric != after.metric or not _same(before.quality, after.quality):
        yield "quality"
    if before.verdict != after.verdict:
        yield "verdict"
    if before.recommended != after.recommended:
        yield "recommendation"


def _same(one: float | Decimal | None, other: float | Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-12)


def _prices(base: Report, head: Report) -> Iterator[str]:
    old = {target.name: target for target in base.targets}
    for target in head.targets:
        before = old.get(target.name)
        if before is not None and _rates(before) != _rates(target):
            yield f"{target.name}: {_priced(before)}, now {_priced(target)}"


def _rates(target: TargetInfo) -> object:
    price = target.price
    if price is None:
        return None
    rates = (price.input, price.output, price.cache_read, price.cache_write, price.usd_per_hour)
    return target.priced_as, rates


def _priced(target: TargetInfo) -> str:
    label = f"as {target.priced_as} " if target.priced_as else ""
    return f"priced {label}{_amounts(target.price)}"


def _amounts(price: PriceInfo | None) -> str:
    if price is None:
        return "at no known price"
    if price.usd_per_hour is not None:
        return f"at ${price.usd_per_hour:f} an hour"
    known = (("input", price.input), ("output", price.output))
    rates = ", ".join(f"{name} ${rate:f}" for name, rate in known if rate is not None)
    return f"at {rates} per million tokens ({price.as_of})"


def _worse(changes: Iterable[VariantChange], new: Mapping[Key, _Held]) -> Iterator[str]:
    """Say what is worse in head; controls are there to be."""
    for one in changes:
        held = new.get((one.prompt, one.target, one.name))
        if one.base is None or one.head is None or (held and held.variant.control):
            continue
        who = f"{one.prompt}, {one.name} at {one.target}"
        if one.head.verdict == "worse" and one.base.verdict != "worse":
            yield f"{who}: {one.base.verdict}, now worse"
            continue
        fell = _fell(one.base, one.head)
        margin = _margin(held)
        if fell is not None and fell > margin:
            yield f"{who}: mean quality fell by {fell:.3g}, more than the margin of {margin:g}"
        elif one.head.verdict == "baseline" and (fell is None or fell > -margin):
            yield from _dearer(who, one.base, one.head)


def _fell(base: Side, head: Side) -> float | None:
    if base.metric != head.metric or base.quality is None or head.quality is None:
        return None
    return base.quality - head.quality


def _margin(held: _Held | None) -> float:
    delta = held.variant.delta if held else None
    return delta.quality.margin if delta and delta.quality else _MARGIN


def _dearer(who: str, base: Side, head: Side) -> Iterator[str]:
    """Say that a prompt as it is now costs more than it did; less than a thousandth is none."""
    was, now = base.usd_per_1k, head.usd_per_1k
    if was is None or now is None:
        was, now = (None if one is None else Decimal(str(one)) for one in (base.input, head.input))
        what = "input tokens"
    else:
        what = "cost"
    if was and now is not None and now > was * Decimal("1.001"):
        yield f"{who}: {what} +{100 * (now / was - 1):.1f} %"


def _notes(base: Report, head: Report, changes: Iterable[VariantChange]) -> Iterator[str]:
    for name, report in (("base", base), ("head", head)):
        if report.partial:
            yield f"{name} is partial: what was not reached is not measured"
    if any("quality" in one.changed for one in changes):
        yield (
            "reports hold means, not rows: a change of quality between two is not paired and has "
            "no interval; compare prompts or logs for one"
        )
    rows = _eval_sets(base), _eval_sets(head)
    changed = [name for name, sha in rows[1].items() if rows[0].get(name, sha) != sha]
    if changed:
        yield f"other eval rows than before: {', '.join(changed)}"


def _eval_sets(report: Report) -> dict[str, str]:
    def sha(prompt: PromptReport) -> str:
        return prompt.eval_set.sha256 if prompt.eval_set else ""

    return {prompt.name: sha(prompt) for prompt in report.prompts}
