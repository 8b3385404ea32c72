"""What may be written of a prompt's volume, and why a value cannot be told."""

from dataclasses import dataclass
from datetime import timedelta

from .volumes import Volume, Volumes

FEWEST = 20
"""Fewer requests than this say too little."""
OWN = "from logs of"
"""How comments on what was written begin."""

_MONTH = timedelta(days=365) / 12
_SHORT, _SHORTEST = timedelta(days=7), timedelta(hours=20)
_MOSTLY = 0.9
"""The part of the requests that has to say what a cache gave: some logs say only where it did."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value as it was measured.

    Attributes:
        value: The value; ``None`` where it is unknown.
        requests: How many requests it is of.
        why: Why it is unknown; empty where it is not.
    """

    value: int | float | None
    requests: int
    why: str = ""


def measured(volume: Volume, length: timedelta) -> dict[str, Measured]:
    """Return the values of a prompt by the keys of its rule.

    Example:
        >>> found = measured(Volume(requests=60), timedelta(days=30))
        >>> found["calls_per_month"].value, found["cache_hit_rate"].why
        (61, 'the log says of 0 of 0 answers what a cache gave')
    """
    return {
        "calls_per_month": _calls(volume, length),
        "cache_hit_rate": _hit_rate(volume),
        "output_tokens_per_call": _output(volume),
    }


def comment(found: Volumes, requests: int) -> str:
    """Say of which days and how many requests a value is."""
    if found.first is None or found.last is None:
        raise ValueError("nothing was measured without a period")
    # A period that ends at midnight has nothing of the day that begins then.
    last = max(found.first, found.last - timedelta(microseconds=1))
    said = f"{OWN} {found.first.date()} to {last.date()}, {requests:,} requests"
    if found.length >= _SHORT:
        return said
    return f"{said}, estimated from {found.length / timedelta(days=1):.1f} days"


def _calls(volume: Volume, length: timedelta) -> Measured:
    if length < _SHORTEST:
        hours = length / timedelta(hours=1)
        why = f"the log's time is {hours:.1f} hours, too short to say what a month has"
        return Measured(value=None, requests=volume.requests, why=why)
    calls = round(volume.requests * (_MONTH / length))
    why = "" if calls else "less than one"
    return Measured(value=calls or None, requests=volume.requests, why=why)


def _hit_rate(volume: Volume) -> Measured:
    """Return the share of the requests that a cache gave something, which is what prices take."""
    known = volume.cache_known
    if known < max(FEWEST, _MOSTLY * volume.succeeded):
        why = f"the log says of {known:,} of {volume.succeeded:,} answers what a cache gave"
        return Measured(value=None, requests=known, why=why)
    if not volume.cached:
        # A rate of 0 would be taken for a cache that is written to and never read.
        why = "no request read from a cache or wrote to one"
        return Measured(value=None, requests=known, why=why)
    return Measured(value=round(volume.hits / known, 3), requests=known)


def _output(volume: Volume) -> Measured:
    if volume.answers < FEWEST or not volume.output_mean:
        why = f"the log has the output tokens of {volume.answers:,} answers"
        why = why if volume.answers < FEWEST else "no answer has an output token"
        return Measured(value=None, requests=volume.answers, why=why)
    mean = round(volume.output_mean, 1)
    value = int(mean) if mean.is_integer() else mean
    return Measured(value=value, requests=volume.answers)
