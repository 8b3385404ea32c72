"""A log of three weeks with two features in which every lever finds something."""

from datetime import datetime

import numpy as np

from costopt.usage.ledger import REQUESTS, connect

START = datetime(2026, 10, 5)


def featured(chat="chat", days=21):
    """Return a database: people who chat all day with Claude, and a job every night at OpenAI."""
    rng = np.random.default_rng(5)
    rows = {name: [] for name in ("us", "feature", "key", "prefix", "output", "number")}
    for day in range(days):
        for _ in range(70):
            _add(rows, (day * 86400 + rng.integers(0, 86400)) * 1_000_000, 0, rng)
        for _ in range(40):
            _add(rows, (day * 86400 + 7200 + rng.integers(0, 50)) * 1_000_000, 1, rng)
    columns = {name: np.array(values, dtype=np.int64) for name, values in rows.items()}
    connection = connect(memory_mb=300)
    connection.execute(REQUESTS)
    connection.register("drawn", columns)
    # Blocks: a prefix that all requests of a feature share, and then a block of one's own.
    connection.execute(
        """INSERT INTO requests BY NAME SELECT 'q' || number AS request_id,
            ?::TIMESTAMP + to_microseconds(us) AS "at",
            ['anthropic', 'openai'][feature + 1] AS provider,
            ['claude-sonnet-4-5', 'gpt-5.4'][feature + 1] AS model,
            [?, 'nightly'][feature + 1] AS feature, 6 * 500 + 20 AS input_tokens,
            output AS output_tokens, 'k' || key AS request_key,
            [feature * 100 + i for i in [1, 2, 3, 4, 5]] || [prefix] AS prefix_blocks,
            500 AS block_tokens, 'log' AS source, number + 1 AS line
        FROM drawn""",
        [START, chat],
    )
    connection.unregister("drawn")
    connection.execute("UPDATE requests SET usd = (input_tokens * 3 + output_tokens * 15) / 1e6")
    return connection


def _add(rows, us, feature, rng):
    number = len(rows["us"])
    values = (us, feature, rng.integers(0, 400), 10_000 + number, rng.lognormal(5, 0.7), number)
    for name, value in zip(rows, values, strict=True):
        rows[name].append(int(value))
