"""Promise 4: many processes that start at once on an empty store lose nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from fault_harness import Bench, integrity, row, stored_answers


def start_together(bench: Bench, processes: int, rows: int) -> None:
    """Start processes with rows of their own on one empty store, and count what is in it."""
    benches = [_own(bench, number, rows) for number in range(processes)]
    store = bench.folder / "together"
    runs = [one.start("--run-dir", store) for one in benches]
    for run in runs:
        done = run.wait()
        assert done.status == 0, done.err
        assert "lock" not in done.err
        assert done.report["partial"] is False
    assert integrity(store) == "ok"
    assert not list(store.glob("*.corrupt-*"))
    stored = stored_answers(store, bench.folder / "copy")
    served = {sha[:12]: count for sha, count in bench.server.bodies().items()}
    assert set(stored) == set(served)
    # The prompt emptied of its row is the same in all; everything else came once and is kept.
    (emptied,) = {mark for mark in served if served[mark] != stored[mark]} or {None}
    assert emptied is None or (stored[emptied], served[emptied]) <= (1, processes)
    assert stored.total() == processes * 4 * rows + 1


def _own(bench: Bench, number: int, rows: int) -> Bench:
    folder = Path(bench.folder / f"process-{number}")
    folder.mkdir()
    own = replace(bench, folder=folder)
    own.target()
    own.prompt(row(number * rows + n) for n in range(rows))
    return own


def test_six_at_once(bench: Bench) -> None:
    start_together(bench, 6, 5)


@pytest.mark.slow
def test_twenty_at_once(bench: Bench) -> None:
    start_together(bench, 20, 25)
