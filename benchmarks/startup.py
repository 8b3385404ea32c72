"""How long `costopt --help` and `--version` take, against `python -c "import typer"`.

Every round starts each command once, in turn, so that a busy machine slows all of them alike. A
ratio is taken within a round: the command's wall time over that of `import typer`.

    python benchmarks/startup.py [--rounds 20]
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from spreads import columns

PEER = 'python -c "import typer"'


def commands() -> dict[str, list[str]]:
    """Return what is started, by name."""
    script = Path(sys.executable).with_name("costopt")
    if not script.exists():
        sys.exit("costopt is not installed beside this Python: pip install -e .")
    return {
        'python -c "pass"': [sys.executable, "-c", "pass"],
        PEER: [sys.executable, "-c", "import typer"],
        "costopt --version": [str(script), "--version"],
        "costopt --help": [str(script), "--help"],
        "costopt tokens --help": [str(script), "tokens", "--help"],
    }


def seconds(command: list[str]) -> float:
    """Return the wall time of one start."""
    environment = {**os.environ, "NO_COLOR": "1"}
    start = time.perf_counter()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, env=environment).returncode
    if status:
        sys.exit(f"{' '.join(command)} failed with status {status}")
    return time.perf_counter() - start


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="starts of each command")
    rounds = parser.parse_args().rounds
    named = commands()
    for command in named.values():  # Once unmeasured: bytecode is written, files are cached.
        seconds(command)
    taken: dict[str, list[float]] = {name: [] for name in named}
    for _ in range(rounds):
        for name, command in named.items():
            taken[name].append(seconds(command))
    print(f"{rounds} rounds, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs\n")
    print(f"{'':24} {'ms: min':>8} {'median':>8} {'max':>8}   {'ratio: min':>10} median      max")
    for name, times in taken.items():
        ratios = [own / peer for own, peer in zip(times, taken[PEER], strict=True)]
        print(f"{name:24} {columns([1000 * t for t in times], 1)}     {columns(ratios, 2)}")


if __name__ == "__main__":
    main()
