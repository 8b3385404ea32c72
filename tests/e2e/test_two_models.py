"""Two models behind a real server, from the command line: the table, the choice, the forecast."""

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import started

# Whole runs of two models over 120 rows each: the parts are tested apart by default.
pytestmark = pytest.mark.slow
COSTOPT = str(Path(sys.executable).parent / "costopt")
LABELS = ("billing", "shipping", "returns")
PROMPT = """---
name: tickets
metric: accuracy
settings: {max_output_tokens: 16}
---
Please note that it is very important that you read the whole ticket. You work at a help desk.
In order to route the ticket, name one label: billing, shipping or returns. Write it only.

{{ ticket }}
"""
TARGET = """[targets.{name}]
base_url = "http://127.0.0.1:{port}/v1"
model = "{model}"
{price}
"""
DEAR, CHEAP = "price = { input = 2.0, output = 10.0 }", "price = { input = 0.1, output = 0.5 }"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The server's port; its small model is wrong on every fiftieth ticket."""
    with started("two_models", 50) as (port, _):
        yield port


@pytest.fixture(scope="module")
def folder(port: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("two")
    (here / "tickets").mkdir()
    (here / "tickets" / "prompt.md").write_text(PROMPT, "utf-8")
    rows = (
        {
            "id": f"t{i}",
            "ticket": f"Ticket {i} ({LABELS[i % 3]}): a customer writes about it.",
            "reference": LABELS[i % 3],
        }
        for i in range(120)
    )
    (here / "tickets" / "evals.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    targets = (
        ("large", "openai:gpt-5.5", DEAR), ("small", "small-1", CHEAP),
        ("mini", "openai:gpt-6-luna", CHEAP), ("own", "small-2", "usd_per_hour = 1.5"),
    )  # fmt: skip
    text = "\n".join(
        TARGET.format(name=name, port=port, model=model, price=price)
        for name, model, price in targets
    )
    (here / "costopt.toml").write_text(text, "utf-8")
    return here


def run(folder: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    command = [COSTOPT, "analyze", "tickets", "--run-dir", "run", "-s", "filler", *args]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


def report(folder: Path, *args: str) -> dict[str, Any]:
    return json.loads(run(folder, *args, "--format", "json").stdout)


BOTH = ("-t", "large", "-t", "small", "--samples", "120")


@pytest.fixture(scope="module")
def crossed(folder: Path) -> tuple[dict[str, Any], str]:
    foretold = run(folder, *BOTH, "--dry-run", "--format", "json").stdout
    return report(folder, *BOTH), foretold


def rows(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in found["prompts"][0]["across"]["rows"]}


def test_every_row_is_of_the_same_rows_as_the_first_targets_baseline(
    crossed: tuple[dict[str, Any], str],
) -> None:
    found = rows(crossed[0])
    assert next(iter(found)) == "large: baseline"
    assert found["large: baseline"]["quality"]["mean"] == 1.0
    small = found["small: baseline"]
    assert small["delta"]["n"] == small["quality"]["n"] == 120
    # The small model's rows that are wrong: tickets 0, 50 and 100.
    assert small["delta"]["mean"] == pytest.approx(-3 / 120)
    assert small["usd_per_1k"] == pytest.approx(found["large: baseline"]["usd_per_1k"] / 20, 0.05)


def test_the_cascade_by_format_costs_no_call_and_is_the_cheapest_that_holds(
    crossed: tuple[dict[str, Any], str],
) -> None:
    across = crossed[0]["prompts"][0]["across"]
    cascade = rows(crossed[0])["cascade(small>large, format)"]
    assert across["best"] == cascade["name"]
    assert across["reason"].startswith("cascade(small>large, format) holds against large, 1/1")
    assert cascade["verdict"] == "holds"
    assert cascade["cascade"]["escalated"] == pytest.approx(3 / 120)
    small, large = (rows(crossed[0])[f"{name}: baseline"] for name in ("small", "large"))
    expected = small["usd_per_1k"] + large["usd_per_1k"] * 3 / 120
    assert cascade["usd_per_1k"] == pytest.approx(expected, 0.01)


def test_a_cascade_whose_answers_are_not_there_is_not_measured(
    crossed: tuple[dict[str, Any], str],
) -> None:
    found = rows(crossed[0])["cascade(small>large, log-likelihood)"]
    assert found["verdict"] == "not measured"
    assert found["usd_per_1k"] is None
    assert found["note"] == "small gives no log-likelihoods"


def test_what_was_foretold_holds_what_came(crossed: tuple[dict[str, Any], str]) -> None:
    foretold = json.loads(crossed[1])
    assert foretold["schema"] == "costopt.forecast/1"
    spent = crossed[0]["spent"]
    assert [one["target"] for one in spent["forecast"]] == ["large", "small"]
    assert foretold["targets"] == spent["forecast"]
    low, high = (sum(t["requests"][end] for t in foretold["targets"]) for end in ("low", "high"))
    assert low <= spent["requests"] <= high
    high = sum(t["usd_high"] for t in foretold["targets"])
    assert spent["usd"] <= high


def test_a_second_run_asks_nothing_and_says_the_same(
    folder: Path, crossed: tuple[dict[str, Any], str]
) -> None:
    again = report(folder, *BOTH)
    assert again["spent"]["requests"] == 0
    assert again["prompts"] == crossed[0]["prompts"]
    assert all(one["stored_answers"] > 0 for one in again["spent"]["forecast"])


def test_a_dry_run_asks_nothing(folder: Path) -> None:
    done = run(folder, "-t", "own", "--dry-run", "--run-dir", "untouched")
    assert re.match(r"forecast for own: about [\d,]+ requests, [\d,]+ input, ", done.stdout)
    assert "by the hour" in done.stdout
    with sqlite3.connect(folder / "untouched" / "answers.sqlite3") as store:
        assert store.execute("select count(*) from answers").fetchone() == (0,)
    store.close()


@pytest.fixture(scope="module")
def three(folder: Path) -> dict[str, Any]:
    args = ("-t", "large", "-t", "own", "-t", "mini", "--samples", "12", "--suggest-targets")
    return report(folder, *args)


def test_a_server_by_the_hour_stands_in_the_table(three: dict[str, Any]) -> None:
    own = rows(three)["own: baseline"]
    assert own["evidence"] == "estimated"
    assert own["usd_per_1k"] > 0
    assert three["targets"][1]["price"]["usd_per_hour"] == 1.5
    assert any("requests shared at a time" in note for note in three["prompts"][0]["notes"])


def test_suggestions_are_of_the_same_provider_and_say_what_was_measured(
    three: dict[str, Any], folder: Path
) -> None:
    found = three["prompts"][0]["suggestions"]
    models = {one["model"]: one for one in found}
    assert {name.partition(":")[0] for name in models} == {"openai"}
    assert "baseline of large" in models["openai:gpt-6-luna"]["measured"]
    trial = next(one["trial"] for one in found if one["measured"] is None)
    assert 0 < trial["usd_low"] <= trial["usd_high"]
    said = shown(folder, three, "table")
    assert "--target large --target own --target mini --target openai:gpt-" in said
    assert "measures the cheaper models too" in said


def shown(folder: Path, found: dict[str, Any], format: str) -> str:
    (folder / "report.json").write_text(json.dumps(found), "utf-8")
    command = [COSTOPT, "report", "report.json", "--format", format]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "format", "begins"),
    [("across.txt", "table", "across targets"), ("across.md", "markdown", "### All targets")],
)
def test_what_people_see(
    folder: Path,
    crossed: tuple[dict[str, Any], str],
    golden: Callable[[str, str], None],
    name: str,
    format: str,
    begins: str,
) -> None:
    said = shown(folder, crossed[0], format)
    part = said[said.index(begins) :].partition("CO210")[0]
    golden(name, re.sub(r"\d+\.\d\d/\d+\.\d\d", "t/t", part))


def test_where_nothing_can_be_suggested_it_says_so(folder: Path) -> None:
    found = report(folder, "-t", "large", "--static", "--suggest-targets")
    assert "no cheaper model is suggested" in found["notes"][0]


def test_a_dry_run_of_nothing_is_an_error(folder: Path) -> None:
    command = [COSTOPT, "analyze", "tickets", "--static", "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
    assert done.returncode == 2
    assert "--static asks none" in done.stderr


def test_a_model_that_is_larger_than_needed_is_a_finding_that_a_file_can_silence(
    folder: Path,
) -> None:
    args = ("--target", "large", "--target", "small", "--samples", "120", "--margin", "0.2")
    found = json.loads(run(folder, *args, "--format", "json").stdout)["prompts"][0]
    (one,) = (finding for finding in found["findings"] if finding["code"] == "CO508")
    best = next(row for row in found["across"]["rows"] if row["name"] == found["across"]["best"])
    base = found["across"]["rows"][0]
    assert one["usd_per_1k"] == pytest.approx(base["usd_per_1k"] - best["usd_per_1k"])
    path = folder / "tickets" / "prompt.md"
    path.write_text(PROMPT.replace("name: tickets", "name: tickets\n# costopt: ignore CO508"))
    silent = json.loads(run(folder, *args, "--format", "json").stdout)["prompts"][0]
    path.write_text(PROMPT, "utf-8")
    assert "CO508" not in {finding["code"] for finding in silent["findings"]}
    assert silent["variants"] == found["variants"]
