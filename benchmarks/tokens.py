"""Throughput of costopt's token counts against raw tiktoken, on 10,000 prompts.

Every round counts the same new prompts three times: by tiktoken alone, by costopt for the first
time (cold), and by costopt again (cached). A ratio is tiktoken's time over costopt's within a
round: above 1 is faster than tiktoken. Counts that differ stop the run.

    python benchmarks/tokens.py [--data FOLDER] [--prompts 10000] [--rounds 5]
"""

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from costopt.costs.tokens import counter_for
from costopt.costs.vocabulary import ensure_tiktoken

SAMPLES = Path(__file__).resolve().parent.parent / "prompts"
ENCODINGS = ("o200k_base", "cl100k_base")


def texts(folder: Path) -> Iterator[str]:
    """Yield the texts of a folder: whole files, and the longer strings of JSON lines."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path.suffix == ".jsonl":
            rows = (json.loads(line) for line in text.splitlines() if line.strip())
            yield from (value for row in rows for value in strings(row) if len(value) > 40)
        elif text.strip():
            yield text


def strings(value: object) -> Iterator[str]:
    """Yield the strings of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def make_prompts(sources: list[str], count: int, seed: int) -> list[str]:
    """Return prompts of two or three source texts each; none occurs twice."""
    draw = random.Random(seed)
    return [
        f"Request {seed}-{index}\n\n" + "\n\n".join(draw.choices(sources, k=draw.choice((2, 3))))
        for index in range(count)
    ]


def timed(count: Callable[[str], int], prompts: list[str]) -> tuple[float, list[int]]:
    """Return seconds and counts."""
    start = time.perf_counter()
    counts = [count(prompt) for prompt in prompts]
    return time.perf_counter() - start, counts


def measure(encoding: str, sources: list[str], prompts: int, rounds: int) -> None:
    """Print one encoding's rows."""
    import tiktoken

    encode = tiktoken.get_encoding(encoding).encode_ordinary
    ways = {"tiktoken": lambda text: len(encode(text)), "cold": counter_for(encoding)}
    ways["cached"] = ways["cold"]
    for way in ways.values():  # Once unmeasured: vocabularies are loaded.
        way("warm-up")
    taken: dict[str, list[float]] = {name: [] for name in ways}
    megabytes = 0.0
    for seed in range(rounds):
        batch = make_prompts(sources, prompts, seed)
        megabytes = sum(len(prompt.encode()) for prompt in batch) / 1e6
        # Who comes first pays for cold processor caches: they take turns. "cached" follows "cold".
        order = list(ways) if seed % 2 else ["cold", "cached", "tiktoken"]
        results = {name: timed(ways[name], batch) for name in order}
        if len({tuple(counts) for _, counts in results.values()}) != 1:
            sys.exit(f"counts differ from tiktoken's in round {seed}")
        for name, (seconds, _) in results.items():
            taken[name].append(seconds)
    for name, times in taken.items():
        ratios = [peer / own for peer, own in zip(taken["tiktoken"], times, strict=True)]
        spread = " ".join(
            f"{v:8.2f}" for v in (min(ratios), statistics.median(ratios), max(ratios))
        )
        print(f"{encoding:12} {name:9} {megabytes / statistics.median(times):9.1f} {spread}")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SAMPLES, help="folder to take texts from")
    parser.add_argument("--prompts", type=int, default=10_000, help="prompts a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sources = list(texts(options.data))
    if not sources:
        sys.exit(f"no texts in {options.data}")
    ensure_tiktoken()
    batch = make_prompts(sources, options.prompts, 0)
    size = sum(map(len, batch)) / len(batch)
    print(f"{options.prompts:,} prompts a round of {size:,.0f} characters on average, "
          f"{options.rounds} rounds, {os.cpu_count()} CPUs\n")  # fmt: skip
    print(f"{'encoding':12} {'way':9} {'MB/s':>9} {'ratio:min':>8} {'median':>7} {'max':>8}")
    for encoding in ENCODINGS:
        measure(encoding, sources, options.prompts, options.rounds)


if __name__ == "__main__":
    main()
