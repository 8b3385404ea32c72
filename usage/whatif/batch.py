"""Asking in a batch what can wait: the provider's lower price for an answer within a day."""

from collections.abc import Mapping

from .saving import Saving
from .state import Replay, changes, cost
from .summing import Spent, saving, spent

LEVER = "batch"
WAIT_S = 24 * 3600
"""Within which time the providers promise the answers of a batch."""
# A prefix that was found cached is not counted on in a batch.
_UNCACHED = {"read": "0", "write": "0", "write_1h": "0", "surcharge": "NULL::INTEGER"}
_BURST, _IN_BURSTS, _BUSY = 30, 0.9, 0.1


def batch(
    replay: Replay, *, waits: Mapping[str, float] | None = None, of: Spent | None = None
) -> Saving:
    """Return what batches would have saved for features that can wait a day.

    Args:
        replay: The log.
        waits: How long answers of a feature may take, in seconds, where that is declared. Of other
            features it is estimated from when their requests arrive.
        of: What the log cost, where that is known already.
    """
    can = waiting(replay, waits or {})
    after = wait(replay, replay.first, can)
    found = changes(replay, replay.first, after)
    replay.drop(after)
    guessed = [feature for feature, declared in can.items() if not declared]
    return saving(
        replay,
        found,
        lever=LEVER,
        setting="answers within a day",
        evidence="estimated" if guessed else "replayed",
        of=of or spent(replay),
        details=details(can),
        notes=notes(replay, can),
    )


def details(can: Mapping[str | None, bool]) -> dict[str | None, str]:
    """Say of each feature why it can wait."""
    return {
        feature: "declared to have a day's time"
        if declared
        else "arrives in bursts, as scheduled work does: estimated to have a day's time"
        for feature, declared in can.items()
    }


def notes(replay: Replay, can: Mapping[str | None, bool]) -> tuple[str, ...]:
    """Return what is to be known of batches."""
    if not can:
        return ("no feature is declared to have a day's time, and none arrives in bursts",)
    unlisted = _without_price(replay, can)
    return (
        "prefixes are counted as not found cached in a batch: that is best effort there",
        *(
            (
                f"of {unlisted:,} requests that could wait no price in a batch is known for their "
                "day; they are left as they are",
            )
            if unlisted
            else ()
        ),
    )


def _without_price(replay: Replay, can: Mapping[str | None, bool]) -> int:
    """Return how many requests could wait, but have no price in a batch."""
    _put(replay, can)
    rows = replay.rows(
        """SELECT count(*) FROM whatif_log l
        JOIN whatif_waits w ON w.feature IS NOT DISTINCT FROM l.feature
        WHERE NOT l.batch AND NOT EXISTS (
            SELECT 1 FROM whatif_rates r WHERE r.ref = l.ref AND r.day = l.day AND r.batch)"""
    )
    return int(rows[0][0])


def waiting(replay: Replay, waits: Mapping[str, float]) -> dict[str | None, bool]:
    """Return the features that can wait a day, and whether that is declared."""
    declared: dict[str | None, bool] = {
        feature: True for feature, seconds in waits.items() if seconds >= WAIT_S
    }
    return declared | {f: False for f in _bursty(replay) if f not in waits}


def _bursty(replay: Replay) -> list[str | None]:
    """Return features nine tenths of whose requests come 30 or more a minute, in few minutes.

    Nobody who waits at a screen asks like that; a job does.
    """
    rows = replay.rows(
        """WITH minutes AS (
            SELECT feature, date_trunc('minute', moment) AS minute, count(*) AS requests
            FROM whatif_log GROUP BY ALL)
        SELECT feature FROM minutes GROUP BY feature
        HAVING sum(requests) FILTER (requests >= ?) >= ? * sum(requests)
            AND count(*) <= ? * (date_diff('minute', min(minute), max(minute)) + 1)
        ORDER BY feature""",
        [_BURST, _IN_BURSTS, _BUSY],
    )
    return [row[0] for row in rows]


def wait(replay: Replay, state: str, can: Mapping[str | None, bool]) -> str:
    """Return the state in which what can wait is asked in a batch, where that is cheaper."""
    _put(replay, can)
    batched = replay.derive(state, {"batch": "true", **_UNCACHED})
    moves = (
        "coalesce(w.declared IS NOT NULL AND NOT s.served AND NOT s.batch AND y.cost < x.cost, "
        "false)"
    )

    def moved(then: str, name: str) -> str:
        return f"CASE WHEN {moves} THEN {then} ELSE s.{name} END"

    after = replay.derive(
        state,
        {
            "batch": f"s.batch OR {moves}",
            **{name: moved(value, name) for name, value in _UNCACHED.items()},
            "certain": "coalesce(w.declared, true)",
        },
        f"""LEFT JOIN whatif_waits w ON w.feature IS NOT DISTINCT FROM l.feature
        JOIN ({cost(state)}) x ON x.n = s.n JOIN ({cost(batched)}) y ON y.n = s.n""",
    )
    replay.drop(batched)
    return after


def _put(replay: Replay, can: Mapping[str | None, bool]) -> None:
    replay.connection.execute(
        "CREATE OR REPLACE TEMP TABLE whatif_waits AS "
        "SELECT unnest($1::VARCHAR[]) AS feature, unnest($2::BOOLEAN[]) AS declared",
        [list(can), list(can.values())],
    )
