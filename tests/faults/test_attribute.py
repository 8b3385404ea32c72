"""The installed command attributes a prompt at a server on loopback, and keeps to its caps.

The server answers with the last ``[[…]]`` of a prompt.
"""

import json
import re
import signal
from typing import Any

import pytest
from fault_harness import Bench, row

TEXT = """---
name: cities
metric: contains
calls_per_month: 1000000
settings: {max_output_tokens: 16}
---
Please be kind to whoever reads this.

Question: {{ question }} [[nowhere]]

The answer to all of them is [[Paris]].

To say it in other words: everybody lives in [[Paris]].
"""
ARGS = ("--attribute", "--strategy", "whitespace", "--margin", "0.3", "--samples", "24")


@pytest.fixture
def cities(bench: Bench) -> Bench:
    rows = [{**row(number), "reference": "Paris"} for number in range(24)]
    bench.prompt(rows, TEXT)
    return bench


def attribution(report: dict[str, Any]) -> dict[str, Any]:
    return report["prompts"][0]["attribution"]


def test_two_lines_that_say_the_same_share_the_credit(cities: Bench) -> None:
    done = cities.run(*ARGS)
    found = attribution(done.report)
    kind, asked, one, other = found["segments"]
    assert kind["verdict"] == "no effect seen: candidate to cut"
    assert kind["effect"]["mean"] == 0
    assert asked["kept"] == "it holds {{ question }}"
    assert [one["verdict"], other["verdict"]] == ["earns its keep with others"] * 2
    assert [one["effect"]["mean"], other["effect"]["mean"]] == [0, 0]
    assert [one["share"]["mean"], other["share"]["mean"]] == [0.5, 0.5]
    assert (kind["line"], one["line"]) == (7, 11)
    # One USD a million tokens, a million calls: each token is a dollar a month.
    assert kind["usd_per_month"] == kind["tokens"] > 0
    requests = cities.server.counts()["requests"]
    assert cities.run(*ARGS).report["spent"]["requests"] == 0
    assert cities.server.counts()["requests"] == requests


def test_a_cap_keeps_what_was_measured(cities: Bench) -> None:
    whole = cities.run(*ARGS).report["spent"]["requests"]
    capped = cities.run(*ARGS, "--max-requests", whole - 30, "--run-dir", "other")
    assert capped.report["partial"] is True
    assert capped.report["spent"]["requests"] == whole - 30
    assert all(one["verdict"] for one in attribution(capped.report)["segments"])


def test_ctrl_c_keeps_what_was_measured(cities: Bench) -> None:
    whole = cities.run(*ARGS).report["spent"]["requests"]
    slow = {"kind": "ok", "latency_ms": 5000}
    cities.server.script({"when": {"after": whole - 40}, "do": slow})
    running = cities.start(*ARGS, "--run-dir", "other")
    cities.server.wait_for(whole - 39, running)
    running.kill(signal.SIGINT)
    done = running.wait(30)
    assert done.status == 130
    found = attribution(done.report)
    assert found["segments"][0]["effect"]["n"] == 24
    cities.server.script()
    assert attribution(cities.run(*ARGS, "--run-dir", "other").report)["segments"][2]["share"]


def test_a_forecast_counts_the_segments(cities: Bench) -> None:
    def foreseen(*more: object) -> dict[str, int]:
        return json.loads(cities.run(*more, "--dry-run").out)["targets"][0]["requests"]

    without, found = foreseen(*ARGS[1:]), foreseen(*ARGS)
    assert found["low"] == without["low"] + 3 * 10  # the first look at each segment
    assert found["high"] > found["low"]
    assert cities.server.counts()["requests"] == 0


def test_the_display_goes_on_while_segments_are_asked(cities: Bench) -> None:
    done = cities.run(*ARGS)
    whole = done.report["spent"]["requests"]
    counted = [int(found) for found in re.findall(r"(\d+)/\d+ done", done.err)]
    assert counted[-1] > whole / 2


def test_batches_are_refused(cities: Bench) -> None:
    done = cities.run("--attribute", "--batch")
    assert done.status == 2
    assert "--attribute asks in rounds" in done.err
