"""An own cache that serves an earlier answer to a request that is like the earlier one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .alike import FROM_TEXTS, Numbers, compared, pairs
from .alike_cache import MOST_COMPARED, AlikeCache, Row, Texts
from .exact_cache import SIZE, TTL_S, duration, room, words
from .false_hits import ALLOWED, OVERLAP, SAMPLE, FalseHits, judge
from .rates import dollars
from .saving import Point, Saving
from .state import Replay, changes
from .summing import Spent, saving, spent, unknown

LEVER = "semantic-cache"
PERCENT = 95
"""How alike texts have to be, in percent, in the numbers that are told first."""
MOST_REQUESTS, MOST_CHARACTERS = 100_000, 100_000_000
"""How many requests are compared at most, and how much text: the latest."""
MOST_FOR_CURVES = 10_000
"""Up to how many of them other settings are tried, too."""
_PERCENTS = (80, 90, 95, 98, 100)
_TTLS = (300, 3600, 24 * 3600, 7 * 24 * 3600, None)
_SIZES = (1_000, 100_000)
_CHUNK = 2_000

# Texts of one prompt of one feature at one model are compared with one another, and no others.
_TEXTS = f"""CREATE OR REPLACE TEMP TABLE whatif_texts AS
WITH t AS (
    SELECT n, feature, prompt, ref, text, ok, epoch_us(moment) AS us,
        row_number() OVER w AS place, sum(length(text)) OVER w AS characters
    FROM whatif_log WHERE text IS NOT NULL WINDOW w AS (ORDER BY n DESC))
SELECT n, ok, us, text, dense_rank() OVER (ORDER BY feature, prompt, ref) AS kind
FROM t WHERE place <= {MOST_REQUESTS} AND characters <= {MOST_CHARACTERS}"""


@dataclass(frozen=True)
class Log:
    """The texts of a log, ready to be compared.

    Attributes:
        texts: The different ones.
        rows: The requests in order of time.
    """

    texts: Texts
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Served:
    """What a cache does.

    Attributes:
        state: The state in which it serves what it can.
        judged: How good its answers are, by feature.
        whole: Whether all was compared that had to be.
    """

    state: str
    judged: Mapping[str | None, FalseHits]
    whole: bool


def semantic_cache(
    replay: Replay,
    *,
    log: Log | None = None,
    percent: int = PERCENT,
    ttl_s: int | None = TTL_S,
    size: int | None = SIZE,
    of: Spent | None = None,
    curve: bool = True,
) -> Saving:
    """Return what a cache would have saved that answers requests like earlier ones.

    Args:
        replay: The log.
        log: Its texts, where they are prepared already.
        percent: How alike texts have to be.
        ttl_s: How long an answer may be served, in seconds; ``None``: for ever.
        size: How many answers there is room for; ``None``: any number.
        of: What the log cost, where that is known already.
        curve: Whether to try other settings, too.
    """
    log = log or read_texts(replay)
    if not log.rows:
        return unknown(
            LEVER, "no texts of requests were read: unknown how many are similar (--texts)"
        )
    served = serve(replay, replay.first, log, percent=percent, ttl_s=ttl_s, size=size)
    found = changes(replay, replay.first, served.state)
    replay.drop(served.state)
    tried = curve and len(log.rows) <= MOST_FOR_CURVES
    return saving(
        replay,
        found,
        lever=LEVER,
        setting=setting(percent, ttl_s, size),
        evidence="estimated",
        of=of or spent(replay),
        details={
            feature: f"texts {percent} % similar: {one.words}"
            for feature, one in served.judged.items()
        },
        curve=tuple(_curve(replay, log)) if tried else (),
        notes=notes(replay, log, served),
    )


def setting(percent: int, ttl_s: int | None, size: int | None) -> str:
    """Return a setting in words.

    Example:
        >>> setting(95, 3600, 1000)
        'texts 95 % similar, answers kept for 1 h, room for 1,000'
    """
    return f"texts {percent} % similar, {words(ttl_s, size)}"


def short(percent: int, ttl_s: int | None, size: int | None) -> str:
    """Return a setting in few words, for a table of them.

    Example:
        >>> short(80, 3600, None)
        '80 %, for 1 h, any number'
    """
    return f"{percent} %, {duration(ttl_s)}, {room(size)}"


def read_texts(replay: Replay) -> Log:
    """Read the texts of the latest requests, each different one once."""
    replay.connection.execute(_TEXTS)
    numbers, places = Numbers(), dict[tuple[int, bytes], int]()
    by_kind: dict[int, list[NDArray[np.int64]]] = {}
    order: list[tuple[int, int]] = []
    rows: list[Row] = []
    for n, ok, us, text, kind in _stream(replay):
        same, found = pairs(text, numbers)
        place = places.get((kind, same))
        if place is None:
            place = places[kind, same] = len(order)
            own = by_kind.setdefault(kind, [])
            order.append((kind, len(own)))
            own.append(found)
        rows.append((n, place, us, ok))
    return Log(_compared(by_kind, order), tuple(rows))


def _stream(replay: Replay) -> Iterator[tuple[int, bool, int, str, int]]:
    found = replay.connection.execute("SELECT n, ok, us, text, kind FROM whatif_texts ORDER BY n")
    while rows := found.fetchmany(_CHUNK):
        yield from rows


def _compared(by_kind: dict[int, list[NDArray[np.int64]]], order: list[tuple[int, int]]) -> Texts:
    """Prepare each kind of texts for itself; no two kinds have a pair in common."""
    tokens = 0
    kinds = {}
    for kind in list(by_kind):
        kinds[kind] = compared(by_kind.pop(kind), tokens)
        tokens += kinds[kind].tokens
    return Texts(
        sizes=[kinds[kind].sizes[place] for kind, place in order],
        shared=[kinds[kind].shared[place] for kind, place in order],
        tokens=tokens,
    )


def serve(
    replay: Replay,
    state: str,
    log: Log,
    *,
    percent: int = PERCENT,
    ttl_s: int | None = TTL_S,
    size: int | None = SIZE,
) -> Served:
    """Return the state in which the cache serves what it can.

    The hits stand in ``whatif_alike``: ``n``, the ``source`` of the answer, and whether both ask in
    the ``same`` words. Their saving is certain in features of which it is shown that few of those
    in other words are false.
    """
    gone = {row[0] for row in replay.rows(f"SELECT n FROM {state} WHERE served")}
    cache = AlikeCache(log.texts, percent, None if ttl_s is None else ttl_s * 1_000_000, size)
    hits = list(cache.answered(row for row in log.rows if row[0] not in gone))
    text_of = {row[0]: row[1] for row in log.rows}
    _put(replay, [(n, source, text_of[n] == text_of[source]) for n, source in hits])
    judged = judge(replay)
    _put_shown(replay, [feature for feature, one in judged.items() if one.holds])
    after = replay.derive(
        state,
        {
            "served": "s.served OR h.n IS NOT NULL",
            "certain": "h.n IS NULL OR coalesce(k.shown, false)",
        },
        """LEFT JOIN whatif_alike h ON h.n = s.n
        LEFT JOIN whatif_shown k ON k.feature IS NOT DISTINCT FROM l.feature""",
    )
    return Served(after, judged, whole=cache.left > 0)


def _put(replay: Replay, hits: Sequence[tuple[int, int, bool]]) -> None:
    found = np.array(hits, dtype=np.int64).reshape(-1, 3)
    columns = {name: found[:, i].copy() for i, name in enumerate(("n", "source", "same"))}
    replay.connection.register("whatif_found", columns)
    replay.connection.execute(
        "CREATE OR REPLACE TEMP TABLE whatif_alike AS "
        "SELECT n, source, same <> 0 AS same FROM whatif_found"
    )
    replay.connection.unregister("whatif_found")


def _put_shown(replay: Replay, features: Sequence[str | None]) -> None:
    replay.connection.execute(
        "CREATE OR REPLACE TEMP TABLE whatif_shown AS "
        "SELECT unnest($1::VARCHAR[]) AS feature, true AS shown",
        [list(features)],
    )


def notes(replay: Replay, log: Log, served: Served) -> tuple[str, ...]:
    """Return what is to be known of a cache of this kind."""
    without = replay.requests - len(log.rows)
    judged = [one for one in served.judged.values() if one.judged]
    others = sum(one.others for one in served.judged.values())
    return (
        "similar is the cosine of the sets of pairs of neighbouring words, within a prompt of a "
        f"feature at a model; from {FROM_TEXTS} different texts on, pairs that more than half of "
        "them have do not count. What says the same in other words is not found",
        *(_judged_notes() if judged else ()),
        *(
            (
                "how many hits are false is unknown: the log holds no answers to judge by, and "
                "nothing of this saving is in the lower bound",
            )
            if others and not judged
            else ()
        ),
        *(
            (
                f"{without:,} requests are not compared, and count as not served: without a text, "
                f"or older than the latest {MOST_REQUESTS:,}, or than the latest "
                f"{MOST_CHARACTERS // 1_000_000} million characters",
            )
            if without
            else ()
        ),
        *(
            (
                f"after {MOST_COMPARED:,} comparisons only texts with the same words were looked "
                "for, so that there may be more hits",
            )
            if not served.whole
            else ()
        ),
    )


def _judged_notes() -> tuple[str, ...]:
    return (
        f"of the hits in other words up to {SAMPLE} of a feature are judged, drawn by number. One "
        "is false where the answer that the log holds differs from the one served: less than "
        f"{OVERLAP * 100:.0f} % of the words in common (F1), or other numbers or negations; what a "
        "model only words anew counts, too. The interval is Clopper and Pearson's, one-sided 95 % "
        "each way",
        "a feature's saving is in the lower bound where at most "
        f"{ALLOWED * 100:.0f} % of these are false at the upper bound",
    )


def _curve(replay: Replay, log: Log) -> Iterator[Point]:
    for percent in _PERCENTS:
        yield _point(replay, log, percent, TTL_S, SIZE)
    for ttl_s in _TTLS:
        yield _point(replay, log, PERCENT, ttl_s, None)
    for size in _SIZES:
        yield _point(replay, log, PERCENT, TTL_S, size)


def _point(replay: Replay, log: Log, percent: int, ttl_s: int | None, size: int | None) -> Point:
    served = serve(replay, replay.first, log, percent=percent, ttl_s=ttl_s, size=size)
    found = changes(replay, replay.first, served.state)
    replay.drop(served.state)
    hits = sum(one.hits for one in served.judged.values())
    return Point(
        setting=short(percent, ttl_s, size),
        requests=hits,
        share=hits / len(log.rows),
        usd=dollars(sum(change.saved for change in found)),
        false_hits=_false(served.judged),
    )


def _false(judged: Mapping[str | None, FalseHits]) -> float | None:
    """Return the share of false hits of those in other words, over all features.

    Each feature weighs as much as it has of these.
    """
    known = [one for one in judged.values() if one.judged]
    others = sum(one.others for one in known)
    return sum(one.others * one.false / one.judged for one in known) / others if others else None
