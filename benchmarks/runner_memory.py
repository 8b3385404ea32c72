"""Whether the memory of `costopt analyze` grows with the rows of an eval set.

A whole command, in a fresh process each time; its peak is what the system says of the ended
process (``ru_maxrss``). Rows are of about 100 bytes, the server is the one of `loopback.py`.
"""

import tempfile
from collections.abc import Sequence

from analysis import COMMAND, lines, prepare
from contestants import whole
from loopback import running

SAMPLES = 40
_CLOSE_MB = 100


def peak(rows: int, samples: int) -> tuple[float, float, int]:
    """Return the peak memory in MB, the seconds, and the requests of one whole run."""
    with tempfile.TemporaryDirectory() as folder, running(0) as server:
        prepare(folder, rows, server.url)
        taken, kibibytes = whole(
            [*COMMAND, "--samples", str(samples), "--concurrency", "16"], folder
        )
        return kibibytes * 1024 / 1e6, taken.wall_s, server.counted().answered


def memory(sampled: Sequence[int], used: Sequence[int]) -> None:
    """Measure both ways, and print what they took."""
    print(f"\nPeak memory of costopt analyze, rows of {len(next(lines(1)))} bytes\n")
    print(f"{'rows':>11}{'samples':>9}{'requests':>10}{'seconds':>9}{'peak MB':>9}")
    for about, sizes, samples in (
        (f"{SAMPLES} of them used", sampled, [SAMPLES] * 2),
        ("all of them used", used, used),
    ):
        found = []
        for rows, most in zip(sizes, samples, strict=True):
            megabytes, seconds, requests = peak(rows, most)
            found.append(megabytes)
            print(f"{rows:>11,}{most:>9,}{requests:>10,}{seconds:>9.1f}{megabytes:>9.0f}")
        more = found[1] - found[0]
        close = "pass" if more <= _CLOSE_MB else "FAIL"
        print(
            f"{close}: {more:+.0f} MB from {sizes[0]:,} to {sizes[1]:,} rows, {about} "
            f"(goal: within {_CLOSE_MB} MB)\n",
            flush=True,
        )
