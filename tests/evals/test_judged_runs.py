"""Whole runs against a real server: judges that are fair and biased, repeats, the noise floor."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import started

from costopt.core.config import load_config
from costopt.core.errors import CostoptError
from costopt.core.progress import Silent
from costopt.core.report import Report
from costopt.evals.analysis import analyze, foresee
from costopt.evals.options import AnalyzeOptions
from costopt.reports.json import from_json, to_json
from costopt.reports.terminal import render

COSTOPT = str(Path(sys.executable).parent / "costopt")
LABELS = ("billing", "shipping", "returns")
PROMPT = """---
name: tickets
metric: judge
settings: {max_output_tokens: 16}
---
Please note that it is very important that you read the whole ticket. You work at a help desk.
In order to route the ticket, name one label: billing, shipping or returns. Write it only.

{{ ticket }}
"""
TARGET = """[targets.{name}]
base_url = "http://127.0.0.1:{port}/v1"
model = "{name}"
price = {{ input = {price}, output = 10.0 }}
"""
WRITERS, JUDGES = ("writer", "noisy", "wavering"), ("fair", "first", "rubbish")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with started("judge_server") as (port, _):
        yield port


@pytest.fixture(scope="module")
def folder(port: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("judged")
    (here / "tickets").mkdir()
    (here / "tickets" / "prompt.md").write_text(PROMPT, "utf-8")
    rows = (
        {
            "id": f"t{i}",
            "ticket": f"Ticket {i} ({LABELS[i % 3]}): a customer writes about it.",
            "reference": LABELS[i % 3],
        }
        for i in range(60)
    )
    (here / "tickets" / "evals.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    text = "".join(
        TARGET.format(name=name, port=port, price=2.0 if name in WRITERS else 1.0)
        for name in (*WRITERS, *JUDGES)
    )
    (here / "costopt.toml").write_text(text, "utf-8")
    return here


def options(folder: Path, judge: str | None, **more: Any) -> AnalyzeOptions:
    """Return options for a run in a store of its own unless ``run_dir`` names one."""
    chosen = {"targets": ("writer",), "samples": 60, "run_dir": "shared", **more}
    return AnalyzeOptions(
        paths=(folder / "tickets",),
        strategies=("filler",),
        judge=judge,
        config=load_config(folder / "costopt.toml", folder),
        **{**chosen, "run_dir": folder / chosen["run_dir"]},
    )


def report(folder: Path, judge: str | None, **more: Any) -> Report:
    return analyze(options(folder, judge, **more), Silent())


def plain(found: Report) -> dict[str, Any]:
    return json.loads(to_json(found))


def page(found: Report) -> str:
    return " ".join(render(found, 100, colour=False).split())


def variants(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in found["prompts"][0]["variants"]}


@pytest.fixture(scope="module")
def fair(folder: Path) -> dict[str, Any]:
    """The report of the whole command, in a process of its own."""
    command = [
        COSTOPT, "analyze", "tickets", "-s", "filler", "-t", "writer", "--judge", "fair",
        "--samples", "60", "--run-dir", "shared", "--format", "json", "-q",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_fair_judge_lets_a_variant_hold_and_sees_harm(fair: dict[str, Any]) -> None:
    found = variants(fair)
    assert {name: one["verdict"] for name, one in found.items() if name != "baseline"} == {
        "filler": "holds", "none": "holds", "empty-variables": "worse",
        "answer-concisely": "holds",
    }  # fmt: skip
    assert fair["prompts"][0]["recommended"][0]["variant"] == "filler"
    delta = found["filler"]["delta"]["quality"]
    assert (delta["mean"], delta["margin"], delta["n"]) == (0.0, 0.1, 60)
    assert found["empty-variables"]["delta"]["quality"]["mean"] == -1.0


def test_the_judges_cost_is_apart_and_all_of_it_counts(fair: dict[str, Any]) -> None:
    (judge,) = fair["prompts"][0]["judge"]
    spent, part = fair["spent"], fair["spent"]["judge"]
    # 120 pairs that differ (filler, empty variables), and seven requests on each of 12 rows.
    assert (judge["judge"], judge["pairs"], judge["requests"]) == ("fair", 120, 2 * 120 + 7 * 12)
    assert judge["usd"] == pytest.approx(part["usd"])
    assert judge["usd"] == pytest.approx(
        (judge["input_tokens"] + 10 * judge["output_tokens"]) / 1e6
    )
    own = variants(fair)["baseline"]["cost"]["usd_per_1k"]
    tokens = variants(fair)["baseline"]["tokens"]
    assert own == pytest.approx((2 * tokens["input_mean"] + 10 * tokens["output_mean"]) / 1e3)
    assert spent["requests"] == 241 + part["requests"]
    assert spent["usd"] > part["usd"] > 0
    paid = fair["prompts"][0]["recommended"][0]["payback"]
    assert paid["usd"] == pytest.approx(spent["usd"])


def test_a_second_run_asks_neither_and_says_the_same(folder: Path, fair: dict[str, Any]) -> None:
    again = plain(report(folder, "fair"))
    assert again["spent"]["requests"] == again["spent"]["judge"]["requests"] == 0
    for found in (*again["prompts"], *fair["prompts"]):
        found["path"] = found["eval_set"]["path"] = "as it was named"
    assert again["prompts"] == fair["prompts"]
    foretold = foresee(options(folder, "fair"), Silent())
    assert [(one.target, one.requests.high) for one in foretold] == [
        ("writer", 0), ("fair (judge)", 0),
    ]  # fmt: skip


def test_the_forecast_of_the_judge_holds_what_was_asked(folder: Path, fair: dict[str, Any]) -> None:
    foretold = foresee(options(folder, "fair", run_dir="never"), Silent())[1]
    asked = fair["spent"]["judge"]
    assert foretold.requests.low <= asked["requests"] <= foretold.requests.high
    assert foretold.input_tokens.low <= asked["input_tokens"] <= foretold.input_tokens.high
    assert foretold.output_tokens.low <= asked["output_tokens"] <= foretold.output_tokens.high
    assert foretold.usd_low is not None
    assert foretold.usd_high is not None
    assert float(foretold.usd_low) <= asked["usd"] <= float(foretold.usd_high)


def test_a_biased_judge_shows_nothing_to_hold(folder: Path) -> None:
    whole = report(folder, "first")
    found = plain(whole)
    (judge,) = found["prompts"][0]["judge"]
    assert judge["fit"] is False
    assert judge["audit"]["null"]["failed"] == judge["audit"]["swap"]["failed"] == 12
    # Every row is a tie, which unaudited would have been shown to hold.
    delta = variants(found)["filler"]["delta"]["quality"]
    assert (delta["mean"], delta["low"] > -delta["margin"]) == (0.0, True)
    assert variants(found)["filler"]["verdict"] == "not enough data"
    assert variants(found)["filler"]["samples_needed"] is None
    assert found["prompts"][0]["recommended"][0]["variant"] == "baseline"
    assert plain(from_json(to_json(whole))) == found
    assert "judge first is not fit, so that nothing it says shows a variant" in page(whole)
    assert "of which judge first: $" in page(whole)


def test_a_judge_that_answers_rubbish_gives_failures_and_no_ties(folder: Path) -> None:
    found = plain(report(folder, "rubbish", samples=12))
    filler = variants(found)["filler"]
    assert filler["verdict"] == "not measured"
    assert "12 rows without a score" in " ".join(filler["notes"])
    (judge,) = found["prompts"][0]["judge"]
    assert (judge["fit"], judge["audit"]["null"]["unreadable"]) == (False, 12)
    # One order of each pair of the audit, and nothing after it.
    assert judge["requests"] == 4 * 12


def test_the_cap_holds_for_target_and_judge_together(folder: Path) -> None:
    found = plain(report(folder, "fair", samples=12, run_dir="capped", max_requests=30))
    assert found["partial"]
    assert found["spent"]["requests"] == 30
    assert found["spent"]["judge"]["requests"] == 18  # After twelve answers of the baseline.
    (judge,) = found["prompts"][0]["judge"]
    assert judge["fit"] is None
    verdicts = {one["verdict"] for one in variants(found).values()}
    assert not verdicts & {"holds", "better"}


def test_a_judged_metric_needs_a_judge_and_no_batches(folder: Path) -> None:
    with pytest.raises(CostoptError, match='metric "judge" needs a model that judges') as caught:
        report(folder, None)
    assert "--judge" in (caught.value.hint or "")
    with pytest.raises(CostoptError, match="batches do not allow"):
        report(folder, "fair", batch=True)


# -- repeats and the noise floor -------------------------------------------------------------


def test_draws_that_differ_are_repeated_and_a_row_is_their_mean(folder: Path) -> None:
    given = {"targets": ("wavering",), "metric": "accuracy", "samples": 20}
    once = plain(report(folder, None, run_dir="once", **given))["prompts"][0]["noise"][0]
    assert (once["repeats"], once["same_answers"], once["mean_difference"]) == (1, False, 1.0)
    assert once["reaches_margin"]
    whole = report(folder, None, run_dir="thrice", repeats=3, **given)
    found = plain(whole)
    (noise,) = found["prompts"][0]["noise"]
    assert (noise["repeats"], noise["n"]) == (3, 20)
    # Which draw of three comes when is the server's business; a third is the least step there is.
    thirds = [3 * one["quality"]["mean"] * 20 for one in variants(found).values()]
    assert thirds == pytest.approx([round(third) for third in thirds])
    assert any(0 < one["quality"]["mean"] < 1 for one in variants(found).values())
    assert variants(found)["filler"]["delta"]["quality"]["n"] == 20
    # Baseline, control and two variants three times; what shows no ticket is one prompt, thrice.
    assert found["spent"]["requests"] == 4 * 3 * 20 + 3
    assert "two draws of the same prompt differ by" in page(whole)
    assert "each drawn 3 times" in page(whole)


def test_repeats_are_of_no_use_where_draws_do_not_differ(folder: Path) -> None:
    given = {"metric": "accuracy", "samples": 20, "repeats": 3}
    (foretold,) = foresee(options(folder, None, run_dir="steady", **given), Silent())
    whole = report(folder, None, run_dir="steady", **given)
    found = plain(whole)
    (noise,) = found["prompts"][0]["noise"]
    assert (noise["repeats"], noise["same_answers"], noise["mean_difference"]) == (1, True, 0.0)
    assert not noise["reaches_margin"]
    # The baseline, its second draw and two variants once each, and the one prompt without ticket.
    assert found["spent"]["requests"] == 4 * 20 + 1
    assert (foretold.requests.low, foretold.requests.high) == (81, 3 * 81)
    assert "said the same on all 20 rows; drawn once: at temperature 0" in page(whole)
