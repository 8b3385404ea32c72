"""costopt models: list, pull, test."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from costopt.cli.main import main
from costopt.models import providers

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))  # The server that fails on purpose.

from fault_server import Fault, FaultServer, completion


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


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
    names = [row["name"] for row in rows]
    assert names[:4] == ["embedded", "team", "openai:MODEL", "anthropic:MODEL"]
    assert rows[3]["extra"] == "anthropic"
    assert main(["models", "list", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.count("\n") == len(names) + 2


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
        ("anthropc:x", "base_url"),
        ("anthropic:x", "ANTHROPIC_API_KEY"),
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


def test_the_list_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(providers, "find_spec", lambda name: None)
    Path("costopt.toml").write_text(
        '[targets.big]\nmodel = "a-model-with-a-long-name-of-its-own"\n'
        'base_url = "https://inference.example.com/some/long/path/v1"\n'
        '[targets.odd]\nmodel = "nobody:x"\n'
    )
    assert main(["models", "list"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "needs costopt[anthropic]" in out
    assert "pip install 'costopt[anthropic,google,mistral,groq,bedrock]'" in out
    assert "no such provider" in out


USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 600, "cache_write_tokens": 300},
    "completion_tokens_details": {"reasoning_tokens": 20},
}


def configure(url: str, more: str) -> None:
    Path("costopt.toml").write_text(f'[targets.mine]\nmodel = "m"\nbase_url = "{url}"\n{more}\n')


def test_all_parts_of_the_usage_and_the_cost(
    faults: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = "{input = 1, cache_read = 0.1, cache_write = 2, output = 10}"
    configure(faults.url, f'price = {rates}\ncapabilities = ["seed", "json_schema"]')
    faults.script = [Fault(body=completion("Hello there.", usage=USAGE))] * 2
    assert main(["models", "test", "mine"]) == 0
    out = capsys.readouterr().out
    for line in (
        "input    1000 tokens (600 read from a cache, 300 written to one)",
        "output   50 tokens (20 of reasoning)",
        "cost     $0.0013 (configuration",
        "can      generate, json_schema, seed\n",
        "answer   Hello there.",
    ):
        assert line in out
    assert main(["models", "test", "mine", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "costopt.models.test/1"
    assert found["usage"] == {
        "input": 1000,
        "output": 50,
        "cache_read": 600,
        "cache_write": 300,
        "reasoning": 20,
    }
    # 100 at 1, 600 at 0.1, 300 at 2, 50 at 10 dollars a million.
    assert found["cost"]["usd"] == pytest.approx(0.00126)
    assert found["cost"]["evidence"] == "list"
    assert found["capabilities_declared"] is True


def test_a_server_by_the_hour_is_estimated(
    faults: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(faults.url, "usd_per_hour = 3.6")
    assert main(["models", "test", "mine", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cost"]["evidence"] == "estimated"
    assert found["cost"]["usd"] == pytest.approx(found["latency_s"] / 1000)
    assert main(["models", "test", "mine"]) == 0
    out = capsys.readouterr().out
    assert "(estimated: " in out
    assert "more is not declared" in out


def test_a_server_without_a_price(faults: FaultServer, capsys: pytest.CaptureFixture[str]) -> None:
    configure(faults.url, "")
    assert main(["models", "test", "mine", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["cost"]["usd"] is None
    assert main(["models", "test", "mine", "--format", "markdown"]) == 0
    assert "| cost | `unknown price` |" in capsys.readouterr().out


def test_what_a_model_says_cannot_reach_the_terminal(
    faults: FaultServer, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(faults.url, "")
    hostile = "a\x1b[31mb\n::set-env name=X::y"
    faults.script = [Fault(body=completion(hostile, model="m\x1b[2J"))]
    assert main(["models", "test", "mine"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not any(line.startswith("::") for line in out.splitlines())


@pytest.mark.embedded
def test_test_of_the_embedded_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "pull", "--quiet"]) == 0
    assert "ready" in capfd.readouterr().out
    assert main(["models", "test", "embedded", "--prompt", "Say hello."]) == 0
    found = capfd.readouterr()
    for label in ("input", "output", "time", "cost     nothing", "can", "answer"):
        assert label in found.out
    assert found.err == ""
