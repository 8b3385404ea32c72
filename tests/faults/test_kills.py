"""Promises 1 and 2: what was received is kept through SIGKILL, and little is paid for again."""

import json
import random
import sys
import time
from collections import Counter

import pytest
from fault_harness import Bench, Running, settled, stored_answers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
CONCURRENCY = 16


def marks(bench: Bench, since: int = 0) -> Counter[str]:
    """What the server received since then, by the mark that its answer has."""
    return Counter(entry["sha"][:12] for entry in bench.server.ledger()[since:] if entry["sha"])


def received(bench: Bench) -> int:
    return bench.server.counts()["requests"]


def kill_at(bench: Bench, running: Running, requests: int, moment_s: float) -> None:
    """Kill the run some moment after the server received so many requests."""
    bench.server.wait_for(requests, running)
    time.sleep(moment_s)
    running.kill()
    running.wait()


def killed_run(bench: Bench, kills: int, seed: int) -> None:
    """Kill a run again and again, and hold the store against what the server saw each time."""
    bench.server.script(default={"kind": "ok", "latency_ms": 20})
    expected = settled(bench.run("--run-dir", "whole").report)
    once = marks(bench)
    bench.server.script(default={"kind": "ok", "latency_ms": 20})
    chance = random.Random(seed)
    lost: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for number, share in enumerate(sorted(chance.random() for _ in range(kills))):
        begun = received(bench)
        running = bench.start()
        least = max(int(share * once.total()), begun + 1)
        kill_at(bench, running, least, chance.random() * 0.05)
        came = marks(bench, begun)
        after = stored_answers(bench.run_dir, bench.folder / f"copy-{number}")
        assert before <= after, "an answer that was stored is gone"
        missing = came - (after - before)
        assert after - before <= came, "an answer is stored that was never asked for"
        assert missing.total() <= CONCURRENCY, (number, missing)
        lost, before = lost + missing, after
    report = bench.run().report
    assert settled(report) == expected
    stored = stored_answers(bench.run_dir, bench.folder / "copy-last")
    assert stored == once
    # Each body came once, and once more for each time that it was under way at a kill.
    assert marks(bench) == once + lost
    assert lost.total() <= kills * CONCURRENCY
    # And each that may have been paid for and was lost stands in the journal, with its worst case.
    info = bench.run("info", "--run-dir", bench.run_dir, "--format", "json", command="cache")
    unknown = json.loads(info.out)["unknown_outcome"]
    assert lost.total() <= unknown["requests"] <= kills * CONCURRENCY
    assert (unknown["usd"] > 0) == (unknown["requests"] > 0)


def test_five_kills_lose_nothing(bench: Bench) -> None:
    bench.prompt(50)
    killed_run(bench, kills=5, seed=1)


@pytest.mark.slow
def test_fifty_kills_lose_nothing(bench: Bench) -> None:
    bench.prompt(500)
    killed_run(bench, kills=50, seed=2)
