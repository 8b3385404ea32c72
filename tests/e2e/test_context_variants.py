"""Variants that shorten what rows fill in, by the installed command, on the embedded model."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COSTOPT = str(Path(sys.executable).parent / "costopt")
SPEC = "sentences:on=context,question=question,rate=0.4"
PROMPT = """---
name: island-guide
metric: token_f1
settings: {max_output_tokens: 12}
---
Answer the question from the passage, in a few words.

Passage: {{ context }}

Question: {{ question }}
Answer:
"""
PASSAGES = {
    "The ferry to Gull Island leaves every hour. The captain is called Ada Hale. In a storm it "
    "stays in the harbour. Tickets are sold at the green kiosk. The crossing takes an hour.": {
        "Who is the captain of the ferry?": "Ada Hale",
        "Where are tickets sold?": "the green kiosk",
    },
    "The mill of Harrow stands by the river. Tom Brook built the mill in 1843. It ground oats "
    "until a flood broke the wheel. Today a baker works in it. Visitors may see it on Sundays.": {
        "Who built the mill?": "Tom Brook",
        "Who works in the mill today?": "a baker",
    },
    "The school in Marsh End has six classes. It keeps bees in its garden. The honey is sold at "
    "the fair. The head teacher came from Norway. Every pupil learns to swim in the lake.": {
        "Where did the head teacher come from?": "Norway",
        "What does the school keep in its garden?": "bees",
    },
    "The library of Old Ferry lends tools as well as books. It was a bank until the bank moved "
    "to the coast. Nell Frost leads it. Children read to a dog there on Fridays.": {
        "Who leads the library?": "Nell Frost",
        "What was the library before?": "a bank",
    },
}


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts" / "island-guide"
    folder.mkdir(parents=True)
    (folder / "prompt.md").write_text(PROMPT, encoding="utf-8")
    rows = [
        {"context": passage, "question": question, "reference": answer}
        for passage, asked in PASSAGES.items()
        for question, answer in asked.items()
    ]
    (folder / "evals.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    return tmp_path / "prompts"


def run(prompts: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    command = [COSTOPT, "analyze", str(prompts), "--strategy", SPEC, "--samples", "8", *args]
    folder = ["--run-dir", str(prompts.parent / "run")]
    done = subprocess.run([*command, *folder], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def report(prompts: Path, *args: str) -> dict[str, Any]:
    return json.loads(run(prompts, "--format", "json", *args).stdout)


def page(found: dict[str, Any], folder: Path) -> str:
    """The terminal's page of a saved report, its line breaks aside."""
    (folder / "report.json").write_text(json.dumps(found), "utf-8")
    command = [COSTOPT, "report", str(folder / "report.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return " ".join(done.stdout.split())


def variant(found: dict[str, Any]) -> dict[str, Any]:
    return next(v for v in found["prompts"][0]["variants"] if v["name"] == SPEC)


def settled(found: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in found.items() if key not in ("created", "spent")}
    for one in kept["prompts"][0]["variants"]:
        one.pop("latency")
    return kept


@pytest.mark.embedded
def test_a_context_variant_is_measured_and_says_when_it_pays(prompts: Path) -> None:
    first, again = report(prompts), report(prompts, "--offline")
    assert again["spent"]["requests"] == 0 < first["spent"]["requests"]
    found = variant(first)
    assert found["text"] == PROMPT.split("---\n")[2]
    assert found["delta"]["quality"]["n"] == 8
    assert found["delta"]["input_tokens"] < -0.2
    runtime = found["runtime"]
    assert runtime["n"] == 8
    assert runtime["tokens_after_mean"] < 0.6 * runtime["tokens_before_mean"]
    saved = runtime["tokens_before_mean"] - runtime["tokens_after_mean"]
    pays = runtime["pays_below_tokens_per_s"]
    assert pays == pytest.approx(saved / runtime["seconds_mean"])
    others = [v for v in first["prompts"][0]["variants"] if v["name"] != SPEC]
    assert {v["runtime"] for v in others} == {None}
    assert "values shortened at run time from" in page(first, prompts)
    assert settled(first) == settled(again)


def test_a_static_run_weighs_it_without_a_model(prompts: Path) -> None:
    found = report(prompts, "--static")
    assert found["spent"]["requests"] == 0
    assert variant(found)["verdict"] == "not measured"
    assert variant(found)["runtime"]["n"] == 8
    assert "values shortened at run time from" in page(found, prompts)
