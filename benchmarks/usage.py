"""How fast request logs are attributed: against bare DuckDB queries, Polars and pandas, in one run.

Rows are made from two public traces: the Azure LLM inference trace of 2023 (tokens and arrivals)
and Mooncake's conversation trace (longer prompts). The traces name neither a feature nor a model:
**both labels are added here**, by hashes of the row's number, and so are latency and cached tokens.
Times go on from trace to trace over one month.

    python benchmarks/usage.py --traces FOLDER [--rows 10000000] [--rounds 3] [--work DIR]
        [--format parquet|csv] [--without NAME ...] [--note TEXT] [--append FILE]

FOLDER holds ``trace_azure_llm_2023`` and ``trace_mooncake``. Every contestant is a process of its
own, one after the other, round by round; seconds, CPU seconds (of all threads) and peak memory are
those of the whole process with its start. Ratios are taken within a round. All group by feature and
model and give requests, sums of input, cached and output tokens, and the median and the 95th
percentile of input, output and latency:

- ``costopt``: ``costopt usage --only-cost``: all its checks, prices of each request's day, shares,
  requests and money of the first half against the second; percentiles always exact;
- ``duckdb``: one bare query with the sums and percentiles, and nothing else;
- ``duckdb+usd``: the same with money, by a join with the same rates: the same outcome, and what the
  goal of 1.5 is against;
- ``duckdb+usd+trend``: the same with requests and money of both halves, as costopt has them;
- ``polars`` (lazy, streaming) and ``pandas``: the same as ``duckdb``.

Up to 20 million rows the bare queries' percentiles are exact. Beyond, exact ones hold all values in
memory, more than 2 GB at 100 million: the bare queries take DuckDB's t-digest, and
``duckdb+usd, exact`` shows what exact ones take. Polars and pandas are as they are. A process that
takes more than 10 GB fails, which is said; ``--without`` leaves some out. What it takes to start is
told by a log of 1,000 rows.

Before, totals of the two traces by costopt are compared with sums in plain Python, and its groups
of the log with those of the bare query: to the token and the cent.
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from spreads import spread

from costopt.core.types import Usage
from costopt.costs.prices import cost_of, price_for

EXACT = 20_000_000
MOST_GB = 10
MODELS = ("gpt-4o-mini", "gpt-4o", "claude-haiku-4-5", "o3")
START = datetime(2026, 10, 1, tzinfo=UTC)
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
_USD = "input_tokens * a + cache_read_tokens * b + output_tokens * c"
_MIDDLE = "TIMESTAMP '2026-10-16'"


def rates() -> str:
    """Return each model with its rates in 10^-12 USD a token, as rows of SQL.

    The second is what a cached token costs beyond one of input.
    """
    rows: list[str] = []
    for model in MODELS:
        price = price_for(model, on=START.date())
        if price is None:
            raise SystemExit(f"no price for {model}")
        asked = (Usage(1, 0), Usage(1, 0, cache_read=1), Usage(0, 1))
        each = [cost_of(usage, price) for usage in asked]
        pico = [int((one or 0) * 10**12) for one in each]
        rows.append(f"('{model}', {pico[0]}, {pico[1] - pico[0]}, {pico[2]})")
    return ", ".join(rows)


def bare(log: Path, *, exact: bool, money: bool = False, trend: bool = False) -> str:
    """Return the bare query."""
    quantile = "quantile_disc" if exact else "approx_quantile"
    wanted = [_SUMS, *(f"{quantile}({name}, [0.5, 0.95])" for name in _COLUMNS)]
    joined = f"JOIN (VALUES {rates()}) p(model, a, b, c) USING (model)" if money else ""
    if money:
        wanted.append(f"sum({_USD})")
    if trend:
        for half in (f'"timestamp" < {_MIDDLE}', f'"timestamp" >= {_MIDDLE}'):
            wanted += [f"count(*) FILTER ({half})", f"sum({_USD}) FILTER ({half})"]
    return (
        f"SELECT feature, model, {', '.join(wanted)} FROM '{log}' {joined} GROUP BY feature, model"
    )


def _run_bare(sql: str) -> list[str]:
    code = (
        "import duckdb; c = duckdb.connect(config={'memory_limit': '1500MB'}); "
        f'print(len(c.execute("""{sql}""").fetchall()))'
    )
    return [sys.executable, "-c", code]


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


def costopt(log: Path) -> list[str]:
    """Return the command of costopt."""
    program = str(Path(sys.executable).with_name("costopt"))
    return [program, "usage", str(log), "--only-cost", "--format", "json"]


def contestants(log: Path, rows: int, without: Iterable[str]) -> dict[str, list[str]]:
    """Return the command of each contestant that is installed and wanted."""
    exact = rows <= EXACT
    found = {
        "duckdb": _run_bare(bare(log, exact=exact)),
        "duckdb+usd": _run_bare(bare(log, exact=exact, money=True)),
        "duckdb+usd+trend": _run_bare(bare(log, exact=exact, money=True, trend=True)),
        "costopt": costopt(log),
    }
    if not exact:
        found["duckdb+usd, exact"] = _run_bare(bare(log, exact=True, money=True))
    for name, code in (("polars", _polars(str(log))), ("pandas", _pandas(str(log)))):
        if importlib.util.find_spec(name):
            found[name] = [sys.executable, "-c", code]
    return {name: command for name, command in found.items() if name not in set(without)}


@dataclass(frozen=True)
class Run:
    """A process: its exit status, seconds, seconds of all threads, and most memory in MB."""

    status: int
    seconds: float
    cpu: float
    peak: int


_MEASURED = """
import json, resource, subprocess, sys, time
most = int(sys.argv[1]) << 30
limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (most, most))
t = time.perf_counter()
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
run = subprocess.run(sys.argv[2:], preexec_fn=limit, **quiet)
took = time.perf_counter() - t
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(json.dumps([run.returncode, took, cpu, used.ru_maxrss // 1024]))
"""


def measure(command: Sequence[str]) -> Run:
    """Run a process."""
    whole = [sys.executable, "-c", _MEASURED, str(MOST_GB), *command]
    run = subprocess.run(whole, capture_output=True, text=True, check=True)
    return Run(*json.loads(run.stdout))


def check_totals(folder: Path, work: Path) -> str:
    """Compare costopt's totals of the traces with sums in plain Python, money in decimals."""
    rows = traces(folder)
    log = work / "traces.jsonl"
    with log.open("w") as file:
        for n, row in enumerate(rows):
            at = (START + timedelta(seconds=row["s"])).isoformat()
            record = {"timestamp": at, "model": MODELS[n % len(MODELS)], "feature": "x"}
            record |= {"input_tokens": row["i"], "output_tokens": row["o"]}
            file.write(json.dumps(record) + "\n")
    total = _reported(log, "--by", "model")["total"]
    prices = {name: price_for(name, on=START.date()) for name in MODELS}
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


def _reported(log: Path, *more: str) -> dict[str, Any]:
    return json.loads(
        subprocess.run([*costopt(log), *more], capture_output=True, check=True).stdout
    )


def check_groups(log: Path) -> str:
    """Compare costopt's groups with those of the bare query with exact percentiles."""
    import duckdb

    connection = duckdb.connect(config={"memory_limit": "1500MB"})
    sql = bare(log, exact=True, money=True, trend=True)
    expected = {tuple(row[:2]): row[2:] for row in connection.execute(sql).fetchall()}
    report = _reported(log)
    differs = [
        group["by"]
        for group in report["groups"]
        if not _same(group, expected.pop((group["by"]["feature"], group["by"]["model"])))
    ]
    if differs or expected:
        raise SystemExit(f"groups differ from the bare query: {differs}, {list(expected)}")
    return (
        f"{len(report['groups'])} groups equal the bare query's: requests, tokens, exact "
        f"percentiles, money of ${report['total']['usd']:,.2f} to the cent, and trend"
    )


def _same(group: Mapping[str, Any], row: Sequence[Any]) -> bool:
    names = ("requests", "input_tokens", "cache_read_tokens", "output_tokens")
    given = [group[name] for name in names]
    for name in ("input_tokens_{}", "output_tokens_{}", "latency_{}_s"):
        given.append([group[name.format(part)] for part in ("p50", "p95")])
    money = abs(Decimal(str(group["usd"])) - Decimal(row[7]) / 10**12) < Decimal("0.005")
    trend = abs(group["trend"]["usd"] - (row[11] / row[9] - 1)) < 1e-4  # The middle is rounded.
    return given == list(row[:7]) and money and trend


def run(given: argparse.Namespace, log: Path) -> tuple[dict[str, list[Run]], dict[str, int]]:
    """Run all contestants round by round; who fails once is not asked again."""
    found: dict[str, list[Run]] = {}
    failed: dict[str, int] = {}
    for _ in range(given.rounds):
        for name, command in contestants(log, given.rows, given.without).items():
            if name in failed:
                continue
            one = measure(command)
            print(f"{name}: {one}", file=sys.stderr, flush=True)
            if one.status:
                failed[name] = one.status
                found.pop(name, None)
            else:
                found.setdefault(name, []).append(one)
    return found, failed


def starts(given: argparse.Namespace) -> list[str]:
    """Measure a log of 1,000 rows: what it takes to start."""
    small = given.work / f"usage-1000.{given.format}"
    synthesise(given.traces, 1000, small)
    lines = ["", "1,000 rows: the start alone", _HEAD]
    for name, command in {
        "duckdb+usd": _run_bare(bare(small, exact=True, money=True)),
        "costopt": costopt(small),
    }.items():
        lines.append(_line(name, [measure(command) for _ in range(given.rounds)]))
    return lines


_HEAD = f"{'':20} {'seconds':>26} {'CPU seconds':>26} {'peak MB':>8}"


def _line(name: str, runs: Sequence[Run]) -> str:
    seconds, cpu = spread([one.seconds for one in runs], 2), spread([one.cpu for one in runs], 2)
    return f"{name:20} {seconds:>26} {cpu:>26} {max(one.peak for one in runs):>8,}"


def table(found: Mapping[str, Sequence[Run]], failed: Mapping[str, int]) -> list[str]:
    """Return what was measured, and costopt as a multiple of the others."""
    lines = [_HEAD, *(_line(name, runs) for name, runs in found.items())]
    lines += [f"{name:20} failed: status {status}" for name, status in failed.items()]
    lines += ["", f"{'costopt as a multiple of':24} {'seconds':>26} {'CPU seconds':>26}"]
    ours = found.get("costopt", ())
    for name, runs in found.items():
        if name != "costopt":
            pairs = list(zip(ours, runs, strict=True))
            seconds = spread([one.seconds / other.seconds for one, other in pairs], 2)
            cpu = spread([one.cpu / other.cpu for one, other in pairs], 2)
            lines.append(f"{name:24} {seconds:>26} {cpu:>26}")
    return lines


def _head(given: argparse.Namespace) -> list[str]:
    names = [name for name in ("duckdb", "polars", "pandas") if importlib.util.find_spec(name)]
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    left_out = "".join(f" --without {name!r}" for name in given.without)
    return [
        f"$ python benchmarks/usage.py --traces FOLDER --rows {given.rows} --rounds "
        f"{given.rounds}{left_out}",
        f"{date.today().isoformat()}{'; ' + given.note if given.note else ''}",
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, {versions}",
        "",
    ]


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("work"))
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--without", action="append", default=[], metavar="NAME")
    parser.add_argument("--note", default="", help="what else ran on the machine")
    parser.add_argument("--append", type=Path, metavar="FILE", help="add what is printed to it")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    lines = [*_head(given), check_totals(given.traces, given.work)]
    log = given.work / f"usage-{given.rows}.{given.format}"
    if not log.exists():
        synthesise(given.traces, given.rows, log)
    # Exact percentiles in a bare query take too much memory beyond.
    lines += [check_groups(log)] if given.rows <= EXACT else []
    size = log.stat().st_size / 1e6
    lines += ["", f"{given.rows:,} rows, {given.format} of {size:,.0f} MB; by feature and model;"]
    lines += [f"{given.rounds} rounds: median (least to most)", *table(*run(given, log))]
    text = "\n".join([*lines, *starts(given)]) + "\n"
    print(text, end="")
    if given.append:
        with given.append.open("a") as file:
            file.write(("\n" if file.tell() else "") + text)


if __name__ == "__main__":
    main()
