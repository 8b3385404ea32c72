"""A cap on answers: what the longest of a feature's answers cost, and how many would be cut."""

from collections.abc import Mapping

from .rates import dollars
from .saving import Point, Saving
from .state import MOST_FOR_CURVES, Replay, changes
from .summing import Spent, saving, spent, unknown

LEVER = "output-cap"
PERCENT = 99
"""At which percentile of a feature's own answers the cap is set whose numbers are told first."""
_PERCENTS = (90, 95, 99)


def output_cap(
    replay: Replay, *, percent: int = PERCENT, of: Spent | None = None, curve: bool = True
) -> Saving:
    """Return what caps would have saved, each at a percentile of its feature's own answers.

    Args:
        replay: The log.
        percent: The percentile: this part of the answers is not longer than the cap.
        of: What the log cost, where that is known already.
        curve: Whether to try other settings, too.
    """
    caps = lengths(replay, percent)
    if not caps:
        return unknown(LEVER, "the log does not say how long answers are: unknown")
    after = cut(replay, replay.first, caps)
    found = changes(replay, replay.first, after)
    replay.drop(after)
    return saving(
        replay,
        found,
        lever=LEVER,
        setting=words(percent),
        evidence="replayed",
        of=of or spent(replay),
        details={feature: f"{cap:,} output tokens" for feature, cap in caps.items()},
        curve=[_point(replay, each) for each in _PERCENTS]
        if curve and replay.requests <= MOST_FOR_CURVES
        else (),
        notes=notes(),
    )


def words(percent: int) -> str:
    """Return a setting in words."""
    return f"at the {percent}th percentile of each feature's answers"


def notes() -> tuple[str, ...]:
    """Return what is to be known of caps."""
    return (
        "every answer that it touches would have been cut off; reasoning counts against a cap, too",
    )


def lengths(replay: Replay, percent: int) -> dict[str | None, int]:
    """Return by feature the length that ``percent`` % of its answers do not exceed, in tokens."""
    rows = replay.rows(
        "SELECT feature, quantile_disc(output, ?) FROM whatif_log "
        "WHERE ok AND output IS NOT NULL GROUP BY feature ORDER BY feature",
        [percent / 100],
    )
    return {feature: int(cap) for feature, cap in rows}


def cut(replay: Replay, state: str, caps: Mapping[str | None, int]) -> str:
    """Return the state in which no successful answer is longer than its feature's cap."""
    replay.connection.execute(
        "CREATE OR REPLACE TEMP TABLE whatif_caps AS "
        "SELECT unnest($1::VARCHAR[]) AS feature, unnest($2::BIGINT[]) AS cap",
        [list(caps), list(caps.values())],
    )
    return replay.derive(
        state,
        {
            "output": "CASE WHEN l.ok AND NOT s.served AND s.output > c.cap THEN c.cap "
            "ELSE s.output END",
            "certain": "true",
        },
        "LEFT JOIN whatif_caps c ON c.feature IS NOT DISTINCT FROM l.feature",
    )


def _point(replay: Replay, percent: int) -> Point:
    after = cut(replay, replay.first, lengths(replay, percent))
    found = changes(replay, replay.first, after)
    replay.drop(after)
    requests = sum(change.requests for change in found)
    answers = int(replay.rows("SELECT count(output) FILTER (ok) FROM whatif_log")[0][0])
    return Point(
        setting=words(percent),
        requests=requests,
        share=requests / answers if answers else None,
        usd=dollars(sum(change.saved for change in found)),
    )
