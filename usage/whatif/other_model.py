"""A cheaper model of the same provider; what it does to the answers a stored run may tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ...costs.suggest import cheaper_models
from .known_quality import Known
from .rates import add_rates
from .saving import Saving
from .state import Replay, changes
from .summing import Spent, saving, spent, unknown

LEVER = "other-model"


@dataclass(frozen=True)
class Swap:
    """Another model for a feature's requests to one model.

    Attributes:
        feature: The feature.
        ref: Who is asked now, as the log has it.
        name: The same, as the price table has it.
        to: Who would be asked.
        known: What a stored run says of its answers; ``None`` where nothing.
    """

    feature: str | None
    ref: str
    name: str
    to: str
    known: Known | None

    @property
    def certain(self) -> bool:
        """Whether its answers were shown to be no worse."""
        return self.known is not None and self.known.verdict in ("holds", "better")


def other_model(
    replay: Replay,
    *,
    known: Mapping[tuple[str, str], Known] | None = None,
    swaps: Sequence[Swap] | None = None,
    of: Spent | None = None,
) -> Saving:
    """Return what a cheaper model of the same provider would have cost less.

    Args:
        replay: The log.
        known: What stored runs say of the answers of a model in the place of another, by the pair
            of both as ``provider:model``.
        swaps: Who would be asked, where that was chosen already.
        of: What the log cost, where that is known already.
    """
    swaps = choose(replay, known or {}) if swaps is None else swaps
    if not swaps:
        return unknown(
            LEVER,
            "the price table has no cheaper model of the same provider that takes such requests",
        )
    after = swap(replay, replay.first, swaps)
    found = changes(replay, replay.first, after)
    replay.drop(after)
    return saving(
        replay,
        found,
        lever=LEVER,
        setting="the newest cheaper model of the same provider",
        evidence="estimated",
        of=of or spent(replay),
        details=details(swaps),
        to={one.feature: one.to for one in reversed(swaps)},
        notes=notes(),
    )


def notes() -> tuple[str, ...]:
    """Return what is to be known of another model."""
    return (
        "its prompts and answers are taken to be as long as the present model's, and its cache to "
        "hold the same: estimated",
    )


def details(swaps: Sequence[Swap]) -> dict[str | None, str]:
    """Say of each feature who would be asked, and what is known of the answers."""
    found: dict[str | None, str] = {}
    for one in swaps:
        known = "quality unknown" if one.known is None else one.known.words
        text = f"{one.to} in the place of {one.name}: {known}"
        found[one.feature] = f"{found[one.feature]}; {text}" if one.feature in found else text
    return found


def choose(replay: Replay, known: Mapping[tuple[str, str], Known]) -> list[Swap]:
    """Return for each feature and model the cheaper one to try, the largest spending first.

    A model that a stored run shows to be worse is left out; one that was shown to hold goes before
    others, the cheapest of them first.
    """
    rows = replay.rows(
        """SELECT feature, ref, avg(input), avg(output), max(input + output), max(day)
        FROM whatif_log WHERE ref IS NOT NULL AND input IS NOT NULL AND output IS NOT NULL
        GROUP BY feature, ref ORDER BY sum(input) + 5 * sum(output) DESC, ref, feature"""
    )
    found: list[Swap] = []
    for feature, ref, input_mean, output_mean, longest, day in rows:
        name = replay.listed(ref)
        to = _best(name, input_mean, output_mean, int(longest), day, known)
        if to is not None:
            found.append(Swap(feature, ref, name, to, known.get((name, to))))
    return found


def _best(
    ref: str,
    input_mean: float,
    output_mean: float,
    longest: int,
    day: date,
    known: Mapping[tuple[str, str], Known],
) -> str | None:
    listed = cheaper_models(ref, input=input_mean, output=output_mean, longest=longest, on=day)
    verdicts = [
        (one, found.verdict if (found := known.get((ref, one.model))) else None) for one in listed
    ]
    holds = [one for one, verdict in verdicts if verdict in ("holds", "better")]
    if holds:
        return min(holds, key=lambda one: one.usd_per_1k).model
    return next((one.model for one, verdict in verdicts if verdict != "worse"), None)


def swap(replay: Replay, state: str, swaps: Sequence[Swap]) -> str:
    """Return the state in which other models are asked."""
    days = [row[0] for row in replay.rows("SELECT DISTINCT day FROM whatif_log")]
    pairs = [(one.to, day) for one in swaps for day in days]
    add_rates(replay.connection, pairs, replay.price_of)
    replay.connection.execute(
        """CREATE OR REPLACE TEMP TABLE whatif_swaps AS SELECT unnest($1::VARCHAR[]) AS feature,
        unnest($2::VARCHAR[]) AS ref, unnest($3::VARCHAR[]) AS other,
        unnest($4::BOOLEAN[]) AS certain""",
        [
            [one.feature for one in swaps],
            [one.ref for one in swaps],
            [one.to for one in swaps],
            [one.certain for one in swaps],
        ],
    )
    return replay.derive(
        state,
        {
            "ref": "CASE WHEN s.served THEN s.ref ELSE coalesce(w.other, s.ref) END",
            "certain": "coalesce(w.certain, true)",
        },
        "LEFT JOIN whatif_swaps w ON w.ref = s.ref AND w.feature IS NOT DISTINCT FROM l.feature",
    )
