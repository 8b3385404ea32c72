"""Anomalies put into months whose requests are drawn from a trace: found, cause, false alarms.

Usage: python benchmarks/injected_anomalies.py SEEDS [TRACE.csv]

The last two columns of the trace are prompt and answer tokens, as in Azure's LLM inference traces;
without one they are lognormal. Arrivals, seasons, models and caches are the generator's own
(tests/usage/injected_logs.py).
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "usage"))
from injected_logs import KINDS, injected, judged

from costopt.usage.anomalies import find_anomalies


def main() -> None:
    """Print a line a kind."""
    pairs = _pairs(Path(sys.argv[2])) if len(sys.argv) > 2 else None
    seeds = range(int(sys.argv[1]))
    print("injected                 found with the right cause   false alarms   months")
    for kind in (None, *KINDS):
        found = alarms = 0
        for seed in seeds:
            log = injected(seed, kind, pairs=pairs)
            right, others = judged(log, find_anomalies(log.connection).found)
            found, alarms = found + right, alarms + others
            log.connection.close()
        told = "" if kind is None else f"{found}/{len(seeds)}"
        print(f"{kind or 'nothing':24} {told:>27} {alarms:>14} {len(seeds):>8}", flush=True)


def _pairs(path: Path) -> np.ndarray:
    lines = path.read_text("utf-8").splitlines()[1:]
    return np.array([[int(cell) for cell in line.split(",")[-2:]] for line in lines if line])


if __name__ == "__main__":
    main()
