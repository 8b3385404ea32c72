"""From what a lever changes to what it saves: by feature, and a month with a range."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from ...core.student import student_quantile
from .rates import dollars
from .saving import Evidence, FeatureSaving, Month, Point, Saving
from .state import Change, Replay, cost

DAYS_A_MONTH = Decimal(365) / 12
_LEAST_DAYS = 2
_LEVEL = 0.95


@dataclass(frozen=True)
class Spent:
    """What the log cost: in all, and by feature with its models; money in 10^-15 USD."""

    total: int
    unpriced: int
    by_feature: Mapping[str | None, int]
    models: Mapping[str | None, tuple[str, ...]]


def spent(replay: Replay) -> Spent:
    """Add up what the log cost by the price table."""
    rows = replay.rows(
        f"""SELECT l.feature, c.ref, coalesce(sum(c.cost), 0), count(*) - count(c.cost)
        FROM ({cost(replay.first)}) c JOIN whatif_log l ON l.n = c.n
        GROUP BY ALL ORDER BY 3 DESC, 2"""
    )
    by_feature: dict[str | None, int] = {}
    models: dict[str | None, tuple[str, ...]] = {}
    for feature, ref, amount, _ in rows:
        by_feature[feature] = by_feature.get(feature, 0) + int(amount)
        name = () if ref is None else (replay.listed(ref),)
        models[feature] = (*models.get(feature, ()), *name)
    return Spent(sum(by_feature.values()), sum(int(row[3]) for row in rows), by_feature, models)


def whole_days(replay: Replay) -> tuple[date, ...]:
    """Return the days that lie wholly in the log."""
    if replay.start is None or replay.end is None:
        return ()
    first, last = replay.start.date(), replay.end.date()
    return tuple(first + timedelta(days=i) for i in range(1, (last - first).days))


def month(replay: Replay, changes: Sequence[Change]) -> Month:
    """Scale a saving to a month.

    The range supposes that days are alike and independent: Student's t on the sums of whole days.
    """
    length = _length(replay)
    if not length:
        return Month(usd=None, low=None, high=None, days=0.0)
    times = DAYS_A_MONTH / Decimal(str(length))
    usd = dollars(sum(change.saved for change in changes)) * times
    certain = dollars(sum(change.certain for change in changes)) * times
    spread = _spread(whole_days(replay), changes)
    if spread is None:
        none_certain = Decimal(0) if not certain and usd > 0 else None
        return Month(usd=usd, low=none_certain, high=None, days=length)
    low = certain - spread
    if all(change.certain >= 0 for change in changes):
        low = max(low, Decimal(0))
    return Month(usd=usd, low=low, high=usd + spread, days=length)


def _length(replay: Replay) -> float:
    if replay.start is None or replay.end is None:
        return 0.0
    return (replay.end - replay.start).total_seconds() / 86400


def _spread(days: Sequence[date], changes: Sequence[Change]) -> Decimal | None:
    """Return half the width of the range of a month, in USD."""
    if len(days) < _LEAST_DAYS:
        return None
    sums = dict.fromkeys(days, 0)
    for change in changes:
        if change.day in sums:
            sums[change.day] += change.saved
    values = np.array([float(dollars(amount)) for amount in sums.values()])
    error = float(np.std(values, ddof=1)) / len(days) ** 0.5
    return Decimal(str(student_quantile(_LEVEL, len(days) - 1) * error)) * DAYS_A_MONTH


def saving(
    replay: Replay,
    changes: Sequence[Change],
    *,
    lever: str,
    setting: str,
    evidence: Evidence,
    of: Spent,
    details: Mapping[str | None, str] | None = None,
    to: Mapping[str | None, str] | None = None,
    curve: Iterable[Point] = (),
    notes: Iterable[str] = (),
) -> Saving:
    """Return what a lever saves, from what it changes.

    Args:
        replay: The log.
        changes: What the lever changes.
        lever: Its name.
        setting: Its setting, in words.
        evidence: What the numbers rest on.
        of: What the log cost.
        details: By feature, what is done there.
        to: By feature, another model.
        curve: Other settings.
        notes: What is to be known.
    """
    unknown = sum(change.unknown for change in changes)
    priced = (f"{unknown:,} requests that it touches are left out: what they cost is unknown",)
    return Saving(
        lever=lever,
        setting=setting,
        usd=dollars(sum(change.saved for change in changes)),
        certain_usd=dollars(sum(change.certain for change in changes)),
        month=month(replay, changes),
        requests=sum(change.requests for change in changes),
        tokens=sum(change.tokens for change in changes),
        evidence=evidence,
        features=_by_feature(replay, changes, of, details or {}, to or {}),
        curve=tuple(curve),
        notes=(*notes, *(priced if unknown else ())),
    )


def _by_feature(
    replay: Replay,
    changes: Sequence[Change],
    of: Spent,
    details: Mapping[str | None, str],
    to: Mapping[str | None, str],
) -> tuple[FeatureSaving, ...]:
    groups: dict[str | None, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.feature, []).append(change)
    found: list[FeatureSaving] = []
    for feature, own in groups.items():
        saved, total = sum(change.saved for change in own), of.by_feature.get(feature, 0)
        found.append(
            FeatureSaving(
                feature=feature,
                usd=dollars(saved),
                certain_usd=dollars(sum(change.certain for change in own)),
                month=month(replay, own),
                requests=sum(change.requests for change in own),
                tokens=sum(change.tokens for change in own),
                share=saved / total if total else None,
                now=of.models.get(feature, ()),
                detail=details.get(feature),
                to=to.get(feature),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.usd, one.feature or "")))


def unknown(lever: str, note: str) -> Saving:
    """Return the saving of a lever about which the log cannot tell anything."""
    return Saving(
        lever=lever,
        setting="",
        usd=None,
        certain_usd=None,
        month=Month(usd=None, low=None, high=None, days=0.0),
        requests=0,
        tokens=0,
        evidence="estimated",
        notes=(note,),
    )
