"""Cost over time and by feature and model, as values that are small however long a log is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

Step = Literal["hour", "day", "week", "month", "year"]

MOST_SLOTS = 110
"""So many can be told apart side by side."""
SHOWN = 8
"""Features with a sum of their own in each slot."""
NAMED = 24
"""Features that are named at all."""
MODELS = 6
"""Models of a feature that are named."""

_HOURS: dict[Step, int] = {"hour": 1, "day": 24, "week": 168, "month": 730}


@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """What a model costs in a feature.

    Attributes:
        model: Its name; ``None`` where the log names none.
        models: How many models it stands for: more than one where they are told as one.
        usd: What its priced requests cost; ``None`` where none is.
        requests: All of them.
    """

    model: str | None
    models: int = 1
    usd: Decimal | None
    requests: int


@dataclass(frozen=True, kw_only=True)
class FeatureCost:
    """What a feature costs, with its models, the dearest first.

    ``features`` says how many features it stands for: more than one, and without models, where
    they are told as one.
    """

    feature: str | None
    features: int = 1
    usd: Decimal | None
    requests: int
    models: tuple[ModelCost, ...]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """An hour, a day, a week, a month or a year; it begins at ``start``, UTC.

    Attributes:
        start: When it begins.
        end: When the next one begins.
        requests: All its requests.
        unpriced: Those that are in no sum of money.
        usd: What each of the first `SHOWN` features costs in it; ``None`` where nothing is priced.
        others: What all other features cost in it.
    """

    start: datetime
    end: datetime
    requests: int
    unpriced: int
    usd: tuple[Decimal | None, ...]
    others: Decimal | None

    @property
    def total(self) -> Decimal | None:
        """What it all costs; ``None`` where nothing is priced."""
        known = [amount for amount in (*self.usd, self.others) if amount is not None]
        return sum(known, Decimal(0)) if known else None


@dataclass(frozen=True, kw_only=True)
class OverTime:
    """Cost over time, by feature and by feature and model.

    Attributes:
        step: How long a slot is.
        slots: Those with requests, in order.
        features: The dearest `NAMED` features.
        rest: All other features as one; ``None`` where there is none.
        untimed: Requests without a time: they are in the sums of features and in no slot.
        untimed_usd: What these cost.
    """

    step: Step
    slots: tuple[Slot, ...]
    features: tuple[FeatureCost, ...]
    rest: FeatureCost | None
    untimed: int
    untimed_usd: Decimal | None

    @property
    def shown(self) -> tuple[FeatureCost, ...]:
        """The features with a sum of their own in each slot."""
        return self.features[:SHOWN]

    @property
    def other_features(self) -> int:
        """How many features the others of a slot are."""
        return len(self.features[SHOWN:]) + (self.rest.features if self.rest else 0)


def step_of(first: datetime | None, last: datetime | None) -> Step:
    """Return the shortest step that gives no more than `MOST_SLOTS` slots; a year at most.

    Example:
        >>> step_of(datetime(2026, 1, 1), datetime(2026, 1, 4))
        'hour'
        >>> step_of(datetime(2026, 1, 1), datetime(2027, 12, 31))
        'week'
    """
    if first is None or last is None:
        return "day"
    hours = (last - first) / timedelta(hours=1)
    for step, each in _HOURS.items():
        # The first and the last slot may be begun only.
        if hours / each <= MOST_SLOTS - 2:
            return step
    return "year"


def next_slot(start: datetime, step: Step) -> datetime:
    """Return when the slot after one begins.

    Example:
        >>> next_slot(datetime(2026, 12, 1), "month")
        datetime.datetime(2027, 1, 1, 0, 0)
    """
    if step == "year":
        return start.replace(year=start.year + 1)
    if step == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(hours=_HOURS[step])
