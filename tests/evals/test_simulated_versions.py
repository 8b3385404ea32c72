"""What a verdict on two versions is worth, on simulated models whose truth is known.

Each test has a twin: what decides nothing passes the first of them and fails the second. The full
sizes are under the marker ``slow``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from simulated import Table, binary_world, bounded_world, simulate_versions

from costopt.core.types import HOLDING

World = Callable[[np.random.Generator, int, float], Table]


def right_or_wrong(rng: np.random.Generator, rows: int, loss: float) -> Table:
    return binary_world(rng, rows, [loss], moved=0.03)


def between(rng: np.random.Generator, rows: int, loss: float) -> Table:
    return bounded_world(rng, rows, [loss], spread=0.1)


def without_range(rng: np.random.Generator, rows: int, loss: float) -> Table:
    """Log-likelihoods: skewed, as these are, since few rows change much."""
    base = rng.normal(-2, 1, rows)
    change = 0.1 * (1 - rng.exponential(1, rows))
    return {"baseline": base, "v0": base + change - loss, "empty-variables": base - 3}


WORLDS = pytest.mark.parametrize(
    ("scale", "world"),
    [("binary", right_or_wrong), ("bounded", between), ("unbounded", without_range)],
)


def sizes(small: int, full: int) -> Any:
    return pytest.mark.parametrize("runs", [small, pytest.param(full, marks=pytest.mark.slow)])


def verdicts(
    world: World, scale: Any, loss: float, runs: int, *, margin: float, rows: int
) -> list[str]:
    return [
        simulate_versions(
            world(np.random.default_rng(seed), rows, loss),
            scale=scale, margin=margin, samples=rows, seed=seed,
        ).verdict
        for seed in range(runs)
    ]  # fmt: skip


def at_most(share: float, runs: int) -> float:
    """The share and three standard errors of it, where it is seen in so many runs."""
    return share * runs + 3 * (share * (1 - share) * runs) ** 0.5


@sizes(20, 1000)
@WORLDS
def test_an_equal_head_is_hardly_ever_called_worse_or_better(
    scale: str, world: World, runs: int
) -> None:
    """At no margin at all, where every loss would count."""
    found = verdicts(world, scale, 0.0, runs, margin=0.0, rows=150)
    assert found.count("worse") <= at_most(0.05, runs)
    assert found.count("better") <= at_most(0.05, runs)


@sizes(5, 1000)
@WORLDS
@pytest.mark.parametrize("loss", [0.05, 0.02])
def test_a_head_that_loses_five_points_or_just_the_margin_hardly_ever_holds(
    scale: str, world: World, loss: float, runs: int
) -> None:
    found = verdicts(world, scale, loss, runs, margin=0.02, rows=150)
    assert sum(verdict in HOLDING for verdict in found) <= at_most(0.05, runs)


@sizes(6, 300)
@WORLDS
def test_an_equal_head_holds_where_there_are_rows_enough(
    scale: str, world: World, runs: int
) -> None:
    found = verdicts(world, scale, 0.0, runs, margin=0.05, rows=400)
    assert sum(verdict in HOLDING for verdict in found) >= 0.8 * runs


@sizes(3, 300)
@WORLDS
def test_a_head_that_loses_twenty_points_is_called_worse(
    scale: str, world: World, runs: int
) -> None:
    found = verdicts(world, scale, 0.2, runs, margin=0.05, rows=150)
    assert found.count("worse") >= 0.8 * runs
