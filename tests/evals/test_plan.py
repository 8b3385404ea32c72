"""The plan of rows: how many, split how, in an order that does not depend on the rest."""

from hypothesis import given
from hypothesis import strategies as st

from costopt.core.types import EvalSet, Sample
from costopt.evals.plan import plan_rows


def eval_set(n: int, clusters: int = 0) -> EvalSet:
    samples = tuple(
        Sample(id=f"s{i}", inputs={}, cluster=f"c{i % clusters}" if clusters else None)
        for i in range(n)
    )
    return EvalSet(path="e.jsonl", samples=samples, sha256="")


def ids(rows: tuple[Sample, ...]) -> list[str]:
    return [row.id for row in rows]


@given(n=st.integers(1, 300), candidates=st.integers(1, 40), local=st.booleans())
def test_every_row_is_in_one_part_only(n: int, candidates: int, local: bool) -> None:
    plan = plan_rows(eval_set(n), samples=None, candidates=candidates, seed=0, local=local)
    assert len(set(ids(plan.rows))) == len(plan.rows) == min(n, 40)


@given(n=st.integers(20, 200), clusters=st.integers(2, 40), seed=st.integers(0, 50))
def test_a_cluster_stays_in_one_part(n: int, clusters: int, seed: int) -> None:
    plan = plan_rows(eval_set(n, clusters), samples=n, candidates=9, seed=seed, local=True)
    picked = {row.cluster for row in plan.selection}
    confirmed = {row.cluster for row in plan.confirmation}
    assert not picked & confirmed


def test_adding_rows_keeps_the_order_of_the_others() -> None:
    small = plan_rows(eval_set(30), samples=400, candidates=9, seed=3, local=True)
    large = plan_rows(eval_set(60), samples=400, candidates=9, seed=3, local=True)
    kept = [id_ for id_ in ids(large.rows) if id_ in set(ids(small.rows))]
    assert kept == ids(small.rows)


def test_few_rows_are_not_split() -> None:
    plan = plan_rows(eval_set(9), samples=None, candidates=8, seed=0, local=True)
    assert not plan.split
    assert len(plan.selection) == 9


def test_a_single_candidate_needs_no_split() -> None:
    plan = plan_rows(eval_set(40), samples=None, candidates=1, seed=0, local=False)
    assert not plan.split


def test_the_seed_changes_the_order() -> None:
    plans = [plan_rows(eval_set(48), samples=10, candidates=9, seed=s, local=True) for s in (0, 1)]
    assert ids(plans[0].rows) != ids(plans[1].rows)
