"""Whether the memory of `costopt analyze` grows with the rows of an eval set.

A whole command, in a fresh process each time; its peak is what the system says of the ended
process (``ru_maxrss``). Rows are of about 100 bytes, the server is the one of `loopback.py`.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from contestants import whole
from loopback import running
from work import LIMIT, MODEL, PROMPT, REFERENCE

SAMPLES = 40
_CLOSE_MB = 100
_HEAD = f"---\nname: cities\nmetric: contains\nsettings: {{max_output_tokens: {LIMIT}}}\n---\n"
_CONFIG = '[targets.{model}]\nmodel = "{model}"\nbase_url = "{url}"\n'
_CONFIG += "price = {{ input = 1, output = 2 }}\n"


def lines(rows: int) -> Iterator[str]:
    """Yield the rows of an eval set."""
    for number in range(rows):
        question = f"Which city is number {number:07} on the list?"
        yield json.dumps({"id": f"r{number:07}", "question": question, "reference": REFERENCE})


def prepare(folder: Path, rows: int, url: str) -> None:
    """Write a prompt, its rows and the configuration."""
    (folder / "cities").mkdir()
    (folder / "cities/prompt.md").write_text(_HEAD + PROMPT, "utf-8")
    (folder / "costopt.toml").write_text(_CONFIG.format(model=MODEL, url=url), "utf-8")
    with (folder / "cities/evals.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines(rows))


def peak(rows: int, samples: int) -> tuple[float, float, int]:
    """Return the peak memory in MB, the seconds, and the requests of one whole run."""
    script = Path(sys.executable).with_name("costopt")
    with tempfile.TemporaryDirectory() as name, running(0) as server:
        folder = Path(name)
        prepare(folder, rows, server.url)
        command = [str(script), "analyze", "cities", "--target", MODEL, "--samples", str(samples)]
        command += ["--strategy", "concise", "--concurrency", "16", "--run-dir", "run", "--quiet"]
        taken, kibibytes = whole([*command, "--format", "json", "--output", "report.json"], name)
        return kibibytes * 1024 / 1e6, taken.wall_s, server.count()


def memory(sampled: Sequence[int], used: Sequence[int]) -> None:
    """Measure both ways, and print what they took."""
    print(f"\nPeak memory of costopt analyze, rows of {len(next(lines(1))) + 1} bytes\n")
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
