"""Cost over time by feature as stacked bars, with what is abnormal marked above them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from ....usage.anomalies import Anomaly
from ....usage.slots import OverTime, Slot, Step
from ...numbers import count, usd
from ..axes import Scale, Tick, money_text, steps
from .names import OTHERS, feature, others, style

WIDTH = 960
_HIGH, _LANE, _LEFT, _RIGHT, _BOTTOM = 290, 16, 66, 14, 30
_LANES = 4
"""Rows of marks above the bars; what finds no room in them is in the table only."""
_TICKS = 8
_NAME = 40
_FORMATS: dict[Step, str] = {
    "hour": "%m-%d %H:00",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",
    "month": "%Y-%m",
    "year": "%Y",
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a feature costs in a slot, as a rectangle."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An anomaly: a line above the bars with its number in the table."""

    start: float
    end: float
    y: float
    text_x: float
    anchor: str
    number: int
    title: str


@dataclass(frozen=True, kw_only=True)
class Key:
    """What a colour means."""

    style: str
    name: str
    amount: str


@dataclass(frozen=True, kw_only=True)
class TimePlot:
    """All that is drawn; every number is in the drawing's own units."""

    title: str
    description: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    keys: tuple[Key, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[str, ...]
    top: int
    bottom: int
    height: int
    width: int = WIDTH
    left: int = _LEFT
    right: int = WIDTH - _RIGHT


def slot_name(slot: Slot, step: Step) -> str:
    """Return a slot as it is written at the axis and in the table."""
    return slot.start.strftime(_FORMATS[step])


def time_plot(found: OverTime, anomalies: Sequence[Anomaly]) -> TimePlot | None:
    """Return the plot; ``None`` where no request has both a time and a price.

    Args:
        found: Cost over time.
        anomalies: Those of the table, in its order.
    """
    highest = max((slot.total for slot in found.slots if slot.total is not None), default=None)
    if not highest:
        return None
    first, last = found.slots[0].start, found.slots[-1].end
    across = Scale(low=moment(first), high=moment(last), start=_LEFT, end=WIDTH - _RIGHT)
    marks = tuple(_marks(anomalies, across, first, last))
    lanes = max((round(mark.y / _LANE) for mark in marks), default=0)
    top = 12 + lanes * _LANE
    bottom = top + _HIGH
    along = steps(0.0, float(highest), 7)
    up = Scale(low=0.0, high=float(highest), start=bottom, end=top)
    return TimePlot(
        title=f"Cost by {found.step} and feature, USD",
        description=_description(found, highest),
        bars=tuple(bar for slot in found.slots for bar in _bars(found, slot, across, up)),
        marks=marks,
        keys=tuple(_keys(found)),
        x_ticks=tuple(_x_ticks(found, across)),
        y_ticks=tuple(Tick(at=up(value), text=money_text(value, along)) for value in along),
        lines=tuple(_lines(found, len(anomalies) - len(marks))),
        top=top,
        bottom=bottom,
        height=bottom + _BOTTOM,
    )


def moment(time: datetime) -> float:
    """Return a time in UTC as a number."""
    return time.replace(tzinfo=UTC).timestamp()


def _amounts(found: OverTime, slot: Slot) -> Iterator[tuple[str, str, Decimal]]:
    """Yield the style, the name and the cost of each part of a bar, from the ground up."""
    for place, (one, amount) in enumerate(zip(found.shown, slot.usd, strict=True)):
        if amount:
            yield style(place), feature(one.feature, _NAME), amount
    if slot.others:
        yield OTHERS, others(found.other_features), slot.others


def _bars(found: OverTime, slot: Slot, across: Scale, up: Scale) -> Iterator[Bar]:
    left, right = across(moment(slot.start)), across(moment(slot.end))
    gap = min(2.0, 0.15 * (right - left))
    day, sum_below = slot_name(slot, found.step), 0.0
    for style_of, text, amount in _amounts(found, slot):
        low, high = up(sum_below), up(sum_below + float(amount))
        sum_below += float(amount)
        if high < low:
            yield Bar(
                x=round(left + gap / 2, 1),
                y=high,
                width=round(right - left - gap, 1),
                height=round(low - high, 1),
                style=style_of,
                title=f"{day}, {text}: {usd(amount)}",
            )


def _keys(found: OverTime) -> Iterator[Key]:
    for place, one in enumerate(found.shown):
        yield Key(style=style(place), name=feature(one.feature, _NAME), amount=usd(one.usd))
    if found.other_features:
        rest = [one.usd for one in found.features[len(found.shown) :]]
        rest += [found.rest.usd] if found.rest else []
        known = [amount for amount in rest if amount is not None]
        amount = sum(known, Decimal(0)) if known else None
        yield Key(style=OTHERS, name=others(found.other_features), amount=usd(amount))


def _x_ticks(found: OverTime, across: Scale) -> Iterator[Tick]:
    """Yield ticks below slots, as many as can be read."""
    room = (WIDTH - _LEFT - _RIGHT) / _TICKS
    last = -room
    for slot in found.slots:
        middle = round((across(moment(slot.start)) + across(moment(slot.end))) / 2, 1)
        if middle - last >= room and _LEFT + 20 <= middle <= WIDTH - 36:
            last = middle
            yield Tick(at=middle, text=slot_name(slot, found.step))


def _marks(
    anomalies: Sequence[Anomaly], across: Scale, first: datetime, last: datetime
) -> Iterator[Mark]:
    """Yield a mark for each anomaly that finds room, the dearest first."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_LANES)]
    for number, one in enumerate(anomalies, start=1):
        if one.end <= first or one.start >= last:
            continue
        start, end = across(moment(max(one.start, first))), across(moment(min(one.end, last)))
        end = max(end, start + 3)
        wide = 8.0 * len(str(number)) + 4
        before = start - wide >= _LEFT
        room = (start - wide, end + 4) if before else (start - 4, end + wide)
        lane = next((at for at, own in enumerate(taken) if _free(own, room)), None)
        if lane is None:
            continue
        taken[lane].append(room)
        yield Mark(
            start=start,
            end=end,
            y=float((lane + 1) * _LANE),
            text_x=start - 4 if before else end + 4,
            anchor="end" if before else "start",
            number=number,
            title=f"{number}: {feature(one.feature, _NAME)}, {one.cause}",
        )


def _free(taken: Sequence[tuple[float, float]], room: tuple[float, float]) -> bool:
    return all(room[1] <= low or room[0] >= high for low, high in taken)


def _lines(found: OverTime, not_drawn: int) -> Iterator[str]:
    unpriced = sum(slot.unpriced for slot in found.slots)
    if unpriced:
        yield f"{count(unpriced)} requests have no price and are not drawn."
    if found.untimed:
        money = "" if found.untimed_usd is None else f", which cost {usd(found.untimed_usd)},"
        yield f"{count(found.untimed)} requests without a time{money} are not drawn."
    if not_drawn:
        yield f"{count(not_drawn)} anomalies are in the table and not marked here."
    yield f"Times are UTC. The first and the last {found.step} may not be whole."
    if found.step not in ("hour", "day"):
        yield "--since and --until show a shorter time by day or by hour."


def _description(found: OverTime, highest: Decimal) -> str:
    dearest = max(found.slots, key=lambda slot: slot.total or Decimal(0))
    names = ", ".join(f"{feature(one.feature, _NAME)} {usd(one.usd)}" for one in found.shown)
    return (
        f"{count(len(found.slots))} bars, one for each {found.step} with requests. "
        f"The highest is {slot_name(dearest, found.step)} at {usd(highest)}. In all: {names}. "
        "The table below says the same."
    )
