"""A row for each changed prompt at each target: base → head, beside quality with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.report import VariantReport
from ..facts import verdict_words
from ..numbers import UNKNOWN, count, interval, mean, percent, quality, unit, usd
from .pairs import Pair

MARKS = {"worse": "✗", "not enough data": "?", "holds": "✓", "better": "✓", "baseline": "+"}
"""A verdict as one character, for pages too narrow for the word; a new prompt has none."""


@dataclass(frozen=True, kw_only=True)
class Cells:
    """The cells of one row, as text that is costopt's own but for name and target."""

    name: str
    target: str
    input: str
    growth: str
    output: str
    money: str
    dearer: str
    month: str
    quality: str
    n: str
    verdict: str
    mark: str


def cells(found: Sequence[Pair]) -> tuple[Cells, ...]:
    """Return the rows of some pairs, in their order."""
    return tuple(_cells(pair) for pair in found)


def _cells(pair: Pair) -> Cells:
    base, head = pair.base, pair.head
    verdict = "new" if base is None else verdict_words(head)
    return Cells(
        name=pair.change.name,
        target=pair.target.name,
        input=arrow(_input(base), _input(head)),
        growth=_grown(base, head),
        output=arrow(_output(base), _output(head)),
        money=arrow(_usd(base) if pair.comparable else "", _usd(head)),
        dearer=_signed(pair.growth),
        month=_month(pair),
        quality=_quality(pair),
        n=str(pair.quality.n) if pair.quality else "",
        verdict=verdict,
        mark=MARKS.get(head.verdict, ""),
    )


def arrow(before: str, after: str) -> str:
    """Return base → head, or once where both are the same or there was nothing before.

    Example:
        >>> arrow("812", "940"), arrow("812", "812"), arrow("", "940"), arrow("—", "3")
        ('812 → 940', '812', '940', '— → 3')
    """
    return after if before in ("", after) else f"{before} → {after}"


def _input(variant: VariantReport | None) -> str:
    return "" if variant is None else count(_read(variant))


def _read(variant: VariantReport) -> float:
    """Return the input tokens of a request; the template's own where no row filled it."""
    size = variant.tokens.input_mean
    return float(variant.tokens.template) if size is None else size


def _output(variant: VariantReport | None) -> str:
    return "" if variant is None else mean(variant.tokens.output_mean)


def _usd(variant: VariantReport | None) -> str:
    return "" if variant is None else usd(variant.cost.usd_per_1k)


def _grown(base: VariantReport | None, head: VariantReport) -> str:
    if base is None or not _read(base):
        return ""
    return _signed(_read(head) / _read(base) - 1)


def _signed(part: float | None) -> str:
    if part is None:
        return ""
    return f"{'+' if round(part, 3) > 0 else ''}{percent(part)}"


def _month(pair: Pair) -> str:
    amount = pair.monthly
    if amount is None:
        return UNKNOWN
    return f"+{usd(amount)}" if amount > 0 else usd(amount)


def _quality(pair: Pair) -> str:
    delta = pair.quality
    if delta is None:
        return "" if pair.base is None else UNKNOWN
    metric = pair.metric
    middle = quality(metric, delta.mean, sign=True)
    return f"{middle} {interval(metric, delta.low, delta.high)} {unit(metric)}".rstrip()
