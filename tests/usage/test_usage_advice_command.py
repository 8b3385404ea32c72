"""`costopt usage` as people run it: what it shows beyond the cost, and its gates."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from feature_log import featured
from injected_logs import injected

COSTOPT = Path(sys.executable).with_name("costopt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("logs")
    _write(injected(4, "longer answers").connection, path / "answers.csv")
    _write(featured(), path / "calm.csv")
    (path / "costopt.toml").write_text(
        "[features.chat]\nusd_per_month = 0.5\n[features.nightly]\nmax_wait_s = 86400\n"
    )
    (path / "wide.toml").write_text("[features.chat]\nusd_per_month = 100000\n")
    return path


def _write(connection, path):
    connection.execute(
        f"""COPY (SELECT request_id, "at" AS timestamp, provider, model, feature, revision,
        input_tokens, cache_read_tokens, output_tokens, error, retry FROM requests)
        TO '{path}' (HEADER)"""
    )


def run(folder, *words):
    return subprocess.run(
        [COSTOPT, "usage", *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_json_holds_all_of_it(folder):
    done = run(folder, "answers.csv", "--format", "json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    (anomaly,) = found["anomalies"]
    assert (anomaly["cause"], anomaly["origin"]["revision"]) == ("longer answers", "r2")
    assert found["budgets"][0]["outcome"] == "over"
    assert found["recommendations"][0]["command"].startswith("costopt analyze ")
    spent, total = found["what_if"]["spent_usd"], found["total"]["usd"]
    assert spent == pytest.approx(total, abs=1e-9 * found["total"]["requests"])


@pytest.mark.parametrize(
    ("log", "words", "status"),
    [
        ("answers.csv", ["--fail-on", "anomaly"], 1),
        ("calm.csv", ["--fail-on", "anomaly"], 0),
        ("calm.csv", ["--fail-on", "budget"], 1),
        ("calm.csv", ["--fail-on", "budget,anomaly", "--config", "wide.toml"], 0),
        ("calm.csv", ["--fail-on", "budgets"], 2),
        ("calm.csv", ["--fail-on", "budget", "--only-cost"], 2),
        ("calm.csv", ["--texts", "--only-cost"], 2),
        ("calm.csv", ["--report", "none.json", "--only-cost"], 2),
    ],
)
def test_gates(folder, log, words, status):
    done = run(folder, log, *words)
    assert done.returncode == status, done.stderr


def test_only_the_cost(folder):
    done = run(folder, "calm.csv", "--only-cost")
    assert "What the log shows" not in done.stdout
    assert "What the log shows" in run(folder, "calm.csv").stdout


def test_a_period_has_its_own_savings(folder):
    words = ("calm.csv", "--format", "json", "--since", "2026-10-19", "--until", "2026-10-26")
    found = json.loads(run(folder, *words).stdout)
    assert found["what_if"]["requests"] == found["total"]["requests"] == 770
