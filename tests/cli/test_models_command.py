"""costopt models: list, pull, test."""

import json
from pathlib import Path

import pytest

from costopt.cli.main import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


def test_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TEAM_KEY", "sk-secret")
    Path("costopt.toml").write_text(
        '[targets.team]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "TEAM_KEY"'
    )
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert "costopt models pull" in out
    assert "TEAM_KEY is set" in out
    assert "OPENAI_API_KEY is not set" in out
    assert "sk-secret" not in out
    assert main(["models", "list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["targets"]
    assert [row["name"] for row in rows] == ["embedded", "team", "openai:MODEL"]
    assert main(["models", "list", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.count("\n") == 5


def test_pull_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert main(["models", "pull", "--offline"]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("error: ")
    assert "help: " in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("embeded", "embedded"),
        ("openai:gpt-4o-mini", "OPENAI_API_KEY"),
        ("anthropic:x", "base_url"),
    ],
)
def test_test_of_what_is_not_there(
    name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "test", name]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert said in found.err


def test_test_of_a_server_that_is_down(capsys: pytest.CaptureFixture[str]) -> None:
    Path("costopt.toml").write_text(
        '[targets.down]\nmodel = "m"\nbase_url = "http://127.0.0.1:9/v1"'
    )
    assert main(["models", "test", "down"]) == 2
    err = capsys.readouterr().err
    assert "gave no answer (server)" in err
    assert "base_url" in err


@pytest.mark.embedded
def test_test_of_the_embedded_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "--quiet"]) == 0
    assert "ready" in capfd.readouterr().out
    assert main(["models", "test", "embedded", "--prompt", "Say hello."]) == 0
    found = capfd.readouterr()
    for label in ("tokens", "time", "cost     nothing", "answer"):
        assert label in found.out
    assert found.err == ""
