"""Promise 7: the same run again asks nobody, and says the same."""

from pathlib import Path

from fault_harness import Bench, FaultProcess, Starter, settled


def test_the_second_run_needs_no_server(tmp_path: Path, starter: Starter | None) -> None:
    server = FaultProcess()
    try:
        bench = Bench(tmp_path, server, starter)
        bench.target("price = { input = 1, output = 2 }\nrequests_per_minute = 100000")
        bench.prompt(10)
        first = bench.run()
        asked = server.counts()["requests"]
    finally:
        server.stop()
    second = bench.run("--offline", "--concurrency", 3)
    assert asked == first.report["spent"]["requests"] > 0
    spent = second.report["spent"]
    assert (spent["requests"], spent["usd"], spent["input_tokens"]) == (0, 0, 0)
    assert spent["cached_answers"] >= asked
    assert settled(first.report) == settled(second.report)
    assert list(settled(first.report)) == list(settled(second.report))


def test_a_changed_row_asks_for_itself_only(bench: Bench) -> None:
    bench.prompt(10)
    bench.run()
    before = bench.server.bodies()
    rows = bench.folder / "cities" / "evals.jsonl"
    text = rows.read_text()
    rows.write_text(text.replace("number 3?", "number three?"))
    bench.run()
    new = bench.server.bodies() - before
    # One row on four variants, of which two say the same twice and one nothing of the row.
    assert sum(new.values()) == 4
    assert set(new).isdisjoint(before)
