"""The provider's prefix cache: what of the prompts it would have read instead of computed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...costs.cache_rules import CacheRule, cache_rule
from .exact_cache import duration
from .prefix_reuse import reuse
from .rates import dollars
from .saving import Evidence, Point, Saving
from .state import MOST_FOR_CURVES, Change, Replay, changes, cost
from .summing import Spent, saving, spent, unknown
from .text_blocks import CHARACTERS

LEVER = "prefix-cache"
UNPROMISED_S = 300
"""How long a prefix is taken to stay where the provider does not promise a time, in seconds."""
_TTLS = (60, 300, 3600, 24 * 3600, None)
_SIZES = (1_000, 10_000, 100_000)
_MOST_BLOCKS = 3_000_000


@dataclass(frozen=True)
class Cached:
    """How a feature's requests to a model use its provider's cache.

    Attributes:
        ref: ``provider:model``.
        feature: The feature.
        ttl_s: How long a prefix stays after its last use, in seconds; ``None``: for ever.
        floor: From how many tokens on a prefix is cached.
        surcharge: What a written token costs in percent of an input token; ``None`` where the
            price table's own rate holds.
        promised: Whether the provider says that it is so when it is asked for.
    """

    ref: str
    feature: str | None
    ttl_s: int | None
    floor: int
    surcharge: int | None
    promised: bool


def prefix_cache(
    replay: Replay,
    *,
    ttl_s: int | None = None,
    size_blocks: int | None = None,
    of: Spent | None = None,
    curve: bool = True,
) -> Saving:
    """Return what the providers' prefix caches would have saved.

    Each feature at each model is given the lifetime that saves most there, and none where writing
    would cost more than reading saves.

    Args:
        replay: The log.
        ttl_s: How long a prefix stays where the provider does not promise a time.
        size_blocks: How many blocks each model's cache has room for; ``None``: any number.
        of: What the log cost, where that is known already.
        curve: Whether to try other settings, too.
    """
    missing = cannot_tell(replay)
    if missing:
        return unknown(LEVER, missing)
    chosen = choose(replay, replay.first, ttl_s or UNPROMISED_S)
    after = read(replay, replay.first, chosen, size_blocks)
    found = changes(replay, replay.first, after)
    replay.drop(after)
    return saving(
        replay,
        found,
        lever=LEVER,
        setting="each model's own floor and time to live",
        evidence=evidence(replay, chosen),
        of=of or spent(replay),
        details=details(chosen),
        curve=_curve(replay, chosen)
        if curve and chosen and replay.requests <= MOST_FOR_CURVES
        else (),
        notes=notes(replay, chosen),
    )


def evidence(replay: Replay, chosen: Sequence[Cached]) -> Evidence:
    """Return ``replayed`` where all that it rests on is promised, and the log has the blocks."""
    sure = all(one.promised for one in chosen) and not _told_by_text(replay)
    return "replayed" if sure else "estimated"


def _told_by_text(replay: Replay) -> int:
    return int(
        replay.rows("SELECT count(*) FROM whatif_log WHERE by_text AND len(blocks) > 0")[0][0]
    )


def cannot_tell(replay: Replay) -> str | None:
    """Say why nothing is known of prefixes; ``None`` where something is."""
    held = replay.rows(
        "SELECT count(*) FROM whatif_log WHERE len(blocks) > 0 AND block_tokens > 0 LIMIT 1"
    )
    if not held[0][0]:
        return (
            "the log has neither hashes of prompts' blocks nor texts that were read (--texts): "
            "unknown what a prefix cache would do"
        )
    if not any(rule.floor is not None for _, _, rule in _ruled(replay)):
        return "of none of the models is known from how many tokens on its provider caches a prefix"
    return None


def _ruled(replay: Replay) -> list[tuple[str, str | None, CacheRule]]:
    """Return the models and features whose provider's rules are known."""
    rows = replay.rows(
        "SELECT DISTINCT ref, feature FROM whatif_log WHERE ref IS NOT NULL AND len(blocks) > 0 "
        "ORDER BY ALL"
    )
    found = [(ref, feature, cache_rule(replay.listed(ref))) for ref, feature in rows]
    return [(r, f, rule) for r, f, rule in found if rule is not None and rule.floor is not None]


def options(replay: Replay, ttl_s: int) -> list[list[Cached]]:
    """Return the lifetimes that can be chosen from: the first of every model, the second, …."""
    ruled = _ruled(replay)
    most = max((len(rule.lifetimes) for _, _, rule in ruled), default=0)
    return [
        [_cached(r, f, rule, index, ttl_s) for r, f, rule in ruled if index < len(rule.lifetimes)]
        for index in range(most)
    ]


def _cached(ref: str, feature: str | None, rule: CacheRule, index: int, ttl_s: int) -> Cached:
    life = rule.lifetimes[index]
    # The price table has the rate of the first lifetime; the others follow the documented multiple.
    surcharge = int(life.write * 100) if index and life.write is not None else None
    seconds = life.seconds if life.seconds is not None else ttl_s
    promised = rule.how == "asked for" and life.seconds is not None
    return Cached(ref, feature, seconds, rule.floor or 0, surcharge, promised)


def choose(replay: Replay, state: str, ttl_s: int) -> list[Cached]:
    """Return for each feature at each model the lifetime that saves most, where one saves at all.

    Each is tried with all requests of a kind under the same lifetime.
    """
    best: dict[tuple[str, str | None], tuple[int, Cached]] = {}
    for option in options(replay, ttl_s):
        after = read(replay, state, option, None)
        saved = _by_model(replay, state, after)
        replay.drop(after)
        for one in option:
            key = (one.ref, one.feature)
            amount = saved.get(key, 0)
            if amount > best.get(key, (0, one))[0]:
                best[key] = (amount, one)
    return [one for _, one in best.values()]


def _by_model(replay: Replay, before: str, after: str) -> dict[tuple[str, str | None], int]:
    rows = replay.rows(
        f"""SELECT b.ref, l.feature, sum(b.cost - a.cost) FROM ({cost(before)}) b
        JOIN ({cost(after)}) a ON a.n = b.n JOIN whatif_log l ON l.n = b.n
        GROUP BY ALL"""
    )
    return {(ref, feature): int(amount or 0) for ref, feature, amount in rows}


def read(replay: Replay, state: str, chosen: Sequence[Cached], size_blocks: int | None) -> str:
    """Return the state in which prefixes are read from the cache where they are held there.

    What the log says was read is never taken away: a request stays as it is where the provider read
    as much, or where it wrote and nothing more is held.
    """
    _put(replay, chosen)
    reuse(replay, state, size_blocks=size_blocks)
    read_now = "CASE WHEN u.held * l.block_tokens >= c.floor THEN least(u.held * l.block_tokens, "
    read_now += "s.input) ELSE 0 END"
    # All of the prefix that is not read is written.
    write_now = f"greatest(least(u.length * l.block_tokens, s.input) - ({read_now}), 0)"
    changed = f"(u.n IS NOT NULL AND ({read_now} > s.read OR s.read + s.write = 0))"

    def then(value: str, name: str) -> str:
        return f"CASE WHEN {changed} THEN {value} ELSE s.{name} END"

    return replay.derive(
        state,
        {
            "read": then(read_now, "read"),
            "write": then(write_now, "write"),
            "write_1h": then("0", "write_1h"),
            "surcharge": then("c.surcharge", "surcharge"),
            "certain": "c.promised IS NULL OR (c.promised AND NOT l.by_text)",
        },
        """LEFT JOIN whatif_reuse u ON u.n = s.n LEFT JOIN whatif_cached c
            ON c.ref = s.ref AND c.feature IS NOT DISTINCT FROM l.feature""",
    )


def _put(replay: Replay, chosen: Sequence[Cached]) -> None:
    replay.connection.execute(
        """CREATE OR REPLACE TEMP TABLE whatif_cached AS SELECT unnest($1::VARCHAR[]) AS ref,
        unnest($2::VARCHAR[]) AS feature, unnest($3::BIGINT[]) AS ttl_us,
        unnest($4::BIGINT[]) AS floor, unnest($5::INTEGER[]) AS surcharge,
        unnest($6::BOOLEAN[]) AS promised""",
        [
            [one.ref for one in chosen],
            [one.feature for one in chosen],
            [None if one.ttl_s is None else one.ttl_s * 1_000_000 for one in chosen],
            [one.floor for one in chosen],
            [one.surcharge for one in chosen],
            [one.promised for one in chosen],
        ],
    )


def details(chosen: Sequence[Cached]) -> dict[str | None, str]:
    """Say of each feature how it would use the cache."""
    found: dict[str | None, str] = {}
    for one in chosen:
        how = "asked for" if one.promised else "by itself, not promised"
        text = f"kept {duration(one.ttl_s)}, from {one.floor:,} tokens on, {how}"
        found[one.feature] = found.get(one.feature, text)
    return found


def notes(replay: Replay, chosen: Sequence[Cached]) -> tuple[str, ...]:
    """Return what is to be known of prefix caches: sources, and what the log does not say."""
    rules = {rule.source: rule for _, _, rule in _ruled(replay)}
    said = [
        f"rules as of {rule.as_of}: {source}" + (f"; {rule.note}" if rule.note else "")
        for source, rule in rules.items()
    ]
    loose = any(not one.promised for one in chosen)
    unknown_reads = int(
        replay.rows("SELECT count(*) FROM whatif_log WHERE read_unknown AND len(blocks) > 0")[0][0]
    )
    by_text = _told_by_text(replay)
    return (
        *said,
        *(
            (
                f"of {by_text:,} requests prefixes are told by their texts, in pieces of "
                f"{CHARACTERS} characters, and their tokens by the request's own tokens a "
                "character: estimated",
            )
            if by_text
            else ()
        ),
        *(
            ("where hits come by themselves they are not promised, and no saving is certain",)
            if loose
            else ()
        ),
        *(
            (
                f"of {unknown_reads:,} requests the log does not say what was read from the cache; "
                "they count as read nothing, so that a part of this may be in the bill already",
            )
            if unknown_reads
            else ()
        ),
    )


def _curve(replay: Replay, chosen: Sequence[Cached]) -> Iterator[Point]:
    """Yield other times to live for what was chosen, and rooms of a finite size."""
    for ttl_s in _TTLS:
        other = [_kept(replay, one, ttl_s) for one in chosen]
        yield _point(replay, other, None, f"prefixes kept {duration(ttl_s)}")
    blocks = int(replay.rows("SELECT coalesce(sum(len(blocks)), 0) FROM whatif_log")[0][0])
    for size in _SIZES if blocks <= _MOST_BLOCKS else ():
        yield _point(replay, chosen, size, f"room for {size:,} blocks at each model")


def _kept(replay: Replay, one: Cached, ttl_s: int | None) -> Cached:
    """Return another time to live, at the price of the shortest lifetime that reaches it."""
    rule = cache_rule(replay.listed(one.ref))
    lives = rule.lifetimes if rule is not None else ()
    wanted = float("inf") if ttl_s is None else ttl_s
    reach = (i for i, life in enumerate(lives) if life.seconds is None or life.seconds >= wanted)
    index = next(reach, len(lives) - 1)
    write = lives[index].write if lives else None
    surcharge = int(write * 100) if index > 0 and write is not None else None
    return Cached(one.ref, one.feature, ttl_s, one.floor, surcharge, False)


def _point(replay: Replay, chosen: Sequence[Cached], size: int | None, setting: str) -> Point:
    after = read(replay, replay.first, chosen, size)
    found: Sequence[Change] = changes(replay, replay.first, after)
    row = replay.rows(
        f"SELECT count(*) FILTER (s.read > 0), sum(s.read), sum(s.input) FROM {after} s "
        "JOIN whatif_log l ON l.n = s.n WHERE len(l.blocks) > 0"
    )[0]
    replay.drop(after)
    return Point(
        setting=setting,
        requests=int(row[0]),
        share=int(row[1] or 0) / int(row[2]) if row[2] else None,
        usd=dollars(sum(change.saved for change in found)),
    )
