"""All levers one after the other, so that nothing is saved twice.

The order is fixed. What a cache of answers serves never reaches the provider: first the one that
serves the same requests again, then the one that serves those that are alike. What is left is read
from the prefix cache. Prompts are made shorter after that: which blocks a shorter prompt would have
is not in the log, so its own are looked for, and of what is read the tokens that go are taken off.
What can wait goes into a batch; the longest answers are cut; and last, because least is known of
it, another model is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from . import (
    batch,
    exact_cache,
    other_model,
    output_cap,
    prefix_cache,
    prompt_variant,
    semantic_cache,
)
from .known_quality import Known
from .known_variants import KnownVariant
from .rates import PriceOf, dollars, list_price
from .saving import Saving, WhatIf
from .state import MOST_FOR_CURVES, MOST_REQUESTS, Change, Replay, changes, open_replay
from .summing import Spent, month, saving, spent, unknown

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class _Given:
    """What the levers are given beside the log."""

    waits: Mapping[str, float]
    variants: Sequence[KnownVariant]
    texts: semantic_cache.Log
    swaps: Sequence[other_model.Swap]


def what_if(
    connection: "DuckDBPyConnection",
    *,
    price_of: PriceOf = list_price,
    waits: Mapping[str, float] | None = None,
    known: Mapping[tuple[str, str], Known] | None = None,
    variants: Sequence[KnownVariant] = (),
    most_requests: int = MOST_REQUESTS,
    since: datetime | None = None,
    until: datetime | None = None,
) -> WhatIf:
    """Return what each lever would have saved on a log, alone and after the others.

    Args:
        connection: A database with the relation ``requests``.
        price_of: Returns the price of ``provider:model`` on a day; default: the list price.
        waits: How long answers of a feature may take, in seconds, where that is declared.
        known: What stored runs say of other models; see `known_quality`.
        variants: What they say of shorter prompts; see `known_variants`.
        most_requests: Replay the latest ones, at most this many.
        since: The first moment that counts, UTC; no limit where left out.
        until: The first moment that does not count any more.

    Example:
        >>> from costopt.usage.ledger import REQUESTS, connect
        >>> connection = connect()
        >>> _ = connection.execute(REQUESTS)
        >>> [one.usd for one in what_if(connection).alone]
        [None, None, None, None, Decimal('0E-15'), None, None]
    """
    replay = open_replay(
        connection, price_of=price_of, most_requests=most_requests, since=since, until=until
    )
    of = spent(replay)
    given = _Given(
        waits or {},
        variants,
        semantic_cache.read_texts(replay),
        other_model.choose(replay, known or {}),
    )
    alone = (
        exact_cache.exact_cache(replay, of=of),
        semantic_cache.semantic_cache(replay, log=given.texts, of=of),
        prefix_cache.prefix_cache(replay, of=of),
        prompt_variant.prompt_variant(replay, variants=variants, of=of),
        batch.batch(replay, waits=waits, of=of),
        output_cap.output_cap(replay, of=of),
        other_model.other_model(replay, swaps=given.swaps, of=of),
    )
    steps, all_changes = _combined(replay, of, alone, given)
    return WhatIf(
        alone=alone,
        combined=steps,
        usd=dollars(sum(change.saved for change in all_changes)),
        month=month(replay, all_changes),
        spent_usd=dollars(of.total),
        requests=replay.requests,
        notes=tuple(_notes(replay, of)),
    )


def _notes(replay: Replay, of: Spent) -> list[str]:
    found: list[str] = []
    if replay.left_out:
        found.append(
            f"{replay.left_out:,} requests are not replayed: they have no time, lie outside of the "
            f"period, or are older than the latest {MOST_REQUESTS:,}"
        )
    if replay.requests > MOST_FOR_CURVES:
        found.append(f"other settings are tried on logs of up to {MOST_FOR_CURVES:,} requests")
    if of.unpriced:
        found.append(f"{of.unpriced:,} requests are without a price or tokens, and save nothing")
    return found


def _combined(
    replay: Replay,
    of: Spent,
    alone: tuple[Saving, ...],
    given: _Given,
) -> tuple[tuple[Saving, ...], tuple[Change, ...]]:
    """Return each lever's saving after those before it, and all changes together."""
    steps: list[Saving] = []
    all_changes: list[Change] = []
    state = replay.first
    for lever in alone:
        after = None if lever.usd is None else _apply(replay, state, lever.lever, given)
        if after is None:
            steps.append(unknown(lever.lever, "; ".join(lever.notes)))
            continue
        found = changes(replay, state, after)
        all_changes += found
        steps.append(
            saving(
                replay,
                found,
                lever=lever.lever,
                setting=lever.setting,
                evidence=lever.evidence,
                of=of,
                details={one.feature: one.detail for one in lever.features if one.detail},
                to={one.feature: one.to for one in lever.features if one.to},
            )
        )
        replay.drop(state)
        state = after
    replay.drop(state)
    return tuple(steps), tuple(all_changes)


def _apply(replay: Replay, state: str, lever: str, given: _Given) -> str:
    """Return the state that a lever makes of another, at the setting that is told first."""
    if lever == exact_cache.LEVER:
        return exact_cache.serve(replay, state, ttl_s=exact_cache.TTL_S, size=exact_cache.SIZE)
    if lever == semantic_cache.LEVER:
        return semantic_cache.serve(replay, state, given.texts).state
    if lever == prefix_cache.LEVER:
        chosen = prefix_cache.choose(replay, state, prefix_cache.UNPROMISED_S)
        return prefix_cache.read(replay, state, chosen, None)
    if lever == prompt_variant.LEVER:
        shorter = prompt_variant.choose(replay, state, given.variants)
        return prompt_variant.shorten(replay, state, shorter)
    if lever == batch.LEVER:
        return batch.wait(replay, state, batch.waiting(replay, given.waits))
    if lever == output_cap.LEVER:
        caps = output_cap.lengths(replay, output_cap.PERCENT)
        return output_cap.cut(replay, state, caps)
    return other_model.swap(replay, state, given.swaps)
