"""The benchmarks of the runner in their small form: they run, and print what they measured."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
NUMBER = r"[\d.,]+ \([\d.,]+ to [\d.,]+\)"


def run(script, *args):
    given = [str(one) for one in args]
    done = subprocess.run(
        [sys.executable, str(FOLDER / script), *given], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def columns(said, name, count):
    """Return the numbers of a line: medians with their ranges."""
    line = re.search(rf"^{re.escape(name)} .*$", said, re.MULTILINE)
    assert line is not None, said
    found = re.findall(NUMBER, line[0])
    assert len(found) == count, line[0]
    return found


def test_the_runner_is_held_against_a_bare_loop():
    args = ("--rounds", 1, "--latency-ms", 5, "--concurrency", 4, "--requests", 40)
    said = run("runner.py", *args)
    assert columns(said, "bare httpx2 loop", 4)[1] == "1.00 (1.00 to 1.00)"
    columns(said, "costopt", 4)
    assert "inspect_ai was not given, and is left out" in said
    assert "promptfoo was not given, and is left out" in said


@pytest.mark.slow
def test_memory_is_held_between_two_sizes():
    said = run("runner.py", "--memory", "--rows", 50, 100, "--all-rows", 10, 20)
    assert len(re.findall(r"^(pass|FAIL): [-+]\d+ MB from \d+ to \d+ rows", said, re.M)) == 2
    # What was asked for is what the server counted: two variants and two controls on 40 rows.
    assert re.search(r"^ +100 +40 +161 ", said, re.MULTILINE)


@pytest.mark.slow
def test_ray_is_held_against_one_process():
    said = run("ray.py", "--rounds", 1, "--rows", 12, "--latency-ms", 5, "--concurrency", 4)
    for name in ("local", "ray, 1 worker", "ray, 2 workers"):
        columns(said, name, 5)
    assert "two workers against one" in said
