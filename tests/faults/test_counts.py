"""Promises 2 and 10: no row drops out of n, and what may have been paid is said."""

from decimal import Decimal
from typing import Any

import pytest
from fault_harness import Bench, settled, variants

ROWS = 40
PASSES = ("holds", "better")
BUSY = {"kind": "status", "status": 429, "retry_after": "0.05"}
DOWN = {"kind": "status", "status": 503, "retry_after": "0.05"}


def fault_free(bench: Bench, rows: int = ROWS) -> tuple[dict[str, Any], int]:
    bench.prompt(rows)
    report = bench.run("--run-dir", "free").report
    return settled(report), bench.server.counts()["requests"]


def check_rows(report: dict[str, Any], rows: int) -> int:
    """Every row is answered or failed; return how many failed."""
    failed = 0
    for variant in variants(report).values():
        quality = variant["quality"]
        if quality is None:
            continue
        assert quality["n"] + quality["failures"] == rows, variant["name"]
        failed += quality["failures"]
        if quality["failures"] > 0.02 * rows:
            assert variant["verdict"] not in PASSES, variant["name"]
    return failed


def test_faults_that_are_waited_out_change_nothing(bench: Bench) -> None:
    expected, needed = fault_free(bench)
    bench.server.script(
        {"when": {"share": 0.03, "attempts": [1]}, "do": BUSY},
        {"when": {"share": 0.06, "attempts": [1]}, "do": DOWN},
    )
    report = bench.run().report
    counts = bench.server.counts()
    assert counts["kinds"]["status"] > 0
    assert counts["kinds"]["ok"] == needed
    assert settled(report) == expected


def injected(bench: Bench, rows: int, fault: dict[str, Any], **when: Any) -> None:
    """Let 30 % of all requests fail: n stays exact, or rows are failed and nothing passes."""
    expected, needed = fault_free(bench, rows)
    bench.server.script({"when": {"share": 0.3, **when}, "do": fault}, seed=3)
    report = bench.run().report
    counts = bench.server.counts()
    assert counts["kinds"]["status"] > 0.2 * counts["requests"]
    if check_rows(report, rows) == 0:
        assert settled(report) == expected
        assert counts["kinds"]["ok"] == needed
    # What was answered is stored, each once: the rest is all that a second run asks for.
    bench.server.script()
    assert settled(bench.run().report) == expected
    assert counts["kinds"]["ok"] + bench.server.counts()["requests"] == needed


def test_thirty_percent_of_faults(bench: Bench) -> None:
    # Twice in a row at most: a third wait would be most of this test's time. Refusals at random
    # slow a run down as a rate limit does, so those are asked for in the full size only.
    injected(bench, 20, DOWN, attempts=[1, 2])


@pytest.mark.slow
@pytest.mark.parametrize("fault", [BUSY, DOWN], ids=["busy", "down"])
def test_thirty_percent_of_faults_over_many_rows(bench: Bench, fault: dict[str, Any]) -> None:
    injected(bench, 500, fault)


def test_rows_that_stay_failed_are_listed_and_nothing_passes(bench: Bench) -> None:
    bench.prompt(ROWS)
    for number in (3, 17):
        assert f"row-{number}" in (bench.folder / "cities" / "evals.jsonl").read_text()
    bench.server.script(
        *(
            {"when": {"marker": f"number {n}?"}, "do": {"kind": "status", "status": 400}}
            for n in (3, 17)
        )
    )
    done = bench.run()
    report = done.report
    # The prompt emptied of its rows has no marker, and is answered.
    assert variants(report)["baseline"]["quality"]["failures"] == 2
    assert check_rows(report, ROWS) >= 6
    for number in (3, 17):
        assert f"row-{number}" in done.out, "the row that failed is not named"


def lost_replies(bench: Bench, rows: int) -> None:
    """Close after the body, before a reply: it may have been paid for."""
    _, needed = fault_free(bench, rows)
    once = bench.server.bodies()
    bench.env["FAULT_KEY"] = "key-0123456789"
    bench.target('price = { input = 100, output = 1000 }\napi_key_env = "FAULT_KEY"')
    bench.server.script({"when": {"share": 0.1}, "do": {"kind": "close_after_body"}}, seed=5)
    report = bench.run().report
    ledger = bench.server.ledger()
    closed = [entry for entry in ledger if entry["kind"] == "close_after_body"]
    assert len(closed) > 0.03 * needed
    came = bench.server.bodies()
    lost: dict[str, int] = {}
    for entry in closed:
        lost[entry["sha"]] = lost.get(entry["sha"], 0) + 1
    for sha, times in came.items():
        assert times <= once[sha] + lost.get(sha, 0), "sent again without a loss"
        assert times <= 2 * once[sha], "sent again more than once"
    check_rows(report, rows)
    spent = report["spent"]
    assert Decimal(str(spent["usd"])) >= _billed(ledger)
    assert spent["unknown_outcome"]["requests"] == len(closed)
    assert Decimal(str(spent["unknown_outcome"]["usd"])) >= _billed(closed)


def _billed(entries: list[dict[str, Any]]) -> Decimal:
    usages = [entry["billed"] for entry in entries if entry["billed"]]
    micro = sum(100 * u["prompt_tokens"] + 1000 * u["completion_tokens"] for u in usages)
    return Decimal(micro) / 1_000_000


def test_lost_replies_are_possible_spend(bench: Bench) -> None:
    lost_replies(bench, ROWS)


@pytest.mark.slow
def test_two_hundred_lost_replies(bench: Bench) -> None:
    lost_replies(bench, 500)
