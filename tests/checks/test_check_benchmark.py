"""The benchmark of the check runs, and checks that both commands see what changed."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "check.py"


@pytest.mark.slow
def test_it_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--prompts", "4", "--changed", "2", "--rounds", "1"],
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "check 4 prompts" in done.stdout
