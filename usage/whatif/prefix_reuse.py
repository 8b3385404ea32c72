"""How much of each prompt's beginning a provider's cache would have held.

Blocks are hashes of pieces of a prompt, each including all before it: a block that is held means
that everything before it was seen, too.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from .lru import matched
from .state import Replay

_CHUNK = 20_000

_BLOCKS = """CREATE TEMP TABLE IF NOT EXISTS whatif_blocks AS
SELECT n, block, min(position) AS position FROM (
    SELECT n, unnest(blocks) AS block, generate_subscripts(blocks, 1) AS position
    FROM whatif_log WHERE ok)
GROUP BY n, block"""
# A damaged log may name a block twice in one request: it is one block.

# Each request takes part with the time to live that its feature is given at its model; NULL keeps
# for ever. Short prompts are never cached, failed requests neither.
_TAKING_PART = """SELECT s.n, s.ref, epoch_us(l.moment) AS us, c.ttl_us, len(l.blocks) AS length
    FROM {state} s JOIN whatif_log l ON l.n = s.n JOIN whatif_cached c
        ON c.ref = s.ref AND c.feature IS NOT DISTINCT FROM l.feature
    WHERE NOT s.served AND l.ok AND len(l.blocks) > 0
        AND len(l.blocks)::BIGINT * l.block_tokens >= c.floor"""


def reuse(replay: Replay, state: str, *, size_blocks: int | None = None) -> None:
    """Put into ``whatif_reuse`` how many blocks of each request's beginning are held: ``n, held``.

    Who takes part, and for how long blocks stay, stands in ``whatif_cached``: ``ref``,
    ``feature``, ``ttl_us`` (NULL: for ever), ``floor`` in tokens. Each model has a cache of its
    own.

    Args:
        replay: The log.
        state: Who was asked, and what does not reach the provider at all.
        size_blocks: How many blocks each model's cache has room for; ``None``: any number.
    """
    replay.connection.execute("DROP TABLE IF EXISTS whatif_reuse")
    if size_blocks is None:
        _endless(replay, state)
    else:
        _limited(replay, state, size_blocks)


def _endless(replay: Replay, state: str) -> None:
    """A block is held if its last use is not too long ago."""
    replay.connection.execute(_BLOCKS)
    replay.connection.execute(
        f"""CREATE TEMP TABLE whatif_reuse AS
        WITH p AS ({_TAKING_PART.format(state=state)}), uses AS (
            SELECT p.n, p.length, b.position, p.us - lag(p.us) OVER w AS since,
                lag(p.n) OVER w IS NOT NULL AS seen, lag(p.ttl_us) OVER w AS ttl_us
            FROM p JOIN whatif_blocks b ON b.n = p.n
            WINDOW w AS (PARTITION BY p.ref, b.block ORDER BY p.n))
        SELECT n, length, coalesce(min(position) FILTER (
            NOT seen OR coalesce(since > ttl_us, false)) - 1, any_value(length))
            AS held
        FROM uses GROUP BY n, length"""
    )


def _limited(replay: Replay, state: str, size: int) -> None:
    numbers: list[int] = []
    held: list[int] = []
    refs = replay.rows(f"SELECT DISTINCT ref FROM ({_TAKING_PART.format(state=state)}) ORDER BY 1")
    for (ref,) in refs:
        for number, found in matched(_stream(replay, state, ref), size=size):
            numbers.append(number)
            held.append(found)
    found_rows = {"n": np.array(numbers, dtype=np.int64), "held": np.array(held, dtype=np.int64)}
    replay.connection.register("whatif_found", found_rows)
    replay.connection.execute(
        "CREATE TEMP TABLE whatif_reuse AS SELECT f.n, len(l.blocks) AS length, f.held "
        "FROM whatif_found f JOIN whatif_log l ON l.n = f.n"
    )
    replay.connection.unregister("whatif_found")


def _stream(replay: Replay, state: str, ref: str) -> Iterator[Any]:
    result = replay.connection.execute(
        f"SELECT p.n, p.us, p.ttl_us, l.blocks FROM ({_TAKING_PART.format(state=state)}) "
        "p JOIN whatif_log l ON l.n = p.n WHERE p.ref = ? ORDER BY p.n",
        [ref],
    )
    while rows := result.fetchmany(_CHUNK):
        yield from rows
