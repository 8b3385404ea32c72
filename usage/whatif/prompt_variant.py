"""Shorter versions of prompts that a stored run of `analyze` tried, on the requests of the log.

What a run says is a share of the tokens of its eval set. The prompts of a log may be longer or
shorter, so what is saved here is estimated, and rounded so that it is rather too little:

- Where a version changes the template, every request changes by the same number of tokens. A
  request saves its share or that number, whichever is less.
- Which of the tokens that go had been read from a cache is unknown. They are taken to be those
  that were read, the cheapest, then those paid in full, and those that were written last.
- What is left of a prefix may be too short to be cached at all: then it is paid in full.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...costs.cache_rules import cache_rule
from .known_variants import PARTS, KnownVariant
from .saving import FeatureSaving, Saving
from .state import Replay, changes, cost
from .summing import Spent, saving, spent, unknown

LEVER = "prompt-variant"
SETTING = "of each prompt the version that a stored run recommends"


@dataclass(frozen=True, kw_only=True)
class Shorter:
    """A version of a prompt for its requests to one model of the log.

    Attributes:
        ref: Who is asked, as the log has it.
        floor: From how many tokens on that model's provider caches a prefix; 0 where unknown.
        variant: The version.
        certain: Whether it was shown to hold at this very model.
    """

    ref: str
    floor: int
    variant: KnownVariant
    certain: bool


def prompt_variant(
    replay: Replay, *, variants: Sequence[KnownVariant] = (), of: Spent | None = None
) -> Saving:
    """Return what the versions of prompts that stored runs tried would have saved.

    Args:
        replay: The log.
        variants: What stored runs say.
        of: What the log cost, where that is known already.
    """
    if not variants:
        return unknown(
            LEVER, "no stored run of analyze was given (--report) in which a shorter prompt holds"
        )
    found = fitting(replay, variants)
    if not found:
        return unknown(LEVER, "no request names a prompt of the stored run at a model of that run")
    chosen = choose(replay, replay.first, variants)
    after = shorten(replay, replay.first, chosen)
    changed = changes(replay, replay.first, after)
    replay.drop(after)
    made = saving(
        replay,
        changed,
        lever=LEVER,
        setting=SETTING,
        evidence="estimated",
        of=of or spent(replay),
        details=details(replay, chosen),
        notes=notes(replay, found, chosen),
    )
    used = _by_feature(replay, chosen)
    return replace(made, features=tuple(_told(one, used) for one in made.features))


def _told(feature: FeatureSaving, used: Mapping[str | None, Sequence[Shorter]]) -> FeatureSaving:
    own = [one.variant for one in used.get(feature.feature, ())]
    return replace(
        feature,
        paths=tuple(dict.fromkeys(one.path for one in own)),
        strategies=tuple(dict.fromkeys(one.strategies for one in own)),
    )


def fitting(replay: Replay, variants: Sequence[KnownVariant]) -> list[Shorter]:
    """Return the version for each prompt of the log at each model, where there is one.

    A run at another model counts where that model's money was taken from the one of the log; then
    nothing is shown about the quality there.
    """
    rows = replay.rows(
        "SELECT DISTINCT prompt, ref FROM whatif_log WHERE prompt IS NOT NULL AND ref IS NOT NULL "
        "ORDER BY ALL"
    )
    found: list[Shorter] = []
    for prompt, ref in rows:
        name = replay.listed(ref)
        own = [one for one in variants if one.prompt == prompt]
        same = next((one for one in own if _is(one.model, name)), None)
        chosen = same or next((one for one in own if one.priced_as == name), None)
        if chosen is not None:
            rule = cache_rule(name)
            floor = (rule.floor or 0) if rule is not None else 0
            certain = chosen is same and chosen.holds
            found.append(Shorter(ref=ref, floor=floor, variant=chosen, certain=certain))
    return found


def _is(model: str, name: str) -> bool:
    return model in (name, name.partition(":")[2])


def choose(replay: Replay, state: str, variants: Sequence[KnownVariant]) -> list[Shorter]:
    """Return the versions that save on the requests of a state."""
    found = fitting(replay, variants)
    after = shorten(replay, state, found)
    rows = replay.rows(
        f"""SELECT l.prompt, b.ref, sum(b.cost - a.cost) FROM ({cost(state)}) b
        JOIN ({cost(after)}) a ON a.n = b.n JOIN whatif_log l ON l.n = b.n GROUP BY ALL"""
    )
    replay.drop(after)
    saved = {(prompt, ref): amount or 0 for prompt, ref, amount in rows}
    return [one for one in found if saved.get((one.variant.prompt, one.ref), 0) > 0]


def shorten(replay: Replay, state: str, chosen: Sequence[Shorter]) -> str:
    """Return the state in which requests are made with these versions of their prompts."""
    _put(replay, chosen)
    uses = "(w.prompt IS NOT NULL AND NOT s.served AND s.input IS NOT NULL)"
    by_share = f"(s.input * w.input_kept + {PARTS - 1}) // {PARTS}"
    shorter = f"greatest({by_share}, s.input + w.input_change, 0)"
    # Of what goes, what was read goes first; what is written stays as long as there is room.
    read = f"greatest(s.read - greatest(s.input - {shorter}, 0), 0)"
    write = f"least(s.write, {shorter} - {read})"
    cached = f"NOT (s.read + s.write >= w.floor AND {read} + {write} < w.floor)"

    def then(value: str, name: str) -> str:
        return f"CASE WHEN {uses} THEN {value} ELSE s.{name} END"

    def kept(value: str, name: str) -> str:
        return then(f"CASE WHEN {cached} THEN {value} ELSE 0 END", name)

    by_output = f"(s.output * w.output_kept + {PARTS - 1}) // {PARTS}"
    return replay.derive(
        state,
        {
            "input": then(shorter, "input"),
            "read": kept(read, "read"),
            "write": kept(write, "write"),
            "write_1h": kept(f"least(s.write_1h, {write})", "write_1h"),
            "output": then(f"CASE WHEN l.ok THEN {by_output} ELSE s.output END", "output"),
            "certain": "coalesce(w.certain, true)",
        },
        "LEFT JOIN whatif_variants w ON w.ref = s.ref AND w.prompt = l.prompt",
    )


def _put(replay: Replay, chosen: Sequence[Shorter]) -> None:
    replay.connection.execute(
        """CREATE OR REPLACE TEMP TABLE whatif_variants AS SELECT
        unnest($1::VARCHAR[]) AS ref, unnest($2::VARCHAR[]) AS prompt,
        unnest($3::BIGINT[]) AS input_kept, unnest($4::BIGINT[]) AS input_change,
        unnest($5::BIGINT[]) AS output_kept, unnest($6::BIGINT[]) AS floor,
        unnest($7::BOOLEAN[]) AS certain""",
        [
            [one.ref for one in chosen],
            [one.variant.prompt for one in chosen],
            [one.variant.input_kept for one in chosen],
            [one.variant.input_change for one in chosen],
            [one.variant.output_kept for one in chosen],
            [one.floor for one in chosen],
            [one.certain for one in chosen],
        ],
    )


def details(replay: Replay, chosen: Sequence[Shorter]) -> dict[str | None, str]:
    """Say of each feature which versions of which prompts, and how good they were."""
    return {
        feature: "; ".join(_said(replay, one) for one in own)
        for feature, own in _by_feature(replay, chosen).items()
    }


def _said(replay: Replay, one: Shorter) -> str:
    name = replay.listed(one.ref)
    elsewhere = "" if _is(one.variant.model, name) else f" at {one.variant.model}, not at {name}"
    return f"{one.variant.prompt} with {one.variant.name}: {one.variant.words}{elsewhere}"


def _by_feature(replay: Replay, chosen: Sequence[Shorter]) -> dict[str | None, list[Shorter]]:
    rows = replay.rows(
        "SELECT feature, prompt, ref FROM whatif_log WHERE prompt IS NOT NULL "
        "GROUP BY ALL ORDER BY feature, sum(input) DESC, prompt, ref"
    )
    by_pair = {(one.variant.prompt, one.ref): one for one in chosen}
    found: dict[str | None, list[Shorter]] = {}
    for feature, prompt, ref in rows:
        if (prompt, ref) in by_pair:
            found.setdefault(feature, []).append(by_pair[prompt, ref])
    return found


def notes(replay: Replay, found: Sequence[Shorter], chosen: Sequence[Shorter]) -> tuple[str, ...]:
    """Return what is to be known of versions of prompts."""
    dearer = [
        f"{one.variant.prompt} with {one.variant.name} at {one.ref}"
        for one in found
        if one not in chosen
    ]
    without = int(replay.rows("SELECT count(*) - count(prompt) FROM whatif_log")[0][0])
    return (
        "shares are those of the eval set, and the log's requests may be longer: estimated; a "
        "change in the template counts as the same number of tokens in every request",
        "the tokens that go are taken to be those read from a cache, the cheapest",
        *((f"not cheaper on this log, and left as it is: {', '.join(dearer)}",) if dearer else ()),
        *((f"{without:,} requests name no prompt",) if without else ()),
    )
