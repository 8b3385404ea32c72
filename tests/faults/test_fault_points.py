"""Promise 3: a crash at any single change to the store's files leaves a run that goes on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fault_harness import HERE, Bench, FaultProcess, Starter, integrity, settled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD")
CONCURRENCY = 4
ROWS = 5  # Four variants on each, and one prompt emptied of its row: 21 requests.


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that ends a process at its k-th change, compiled."""
    if os.environ.get("COSTOPT_NO_COMPILER") == "1":
        pytest.skip("COSTOPT_NO_COMPILER=1: no crash point was tried")
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.fail(
            "a C compiler is needed to try crash points: install gcc, or set "
            "COSTOPT_NO_COMPILER=1 to go without this test",
            pytrace=False,
        )
    library = tmp_path_factory.mktemp("shim") / "crash.so"
    source = str(HERE / "crash_shim.c")
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), source, "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture(scope="module")
def crashing(shim: Path) -> Iterator[Starter]:
    """A starter whose runs have the library in them."""
    starter = Starter(LD_PRELOAD=str(shim))
    yield starter
    starter.close()


@pytest.fixture
def points(tmp_path: Path, server: FaultProcess, crashing: Starter) -> Bench:
    bench = Bench(tmp_path, server, crashing)
    bench.target()
    bench.prompt(ROWS)
    return bench


def changes(bench: Bench) -> int:
    """How many changes an undisturbed run makes to the store's files."""
    count = bench.folder / "count"
    bench.env = {"COSTOPT_FAULT_FOLDER": str(bench.run_dir), "COSTOPT_FAULT_COUNT": str(count)}
    bench.run("--concurrency", CONCURRENCY)
    return int(count.read_text())


def crash_at(bench: Bench, points: Iterable[int], *, torn: bool) -> None:
    bench.env = {}
    expected = settled(bench.run("--run-dir", "whole", "--concurrency", CONCURRENCY).report)
    needed = bench.server.counts()["requests"] // 2  # The run that counted asked as much.
    for point in points:
        shutil.rmtree(bench.run_dir)
        bench.server.script()
        bench.env = {"COSTOPT_FAULT_FOLDER": str(bench.run_dir), "COSTOPT_FAULT_AT": str(point)}
        bench.env |= {"COSTOPT_FAULT_TORN": "1"} if torn else {}
        crashed = bench.run("--concurrency", CONCURRENCY)
        # Changes are not the same in number each time: requests overlap by chance.
        assert crashed.status in (-9, 0), (point, crashed.err)
        bench.env = {}
        resumed = bench.run("--concurrency", CONCURRENCY)
        assert settled(resumed.report) == expected, point
        assert bench.server.counts()["requests"] <= needed + CONCURRENCY, point
        assert integrity(bench.run_dir) == "ok", point
        assert not list(bench.run_dir.glob("*.corrupt-*")), point


def test_a_crash_here_and_there(points: Bench) -> None:
    total = changes(points)
    assert total > 20
    crash_at(points, (1, 4, total // 3, total - 3), torn=False)


def test_a_write_that_was_cut_short(points: Bench) -> None:
    total = changes(points)
    crash_at(points, (2, total // 2 + 1), torn=True)


@pytest.mark.slow
@pytest.mark.parametrize("torn", [False, True])
def test_a_crash_at_every_change(points: Bench, torn: bool) -> None:
    crash_at(points, range(1, changes(points) + 1), torn=torn)
