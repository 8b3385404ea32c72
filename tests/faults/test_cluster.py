"""Workers on a Ray cluster: the same report, one store, one cap."""

import pytest
from fault_harness import Bench, settled

pytestmark = pytest.mark.slow
RAY = ("--engine", "ray", "--workers", 2, "--concurrency", 8)


def test_a_cluster_gives_the_report_of_one_machine(bench: Bench) -> None:
    bench.prompt(12)
    here = bench.run("--run-dir", bench.folder / "here", real=True)
    asked = bench.server.counts()["requests"]
    bench.server.script()
    spread = bench.run("--run-dir", bench.folder / "spread", *RAY, real=True)
    assert settled(spread.report) == settled(here.report)
    assert bench.server.counts()["requests"] == asked == spread.report["spent"]["requests"]


def test_a_cluster_has_one_cap(bench: Bench) -> None:
    bench.prompt(20)
    done = bench.run("--max-requests", 25, *RAY, real=True)
    assert done.report["partial"] is True
    assert bench.server.counts()["requests"] == 25


def test_failures_come_back_as_they_are(bench: Bench) -> None:
    bench.server.script({"when": {"first": 9999}, "do": {"kind": "status", "status": 401}})
    bench.prompt(12)
    done = bench.run(*RAY, real=True)
    assert done.status == 2
    assert "no answer" in done.err
