"""Shapley-style sampling: how several segments share what they do together.

In a random order the segments are left out one after the other, and each is credited with what its
going loses. The mean over orders is an estimate of its Shapley value (Castro, Gomez & Tejada 2009,
*Polynomial calculation of the Shapley value based on sampling*, Computers & Operations Research
36:1726-1730). Of two segments that say the same, either may go for nothing and both may not: each
gets half the credit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from random import Random
from statistics import fmean, variance

from ..core.attribution import Share

MOST_REQUESTS = 400
"""Requests of the sampling, about at most."""

_MOST_ORDERS = 8
_MOST_ROWS = 12
_FEWEST_ROWS = 4
_ENUMERATED = 4
"""Up to so many players, orders are drawn without putting any back."""

Gone = frozenset[int]


@dataclass(frozen=True)
class Sampling:
    """Which orders are walked, on how many of the rows."""

    orders: tuple[tuple[int, ...], ...]
    rows: int

    def steps(self, order: Sequence[int]) -> list[Gone]:
        """Return what is gone after each step of an order.

        Example:
            >>> [sorted(gone) for gone in Sampling((), 4).steps((2, 1))]
            [[2], [1, 2]]
        """
        return [frozenset(order[: at + 1]) for at in range(len(order))]


def sampling(players: Sequence[int], rows: int, seed: int) -> Sampling:
    """Plan a sampling that keeps to about 400 requests; the same for the same arguments.

    Example:
        Two players have two orders, and no step that is not known already:

        >>> plan = sampling([3, 7], 12, seed=0)
        >>> sorted(plan.orders), plan.rows
        ([(3, 7), (7, 3)], 12)
    """
    inner = max(len(players) - 1, 1)
    used = min(rows, _MOST_ROWS, max(MOST_REQUESTS // (2 * inner), _FEWEST_ROWS))
    count = min(max(MOST_REQUESTS // (inner * max(used, 1)), 2), _MOST_ORDERS)
    draw = Random(seed)  # noqa: S311 (no secret)
    if len(players) <= _ENUMERATED:
        every = list(permutations(players))
        draw.shuffle(every)
        return Sampling(tuple(every[:count]), used)
    return Sampling(tuple(tuple(draw.sample(players, len(players))) for _ in range(count)), used)


def shares(plan: Sampling, lost: Callable[[Gone], Mapping[str, float] | None]) -> dict[int, Share]:
    """Return each player's share; empty where no order was walked to its end.

    Args:
        plan: The orders.
        lost: What each row loses without some players; ``None`` where that was not asked.
    """
    walked = [one for order in plan.orders if (one := _walked(plan, order, lost)) is not None]
    if not walked:
        return {}
    rows = sorted(set[str].intersection(*(set(row) for one in walked for row in one.values())))
    if not rows:
        return {}
    whole = _all_orders(plan)
    return {player: _share(player, walked, rows, whole=whole) for player in plan.orders[0]}


def _all_orders(plan: Sampling) -> bool:
    return len(set(plan.orders)) == math.factorial(len(plan.orders[0]))


_Walk = dict[int, dict[str, float]]
"""By player, what each row lost as that player went."""


def _walked(
    plan: Sampling, order: Sequence[int], lost: Callable[[Gone], Mapping[str, float] | None]
) -> _Walk | None:
    before: Mapping[str, float] | None = None
    found: _Walk = {}
    for player, gone in zip(order, plan.steps(order), strict=True):
        after = lost(gone)
        if after is None:
            return None
        known = after if before is None else before
        found[player] = {
            row: value - (0.0 if before is None else before[row])
            for row, value in after.items()
            if row in known
        }
        before = after
    return found


def _share(player: int, walked: Sequence[_Walk], rows: Sequence[str], *, whole: bool) -> Share:
    by_row = [fmean(walk[player][row] for walk in walked) for row in rows]
    by_order = [fmean(walk[player][row] for row in rows) for walk in walked]
    error = variance(by_row) / len(rows) if len(rows) > 1 else 0.0
    if not whole and len(walked) > 1:
        error += variance(by_order) / len(walked)
    return Share(
        mean=fmean(by_row), standard_error=math.sqrt(error), orders=len(walked), n=len(rows)
    )
