"""The plot of cost against quality, as numbers that a template draws as SVG."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...core.report import QualityDelta, VariantReport
from ..numbers import count, interval, quality, unit, usd
from ..safe import clean
from .axes import Scale, Tick, money_text, steps
from .labels import Box, Label, place
from .verdicts import style_of

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 66, 18, 16, 52
_MARK = 5.0
_NAMED = 22
_STEPS = 30


@dataclass(frozen=True, kw_only=True)
class Point:
    """One variant: where it is drawn, how its interval spans, what it is called."""

    x: float
    y: float
    low: float
    high: float
    style: str
    mark: str
    """The path of its mark."""
    ring: bool
    label: Label
    title: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Plot:
    """All that is drawn; every number is in the drawing's own units."""

    metric: str
    x_name: str
    y_name: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[Point, ...]
    front: str
    """The path through what no other variant beats; empty where that is one point."""
    margin: float | None
    margin_text: str
    zero: float
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM
    title: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class _Spot:
    variant: VariantReport
    number: int
    x: float
    delta: QualityDelta | None
    """``None`` for the baseline, which everything is measured against."""

    @property
    def y(self) -> float:
        return self.delta.mean if self.delta else 0.0


def plots(
    variants: Sequence[VariantReport], numbers: dict[str, int], best: str | None
) -> tuple[Plot, ...]:
    """Return a plot for each metric that judged variants of one target.

    Args:
        variants: Those of the target that the table shows, with the baseline.
        numbers: What each is numbered in the table.
        best: The recommended variant's name.
    """
    baseline = next((v for v in variants if v.verdict == "baseline"), None)
    if baseline is None:
        return ()
    judged = [v for v in variants if v.quality and _delta(v)]
    judged.sort(key=lambda v: v.name != best)  # what judged the recommended one comes first
    metrics = dict.fromkeys(v.quality.metric for v in judged if v.quality)
    found = (_plot(metric, baseline, variants, numbers, best) for metric in metrics)
    return tuple(plot for plot in found if plot is not None)


def _delta(variant: VariantReport) -> QualityDelta | None:
    return variant.delta.quality if variant.delta else None


def _plot(
    metric: str,
    baseline: VariantReport,
    variants: Sequence[VariantReport],
    numbers: dict[str, int],
    best: str | None,
) -> Plot | None:
    priced = baseline.cost.usd_per_1k is not None
    judged = [
        v for v in variants if v.quality and v.quality.metric == metric and _delta(v)
        if not v.control
    ]  # fmt: skip
    spots = [
        _Spot(
            variant=v, number=numbers[v.name], x=x, delta=_delta(v) if v is not baseline else None
        )
        for v in (baseline, *judged)
        if (x := _cost(v, priced=priced)) is not None
    ]
    if len(spots) < 2:
        return None
    across, up, x_ticks, y_ticks = _axes(spots, metric, priced=priced)
    margins = [spot.delta.margin for spot in spots if spot.delta]
    margin = max(margins)
    in_unit = f" ({unit(metric)})" if unit(metric) else ""
    name = clean(metric, 40)
    return Plot(
        metric=name,
        x_name="USD per 1,000 requests" if priced else "input tokens per request",
        y_name=f"{name} against the baseline{in_unit}",
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        points=_points(spots, across, up, metric, best, priced=priced),
        front=_front(spots, across, up),
        margin=up(-margin),
        margin_text=f"margin −{quality(metric, margin)} {unit(metric)}".rstrip(),
        zero=up(0.0),
        title=f"Cost against quality, judged by {name}",
        description=_description(spots, metric, priced=priced),
    )


def _cost(variant: VariantReport, *, priced: bool) -> float | None:
    if priced:
        money = variant.cost.usd_per_1k
        return None if money is None else float(money)
    return variant.tokens.input_mean


def _axes(
    spots: Sequence[_Spot], metric: str, *, priced: bool
) -> tuple[Scale, Scale, tuple[Tick, ...], tuple[Tick, ...]]:
    xs = [spot.x for spot in spots]
    deltas = [spot.delta for spot in spots if spot.delta]
    ys = [0.0, *(d.low for d in deltas), *(d.high for d in deltas), *(-d.margin for d in deltas)]
    x_low, x_high = _padded(min(xs), max(xs), 0.12)
    y_low, y_high = _padded(min(ys), max(ys), 0.06)
    across = Scale(low=x_low, high=x_high, start=LEFT, end=WIDTH - RIGHT)
    up = Scale(low=y_low, high=y_high, start=HEIGHT - BOTTOM, end=TOP)
    x_steps, y_steps = steps(x_low, x_high, 6), steps(y_low, y_high, 6)
    return (
        across,
        up,
        tuple(Tick(at=across(value), text=_x_text(value, x_steps, priced)) for value in x_steps),
        tuple(Tick(at=up(value), text=quality(metric, value, sign=True)) for value in y_steps),
    )


def _padded(low: float, high: float, part: float) -> tuple[float, float]:
    room = (high - low) * part or abs(high) * part or 1.0
    return low - room, high + room


def _x_text(value: float, along: Sequence[float], priced: bool) -> str:
    return money_text(value, along) if priced else count(value)


def _points(
    spots: Sequence[_Spot],
    across: Scale,
    up: Scale,
    metric: str,
    best: str | None,
    *,
    priced: bool,
) -> tuple[Point, ...]:
    zero, margin = up(0.0), up(-max(spot.delta.margin for spot in spots if spot.delta))
    at = [(across(spot.x), up(spot.y)) for spot in spots]
    spans = [(up(s.delta.low), up(s.delta.high)) if s.delta else (y, y)
             for s, (_, y) in zip(spots, at, strict=True)]  # fmt: skip
    taken = [Box(x - 7, y - 7, x + 7, y + 7) for x, y in at]
    taken += [Box(x - 3, high, x + 3, low) for (x, _), (low, high) in zip(at, spans, strict=True)]
    names = [f"{spot.number} {clean(spot.variant.name, _NAMED)}" for spot in spots]
    page = Box(LEFT, TOP, WIDTH - 2, HEIGHT - BOTTOM)
    lines = [Box(LEFT, y - 1, WIDTH - RIGHT, y + 1) for y in (zero, margin)]
    labels = place(names, at, [*taken, *lines, *_along(_best(spots), across, up)], page)
    return tuple(
        Point(
            x=x,
            y=y,
            low=span[0],
            high=span[1],
            style=style_of(spot.variant.verdict),
            mark=_mark(spot.variant, x, y),
            ring=spot.variant.name == best,
            label=label,
            title=_said(spot, metric, priced=priced),
            number=spot.number,
        )
        for spot, (x, y), span, label in zip(spots, at, spans, labels, strict=True)
    )


def _mark(variant: VariantReport, x: float, y: float) -> str:
    """Return the path of a mark: what a variant came to can be told from its shape."""
    r = _MARK
    if variant.verdict == "baseline":
        return f"M{x - r} {y - r}h{2 * r}v{2 * r}h{-2 * r}z"
    if variant.verdict == "worse":
        return f"M{x - r} {y - r}l{2 * r} {2 * r}M{x - r} {y + r}l{2 * r} {-2 * r}"
    if variant.verdict in ("holds", "better"):
        return f"M{x - r} {y}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0z"
    return f"M{x} {y - r - 1}l{r + 1} {r + 1}l{-r - 1} {r + 1}l{-r - 1} {-r - 1}z"


def _best(spots: Sequence[_Spot]) -> list[_Spot]:
    return sorted((s for s in spots if s.variant.pareto), key=lambda spot: (spot.x, spot.y))


def _along(best: Sequence[_Spot], across: Scale, up: Scale) -> Iterator[Box]:
    """Yield small boxes along the front, for names to keep clear of."""
    for one, other in pairwise(best):
        x, y = across(one.x), up(one.y)
        wide, high = across(other.x) - x, up(other.y) - y
        for step in range(_STEPS):
            at_x, at_y = x + wide * step / _STEPS, y + high * step / _STEPS
            yield Box(at_x - 3, at_y - 3, at_x + 3, at_y + 3)


def _front(spots: Sequence[_Spot], across: Scale, up: Scale) -> str:
    best = _best(spots)
    if len(best) < 2:
        return ""
    return "M" + "L".join(f"{across(spot.x)} {up(spot.y)}" for spot in best)


def _said(spot: _Spot, metric: str, *, priced: bool) -> str:
    name = clean(spot.variant.name, 80)
    money = usd(spot.variant.cost.usd_per_1k) if priced else f"{count(spot.x)} input tokens"
    if spot.delta is None:
        return f"{spot.number} {name}: {money}"
    middle = quality(metric, spot.delta.mean, sign=True)
    bounds = interval(metric, spot.delta.low, spot.delta.high)
    in_unit = f" {unit(metric)}" if unit(metric) else ""
    return (
        f"{spot.number} {name}: {money}, quality {middle} {bounds}{in_unit} on "
        f"{spot.delta.n} rows, {spot.variant.verdict}"
    )


def _description(spots: Sequence[_Spot], metric: str, *, priced: bool) -> str:
    return ". ".join(_said(spot, metric, priced=priced) for spot in spots)
