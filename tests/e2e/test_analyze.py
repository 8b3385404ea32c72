"""The installed command, from a folder of prompts to a report, with the real embedded model."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
COSTOPT = str(Path(sys.executable).parent / "costopt")
VARYING = ("created", "spent")

PROMPT = """---
name: capitals
feature: quiz
calls_per_month: 1000
metric: exact_match
settings: {max_output_tokens: 8}
---
Please note that it is very important that you answer the question in a polite and helpful way.
You are a geography assistant, and you should always answer with the name of the city only.{blanks}



Please always answer with the name of the city only. In order to answer the question, use facts.
Due to the fact that answers are read by a machine, please do not add any explanation.

Question: {{ question }}
Answer:
""".replace("{blanks}", "   ")
CITIES = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Egypt": "Cairo",
    "Peru": "Lima", "Cuba": "Havana", "Norway": "Oslo", "Greece": "Athens", "Kenya": "Nairobi",
    "Austria": "Vienna", "Poland": "Warsaw", "Portugal": "Lisbon", "Ireland": "Dublin",
}  # fmt: skip


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts" / "capitals"
    folder.mkdir(parents=True)
    (folder / "prompt.md").write_text(PROMPT, encoding="utf-8")
    rows = [
        {"id": country, "question": f"What is the capital of {country}?", "reference": city}
        for country, city in CITIES.items()
    ]
    (folder / "evals.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    return tmp_path / "prompts"


def run(*args: object, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    command = [COSTOPT, *(str(arg) for arg in args)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


def report(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def settled(found: dict[str, Any]) -> dict[str, Any]:
    """The report without what may differ between two runs of the same inputs and answers."""
    kept = {key: value for key, value in found.items() if key not in VARYING}
    for prompt in kept["prompts"]:
        for variant in prompt["variants"]:
            variant.pop("latency")
    return kept


@pytest.mark.embedded
def test_each_part_of_a_prompt_is_weighed_and_measured(prompts: Path, tmp_path: Path) -> None:
    args = (
        "analyze", prompts, "--attribute", "--strategy", "whitespace", "--run-dir", tmp_path / "run"
    )  # fmt: skip
    found = report(run(*args, "--format", "json"))["prompts"][0]["attribution"]
    assert found["metric"] == "log_likelihood"
    *free, asked = found["segments"]
    assert asked["kept"] == "it holds {{ question }}"
    assert "".join(one["text"] for one in found["segments"]).startswith("Please note that it is")
    for one in free:
        assert one["effect"]["low"] <= one["effect"]["mean"] <= one["effect"]["high"]
        assert one["effect"]["n"] in (10, len(CITIES))
        assert one["tokens"] > 0
        assert one["usd_per_month"] > 0
    page = run(*args, "--offline")  # every answer is in the store
    assert page.returncode == 0, page.stderr
    assert "· 0 live requests ·" in page.stdout
    assert "│ Question: {{ question }}" in page.stdout
    assert all(len(line) <= 80 for line in page.stdout.splitlines() if "│" in line)


@pytest.mark.embedded
def test_a_run_measures_and_a_second_one_is_free(prompts: Path, tmp_path: Path) -> None:
    args = ("analyze", prompts, "--format", "json", "--run-dir", tmp_path / "run")
    first, second = report(run(*args)), report(run(*args, "--offline"))
    assert first["schema"] == "costopt.report/1"
    assert first["spent"]["requests"] > 0
    assert second["spent"]["requests"] == 0
    assert second["spent"]["cached_answers"] >= first["spent"]["requests"]
    assert settled(first) == settled(second)
    variants = first["prompts"][0]["variants"]
    assert variants[0]["verdict"] == "baseline"
    by_name = {variant["name"]: variant for variant in variants}
    assert by_name["filler"]["delta"]["quality"]["n"] == len(CITIES)
    assert by_name["filler"]["delta"]["input_tokens"] < -0.05
    assert by_name["empty-variables"]["verdict"] == "worse"
    assert by_name["none"]["delta"]["quality"]["mean"] == pytest.approx(0, abs=0.02)
    assert all(variant["cost"]["evidence"] == "estimated" for variant in variants)


@pytest.mark.embedded
def test_ctrl_c_keeps_what_was_done(prompts: Path, tmp_path: Path) -> None:
    args = [
        COSTOPT,
        "analyze",
        str(prompts),
        "--format",
        "json",
        "--run-dir",
        str(tmp_path / "run"),
    ]
    child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    answers = tmp_path / "run"
    deadline = time.monotonic() + 120
    while _rows(answers) < 5:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    partial = json.loads(out)
    assert partial["partial"] is True
    assert partial["spent"]["requests"] >= 5
    assert "Traceback" not in err
    done = report(run(*args[1:]))
    assert done["partial"] is False
    # The one request that was under way is asked again; all that were answered are not.
    assert done["spent"]["cached_answers"] >= partial["spent"]["requests"] - 1


def _rows(folder: Path) -> int:
    """How many answers the store holds; 0 while it is being made."""
    file = folder / "answers.sqlite3"
    if not file.exists():
        return 0
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    try:
        return db.execute("select count(*) from answers").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        db.close()


@pytest.mark.embedded
def test_a_request_cap_gives_a_partial_report(prompts: Path, tmp_path: Path) -> None:
    found = report(
        run("analyze", prompts, "--format", "json", "--run-dir", tmp_path, "--max-requests", 3)
    )
    assert found["partial"] is True
    assert found["spent"]["requests"] == 3
    assert {r["variant"] for r in found["prompts"][0]["recommended"]} == {"baseline"}


def test_static_makes_no_model_call(prompts: Path) -> None:
    found = report(run("analyze", prompts, "--static", "--format", "json"))
    assert found["spent"]["requests"] == 0
    prompt = found["prompts"][0]
    assert {variant["verdict"] for variant in prompt["variants"]} == {"baseline", "not measured"}
    assert {finding["name"] for finding in prompt["findings"]} >= {"filler", "whitespace"}
    assert prompt["recommended"][0]["variant"] == "baseline"


BAD = [
    (["analyze", "nowhere"], "nowhere"),
    (["analyze", "empty"], "empty"),
    (["analyze", "good.md", "--strategy", "whitspace"], 'did you mean "whitespace"?'),
    (["analyze", "good.md", "--metric", "exact_mach"], 'did you mean "exact_match"?'),
    (["analyze", "good.md", "--target", "embeded"], 'did you mean "embedded"?'),
    (["analyze", "missing.md"], "missing.evals.jsonl:2"),
    (["analyze", "yaml.yaml"], "yaml.yaml:"),
    (["analyze", "json.json"], "json.json:"),
    (["analyze", "jinja.j2"], "jinja.j2:"),
    (["analyze", "binary.md"], "binary.md"),
    (["analyze", "bomb.j2"], "bomb.j2"),
    (["analyze", "bare.md", "--metric", "exact_match"], "reference"),
    (["analyze", "good.md", "--target", "server", "--max-cost", "1"], "price"),
    (["analyze", "good.md", "--samples", "-3"], "samples"),
]


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    texts = {
        "good.md": "Say hello to {{ name }}.",
        "good.evals.jsonl": '{"name": "Ann", "reference": "hello"}\n',
        "missing.md": "Say {{ greeting }} to {{ name }}.",
        "missing.evals.jsonl": '{"greeting": "hi", "name": "Ann"}\n{"greeting": "hi"}\n',
        "yaml.yaml": "messages:\n  - role: user\n   content: x\n",
        "json.json": '{"messages": [}\n',
        "jinja.j2": "Hello {{ name\n",
        "bare.md": "Say hello to {{ name }}.",
        "bare.evals.jsonl": '{"name": "Ann"}\n',
        "costopt.toml": '[targets.server]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n',
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary.md").write_bytes(b"\x00\xff\x00\xfe")
    with (tmp_path / "bomb.j2").open("wb") as file:
        file.truncate(300_000_000)
    return tmp_path


@pytest.mark.parametrize(("args", "said"), BAD, ids=[" ".join(args) for args, _ in BAD])
def test_bad_input_is_one_clear_error(bad: Path, args: list[str], said: str) -> None:
    done = run(*args, "--run-dir", "run", cwd=bad)  # The user's store may be anything.
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("error:") == 1
    assert done.stdout == ""


def test_no_index_for_the_weights_is_one_clear_error(bad: Path, tmp_path: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [COSTOPT, "analyze", "good.md", "--offline"],
        capture_output=True, text=True, cwd=bad, env=env, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "models pull" in done.stderr
    assert "Traceback" not in done.stderr
