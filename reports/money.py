"""The money of a prompt in lines: each way of calling, what caches do, what measuring cost."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..core.money import BreakEven, CacheTerms, Payback
from ..core.report import PromptReport, Recommendation, TargetInfo, VariantReport
from .numbers import count, mean, percent, usd
from .safe import clean

_WARNED = 4
_COLD = {"warm": "cold", "warm_batch": "batch"}
"""What a prompt that no cache holds costs instead."""


def regimes_line(
    prompt: PromptReport, variants: Sequence[VariantReport], best: str | None
) -> str | None:
    """Say what 1,000 requests cost under each way of calling, before and after.

    ``None`` where only one way is known: that stands in the table.

    Args:
        prompt: The prompt; its hit rate is named.
        variants: Those of one target, the baseline among them.
        best: What is recommended; ``None`` for nothing.
    """
    first = next((v for v in variants if v.verdict == "baseline"), None)
    chosen = next((v for v in variants if v.name == best and v is not first), None)
    if first is None:
        return None
    parts = [
        f"{name} {usd(before)}{'' if chosen is None else f' → {usd(after)}'}"
        for name, before, after in _pairs(prompt, first, chosen or first)
    ]
    if len(parts) < 2:
        return None
    who = "" if chosen is None else f", baseline → {clean(chosen.name, 60)}"
    return f"per 1,000 requests{who}: {', '.join(parts)}"


def _pairs(
    prompt: PromptReport, first: VariantReport, chosen: VariantReport
) -> Iterator[tuple[str, Decimal | None, Decimal | None]]:
    before, after = first.cost.regimes, chosen.cost.regimes
    for name, label in _labels(prompt).items():
        pair: tuple[Decimal | None, Decimal | None] = getattr(before, name), getattr(after, name)
        if pair != (None, None):
            yield label, *_told(pair, first, chosen, name)


def regimes(
    prompt: PromptReport, variants: Sequence[VariantReport]
) -> tuple[tuple[str, ...], tuple[tuple[Decimal | None, ...], ...]]:
    """Return what 1,000 requests cost under each way of calling that is known for some variant.

    Args:
        prompt: The prompt; its hit rate is named.
        variants: Those of one target.

    Returns:
        The ways, and for each variant its money under each of them.
    """
    known = {
        name: label
        for name, label in _labels(prompt).items()
        if any(getattr(variant.cost.regimes, name) is not None for variant in variants)
    }
    return tuple(known.values()), tuple(
        tuple(_amount(variant, name) for name in known) for variant in variants
    )


def _amount(variant: VariantReport, name: str) -> Decimal | None:
    found: Decimal | None = getattr(variant.cost.regimes, name)
    cold = _COLD.get(name)
    return found if cold is None else _warm(found, variant, cold)


def _told(
    pair: tuple[Decimal | None, Decimal | None],
    first: VariantReport,
    chosen: VariantReport,
    name: str,
) -> tuple[Decimal | None, Decimal | None]:
    """Take what a prompt that no cache holds costs warm: what it costs cold."""
    cold = _COLD.get(name)
    if cold is None:
        return pair
    return _warm(pair[0], first, cold), _warm(pair[1], chosen, cold)


def _warm(found: Decimal | None, variant: VariantReport, cold: str) -> Decimal | None:
    if found is None and variant.prefix is not None and variant.prefix.cached is False:
        return getattr(variant.cost.regimes, cold)
    return found


def _labels(prompt: PromptReport) -> dict[str, str]:
    """Return the regimes in the order of the report, with how they are called."""
    rate = prompt.cache_hit_rate
    return {
        "cold": "cold",
        "warm": "warm",
        "hit_rate": "at the hit rate" if rate is None else f"at {_rate(rate)} hits",
        "batch": "in a batch",
        "warm_batch": "in a warm batch",
        "flex": "flex",
    }


def flip_line(variant: VariantReport) -> str | None:
    """Say at which cache hit rate a variant and the baseline change places.

    Example:
        >>> from costopt.core.money import PrefixInfo
        >>> from costopt.core.types import GenerationSettings
        >>> from costopt.core.report import CostInfo, Tokens
        >>> found = PrefixInfo(tokens=3780, flip_hit_rate=0.31, cheaper_below_flip=True)
        >>> flip_line(VariantReport(target="t", name="filler", strategies=(), messages=(),
        ...     chat=False, settings=GenerationSettings(), cost=CostInfo(), verdict="holds",
        ...     tokens=Tokens(template=1, tokenizer="x", exact=True), prefix=found))
        'filler is cheaper than the baseline below a cache hit rate of 31.0 %, and dearer above it'
    """
    found = variant.prefix
    if found is None or found.flip_hit_rate is None:
        return None
    below, above = ("below", "above") if found.cheaper_below_flip else ("above", "below")
    rate = _rate(found.flip_hit_rate)
    return (
        f"{clean(variant.name, 60)} is cheaper than the baseline {below} a cache hit rate of "
        f"{rate}, and dearer {above} it"
    )


def _rate(rate: float) -> str:
    """Return a hit rate; a rate that is not quite 0 or 1 does not look as if it were."""
    shown = percent(rate)
    if 0 < rate < 1 and shown in ("0.0 %", "100.0 %"):
        return "less than 0.1 %" if rate < 0.5 else "more than 99.9 %"
    return shown


def cache_lines(variants: Sequence[VariantReport], best: str | None) -> list[str]:
    """Return what variants do to a provider's cache: warnings, and where the best one flips."""
    chosen = next((v for v in variants if v.name == best), None)
    flip = flip_line(chosen) if chosen is not None else None
    warned = [
        f"{clean(v.name, 60)}: {clean(warning, 400)}"
        for v in sorted(variants, key=lambda v: v.name != best)
        if v.prefix is not None and v.rejected is None and not v.control
        for warning in v.prefix.warnings
    ]
    more = f"and {len(warned) - _WARNED} warnings more of this kind (--format json)"
    return [
        *([flip] if flip else []),
        *warned[:_WARNED],
        *([more] if len(warned) > _WARNED else []),
    ]


def terms_line(
    prompt: PromptReport, target: TargetInfo, variants: Sequence[VariantReport]
) -> str | None:
    """Say from when on a provider's cache pays; nothing where no prompt here is cached."""
    terms = target.cache
    if terms is None or not any(v.prefix is not None and v.prefix.cached for v in variants):
        return None
    floor = f"from {count(terms.floor)} tokens on" if terms.floor is not None else "unknown floor"
    rates = [_pays(found) for found in terms.break_even]
    pays = f"; {', '.join(rate for rate in rates if rate)}" if any(rates) else ""
    note = f"; {clean(terms.note, 200)}" if terms.note else ""
    source = f"{clean(terms.source, 200)}, {clean(terms.as_of, 20)}"
    return f"cache: {floor}, {clean(terms.how, 20)}{pays}{_loses(prompt, terms)}{note} ({source})"


def _loses(prompt: PromptReport, terms: CacheTerms) -> str:
    """Say that caching costs more than it saves at the prompt's hit rate, where it does."""
    rate = prompt.cache_hit_rate
    needed = next((found.hit_rate for found in terms.break_even), None)
    if rate is None or needed is None or rate >= needed:
        return ""
    return f"; at {_rate(rate)} hits it costs more than it saves"


def _pays(found: BreakEven) -> str:
    if found.hit_rate is None or not found.hit_rate:
        return ""
    kept = "" if found.ttl_s is None else f" when kept for {mean(found.ttl_s / 60)} min"
    return f"pays from {_rate(found.hit_rate)} hits on{kept}"


def payback_line(chosen: Recommendation) -> str | None:
    """Say what measuring cost, and when the recommendation has paid for it.

    ``None`` where nothing was measured, or nothing is recommended that saves.

    Example:
        >>> payback_line(Recommendation(target="t", variant="filler", reason="", payback=Payback(
        ...     answers=412, usd=Decimal("1.20"), calls=48_000, months=0.12)))
        'measuring cost $1.20 (412 answers): paid for after 48,000 calls, 3.6 days'
    """
    found = chosen.payback
    if found is None or chosen.variant == "baseline":
        return None
    answers = f"{count(found.answers)} answers"
    if found.usd is None:
        return f"what measuring cost ({answers}) is not known, so neither is when it is paid for"
    spent = f"measuring cost {usd(found.usd)} ({answers})"
    if found.calls is None:
        return f"{spent}; nothing is saved that is known to pay for it"
    if not found.calls:
        return f"{spent}: all that is saved is gained"
    return f"{spent}: paid for after {count(found.calls)} calls{_after(found)}"


def _after(found: Payback) -> str:
    if found.months is None:
        return ""
    days = found.months * 365 / 12
    if days >= 60:
        return f", {mean(found.months)} months"
    return f", {mean(days)} days" if days >= 1 else ", within a day"
