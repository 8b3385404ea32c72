"""What `costopt check` takes in a large repository, against analysing what changed alone.

Makes a git repository of prompts with eval rows, changes some of them, and starts both commands in
turn: ``check --static`` on the whole of it, ``analyze --static`` on the changed prompts by name. A
ratio is taken within a round. Beside it the same check in a repository of the changed prompts alone
says what the unchanged ones cost.

    python benchmarks/check.py [--prompts 500] [--changed 3] [--rounds 10]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from spreads import columns

CONFIG = """[costopt]
target = "openai:gpt-4.1-mini"
[prompts."prompts/"]
max_growth = 10.0
calls_per_month = 100_000
"""
RULES = (
    "Please note that it is important to read the whole message first. Answer in English. Name the "
    "order, and never invent one. If a refund was asked for, say when it arrives. In order to be "
    "brief, leave out greetings.\n"
)


def prompt(number: int) -> str:
    """Return a prompt of some 200 words, unlike the others."""
    return (
        f"---\nname: prompt-{number}\nmetric: contains\n---\n"
        f"You answer for shop {number}, department {number % 17}.\n\n{RULES * 4}\n"
        f"The message:\n{{{{ message }}}}\n"
    )


def rows(number: int) -> str:
    """Return 20 eval rows."""
    found = (
        {"message": f"Order {number}-{row} has not come. Where is it?", "reference": f"{row}"}
        for row in range(20)
    )
    return "".join(json.dumps(one) + "\n" for one in found)


def git(folder: Path, *args: str) -> None:
    """Run git, as nobody in particular."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *args], cwd=folder, check=True)


def repository(folder: Path, prompts: int, changed: int) -> list[str]:
    """Make a repository; return the prompts that were changed since its commit."""
    (folder / "prompts").mkdir(parents=True)
    (folder / "costopt.toml").write_text(CONFIG, "utf-8")
    for number in range(prompts):
        own = folder / "prompts" / f"p{number}"
        own.mkdir()
        (own / "prompt.md").write_text(prompt(number), "utf-8")
        (own / "evals.jsonl").write_text(rows(number), "utf-8")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "prompts")
    touched = [f"prompts/p{number * (prompts // changed)}/prompt.md" for number in range(changed)]
    for name in touched:
        file = folder / name
        file.write_text(file.read_text("utf-8").replace("order to be brief", "short"), "utf-8")
    return touched


def seconds(command: list[str], folder: Path, changed: int) -> float:
    """Return the wall time of one start; it has to see what changed."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {done.stderr}")
    found = json.loads(done.stdout)
    if len(found.get("report", found)["prompts"]) != changed:
        sys.exit(f"{' '.join(command)} did not see the {changed} changed prompts")
    return taken


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=500, help="prompts of the repository")
    parser.add_argument("--changed", type=int, default=3, help="prompts that change")
    parser.add_argument("--rounds", type=int, default=10, help="starts of each command")
    asked = parser.parse_args()
    costopt = str(Path(sys.executable).with_name("costopt"))
    common = ["--static", "--format", "json", "--quiet"]
    with tempfile.TemporaryDirectory() as name:
        large, small = Path(name, "large"), Path(name, "small")
        touched = repository(large, asked.prompts, asked.changed)
        repository(small, asked.changed, asked.changed)
        check = [costopt, "check", "--base", "HEAD", *common]
        peer = f"analyze {asked.changed} prompts"
        runs = {
            peer: ([costopt, "analyze", *touched, *common], large),
            f"check {asked.prompts} prompts": (check, large),
            f"check {asked.changed} prompts": (check, small),
        }
        for command, folder in runs.values():  # Once unmeasured: bytecode, and git's index.
            seconds(command, folder, asked.changed)
        taken: dict[str, list[float]] = {one: [] for one in runs}
        for _ in range(asked.rounds):
            for one, (command, folder) in runs.items():
                taken[one].append(seconds(command, folder, asked.changed))
    print(f"{asked.rounds} rounds, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs")
    print(f"{asked.changed} prompts changed, all static\n")
    print(f"{'':24} {'s: min':>8} {'median':>8} {'max':>8}   {'ratio: min':>10} median      max")
    for one, times in taken.items():
        ratios = [own / base for own, base in zip(times, taken[peer], strict=True)]
        print(f"{one:24} {columns(times, 2)}     {columns(ratios, 2)}")


if __name__ == "__main__":
    main()
