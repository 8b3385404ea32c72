"""What a recommendation is worth, on simulated models whose truth is known.

Each test has a twin: what refuses everything passes the first of them and fails the second. The
full sizes are under the marker ``slow``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from simulated import Ended, Table, binary_world, bounded_world, simulate

from costopt.evals.betting import betting_low

World = Callable[[np.random.Generator, int, Sequence[float]], Table]
TWENTY = {f"v{i}": 90 - 3 * i for i in range(20)}
LAST = "v19"
"""The shortest of them."""


def careful(spread: float) -> World:
    return lambda rng, rows, losses: bounded_world(rng, rows, losses, spread=spread)


def steady(moved: float) -> World:
    return lambda rng, rows, losses: binary_world(rng, rows, losses, moved=moved)


def ends(
    world: World, losses: Sequence[float], runs: int, *, rows: int, scale: str, margin: float,
    lengths: dict[str, int] = TWENTY, first: int = 0, **options: Any,
) -> list[Ended]:  # fmt: skip
    return [
        simulate(
            world(np.random.default_rng(seed), rows, losses), lengths, scale=scale,
            margin=margin, samples=rows, seed=seed, **options,
        )
        for seed in range(first, first + runs)
    ]  # fmt: skip


def at_most(share: float, runs: int) -> float:
    """The share and three standard errors of it, where it is seen in so many runs."""
    return share * runs + 3 * (share * (1 - share) * runs) ** 0.5


def sizes(small: int, full: int) -> Any:
    return pytest.mark.parametrize("runs", [small, pytest.param(full, marks=pytest.mark.slow)])


@sizes(6, 1000)
@pytest.mark.parametrize(("scale", "world"), [("binary", steady(0.05)), ("bounded", careful(0.1))])
def test_a_loss_beyond_the_margin_is_hardly_ever_recommended(
    scale: str, world: World, runs: int
) -> None:
    """Twenty variants, all truly five points worse, at a margin of two."""
    found = ends(world, [0.05] * 20, runs, rows=200, scale=scale, margin=0.02)
    assert sum(one.recommended != "baseline" for one in found) <= at_most(0.05, runs)


@sizes(5, 300)
@pytest.mark.parametrize(
    ("scale", "world", "margin"),
    [("binary", steady(0.01), 0.05), ("bounded", careful(0.05), 0.02)],
)
def test_an_equal_and_cheaper_variant_is_found_among_nineteen_worse_ones(
    scale: str, world: World, margin: float, runs: int
) -> None:
    found = ends(world, [0.05] * 19 + [0.0], runs, rows=400, scale=scale, margin=margin)
    assert sum(one.recommended == LAST for one in found) >= 0.8 * runs


@sizes(10, 500)
def test_a_single_equal_and_cheaper_variant_is_found(runs: int) -> None:
    found = ends(
        steady(0.05), [0.0], runs, rows=400, scale="binary", margin=0.05, lengths={"v0": 70}
    )
    assert sum(one.recommended == "v0" for one in found) >= 0.8 * runs


@sizes(5, 300)
def test_where_all_are_equal_the_reported_difference_is_unbiased(runs: int) -> None:
    """The best of many looks better than it is on the rows it was picked on; not in the report."""
    found = ends(careful(0.1), [0.0] * 20, runs, rows=300, scale="bounded", margin=0.05)
    means = np.array([one.mean(one.recommended) for one in found if one.recommended != "baseline"])
    assert len(means) >= 0.8 * runs
    assert abs(means.mean()) <= 3 * means.std(ddof=1) / len(means) ** 0.5


@sizes(12, 1000)
@pytest.mark.parametrize(("scale", "world"), [("binary", steady(0.05)), ("bounded", careful(0.1))])
def test_the_baseline_drawn_twice_is_hardly_ever_called_worse_or_better(
    scale: str, world: World, runs: int
) -> None:
    found = ends(world, [0.0], runs, rows=100, scale=scale, margin=0.05, lengths={"v0": 90})
    verdicts = [one.comparisons["v0"].verdict for one in found]
    assert verdicts.count("worse") <= at_most(0.05, runs)
    assert verdicts.count("better") <= at_most(0.05, runs)


MIXED = (0.0, 0.02, 0.05, 0.1, 0.2)


@sizes(2, 200)
@pytest.mark.parametrize(("scale", "world"), [("binary", binary_world), ("bounded", bounded_world)])
def test_the_race_recommends_what_asking_everything_does(
    scale: str, world: World, runs: int
) -> None:
    """In at least 95 % of cases, with at most half of the answers of all variants on all rows."""
    same = answers = whole = asked_all = 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        table = world(rng, 400, rng.choice(MIXED, 20))
        raced, exhaustive = (
            simulate(table, TWENTY, scale=scale, margin=0.05, samples=400, seed=seed, race=race)
            for race in (True, False)
        )
        same += raced.recommended == exhaustive.recommended
        answers += raced.requests
        asked_all += exhaustive.requests
        whole += 400 * (len(TWENTY) + 2)
    assert same >= 0.95 * runs
    assert answers <= 0.5 * whole
    assert answers <= 0.9 * asked_all


@sizes(5, 300)
def test_clusters_of_like_rows_are_not_taken_for_many(runs: int) -> None:
    """Rows of one cluster lose or keep together: still no loss beyond the margin passes."""

    def world(rng: np.random.Generator, rows: int, losses: Sequence[float]) -> Table:
        base = rng.uniform(0.4, 0.6, rows)
        table = {"baseline": base, "empty-variables": np.zeros(rows)}
        for index, loss in enumerate(losses):
            shared = np.repeat(rng.normal(0, 0.1 * 0.3**0.5, rows // 10), 10)
            own = rng.normal(0, 0.1 * 0.7**0.5, rows)
            table[f"v{index}"] = np.clip(base - loss + shared + own, 0, 1)
        return table

    found = ends(
        world, [0.05] * 20, runs, rows=300, scale="bounded", margin=0.02,
        cluster=lambda row: f"c{row // 10}",
    )  # fmt: skip
    assert sum(one.recommended != "baseline" for one in found) <= at_most(0.05, runs)


def test_where_all_rows_decide_what_holds_passes_its_error_on() -> None:
    """Forty rows at half the error are too few for the second variant, at all of it they do."""
    table = {
        "baseline": np.full(40, 0.5), "empty-variables": np.zeros(40),
        "v0": np.full(40, 0.52), "v1": np.full(40, 0.5),
    }  # fmt: skip
    half, whole = betting_low([0.0] * 40, 0.025), betting_low([0.0] * 40, 0.05)
    margin = -(half + whole) / 2
    assert betting_low([0.02] * 40, 0.025) > -margin > half
    found = simulate(table, {"v0": 80, "v1": 70}, scale="bounded", margin=margin, samples=40)
    assert found.comparisons["v0"].verdict == "holds"
    assert found.comparisons["v1"].verdict == "holds"
    assert found.recommended == "v1"
    delta = found.comparisons["v1"].delta
    assert delta is not None
    assert delta.confidence == pytest.approx(0.95)


def clear_losers(rows: int) -> Table:
    """One equal variant, and one that is wrong on every row."""
    base = np.ones(rows)
    harm = np.zeros(rows)
    return {"baseline": base, "empty-variables": harm, "v0": base, "v1": harm}


def test_a_row_that_failed_keeps_nobody_in_the_race() -> None:
    table = clear_losers(400)
    table["v1"][::4] = np.nan  # No score can be read: a failure, not a wrong answer.
    asked = [
        simulate(
            table, {"v0": 90, "v1": 80}, scale="binary", margin=0.05, samples=400, race=race
        ).requests
        for race in (True, False)
    ]  # fmt: skip
    assert asked[0] < asked[1]


def test_who_left_the_race_is_confirmed_by_nothing() -> None:
    """Few rows, so that all of them decide; the loser left before the last."""
    table = clear_losers(40)
    found = simulate(table, {"v0": 90, "v1": 80}, scale="binary", margin=0.2, samples=40)
    assert found.comparisons["v1"].verdict == "worse"
    assert len(found.comparisons["v1"].differences) < 40
    assert "v0" in found.confirmed
    assert "v1" not in found.confirmed
    assert found.recommended == "v0"
