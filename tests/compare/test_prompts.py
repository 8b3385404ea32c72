"""Two prompt files: static figures, the same rows for both, and quality out of the store only."""

import json
from pathlib import Path

import pytest

from costopt.cli.main import main
from costopt.core.discovery import load_prompts
from costopt.core.render import render
from costopt.core.types import Answer, Request, Usage
from costopt.models.keys import request_key
from costopt.models.records import summarise
from costopt.models.store import AnswerStore

LONG = "---\nmetric: exact_match\n---\nPlease answer in order to help.\n\n\n\nQuestion: {{ q }}\n"
SHORT = "---\nmetric: exact_match\n---\nAnswer.\n\nQuestion: {{ q }}\n"
ROWS = [{"id": f"r{n}", "q": f"What is {n}?", "reference": str(n)} for n in range(20)]
IDENTITY = {"target": "chat/completions", "base_url": "http://127.0.0.1:9/v1", "model": "gpt-4o"}


@pytest.fixture
def prompts(in_folder: Path) -> Path:
    (in_folder / "long.md").write_text(LONG)
    (in_folder / "short.md").write_text(SHORT)
    (in_folder / "long.evals.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (in_folder / "costopt.toml").write_text(
        '[targets.mine]\nmodel = "gpt-4o"\nbase_url = "http://127.0.0.1:9/v1"\n'
        "price = {input = 1, output = 4}\n"
    )
    return in_folder


def stored(folder: Path, file: str, right: int) -> None:
    """Put an answer to each row into a store, as many right as said."""
    template = load_prompts((folder / file,)).prompts[0].template
    store = AnswerStore(folder / "run")
    for number, row in enumerate(ROWS):
        request = Request(messages=render(template, row), settings=template.settings)
        answer = Answer(
            text=row["reference"] if number < right else "no idea at all",
            usage=Usage(input=10 if file == "short.md" else 30, output=5),
            finish_reason="stop",
            latency_s=0.1,
            model="gpt-4o",
            created="2026-11-01T00:00:00+00:00",
        )
        key = request_key(IDENTITY, request)
        store.put(key, summarise(request, IDENTITY), answer, target="mine")
    store.close()


def compared(capsys: pytest.CaptureFixture[str], *args: str, status: int = 0):
    assert main(["compare", *args, "--format", "json"]) == status
    return json.loads(capsys.readouterr().out)


def test_without_stored_answers_quality_is_not_measured(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = compared(capsys, "long.md", "short.md", "--run-dir", "run")
    (target,) = found["targets"]
    assert (found["kind"], found["rows"]) == ("prompts", len(ROWS))
    assert target["quality"] is None
    assert "answers to 0 of base and 0 of head" in target["unmeasured"]
    assert target["head"]["input"] < target["base"]["input"]
    assert target["head"]["usd_per_1k"] < target["base"]["usd_per_1k"]
    assert {one["code"] for one in found["findings"] if one["base"] and not one["head"]}
    assert any(line.startswith("-Please answer") for line in found["diff"])
    assert not (prompts / "run").exists()


@pytest.mark.parametrize(("right", "verdict", "status"), [(20, "holds", 0), (2, "worse", 1)])
def test_stored_answers_are_compared_row_by_row(
    right: int, verdict: str, status: int, prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(prompts, "long.md", 20)
    stored(prompts, "short.md", right)
    found = compared(
        capsys, "long.md", "short.md", "-t", "mine", "--run-dir", "run", "--margin", "0.2",
        "--fail-on-worse", status=status,
    )  # fmt: skip
    quality = found["targets"][0]["quality"]
    assert quality["paired"] == 20
    assert quality["quality"]["verdict"] == verdict
    # 30 + 4 * 5 against 10 + 4 * 5
    assert quality["money"]["savings"][0]["saving"] == pytest.approx(0.4)
    assert bool(found["worse"]) is bool(status)


def test_answers_to_one_side_only_are_no_comparison(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(prompts, "long.md", 20)
    found = compared(capsys, "long.md", "short.md", "-t", "mine", "--run-dir", "run")
    assert found["targets"][0]["quality"] is None
    assert "20 of base and 0 of head" in found["targets"][0]["unmeasured"]


def test_a_longer_prompt_fails_where_quality_is_not_measured(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = compared(capsys, "short.md", "long.md", "--fail-on-worse", "--run-dir", "run", status=1)
    assert "input +" in found["worse"][0]
    compared(capsys, "short.md", "short.md", "--fail-on-worse", "--run-dir", "run")


def test_a_prefix_that_falls_under_the_floor_is_said(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = "Say where each parcel went and who signed for it there. "
    (prompts / "above.md").write_text(rule * 90 + "{{ q }}\n")
    (prompts / "below.md").write_text(rule * 80 + "{{ q }}\n")
    found = compared(capsys, "above.md", "below.md", "-t", "openai:gpt-5.4-mini")
    (target,) = found["targets"]
    assert (target["base"]["cached"], target["head"]["cached"]) == (True, False)
    assert target["floor"] == 1024
    assert "falls under the floor" in target["warnings"][0]


def test_rows_that_do_not_fill_both_are_left_out_and_that_is_said(
    prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (prompts / "other.md").write_text("Say {{ q }} for {{ who }}.\n")
    found = compared(capsys, "long.md", "other.md", "--run-dir", "run")
    assert found["rows"] == 0
    assert "do not fill both prompts" in found["notes"][0]
    assert "variables added: who" in found["settings"]
