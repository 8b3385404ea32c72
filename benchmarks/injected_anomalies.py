"""Anomalies put into months whose requests are drawn from a trace: found, cause, false alarms.

Usage: python benchmarks/injected_anomalies.py SEEDS [TRACE.csv]

Each log is a month of one feature, so that false alarms by log are those by feature and month.
Intervals are exact ones of 95 % (Clopper-Pearson for shares, Garwood for counts).
The last two columns of the trace are prompt and answer tokens, as in Azure's LLM inference traces;
without one they are lognormal. Arrivals, seasons, models and caches are the generator's own
(tests/usage/injected_logs.py).
"""

import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "usage"))
from injected_logs import KINDS, injected, judged

from costopt.usage.anomalies import find_anomalies


def main() -> None:
    """Print a line a kind."""
    pairs = _pairs(Path(sys.argv[2])) if len(sys.argv) > 2 else None
    seeds = range(int(sys.argv[1]))
    print(f"{'injected':20} {'found, with the right cause':>30} {'false alarms a month':>26}")
    for kind in (None, *KINDS):
        found = alarms = 0
        for seed in seeds:
            log = injected(seed, kind, pairs=pairs)
            right, others = judged(log, find_anomalies(log.connection).found)
            found, alarms = found + right, alarms + others
            log.connection.close()
        told = "" if kind is None else _share(found, len(seeds))
        print(f"{kind or 'nothing':20} {told:>30} {_rate(alarms, len(seeds)):>26}", flush=True)


def _share(found: int, of: int) -> str:
    low, high = stats.binomtest(found, of).proportion_ci(method="exact")
    return f"{found}/{of} ({100 * low:.1f} to {100 * high:.1f} %)"


def _rate(alarms: int, months: int) -> str:
    low = stats.chi2.ppf(0.025, 2 * alarms) / 2 if alarms else 0.0
    high = stats.chi2.ppf(0.975, 2 * alarms + 2) / 2
    return f"{alarms / months:.3f} ({low / months:.3f} to {high / months:.3f})"


def _pairs(path: Path) -> np.ndarray:
    lines = path.read_text("utf-8").splitlines()[1:]
    return np.array([[int(cell) for cell in line.split(",")[-2:]] for line in lines if line])


if __name__ == "__main__":
    main()
