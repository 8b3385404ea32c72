"""How fast request logs are attributed: against a bare DuckDB query, pandas and Polars, in one run.

Rows are made from two public traces: the Azure LLM inference trace of 2023 (tokens and arrivals)
and Mooncake's conversation trace (longer prompts, shared prefixes). The traces name neither a
feature nor a model: **both labels are added here**, by hashes of the row's number, and so are
latency and cached tokens. Times go on from trace to trace over one month.

    python benchmarks/usage.py --traces FOLDER [--rows 10000000] [--rounds 3] [--work DIR]
        [--format parquet|csv] [--json FILE]

FOLDER holds ``trace_azure_llm_2023`` and ``trace_mooncake``. Every contestant is a process of its
own, one after the other, round by round; seconds and peak memory are those of the whole process
with its start. The ratio is taken within a round. They all group by feature and model and give
requests, sums of tokens, and the median and 95th percentile of input, output and latency:

- ``costopt``: ``costopt usage --only-cost``, with all its checks, prices, trend and shares;
- ``duckdb``: the same columns in one bare query, without prices and checks, percentiles as costopt
  takes them (exact up to 20 million rows, else t-digest);
- ``duckdb+usd``: the same with money: a join with a price for each model;
- ``pandas``, ``polars``: the same as ``duckdb``; left out where they are not installed, or where
  they are killed or fail for memory, which is said.

Before, totals of the two traces by costopt are compared with sums in plain Python.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

EXACT = 20_000_000
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-haiku-4-5", "o3")
FEATURES = ("chat", "search", "code", "summary", "tags", "mail", "review", "triage")


def traces(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of both traces: seconds since the start, input and output tokens."""
    rows: list[dict[str, Any]] = []
    for name in ("code.jsonl", "conv.jsonl"):
        rows += _azure(folder / "trace_azure_llm_2023" / name)
    mooncake = folder / "trace_mooncake" / "conversation_trace.jsonl"
    for line in mooncake.read_text().splitlines():
        row = json.loads(line)
        rows.append(
            {
                "s": row["timestamp"] / 1000,
                "i": row["input_length"],
                "o": row["output_length"],
            }
        )
    return rows


def _azure(path: Path) -> list[dict[str, Any]]:
    from datetime import datetime

    found = [json.loads(line) for line in path.read_text().splitlines()]
    times = [datetime.fromisoformat(row["ts"][:26]).timestamp() for row in found]
    return [
        {"s": at - min(times), "i": row["input_tokens"], "o": row["output_tokens"]}
        for at, row in zip(times, found, strict=True)
    ]


def synthesise(folder: Path, rows: int, target: Path) -> None:
    """Write a log of so many rows, the traces over and over, with labels of ours."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "2GB"})
    connection.execute("CREATE TABLE trace (n BIGINT, s DOUBLE, i BIGINT, o BIGINT)")
    found = traces(folder)
    connection.executemany(
        "INSERT INTO trace VALUES (?, ?, ?, ?)",
        [(n, row["s"], row["i"], row["o"]) for n, row in enumerate(found)],
    )
    many = len(found)
    kind = "FORMAT parquet, COMPRESSION zstd" if target.suffix == ".parquet" else "FORMAT csv"
    connection.execute(
        f"""COPY (SELECT TIMESTAMP '2026-10-01' + to_microseconds(CAST(
              (r * 2592000.0 / {rows} + s / 1000) * 1e6 AS BIGINT)) AS "timestamp",
            {list(MODELS)}[1 + CAST(hash(r) % {len(MODELS)} AS INT)] AS model,
            {list(FEATURES)}[1 + CAST(hash(r + 1) % {len(FEATURES)} AS INT)] AS feature,
            i AS input_tokens, CAST(i * (hash(r + 2) % 10) / 10 AS BIGINT) AS cache_read_tokens,
            o AS output_tokens, (hash(r + 3) % 30000) / 1000.0 AS latency_s
          FROM range({rows}) t(r) JOIN trace ON n = r % {many}) TO '{target}' ({kind})"""
    )


_SUMS = "count(*), sum(input_tokens), sum(cache_read_tokens), sum(output_tokens)"
_COLUMNS = ("input_tokens", "output_tokens", "latency_s")


def _duckdb(log: str, rows: int, money: bool) -> str:
    quantile = "quantile_disc" if rows <= EXACT else "approx_quantile"
    spreads = ", ".join(f"{quantile}({name}, [0.5, 0.95])" for name in _COLUMNS)
    joined, usd = "", ""
    if money:
        # Made-up prices in millionths of a dollar a million tokens: only the work counts.
        values = ", ".join(f"('{name}', 150000, 75000, 600000)" for name in MODELS)
        joined = f"JOIN (VALUES {values}) p(model, a, b, c) USING (model)"
        usd = (
            ", sum((input_tokens - cache_read_tokens) * a + cache_read_tokens * b "
            "+ output_tokens * c)"
        )
    sql = (
        f"SELECT feature, model, {_SUMS}, {spreads}{usd} FROM '{log}' {joined} "
        "GROUP BY feature, model"
    )
    return (
        "import duckdb; c = duckdb.connect(config={'memory_limit': '1500MB'}); "
        f'print(len(c.execute("""{sql}""").fetchall()))'
    )


def _pandas(log: str) -> str:
    read = "read_parquet" if log.endswith(".parquet") else "read_csv"
    return (
        f"import pandas as pd; t = pd.{read}({log!r}); g = t.groupby(['feature', 'model']); "
        "n = ['input_tokens', 'cache_read_tokens', 'output_tokens']; a = g[n].sum(); b = g.size(); "
        f"q = g[{list(_COLUMNS)}].quantile([0.5, 0.95]); print(len(a))"
    )


def _polars(log: str) -> str:
    read = "scan_parquet" if log.endswith(".parquet") else "scan_csv"
    return (
        f"import polars as pl; t = pl.{read}({log!r}); c = pl.col; "
        "x = [pl.len(), c('input_tokens', 'cache_read_tokens', 'output_tokens').sum()]; "
        f"x += [c(n).quantile(q).alias(n + str(q)) for n in {list(_COLUMNS)} for q in (.5, .95)]; "
        "print(t.group_by('feature', 'model').agg(x).collect(engine='streaming').height)"
    )


def contestants(log: Path, rows: int) -> dict[str, list[str]]:
    """Return the command of each contestant that is installed."""
    costopt = str(Path(sys.executable).with_name("costopt"))
    found = {
        "duckdb": [sys.executable, "-c", _duckdb(str(log), rows, money=False)],
        "duckdb+usd": [sys.executable, "-c", _duckdb(str(log), rows, money=True)],
        "costopt": [costopt, "usage", str(log), "--only-cost", "--format", "json"],
    }
    for name, code in (("pandas", _pandas(str(log))), ("polars", _polars(str(log)))):
        if importlib.util.find_spec(name):
            found[name] = [sys.executable, "-c", code]
    return found


_MEASURED = """
import json, resource, subprocess, sys, time
t = time.perf_counter()
run = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
took = time.perf_counter() - t
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(json.dumps([run.returncode, took, peak]))
"""


def measure(command: Sequence[str]) -> tuple[int, float, int]:
    """Return exit status, seconds and peak memory in MB of a process."""
    run = subprocess.run(
        [sys.executable, "-c", _MEASURED, *command], capture_output=True, text=True, check=True
    )
    status, took, peak = json.loads(run.stdout)
    return int(status), float(took), int(peak)


def check_totals(folder: Path, work: Path) -> str:
    """Compare costopt's totals of the traces with sums in plain Python, money in decimals."""
    from datetime import UTC, datetime, timedelta
    from decimal import Decimal

    from costopt.core.types import Usage
    from costopt.costs.prices import cost_of, price_for

    rows = traces(folder)
    start = datetime(2026, 10, 1, tzinfo=UTC)
    log = work / "traces.jsonl"
    with log.open("w") as file:
        for n, row in enumerate(rows):
            at = (start + timedelta(seconds=row["s"])).isoformat()
            record = {"timestamp": at, "model": MODELS[n % len(MODELS)], "feature": "x"}
            record |= {"input_tokens": row["i"], "output_tokens": row["o"]}
            file.write(json.dumps(record) + "\n")
    costopt = str(Path(sys.executable).with_name("costopt"))
    shown = subprocess.run(
        [costopt, "usage", str(log), "--by", "model", "--only-cost", "--format", "json"],
        capture_output=True,
        check=True,
    )
    total = json.loads(shown.stdout)["total"]
    prices = {name: price_for(name, on=start.date()) for name in MODELS}
    usd = Decimal(0)
    for n, row in enumerate(rows):
        price = prices[MODELS[n % len(MODELS)]]
        usd += (cost_of(Usage(row["i"], row["o"]), price) if price else None) or 0
    expected = (len(rows), sum(row["i"] for row in rows), sum(row["o"] for row in rows))
    given = (total["requests"], total["input_tokens"], total["output_tokens"])
    same = expected == given and abs(Decimal(str(total["usd"])) - usd) < Decimal("0.005")
    said = f"{expected[0]:,} requests, {expected[1]:,} in, {expected[2]:,} out, ${usd:.6f}"
    if not same:
        raise SystemExit(f"totals differ: by hand {said}; costopt {given}, {total['usd']}")
    return f"totals of both traces equal sums by hand: {said} (models added)"


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("work"))
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    print(check_totals(given.traces, given.work))
    log = given.work / f"usage-{given.rows}.{given.format}"
    if not log.exists():
        synthesise(given.traces, given.rows, log)
    found: dict[str, list[tuple[float, int]]] = {}
    failed: dict[str, int] = {}
    for _ in range(given.rounds):
        for name, command in contestants(log, given.rows).items():
            if name in failed:
                continue
            status, took, peak = measure(command)
            if status:
                failed[name] = status
            else:
                found.setdefault(name, []).append((took, peak))
    _print(found, failed, given.rows, log)
    if given.json:
        given.json.write_text(json.dumps({"rows": given.rows, "runs": found}, indent=1) + "\n")


def _print(
    found: dict[str, list[tuple[float, int]]], failed: dict[str, int], rows: int, log: Path
) -> None:
    size = log.stat().st_size / 1e6
    print(f"\n{rows:,} rows, {log.suffix[1:]} of {size:,.0f} MB; by feature and model")
    print("| | seconds | peak MB | time against duckdb | against duckdb+usd |")
    print("|---|--:|--:|--:|--:|")
    for name, runs in found.items():
        if name in failed:
            continue
        cells = [_ratio(runs, found[base]) for base in ("duckdb", "duckdb+usd")]
        took, peak = median(run[0] for run in runs), max(run[1] for run in runs)
        print(f"| {name} | {took:.1f} | {peak:,} | {cells[0]} | {cells[1]} |")
    for name, status in failed.items():
        print(f"| {name} | failed: status {status} | | | |")


def _ratio(runs: list[tuple[float, int]], base: list[tuple[float, int]]) -> str:
    """The median of the ratios within a round, with the least and the most."""
    ratios = [one[0] / other[0] for one, other in zip(runs, base, strict=False)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
