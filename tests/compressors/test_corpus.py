"""The sample prompts through every strategy that needs no model: the benchmark in its small form.

In full, over a corpus of one's own: ``python benchmarks/corpus.py --data FOLDER``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "corpus.py"


@pytest.mark.slow
def test_nothing_breaks_on_a_corpus() -> None:
    folder = os.environ.get("COSTOPT_CORPUS")
    if not folder:
        pytest.skip("COSTOPT_CORPUS names no folder of prompts")
    _run("--data", folder)


def test_nothing_breaks_on_the_samples() -> None:
    said = _run("--repeats", "20", "--seeds", "3")
    assert "8 prompts" in said
    assert "3 other hash seeds, 0 of them different" in said


def _run(*args: str) -> str:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("nothing is wrong")
    return done.stdout
