"""Large eval sets lie on disk: what is read is what was put there, and memory stays small."""

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.types import EvalSet, Sample
from costopt.evals.evalset import load_eval_set, references
from costopt.evals.plan import plan_rows
from costopt.evals.shelf import IN_MEMORY, Shelf, shelve

texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
samples = st.builds(
    Sample,
    id=texts,
    inputs=st.dictionaries(texts, values, max_size=3),
    references=st.lists(values, max_size=3).map(tuple),
    cluster=st.none() | texts,
    metadata=st.dictionaries(texts, values, max_size=2),
    metric=st.none() | st.sampled_from(["accuracy", "token_f1"]),
)


@given(rows=st.lists(samples, min_size=1, max_size=8), start=st.integers(-9, 9))
def test_a_shelf_gives_back_what_was_put_on_it(rows: list[Sample], start: int) -> None:
    shelf = Shelf()
    for row in rows:
        shelf.add(row)
    assert list(shelf) == rows
    assert shelf[start:] == tuple(rows[start:])
    assert [shelf[index] for index in range(-len(rows), len(rows))] == [*rows, *rows]


def write(path: Path, count: int, **odd: dict[str, object]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row: dict[str, object] = {
                "id": f"r{number}",
                "q": "why " * 25,
                "reference": str(number),
            }
            file.write(json.dumps(row | odd.get(f"r{number}", {})) + "\n")
    return path


def load(path: Path) -> EvalSet:
    return load_eval_set(path, variables=("q",), defaults={}, shown="evals.jsonl")


def test_memory_does_not_grow_with_the_rows_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path / "evals.jsonl", 20_000)
    load(write(tmp_path / "small.jsonl", 10))  # imports
    tracemalloc.start()
    try:
        loaded = load(path)
        plan = plan_rows(loaded, samples=None, candidates=9, seed=0, local=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(loaded.samples) == 20_000
    assert len(plan.rows) == 40
    # As objects these rows are 20 MB; as they lie here, 2,000 objects and 72 bytes for each.
    assert peak < 6_000_000


@pytest.mark.parametrize("count", [IN_MEMORY, IN_MEMORY + 1])
def test_the_plan_is_the_same_on_disk_and_in_memory(tmp_path: Path, count: int) -> None:
    loaded = load(write(tmp_path / "evals.jsonl", count))
    held = EvalSet(path="", samples=tuple(loaded.samples), sha256="")
    plans = [
        plan_rows(one, samples=300, candidates=9, seed=7, local=False) for one in (loaded, held)
    ]
    assert isinstance(loaded.samples, Shelf) == (count > IN_MEMORY)
    assert plans[0] == plans[1]


def test_an_id_that_stands_twice_is_named_wherever_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "evals.jsonl", 3_000, r2900={"id": "r7"}, r2950={"id": "r8"})
    with pytest.raises(CostoptError) as caught:
        load(path)
    assert 'has the id "r7" of line 8' in caught.value.what
    assert caught.value.where is not None
    assert caught.value.where.line == 2901


def test_what_is_read_later_is_what_was_checked(tmp_path: Path) -> None:
    path = write(tmp_path / "evals.jsonl", IN_MEMORY + 5)
    loaded = load(path)
    path.write_text("something else")
    assert loaded.samples[IN_MEMORY + 4].id == f"r{IN_MEMORY + 4}"


def test_references_stop_where_there_are_too_many_to_be_labels() -> None:
    rows = [Sample(id=str(n), inputs={}, references=(str(n % 50),)) for n in range(200)]
    assert len(references(shelve(rows))) == 50
    assert len(references(rows, most=20)) == 20
