"""Re-pricing from the command line: real runs against a server, then no server at all."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_server import started

from costopt.cli.main import main

LABELS = ("billing", "shipping", "returns")
PROMPT = """---
name: tickets
metric: accuracy
calls_per_month: 10000
settings: {max_output_tokens: 16}
---
Please note that it is very important that you read the whole ticket. You work at a help desk.
In order to route the ticket, name one label: billing, shipping or returns. Write it only.

{{ ticket }}
"""
OTHER = "deepseek:deepseek-chat"  # Its tokenizer is public, and another one.


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a prompt, and reports of it at a target with a price and at one without.

    The server is gone when the tests begin: what they ask for is asked of nobody.
    """
    here = tmp_path_factory.mktemp("reprice")
    (here / "tickets").mkdir()
    (here / "tickets" / "prompt.md").write_text(PROMPT, "utf-8")
    rows = (
        {"ticket": f"Ticket {i} ({LABELS[i % 3]}): somebody writes.", "reference": LABELS[i % 3]}
        for i in range(1, 41)
    )
    (here / "tickets" / "evals.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with started("two_models", 50) as (port, _):
        address = f'base_url = "http://127.0.0.1:{port}/v1"\nmodel = "large"\n'
        (here / "costopt.toml").write_text(
            f"[targets.own]\n{address}price = {{ input = 2.0, output = 10.0 }}\n"
            f'[targets.like]\n{address}priced_as = "openai:gpt-5.4-mini"\n'
            f'[targets.like-other]\n{address}priced_as = "{OTHER}"\n',
            "utf-8",
        )
        for name in ("own", "like"):
            _analyze(here, name, "--output", f"{name}.json")
    return here


def _analyze(here: Path, target: str, *args: str) -> None:
    command = [
        Path(sys.executable).parent / "costopt", "analyze", "tickets", "-t", target,
        "-s", "filler", "--run-dir", "run", "-q", "--samples", "40", "--margin", "0.3", *args,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def folder(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(runs)
    return runs


def shown(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert main(["report", *args, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def priced(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What hangs on prices, and nothing else."""
    return [
        (v["name"], v["tokens"], v["cost"], v["delta"], v["pareto"], v["prefix"])
        for v in found["prompts"][0]["variants"]
    ]


def test_the_same_price_gives_the_same_report(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("same.toml").write_text("[own]\ninput = 2.0\noutput = 10.0\n")
    before, after = (
        json.loads(Path("own.json").read_text()),
        shown(capsys, "own.json", "--prices", "same.toml"),
    )
    for variant in before["prompts"][0]["variants"]:
        if variant["cost"]["evidence"] == "measured":
            variant["cost"]["evidence"] = "replayed"
    assert priced(after) == priced(before)
    assert after["prompts"][0]["recommended"] == before["prompts"][0]["recommended"]
    assert before["prompts"][0]["recommended"][0]["variant"] == "filler"
    assert before["prompts"][0]["recommended"][0]["payback"]["calls"] > 0


def test_other_prices_change_the_money_in_every_format(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("dear.toml").write_text('[own]\ninput = "20"\noutput = "100"\n')
    before, after = (
        json.loads(Path("own.json").read_text()),
        shown(capsys, "own.json", "--prices", "dear.toml"),
    )
    for was, now in zip(priced(before), priced(after), strict=True):
        assert now[2]["usd_per_1k"] == pytest.approx(10 * was[2]["usd_per_1k"])
    for format in ("table", "markdown"):
        assert main(["report", "own.json", "--prices", "dear.toml", "--format", format]) == 0
        page = " ".join(capsys.readouterr().out.split())
        assert "re-priced from $2 in, $10 out (configuration," in page
        assert "to $20 in, $100 out (prices of dear.toml," in page
        assert "no model was asked" in page
        assert "measuring cost $" in page


def test_another_tokenizer_counts_the_stored_texts_as_a_run_would_have(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same answers, in a run that was priced as the other model to begin with."""
    asked = ["report", "like.json", "--priced-as", OTHER, "--run-dir", "run", "--format", "json"]
    assert main(asked) == 0
    recounted = json.loads(capsys.readouterr().out)
    fresh = _as_if_asked(folder)
    assert recounted["targets"][0]["priced_as"] == OTHER
    assert [(n, t) for n, t, *_ in priced(recounted)] == [(n, t) for n, t, *_ in priced(fresh)]
    assert priced(recounted) == priced(fresh)
    ours, theirs = (found["prompts"][0]["recommended"] for found in (recounted, fresh))
    assert [r["variant"] for r in ours] == [r["variant"] for r in theirs]


def _as_if_asked(folder: Path) -> dict[str, Any]:
    """Run again from the store, under another name for the same server, which is gone."""
    _analyze(folder, "like-other", "--output", "like-other.json", "--offline")
    found = json.loads((folder / "like-other.json").read_text())
    assert found["spent"]["requests"] == 0
    return found


def test_without_the_store_what_cannot_be_priced_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    args = ("like.json", "--priced-as", OTHER, "--run-dir", str(tmp_path))
    found = shown(capsys, *args)
    assert all(v["cost"]["usd_per_1k"] is None for v in found["prompts"][0]["variants"])
    assert found["notes"][-1] == (
        "tickets: without money: the store does not hold the answers of the report"
    )


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("prompt.md", PROMPT.replace("name one", "give one"), "is not the prompt of the report"),
        ("evals.jsonl", '{"ticket": "x", "reference": "billing"}', "is not the eval set"),
    ],
)
def test_a_prompt_or_an_eval_set_that_changed_is_not_counted(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, text: str, said: str
) -> None:
    path = folder / "tickets" / file
    before = path.read_text("utf-8")
    path.write_text(text, "utf-8")
    try:
        found = shown(capsys, "like.json", "--priced-as", OTHER, "--run-dir", "run")
    finally:
        path.write_text(before, "utf-8")
    assert said in found["notes"][-1]
    assert all(v["cost"]["usd_per_1k"] is None for v in found["prompts"][0]["variants"])


def test_a_model_with_the_same_tokens_needs_no_store(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    args = ("like.json", "--priced-as", "like=openai:gpt-4.1", "--run-dir", str(tmp_path / "no"))
    found = shown(capsys, *args)
    assert all(v["cost"]["usd_per_1k"] for v in found["prompts"][0]["variants"])
    assert not (tmp_path / "no").exists()


def test_a_day_by_either_option(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = [
        shown(capsys, "like.json", option, "2026-11-01") for option in ("--prices", "--price-date")
    ]
    assert both[0] == both[1]
    assert both[0]["targets"][0]["price"]["as_of"] == "2026-11-01"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--price-date", "2026-13-01"), '"2026-13-01" is no day'),
        (("--prices", "2026-01-01", "--price-date", "2026-01-02"), "two days for the prices"),
        (("--prices", "none.toml"), "no such price file"),
        (("--priced-as", "gpt-4.1"), '"gpt-4.1" is no provider:model'),
        (("--priced-as", "x=openai:gpt-4.1"), 'the report has no target "x"'),
        (("--priced-as", "openai:nothing-1"), "no price of openai:nothing-1 is known"),
    ],
)
def test_wrong_prices_are_one_block(
    folder: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], said: str
) -> None:
    assert main(["report", "like.json", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err.splitlines()[0]
