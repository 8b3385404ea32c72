"""Promise 8: what may be spent or sent is never passed, and no price is no start."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from fault_harness import Bench, Done, row

PRICE = {"input": Decimal(100), "output": Decimal(1000)}
PRICED = "price = { input = 100, output = 1000 }"
CAP = Decimal("1.00")
_OVERLAPPING_MS = 500
"""Processes share a cap while they are under way at once: none may end before the last begins."""


def billed(bench: Bench) -> Decimal:
    """What the server made, at the price: whether or not its replies arrived."""
    usages = [entry["billed"] for entry in bench.server.ledger() if entry["billed"]]
    spent_in = sum(usage["prompt_tokens"] for usage in usages)
    spent_out = sum(usage["completion_tokens"] for usage in usages)
    return (spent_in * PRICE["input"] + spent_out * PRICE["output"]) / 1_000_000


def longest_answers(bench: Bench, rows: int, **more: Any) -> None:
    bench.server.script(default={"kind": "ok", "usage": "max", **more})
    bench.target(PRICED)
    bench.prompt(rows)


def capped(bench: Bench, runs: int) -> None:
    for number in range(runs):
        longest_answers(bench, 60)
        done = bench.run("--max-cost", CAP, "--concurrency", 64, "--run-dir", f"run-{number}")
        report, spent = done.report, billed(bench)
        assert spent <= CAP, number
        assert spent > CAP / 2, "the cap stopped far more than it had to"
        assert report["partial"] is True
        assert Decimal(str(report["spent"]["usd"])) == spent
        assert report["spent"]["requests"] == bench.server.counts()["requests"]


def test_a_cap_is_never_passed(bench: Bench) -> None:
    capped(bench, 5)


@pytest.mark.slow
def test_a_cap_is_never_passed_in_a_hundred_runs(bench: Bench) -> None:
    capped(bench, 100)


def together(bench: Bench, *limit: object, processes: int = 4) -> list[Done]:
    """Run processes with rows of their own and one store, all at once, under one limit."""
    runs = []
    for number in range(processes):
        folder = bench.folder / f"process-{number}"
        folder.mkdir()
        own = replace(bench, folder=folder)
        own.target(PRICED)
        own.prompt(row(number * 40 + n) for n in range(40))
        store = bench.folder / "together"
        runs.append(own.start("--run-dir", store, "--concurrency", 16, *limit))
    return [run.wait() for run in runs]


def test_a_cap_is_shared_by_the_processes_of_a_store(bench: Bench) -> None:
    longest_answers(bench, 1, latency_ms=_OVERLAPPING_MS)
    done = together(bench, "--max-cost", CAP)
    assert all(one.status == 0 for one in done), [one.err for one in done]
    assert billed(bench) <= CAP
    assert any(one.report["partial"] for one in done)


def test_a_cap_of_requests_is_never_passed(bench: Bench) -> None:
    longest_answers(bench, 40)
    bench.server.script({"when": {"share": 0.2}, "do": {"kind": "status", "status": 503}}, seed=1)
    done = bench.run("--max-requests", 37, "--concurrency", 64)
    assert done.report["partial"] is True
    assert bench.server.counts()["requests"] == done.report["spent"]["requests"] == 37


def test_a_cap_of_requests_is_shared_by_the_processes_of_a_store(bench: Bench) -> None:
    longest_answers(bench, 1, latency_ms=_OVERLAPPING_MS)
    done = together(bench, "--max-requests", 50)
    assert all(one.status == 0 for one in done), [one.err for one in done]
    assert bench.server.counts()["requests"] <= 50


@pytest.mark.parametrize("usage", ["lying", "huge"])
def test_a_server_that_charges_more_than_was_allowed_is_asked_no_more(
    bench: Bench, usage: str
) -> None:
    longest_answers(bench, 40)
    lie = {"kind": "ok", "usage": usage}
    bench.server.script({"when": {"after": 4}, "do": lie})
    done = bench.run("--max-cost", CAP, "--concurrency", 1)
    assert bench.server.counts()["requests"] == 5
    assert done.report["partial"] is True
    said = done.err + done.out
    assert any(word in said for word in ("more than", "above", "beyond", "exceed")), done.err


@pytest.mark.parametrize(
    "price",
    [
        "",
        "price = { input = 0, output = 0 }",
        "price = { input = 1, output = 0 }",
        "price = { input = 1 }",
        "price = { output = 1 }",
        "price = { input = -1, output = 1 }",
        "price = { input = nan, output = 1 }",
        "price = { input = inf, output = 1 }",
        'price = { input = "one", output = 1 }',
        "price = {}",
        "usd_per_hour = 0",
    ],
)
def test_without_a_price_nothing_is_sent_under_a_cap(bench: Bench, price: str) -> None:
    bench.target(price)
    bench.prompt(5)
    done = bench.run("--max-cost", CAP)
    assert done.status == 2, done.out
    assert "price" in done.err or "usd_per_hour" in done.err
    assert "Traceback" not in done.err
    assert bench.server.counts()["requests"] == 0
