"""An own cache of whole answers: the same request is not asked twice."""

from collections.abc import Iterator

import numpy as np

from .lru import answered
from .rates import dollars
from .saving import Point, Saving
from .state import MOST_FOR_CURVES, Replay, changes
from .summing import Spent, saving, spent, unknown

LEVER = "exact-cache"
TTL_S, SIZE = 24 * 3600, 10_000
"""The setting whose numbers are told first: a day, ten thousand answers."""
_TTLS = (300, 3600, 24 * 3600, 7 * 24 * 3600, None)
_SIZES = (1_000, 10_000, 100_000, None)
_CHUNK = 100_000


def exact_cache(
    replay: Replay,
    *,
    ttl_s: int | None = TTL_S,
    size: int | None = SIZE,
    of: Spent | None = None,
    curve: bool = True,
) -> Saving:
    """Return what a cache of answers would have saved, with its hit curve.

    Args:
        replay: The log.
        ttl_s: How long an answer may be served, in seconds; ``None``: for ever.
        size: How many answers there is room for; ``None``: any number.
        of: What the log cost, where that is known already.
        curve: Whether to try other settings, too.
    """
    keyed = keyed_requests(replay)
    if not keyed:
        return unknown(LEVER, "the log does not hold whole requests: unknown how many repeat")
    after = serve(replay, replay.first, ttl_s=ttl_s, size=size)
    found = changes(replay, replay.first, after)
    replay.drop(after)
    return saving(
        replay,
        found,
        lever=LEVER,
        setting=words(ttl_s, size),
        evidence="replayed",
        of=of or spent(replay),
        curve=tuple(_curve(replay, keyed)) if curve and replay.requests <= MOST_FOR_CURVES else (),
        notes=notes(replay, keyed),
    )


def words(ttl_s: int | None, size: int | None) -> str:
    """Return a setting in words.

    Example:
        >>> words(3600, 1000), words(None, None)
        ('answers kept for 1 h, room for 1,000', 'answers kept for ever, any number')
    """
    return f"answers kept {duration(ttl_s)}, {room(size)}"


def room(size: int | None) -> str:
    """Return how many answers there is room for, in words."""
    return "any number" if size is None else f"room for {size:,}"


def duration(seconds: float | None) -> str:
    """Return a time to live in words.

    Example:
        >>> duration(300), duration(86400), duration(90), duration(None)
        ('for 5 min', 'for 1 day', 'for 90 s', 'for ever')
    """
    if seconds is None:
        return "for ever"
    for unit, size in (("day", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"for {number} {unit}{'s' if unit == 'day' and number > 1 else ''}"
    return f"for {seconds:g} s"


def keyed_requests(replay: Replay) -> int:
    """Return of how many requests the log holds what decides the answer."""
    return int(replay.rows("SELECT count(key) FROM whatif_log")[0][0])


def serve(replay: Replay, state: str, *, ttl_s: int | None, size: int | None) -> str:
    """Return the state in which the cache serves what it can."""
    _number_keys(replay)
    ttl_us = None if ttl_s is None else ttl_s * 1_000_000
    hits = np.fromiter(
        answered(_stream(replay, state, all_keys=size is not None), ttl_us=ttl_us, size=size),
        dtype=np.int64,
    )
    replay.connection.register("whatif_hits", {"n": hits})
    after = replay.derive(
        state,
        {"served": "s.served OR h.n IS NOT NULL", "certain": "true"},
        "LEFT JOIN whatif_hits h ON h.n = s.n",
    )
    replay.connection.unregister("whatif_hits")
    return after


def _number_keys(replay: Replay) -> None:
    """Give keys numbers: short, and never two keys the same."""
    replay.connection.execute(
        """CREATE TEMP TABLE IF NOT EXISTS whatif_keys AS
        WITH k AS (SELECT key, row_number() OVER () AS id, count(*) AS times
                   FROM whatif_log WHERE key IS NOT NULL GROUP BY key)
        SELECT l.n, k.id, k.times, epoch_us(l.moment) AS us, l.ok
        FROM whatif_log l JOIN k ON k.key = l.key"""
    )


def _stream(replay: Replay, state: str, *, all_keys: bool) -> Iterator[tuple[int, int, int, bool]]:
    """Yield the requests in order of time; those that repeat where only they matter."""
    where = "" if all_keys else "AND k.times > 1"
    found = replay.connection.execute(
        f"SELECT k.n, k.id, k.us, k.ok FROM whatif_keys k JOIN {state} s ON s.n = k.n "
        f"WHERE NOT s.served {where} ORDER BY k.n"
    )
    while rows := found.fetchmany(_CHUNK):
        yield from rows


def _curve(replay: Replay, keyed: int) -> Iterator[Point]:
    for ttl_s in _TTLS:
        yield _point(replay, keyed, ttl_s, None)
    for size in _SIZES[:-1]:
        yield _point(replay, keyed, TTL_S, size)


def _point(replay: Replay, keyed: int, ttl_s: int | None, size: int | None) -> Point:
    after = serve(replay, replay.first, ttl_s=ttl_s, size=size)
    served = int(replay.rows(f"SELECT count(*) FROM {after} WHERE served")[0][0])
    found = changes(replay, replay.first, after)
    replay.drop(after)
    return Point(
        setting=words(ttl_s, size),
        requests=served,
        share=served / keyed,
        usd=dollars(sum(change.saved for change in found)),
    )


def notes(replay: Replay, keyed: int) -> tuple[str, ...]:
    """Return what is to be known of a cache of answers."""
    missing = replay.requests - keyed
    return (
        "everybody who asks the same gets the same answer, at any temperature; an answer counts as "
        "stored at once",
        *(
            (f"{missing:,} requests are not held whole in the log, and count as never repeated",)
            if missing
            else ()
        ),
    )
