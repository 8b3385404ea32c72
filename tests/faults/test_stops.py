"""Promise 11: Ctrl-C ends a run soon, with a report of what was done, and nothing paid is lost."""

import random
import signal
import sys
import time
from collections import Counter

import pytest
from fault_harness import Bench, Done, stored_answers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
# The promise is five seconds on a machine of one's own. Here replies take a minute, so that a run
# that waits for them is told from one that is only slow on a busy machine.
_SOON_S = 25.0
SLOW = {"kind": "ok", "latency_ms": 60_000}


def stop_at(bench: Bench, requests: int, moment_s: float, signals: int = 1) -> Done:
    """Interrupt a run of which so many requests were answered, and more are under way."""
    bench.server.script(
        {"when": {"after": requests}, "do": SLOW}, default={"kind": "ok", "latency_ms": 5}
    )
    running = bench.start()
    bench.server.wait_for(requests + 1, running)
    time.sleep(moment_s)
    for _ in range(signals):
        running.kill(signal.SIGINT)
        time.sleep(0.05)
    return running.wait(_SOON_S)


def check_stops(bench: Bench, times: int, seed: int, signals: int = 1) -> None:
    bench.prompt(12)
    chance = random.Random(seed)
    for number in range(times):
        bench.target()
        stop = stop_at(bench, chance.randrange(1, 40), chance.random() * 0.2, signals)
        assert stop.status == 130, stop.err
        assert "Traceback" not in stop.err
        assert stop.report["partial"] is True
        sent = bench.server.counts()["requests"]
        # What was on its way to the server when it was stopped counts too.
        assert sent <= stop.report["spent"]["requests"] <= sent + 16
        stored = stored_answers(bench.run_dir, bench.folder / f"copy-{number}")
        bench.server.script()
        done = bench.run()
        assert done.report["partial"] is False
        again = Counter({sha[:12]: n for sha, n in bench.server.bodies().items()})
        whole = stored_answers(bench.run_dir, bench.folder / f"copy-{number}-whole")
        # What was stored is not asked for again; all else is, once.
        assert again == whole - stored
        for file in bench.run_dir.iterdir():
            if file.is_file():
                file.unlink()


def test_ctrl_c_at_some_moments(bench: Bench) -> None:
    check_stops(bench, 3, seed=1)


def test_a_second_ctrl_c(bench: Bench) -> None:
    check_stops(bench, 1, seed=2, signals=3)


@pytest.mark.slow
def test_ctrl_c_at_fifty_moments(bench: Bench) -> None:
    check_stops(bench, 50, seed=3)


def test_ctrl_c_before_the_first_answer(bench: Bench) -> None:
    bench.prompt(12)
    stop = stop_at(bench, 0, 0.0)
    assert stop.status == 130, stop.err
    assert stop.report["partial"] is True
    assert "Traceback" not in stop.err
