"""``costopt cache``, as its user sees it."""

import io
import json
from pathlib import Path

import pytest

from costopt.cli.main import main
from costopt.core.types import Answer, GenerationSettings, Message, Request, Usage
from costopt.models.keys import request_key
from costopt.models.records import summarise
from costopt.models.store import FILE_NAME, AnswerStore

IDENTITY = {"target": "chat/completions", "base_url": "http://localhost:1/v1", "model": "m"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prompt with two rows, of which one is stored."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "due.md").write_text("When is {bill} due?\n")
    rows = [{"id": "one", "bill": "rent", "reference": "Friday"}]
    rows += [{"id": "two", "bill": "power", "reference": "Monday"}]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "due.evals.jsonl").write_text(text)
    (tmp_path / "costopt.toml").write_text(
        '[costopt]\nrun_dir = "kept"\n'
        '[targets.mine]\nbase_url = "http://localhost:1/v1"\nmodel = "m"\n'
    )
    store = AnswerStore(tmp_path / "kept")
    request = Request(
        messages=(Message("user", "When is rent due?\n"),), settings=GenerationSettings()
    )
    answer = Answer(
        text="\x1b[31mFriday",
        usage=Usage(5, 1),
        finish_reason="stop",
        latency_s=0.1,
        model="m\x1b[0m",
        created="2026-01-01T00:00:00+00:00",
    )
    key = request_key(IDENTITY, request)
    store.put(key, summarise(request, IDENTITY), answer, target="mine")
    store.close()
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str, status: int = 0) -> str:
    assert main(["cache", *args]) == status
    return capsys.readouterr().out


def test_info(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run(capsys, "info")
    assert "answers  1, 0.0 MB" in page
    assert "mine" in page
    assert "\x1b" not in page
    assert all(len(line) <= 80 for line in page.splitlines()[1:])


def test_info_as_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(run(capsys, "info", "--format", "json"))
    assert data["schema"] == "costopt.cache/1"
    assert (data["answers"], data["holdings"][0]["target"]) == (1, "mine")
    assert data["unknown_outcome"] == {"requests": 0, "usd": 0.0}


def test_explain(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run(capsys, "explain", "due.md", "--target", "mine")
    assert "1 of 2 rows are stored" in page
    assert "two: differs in text of message 1" in page


def test_explain_names_a_changed_setting(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "---\nsettings: {max_output_tokens: 9}\n---\nWhen is {bill} due?\n"
    (project / "due.md").write_text(text)
    page = run(capsys, "explain", "due.md", "--target", "mine")
    assert "one: differs in max_output_tokens: 9 here, 512 stored" in page


def test_export(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = run(capsys, "export")
    assert "\x1b" not in page
    assert json.loads(page)["answer"]["text"] == "\x1b[31mFriday"
    assert run(capsys, "export", "--output", "all.jsonl") == ""
    assert (project / "all.jsonl").read_text() == page


def test_clear(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "answers removed: 0" in run(capsys, "clear", "--target", "other", "--yes")
    assert "answers removed: 1" in run(capsys, "clear", "--yes")
    assert "answers  0" in run(capsys, "info")


def test_nothing_is_cleared_without_a_yes(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    run(capsys, "clear", status=130)
    assert "answers  1" in run(capsys, "info")


def test_no_store_is_made_by_looking_for_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "info", "--run-dir", "elsewhere"]) == 2
    assert "no answers are stored here" in capsys.readouterr().err
    assert not (project / "elsewhere").exists()
    assert (project / "kept" / FILE_NAME).exists()
