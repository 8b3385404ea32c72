"""The benchmarks of strategies in their small form: they run, and print what they measured."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from costopt.compressors.measured import measured

FOLDER = Path(__file__).parents[2] / "benchmarks"


def run(script, *args):
    done = subprocess.run(
        [sys.executable, str(FOLDER / script), *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.embedded
@pytest.mark.slow
def test_quality_is_measured_at_the_rates_that_are_reached(tmp_path):
    plot, result = tmp_path / "plot.svg", tmp_path / "frontier.json"
    args = ("--rows", "2", "--no-model", "--no-peers", "--work", str(tmp_path / "work"))
    said = run("frontier.py", *args, "--plot", str(plot), "--json", str(result))
    lines = {line[:38].strip(): line[38:].split() for line in said.splitlines()}
    assert lines["full text"][:2] == ["2", "1.00"]
    assert lines["no text (control)"][:2] == ["2", "0.00"]
    assert 0.5 < float(lines["costopt sentences (question) 0.75"][1]) < 1
    assert plot.read_text("utf-8").startswith("<svg")
    again = run("frontier.py", *args)  # from what was kept, to the letter
    assert again == said
    (found,) = measured(tmp_path)
    assert found.benchmark == "frontier"


def test_speed_is_told_beside_raw_tokenisation(tmp_path):
    result = tmp_path / "compress_speed.json"
    said = run("compress_speed.py", "--no-peers", "--rounds", "1", "--json", str(result))
    assert re.search(r"^tiktoken +[\d,]+ +1 +1 +1$", said, re.MULTILINE)
    assert re.search(r"^costopt sentences \(question\) 0\.25 ", said, re.MULTILINE)
    names = {effect["strategy"] for effect in json.loads(result.read_text("utf-8"))["effects"]}
    assert {"whitespace", "filler", "data-format"} <= names
