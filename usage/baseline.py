"""What a series usually is, by medians: by hour of the day, weekend and day of the week.

A median does not move for what is abnormal, as long as that is less than half of the log. How far
buckets usually lie from it is measured by the median, too (the MAD, times 1.4826: as much as a
standard deviation where the spread is normal).
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from .series import DAY_S, Floats, Means, Series

_ROUNDS = 3
_WEEKS_DAYS = 14
_DAILY_DAYS = 3
_MAD = 1.4826
_BLOCK = 24


@dataclass(frozen=True)
class Deviation:
    """How far a series lies from what it usually is, bucket by bucket.

    Attributes:
        z: In usual deviations of a bucket; 0 where nothing is known.
        weight: How much the bucket counts where several are taken together.
        expected: What is usual, in the series' own unit.
        seen: What was.
    """

    z: Floats
    weight: Floats
    expected: Floats
    seen: Floats


def cells(series: Series) -> list[npt.NDArray[np.int64]]:
    """Return the seasons of each bucket: what of them a log is long enough for."""
    count = len(series.all)
    if series.seconds == DAY_S:
        days = np.array([series.moment(i).weekday() for i in range(count)])
        return [days] if count >= 2 * _WEEKS_DAYS else []
    length = timedelta(seconds=series.seconds * count)
    moments = [series.moment(i) for i in range(count)]
    hours = np.array([moment.hour for moment in moments])
    days = np.array([moment.weekday() for moment in moments])
    if length >= timedelta(days=_WEEKS_DAYS):
        return [hours + 24 * (days >= 5), days]
    return [hours] if length >= timedelta(days=_DAILY_DAYS) else []


def turn(series: Series) -> int:
    """Return after how many buckets the seasons come round: those of a week, or of a day."""
    if series.seconds == DAY_S:
        return 7
    return 7 * 24 if len(series.all) >= _WEEKS_DAYS * 24 else 24


def usual(values: Floats, seasons: list[npt.NDArray[np.int64]], week: int | None = None) -> Floats:
    """Return a level and an offset for each season, by medians; NaN counts as unknown.

    Seasons are those of what lies around a moving median of a week: a step of the level, which may
    fill half of the Sundays of a month, does not become a season so. The offsets are Tukey's median
    polish: J. W. Tukey, *Exploratory Data Analysis*, 1977, chapter 11.

    Args:
        values: The series.
        seasons: For each season the cell of each value.
        week: How many values the moving median is over; one for all values where left out.

    Example:
        >>> usual(np.array([1.0, 5.0, 1.0, 5.0, 1.0, 99.0]), [np.array([0, 1, 0, 1, 0, 1])])
        array([1., 5., 1., 5., 1., 5.])
    """
    local = _moving(values, week) if week else np.full_like(values, _median(values))
    offsets = np.zeros_like(values)
    for _ in range(_ROUNDS if seasons else 0):
        for season in seasons:
            for cell in np.unique(season):
                inside = season == cell
                offset = _median((values - local - offsets)[inside])
                offsets[inside] += 0.0 if np.isnan(offset) else offset
    return offsets + _shorth(values - offsets)


def _moving(values: Floats, week: int) -> Floats:
    """Return the median of a week around each value; at the ends, of the first and last week."""
    if len(values) <= week:
        return np.full_like(values, _median(values))
    windows = np.lib.stride_tricks.sliding_window_view(values, week)
    filled = np.isnan(windows).all(axis=1)
    medians = np.full(len(windows), _median(values))
    medians[~filled] = np.nanmedian(windows[~filled], axis=1)
    before = week // 2
    return np.pad(medians, (before, len(values) - len(medians) - before), mode="edge")


def _median(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _shorth(values: Floats) -> float:
    """Return the median of the shortest half: of values that step up for a third of the log, too.

    D. F. Andrews et al., *Robust Estimates of Location*, 1972.
    """
    known = np.sort(values[~np.isnan(values)])
    half = len(known) // 2
    if not half:
        return _median(values)
    start = int(np.argmin(known[half:] - known[: len(known) - half]))
    return float(np.median(known[start : start + half + 1]))


def _spread(values: Floats) -> float:
    """Return the usual deviation from 0, by the median."""
    found = _MAD * _median(np.abs(values))
    return 0.0 if np.isnan(found) else found


def of_counts(
    counts: Floats, seasons: list[npt.NDArray[np.int64]], week: int | None = None
) -> Deviation:
    """Return how counts deviate: by chance, as arrivals do, and by how much more than that.

    The square root makes the spread of arrivals the same at any number: F. J. Anscombe, Biometrika
    35 (1948).
    """
    expected = np.exp(usual(np.log1p(counts), seasons, week)) - 1
    expected = np.maximum(expected, 0.0)
    residual = 2 * (np.sqrt(counts + 0.375) - np.sqrt(expected + 0.375))
    # Beyond chance, numbers vary in proportion to themselves.
    middle = max(_median(expected), 1.0)
    more = max(0.0, _spread(residual) ** 2 - 1) / middle
    z = residual / np.sqrt(1 + expected * more)
    return Deviation(z, np.ones_like(z), expected, counts)


def of_means(
    means: Means, seasons: list[npt.NDArray[np.int64]], week: int | None = None
) -> Deviation:
    """Return how the mean of a number of each request deviates."""
    values = means.mean
    expected = usual(values, seasons, week)
    within = _within(means)
    with np.errstate(invalid="ignore"):
        residual = np.nan_to_num((values - expected) * np.sqrt(means.n) / within)
    scale = max(1.0, _spread(residual[means.n > 0]))
    expected = np.nan_to_num(expected)
    return Deviation(residual / scale, means.n, expected, np.where(means.n > 0, values, expected))


def _within(means: Means) -> float:
    """Return the usual standard deviation of requests in a bucket, never quite 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = means.squares / means.n - means.mean**2
    variance[means.n < 5] = np.nan
    level = _median(means.mean)
    least = 0.02 * abs(level) if not np.isnan(level) else 0.0
    middle = _median(variance)
    return max(np.sqrt(max(0.0, 0.0 if np.isnan(middle) else middle)), least, 1e-3)


def of_shares(counts: Floats, of: Floats) -> Deviation:
    """Return how a share of requests deviates; without seasons, since most shares are near 0.

    What is usual is the median of blocks of buckets: of single ones it may well be 0.
    """
    blocks = np.arange(len(counts)) // _BLOCK
    in_blocks, of_blocks = np.bincount(blocks, counts), np.bincount(blocks, of)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = float(np.nan_to_num(_median(in_blocks / of_blocks)))
        shares = counts / of
    expected = of * share
    residual = 2 * (np.sqrt(counts + 0.375) - np.sqrt(expected + 0.375))
    residual = np.where(of > 0, residual, 0.0)
    scale = max(1.0, _spread(residual[of > 0]))
    level = np.full_like(counts, share)
    return Deviation(residual / scale, of, level, np.where(of > 0, shares, level))
