"""Prefix reuse of a trace with block hashes, against the share of repeated blocks counted directly.

Usage: python benchmarks/prefix_reuse.py TRACE.jsonl [TRACE.jsonl ...]

A line has ``timestamp`` in milliseconds, ``input_length``, ``output_length`` and ``hash_ids``, as
the traces of Mooncake (FAST 2025) do. Model and feature are labels of this benchmark.
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

from costopt.usage.ledger import REQUESTS, connect
from costopt.usage.whatif.prefix_reuse import reuse
from costopt.usage.whatif.state import Replay, open_replay

TTLS = (None, 60, 300, 1800)
SIZES = (None, 1_000, 10_000, 50_000)


def direct(rows: list[dict], ttl_s: int | None, size: int | None) -> tuple[int, int]:
    """Count blocks that were used before, not too long ago, and not pushed out since."""
    held, repeated, total = OrderedDict(), 0, 0
    for row in rows:
        now, blocks = row["timestamp"], row["hash_ids"]
        alive = (b in held and (ttl_s is None or now - held[b] <= ttl_s * 1000) for b in blocks)
        repeated, total = repeated + sum(alive), total + len(blocks)
        for block in reversed(blocks):
            held[block] = now
            held.move_to_end(block)
        while size is not None and len(held) > size:
            held.popitem(last=False)
    return repeated, total


def replayed(replay: Replay, ttl_s: int | None, size: int | None) -> tuple[int, int]:
    """Return what the what-if of costopt finds, without a floor."""
    ttl_us = "NULL" if ttl_s is None else str(ttl_s * 1_000_000)
    replay.connection.execute(
        "CREATE OR REPLACE TEMP TABLE whatif_cached AS SELECT DISTINCT ref, feature, "
        f"{ttl_us}::BIGINT AS ttl_us, 0 AS floor FROM whatif_log"
    )
    reuse(replay, replay.first, size_blocks=size)
    held, total = replay.rows("SELECT sum(held), sum(length) FROM whatif_reuse")[0]
    return int(held), int(total)


def opened(path: Path) -> Replay:
    """Return the trace as a log."""
    connection = connect()
    connection.execute(REQUESTS)
    connection.execute(
        """INSERT INTO requests BY NAME SELECT
            TIMESTAMP '2026-10-01' + to_milliseconds("timestamp") AS "at", 'openai' AS provider,
            'gpt-5.4-mini' AS model, 'chat' AS feature, input_length AS input_tokens,
            output_length AS output_tokens, hash_ids::UBIGINT[] AS prefix_blocks,
            512 AS block_tokens, 'trace' AS source, row_number() OVER () AS line
        FROM read_json(?, format = 'newline_delimited')""",
        [str(path)],
    )
    return open_replay(connection)


def main() -> None:
    """Print a line for each setting; exit with 1 where one differs."""
    differs = False
    print("trace                     ttl s    blocks   repeated     total  share  costopt")
    for name in sys.argv[1:]:
        path = Path(name)
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        rows.sort(key=lambda row: row["timestamp"])
        replay = opened(path)
        for ttl_s in TTLS:
            for size in SIZES:
                counted, found = direct(rows, ttl_s, size), replayed(replay, ttl_s, size)
                differs = differs or counted != found
                print(
                    f"{path.stem:24} {ttl_s or 'endless':>7} {size or 'any':>8} {counted[0]:>10,} "
                    f"{counted[1]:>9,} {counted[0] / counted[1]:>6.3f}  "
                    f"{'equal' if counted == found else found}"
                )
    sys.exit(differs)


if __name__ == "__main__":
    main()
