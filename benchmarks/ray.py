"""What `--engine ray` takes: its start-up, and the speed of one and of two workers.

The same corpus, the rows of one prompt, goes through a whole `costopt analyze`, asked by its own
process, by one worker and by two, in turn, against a server on loopback with a latency (see
`loopback.py`). The asking is what the server saw, from the arrival of the first request to its last
answer; the rest of the command is start-up, rows, statistics and the report, and with Ray the start
of its processes. All ways have to ask the same and report the same.

    python benchmarks/ray.py [--rounds 3] [--rows 500] [--latency-ms 50] [--concurrency 64]

Only a run that waits for a processor can be faster with more workers; one that waits for the server
is bound by its concurrency. Nothing here imports Ray: beside this file, its name would be this one.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from analysis import COMMAND, prepare
from contestants import whole
from loopback import running
from spreads import spread

WAYS = {
    "local": (),
    "ray, 1 worker": ("--engine", "ray", "--workers", "1"),
    "ray, 2 workers": ("--engine", "ray", "--workers", "2"),
}
LOCAL, ONE, TWO = WAYS


@dataclass(frozen=True)
class Run:
    """One whole command."""

    whole_s: float
    cpu_s: float
    asking_s: float
    requests: int
    found: str
    """What it reports, less what differs between any two runs."""

    @property
    def rest_s(self) -> float:
        """What the command takes beside the asking."""
        return self.whole_s - self.asking_s

    @property
    def rate(self) -> float:
        """Requests a second while it asks."""
        return self.requests / self.asking_s


def run(way: Sequence[str], given: argparse.Namespace) -> Run:
    """Run the command once, with a server and an answer store of its own."""
    with tempfile.TemporaryDirectory() as folder, running(given.latency_ms) as server:
        prepare(folder, given.rows, server.url)
        sizes = ("--samples", str(given.rows), "--concurrency", str(given.concurrency))
        taken, _ = whole([*COMMAND, *sizes, *way], folder)
        counted = server.counted()
        found = reported(Path(folder, "report.json"))
    return Run(taken.wall_s, taken.cpu_s, counted.asking_s, counted.answered, found)


def reported(file: Path) -> str:
    """Return the prompts of a report without what was timed."""
    prompts = json.loads(file.read_text("utf-8"))["prompts"]
    for variant in (one for prompt in prompts for one in prompt["variants"]):
        variant.pop("latency", None)
    return json.dumps(prompts, sort_keys=True)


def measure(given: argparse.Namespace) -> dict[str, list[Run]]:
    """Run all ways in turn, round by round."""
    runs: dict[str, list[Run]] = {name: [] for name in WAYS}
    for number in range(given.rounds):
        # Whoever comes first finds the machine as the last one of the round before left it.
        for name in WAYS if number % 2 == 0 else reversed(WAYS):
            runs[name].append(run(WAYS[name], given))
    if len({(one.requests, one.found) for some in runs.values() for one in some}) != 1:
        sys.exit("the ways did not ask or report the same")
    return runs


def table(runs: dict[str, list[Run]]) -> Iterator[str]:
    """Yield a line for each way."""
    heads = ("whole command s", "asking s", "the rest s", "requests/s", "its CPU s")
    yield f"{'':16}" + "".join(f"  {head:<24}" for head in heads).rstrip()
    for name, found in runs.items():
        columns = (
            spread([one.whole_s for one in found], 1),
            spread([one.asking_s for one in found], 1),
            spread([one.rest_s for one in found], 1),
            spread([one.rate for one in found], 0),
            spread([one.cpu_s for one in found], 1),
        )
        yield f"{name:16}" + "".join(f"  {text:<24}" for text in columns).rstrip()


def findings(runs: dict[str, list[Run]], bound: float) -> Iterator[str]:
    """Yield what the table says, from ratios and differences within rounds."""
    rounds = list(zip(runs[LOCAL], runs[ONE], runs[TWO], strict=True))
    start = [one.rest_s - local.rest_s for local, one, _ in rounds]
    share = [one.rate / local.rate for local, one, _ in rounds]
    faster = [two.rate / one.rate for _, one, two in rounds]
    yield f"start-up of Ray with one worker    {spread(start, 1)} s"
    yield f"one worker against none            {spread(share, 2)} times the requests/s"
    yield f"two workers against one            {spread(faster, 2)} times the requests/s"
    best = max(median([one.rate for one in some]) for some in runs.values())
    waits = "the server" if best > bound / 2 else "a processor"
    yield (
        f"the latency alone would allow {bound:,.0f} requests/s: at {best:,.0f} at best, mostly "
        f"{waits} was waited for"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--latency-ms", type=float, default=50.0)
    parser.add_argument("--concurrency", type=int, default=64)
    given = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs", flush=True)
    runs = measure(given)
    requests = runs[LOCAL][0].requests
    print(
        f"{given.rounds} rounds, median (least to most): {given.rows:,} rows of one prompt, "
        f"{requests:,} requests, {given.latency_ms:g} ms, up to {given.concurrency} at a time\n"
    )
    print("\n".join(table(runs)))
    print("\nCPU is that of the command and the children it waited for, not all of Ray's own.\n")
    print("\n".join(findings(runs, 1000 * given.concurrency / given.latency_ms)))


if __name__ == "__main__":
    main()
