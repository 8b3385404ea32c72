"""Does a race recommend what asking everything recommends, and with how many answers?

Two parts. In simulated cases the truth is known: twenty variants of different lengths, each with a
true loss drawn from a list, on rows that a seed draws. Each case is measured twice by the real
measurement, with and without the race, on the same table of scores. "All rows" is what asking every
variant on every row would take.

With ``--prompts`` the sample prompts are analysed twice with the embedded target (its weights are
fetched once), each search with a store of its own: minutes a prompt. Five selection rows are one
stage there, so no variant leaves early: both ways must come out the same.

    python benchmarks/racing.py [--runs 40] [--prompts prompts/support-triage ...]
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from simulated import Table, binary_world, bounded_world, simulate

ROWS = 400
MARGIN = 0.05
LENGTHS = {f"v{index}": 90 - 3 * index for index in range(20)}
MIXED = (0.0, 0.02, 0.05, 0.1, 0.2)
Losses = Callable[[np.random.Generator], Sequence[float]]
CASES: dict[str, Losses] = {
    "losses of 0 to 20 points": lambda rng: list(rng.choice(MIXED, 20)),
    "all equal": lambda rng: [0.0] * 20,
    "one equal, 19 lose 5 points": lambda rng: [0.05] * 19 + [0.0],
    "18 lose 20 points": lambda rng: [0.2] * 18 + [0.0, 0.02],
}
WORLDS: dict[str, Callable[[np.random.Generator, int, Sequence[float]], Table]] = {
    "binary": binary_world,
    "bounded": bounded_world,
}


def wilson(hits: int, runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    z = 1.959964
    share, base = hits / runs, 1 + z * z / runs
    middle = (share + z * z / (2 * runs)) / base
    half = z * math.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs)) / base
    return middle - half, middle + half


def simulated(runs: int) -> None:
    """Print the table of the simulated cases."""
    print(f"{runs} runs a case, {ROWS} rows, 20 variants, margin {MARGIN}")
    print(f"{'case':<28} {'scores':<8} {'same recommendation':<22} {'answers against':<24} found")
    print(f"{'':<28} {'':<8} {'':<22} {'no race':>8} {'all rows':>10}     race/none")
    for case, losses in CASES.items():
        for scale, world in WORLDS.items():
            same = raced = asked = 0
            found = [0, 0]
            for seed in range(runs):
                rng = np.random.default_rng(seed)
                table = world(rng, ROWS, losses(rng))
                ends = [
                    simulate(
                        table, LENGTHS, scale=scale, margin=MARGIN, samples=ROWS, seed=seed,
                        race=race,
                    )
                    for race in (True, False)
                ]  # fmt: skip
                same += ends[0].recommended == ends[1].recommended
                raced += ends[0].requests
                asked += ends[1].requests
                for place, one in enumerate(ends):
                    found[place] += one.recommended != "baseline"
            low, high = wilson(same, runs)
            share = f"{100 * same / runs:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
            whole = raced / (runs * ROWS * (len(LENGTHS) + 2))
            print(
                f"{case:<28} {scale:<8} {share:<22} {raced / asked:>8.2f} {whole:>10.2f}"
                f"     {found[0]}/{found[1]}",
                flush=True,
            )


def sampled(paths: Sequence[str]) -> None:
    """Print what both searches recommend on prompts, with the embedded target."""
    script = Path(sys.executable).with_name("costopt")
    print(f"\n{'prompt':<24} {'search':<11} {'requests':>8}  recommended")
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            for search in ("racing", "exhaustive"):
                command = [
                    str(script), "analyze", path, "--search", search, "--format", "json",
                    "--quiet", "--run-dir", f"{folder}/{search}",
                ]  # fmt: skip
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(done.stderr)
                report = json.loads(done.stdout)
                for prompt in report["prompts"]:
                    print(
                        f"{prompt['name']:<24} {search:<11} {report['spent']['requests']:>8}  "
                        f"{prompt['recommended'][0]['variant']}",
                        flush=True,
                    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=40, help="simulated runs of each case")
    parser.add_argument("--prompts", nargs="*", default=[], help="prompts for the embedded target")
    options = parser.parse_args()
    simulated(options.runs)
    if options.prompts:
        sampled(options.prompts)


if __name__ == "__main__":
    main()
