"""Promise 9: a server that is busy is not stormed, and one that says no is not asked on."""

from typing import Any

import pytest
from fault_harness import Bench, variants

CONCURRENCY = 16
_FAULT = 20  # Identical permanent failures after which nothing more is sent.


def limited(bench: Bench, rows: int, per_second: float, start: int = 0) -> None:
    """Run against a server that takes so many requests a second.

    Finding the limit costs some attempts (``start``) that are no more in a longer run, and a few
    more on a machine that does other work.
    """
    bench.prompt(rows)
    needed = bench.run("--run-dir", "free").report["spent"]["requests"]
    bench.server.script(limit={"per_second": per_second, "burst": per_second / 2})
    report = bench.run("--run-dir", "limited").report
    assert report["partial"] is False
    assert all(v["quality"]["failures"] == 0 for v in _measured(report))
    attempts = bench.server.counts()
    assert attempts["kinds"]["ok"] == needed
    assert attempts["requests"] <= 1.3 * needed + start
    assert report["spent"]["requests"] == attempts["requests"]


def _measured(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [v for v in variants(report).values() if v["quality"] is not None]


def test_a_limited_server_is_not_stormed(bench: Bench) -> None:
    limited(bench, rows=15, per_second=30, start=8)


@pytest.mark.slow
def test_ten_requests_a_second(bench: Bench) -> None:
    limited(bench, rows=250, per_second=10)


def test_an_absurd_wait_is_bounded_and_said(bench: Bench) -> None:
    waits = ("1000000000", "date:1000000000", "9" * 18)
    bench.server.script(
        *({"when": {"marker": f"number {n}?"}, "do": busy(wait)} for n, wait in enumerate(waits))
    )
    bench.prompt(12)
    done = bench.run("--strategy", "whitespace")
    baseline = variants(done.report)["baseline"]["quality"]
    assert (baseline["n"], baseline["failures"]) == (12 - len(waits), len(waits))
    said = done.err + done.out
    assert "come back later" in said, done.err


def test_a_wait_that_is_none_does_not_matter(bench: Bench) -> None:
    waits = ("-5", "soon", "nan", "", "date:-1000", "1e9", "9" * 400)
    bench.server.script(
        *(
            {"when": {"marker": f"number {n}?", "attempts": [1]}, "do": busy(wait)}
            for n, wait in enumerate(waits)
        )
    )
    bench.prompt(50)
    report = bench.run("--strategy", "whitespace").report
    assert all(v["quality"]["failures"] == 0 for v in _measured(report))


def busy(wait: str) -> dict[str, Any]:
    return {"kind": "status", "status": 429, "retry_after": wait, "message": "come back later"}


def stopped(bench: Bench, status: int, after: int) -> None:
    no = {"kind": "status", "status": status, "message": "this will never work"}
    bench.server.script({"when": {"after": after}, "do": no})
    bench.prompt(80)
    done = bench.run("--concurrency", CONCURRENCY)
    assert bench.server.counts()["kinds"]["status"] <= _FAULT + CONCURRENCY
    assert "this will never work" in done.err + done.out
    assert "Traceback" not in done.err
    assert done.status in (0, 2)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_what_never_works_is_not_asked_on(bench: Bench, status: int) -> None:
    stopped(bench, status, after=0)


def test_what_works_no_more_is_not_asked_on(bench: Bench) -> None:
    stopped(bench, 400, after=50)


def test_a_server_that_is_down_is_not_asked_for_ever(bench: Bench) -> None:
    bench.server.script(default={"kind": "status", "status": 503})
    bench.prompt(6)
    done = bench.run()
    assert done.status in (0, 2)
    # Each row once, each again as often as the run's budget of retries and the tries allow.
    assert bench.server.counts()["requests"] <= 4 * 6
