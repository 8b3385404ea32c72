"""Anomalies put into months whose requests are drawn from a trace: found, cause, false alarms.

Usage: python benchmarks/injected_anomalies.py SEEDS [TRACE.csv] [--peer]

The last two columns of the trace are prompt and answer tokens, as in Azure's LLM inference traces;
without one they are lognormal. Arrivals, seasons, models and caches are the generator's own
(tests/usage/injected_logs.py). Each log is a month of one feature, so that false alarms by log are
those by feature and month. Intervals are exact ones of 95 % (Clopper-Pearson for shares, Garwood
for counts).

With ``--peer`` what is usual is told by statsmodels instead: robust MSTL with a day and a week, its
trend and seasons; all else stays the same.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "usage"))
import injected_logs

import costopt.usage.baseline
from costopt.usage.anomalies import find_anomalies


def main() -> None:
    """Print a line a kind."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seeds", type=int)
    parser.add_argument("trace", type=Path, nargs="?")
    parser.add_argument("--peer", action="store_true")
    asked = parser.parse_args()
    if asked.peer:
        costopt.usage.baseline.usual = _mstl
    pairs = _pairs(asked.trace) if asked.trace else None
    print(f"{'injected':20} {'found, with the right cause':>30} {'false alarms a month':>26}")
    for kind in (None, *injected_logs.KINDS):
        _line(kind, asked.seeds, pairs)


def _line(kind: str | None, seeds: int, pairs: np.ndarray | None) -> None:
    found = alarms = 0
    for seed in range(seeds):
        log = injected_logs.injected(seed, kind, pairs=pairs)
        right, others = injected_logs.judged(log, find_anomalies(log.connection).found)
        found, alarms = found + right, alarms + others
        log.connection.close()
    told = "" if kind is None else _share(found, seeds)
    print(f"{kind or 'nothing':20} {told:>30} {_rate(alarms, seeds):>26}", flush=True)


def _mstl(values: np.ndarray, seasons: list[np.ndarray], week: int | None = None) -> np.ndarray:
    """Return trend and seasons of robust MSTL, with gaps filled between their neighbours."""
    from statsmodels.tsa.seasonal import MSTL

    known = np.flatnonzero(~np.isnan(values))
    if not len(known) or not seasons:
        return np.full_like(values, np.nanmedian(values) if len(known) else np.nan)
    filled = np.interp(np.arange(len(values)), known, values[known])
    fitted = MSTL(filled, periods=(24, 168), stl_kwargs={"robust": True}).fit()
    return fitted.trend + fitted.seasonal.sum(axis=1)


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
