"""The installed command: send, leave, look, collect, go on; killed on the way; the key hidden."""

import base64
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from batch_runs import KEY, BatchServer
from batch_server import CITIES

from costopt.cli.main import main

Capture = pytest.CaptureFixture[str]
COSTOPT = str(Path(sys.executable).parent / "costopt")
PROMPT = """---
name: capitals
metric: exact_match
settings: {max_output_tokens: 8}
---
Please note that it is very important that you answer the question in a polite and helpful way.
You are a geography assistant, and you should always answer with the name of the city only.{blanks}



In order to answer the question, use facts. Please do not add any explanation.

Question: {{ question }}
Answer:
""".replace("{blanks}", "   ")
CONFIG = """
[targets.mini]
base_url = "{url}"
model = "{model}"
api_key_env = "MINI_KEY"
price = {{ input = 1, output = 4 }}
batch_price = {{ input = 0.5, output = 2 }}
"""
STRATEGIES = ("--strategy", "whitespace", "--strategy", "filler", "--strategy", "max-tokens")
ANALYZE = ("analyze", "prompts", "--target", "mini", *STRATEGIES)
MODELS = {"chat": "m", "messages": "anthropic:m"}


class Place:
    """A folder with prompts and a configuration, and the command run in it.

    ``run`` is the installed command in a process of its own; ``here`` is the same in this one,
    which need not load everything anew.
    """

    def __init__(self, folder: Path, server: BatchServer, style: str, capsys: Capture) -> None:
        self.folder = folder
        self._capsys = capsys
        prompt = folder / "prompts" / "capitals"
        prompt.mkdir(parents=True)
        (prompt / "prompt.md").write_text(PROMPT, encoding="utf-8")
        rows = [
            {"id": country, "question": f"What is the capital of {country}?", "reference": city}
            for country, city in CITIES.items()
        ]
        lines = "\n".join(json.dumps(row) for row in rows) + "\n"
        (prompt / "evals.jsonl").write_text(lines, encoding="utf-8")
        config = CONFIG.format(url=server.url, model=MODELS[style])
        (folder / "costopt.toml").write_text(config, encoding="utf-8")

    def start(self, *args: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [COSTOPT, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
        )

    def run(self, *args: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*args)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, err
        assert "Traceback" not in err
        return out, err

    def here(self, *args: str, status: int = 0) -> tuple[str, str]:
        self._capsys.readouterr()
        found = main([*args])
        out, err = self._capsys.readouterr()
        assert found == status, err
        return out, err

    def json(self, *args: str) -> dict[str, Any]:
        return json.loads(self.here(*args, "--format", "json")[0])


@pytest.fixture
def place(
    tmp_path: Path, server: BatchServer, monkeypatch: pytest.MonkeyPatch, capsys: Capture,
    request: pytest.FixtureRequest,
) -> Place:  # fmt: skip
    monkeypatch.setenv("MINI_KEY", KEY)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path, server, getattr(request, "param", "chat"), capsys)


def settled(found: dict[str, Any]) -> dict[str, Any]:
    """The report without what may differ between a run in batches and an ordinary one."""
    kept = {key: value for key, value in found.items() if key not in ("created", "spent")}
    for prompt in kept["prompts"]:
        for variant in prompt["variants"]:
            variant.pop("latency")
            variant["cost"].pop("evidence")
        for one in prompt["recommended"]:
            # What was spent on finding it; in batches nothing waits for an answer before it asks.
            one.pop("payback")
    return kept


def test_send_leave_look_collect_go_on(place: Place, server: BatchServer) -> None:
    server.script({"expire": [0, 5], "polls": 1}, {"polls": 0})
    out, err = place.here(*ANALYZE, "--batch")
    assert "PARTIAL" in out
    assert "costopt batch status" in out
    assert "wait in a batch" in out
    look = place.json("batch", "status")["batches"]
    assert [(one["state"], one["done"]) for one in look] == [("in_progress", 0)]
    out, _ = place.run("batch", "collect", "--wait")
    assert "collected" in out
    assert "2 expired" in out
    assert max(len(line) for line in out.splitlines()) <= 80
    first = len(server.ledger()["served"])
    done = place.json(*ANALYZE, "--batch", "--wait")
    assert not done["partial"]
    assert done["spent"]["cached_answers"] >= first
    assert done["prompts"][0]["variants"][0]["latency"] is None
    # What was paid for in a batch is an answer like any other.
    again = place.json(*ANALYZE)
    assert again["spent"]["requests"] == 0
    ledger = server.ledger()
    assert ledger["live"] == []
    assert len(ledger["served"]) == len(set(ledger["served"]))
    # A batch takes hours, so there is no race in it.
    ordinary = place.json(*ANALYZE, "--search", "exhaustive", "--run-dir", "ordinary")
    assert settled(done) == settled(again) == settled(ordinary)
    # Each request was paid once and at half the price; nothing else is in the books.
    paid = place.json("batch", "status", "--all")["batches"]
    assert sum(one["usd"] for one in paid) == pytest.approx(ordinary["spent"]["usd"] / 2)
    assert all(not one["open"] for one in paid)
    _check_no_key(place.folder, out + err)


@pytest.mark.parametrize("place", ["messages"], indirect=True)
def test_anthropics_batches_go_the_same_way(place: Place, server: BatchServer) -> None:
    server.script({"expire": [0, 5], "fail": {"7": 500}, "strange": True})
    assert place.json(*ANALYZE, "--batch")["partial"]
    done = place.json(*ANALYZE, "--batch", "--wait")
    assert not done["partial"]
    ledger = server.ledger()
    assert len(ledger["served"]) == len(set(ledger["served"])) > len(CITIES)
    _check_no_key(place.folder, "")


@pytest.mark.parametrize("moment", ["sending", pytest.param("waiting", marks=pytest.mark.slow)])
def test_a_kill_loses_nothing_and_pays_nothing_twice(
    moment: str, place: Place, server: BatchServer
) -> None:
    server.script({"hang": 300} if moment == "sending" else {"polls": 10_000})
    process = place.start(*ANALYZE, "--batch", "--wait")
    _until(lambda: len(server.ledger()["batches"]) == 1, process)
    if moment == "waiting":
        _until(lambda: _states(place.folder) == ["submitted"], process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert _states(place.folder) == ["submitting" if moment == "sending" else "submitted"]
    server.script()
    if moment == "waiting":
        place.here("batch", "cancel", _only(place.folder))
    done = place.json(*ANALYZE, "--batch", "--wait")
    assert not done["partial"]
    ledger = server.ledger()
    assert ledger["batches"][0]["ended"]
    assert len(ledger["served"]) == len(set(ledger["served"]))
    _check_no_key(place.folder, "")


@pytest.mark.slow
def test_ctrl_c_leaves_the_batch_running(place: Place, server: BatchServer) -> None:
    server.script({"polls": 10_000})
    process = place.start(*ANALYZE, "--batch", "--wait")
    _until(lambda: _states(place.folder) == ["submitted"], process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "the batches go on" in " ".join(out.split())
    assert "Traceback" not in err
    assert _states(place.folder) == ["submitted"]


def test_what_several_prompts_ask_for_is_one_batch(place: Place, server: BatchServer) -> None:
    other = place.folder / "prompts" / "more"
    other.mkdir()
    (other / "prompt.md").write_text("Name the capital of {{ country }}.", "utf-8")
    (other / "evals.jsonl").write_text('{"country": "Peru", "reference": "Lima"}\n', "utf-8")
    found = place.json(*ANALYZE, "--batch")
    assert len(found["prompts"]) == 2
    (batch,) = server.ledger()["batches"]
    assert len(batch["requests"]) == found["spent"]["requests"]
    assert found["prompts"][0]["variants"][0]["verdict"] == "baseline"
    verdicts = {v["verdict"] for prompt in found["prompts"] for v in prompt["variants"][1:]}
    assert verdicts == {"not measured"}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["rewrite", "sections"])
def test_a_strategy_that_learns_asks_in_rounds_until_it_is_done(
    strategy: str, place: Place, server: BatchServer
) -> None:
    rows = [
        {"id": f"{country}-{n}", "question": f"{n}: the capital of {country}?", "reference": city}
        for country, city in CITIES.items()
        for n in range(3)
    ]
    lines = "\n".join(json.dumps(row) for row in rows) + "\n"
    (place.folder / "prompts" / "capitals" / "evals.jsonl").write_text(lines, "utf-8")
    asked = (*ANALYZE[:4], "--strategy", strategy)
    ordinary = place.json(*asked, "--run-dir", "ordinary")
    runs = 1
    while (found := place.json(*asked, "--batch"))["partial"]:
        runs += 1
        assert runs < 60
    assert settled(found) == settled(ordinary)
    assert runs > 2
    served = server.ledger()["served"]
    assert len(served) == len(set(served)) == ordinary["spent"]["requests"]


def test_a_run_in_batches_keeps_its_cap(place: Place, server: BatchServer) -> None:
    found = place.json(*ANALYZE, "--batch", "--wait", "--max-cost", "0.001")
    assert found["partial"]
    assert 0 < found["spent"]["usd"] <= 0.001
    assert len(server.ledger()["served"]) == found["spent"]["requests"]


def test_the_key_is_in_no_output_of_a_failure(
    place: Place, server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINI_KEY", KEY + "-wrong")
    out, err = place.here(*ANALYZE, "--batch", status=2)
    assert "did not take the batch: status 401" in err
    _check_no_key(place.folder, out + err)


def test_without_a_batch_price_nothing_is_sent(place: Place, server: BatchServer) -> None:
    file = place.folder / "costopt.toml"
    file.write_text(file.read_text("utf-8").replace("batch_price", "# batch_price"), "utf-8")
    _, err = place.here(*ANALYZE, "--batch", status=2)
    assert "what a batch costs" in err
    assert "batch_price" in err
    assert server.ledger()["calls"] == []


def test_words_that_contradict_each_other(place: Place) -> None:
    _, err = place.here(*ANALYZE, "--wait", status=2)
    assert "--wait waits for batches" in err
    _, err = place.here("analyze", "prompts", "--target", "embedded", "--batch", status=2)
    assert "batch" in err
    _, err = place.here("batch", "status", "abc", status=2)
    assert 'there is no batch "abc"' in err


def test_a_prompt_whose_calls_are_batched_is_priced_so(place: Place) -> None:
    file = place.folder / "costopt.toml"
    text = file.read_text("utf-8").replace('"m"', '"gpt-4o"')  # Counted without its target.
    file.write_text(text, "utf-8")
    ordinary = place.json(*ANALYZE, "--static")["prompts"][0]
    file.write_text(text + '[prompts."prompts/"]\nbatch = true\n', "utf-8")
    batched = place.json(*ANALYZE, "--static")["prompts"][0]
    for before, after in zip(ordinary["variants"], batched["variants"], strict=True):
        cost = after["cost"]
        assert cost["usd_per_1k"] == cost["regimes"]["batch"]
        if cost["usd_per_1k"] is not None:
            assert cost["usd_per_1k"] == pytest.approx(before["cost"]["usd_per_1k"] / 2)
    assert batched["variants"][0]["cost"]["usd_per_1k"] is not None


def test_a_target_that_moved_gets_no_key(place: Place, server: BatchServer) -> None:
    server.script({"polls": 99})
    place.json(*ANALYZE, "--batch")
    file = place.folder / "costopt.toml"
    file.write_text(file.read_text("utf-8").replace(server.url, "http://127.0.0.1:9/v1"), "utf-8")
    (look,) = place.json("batch", "status")["batches"]
    assert "is not what batch" in look["problem"]
    place.here("batch", "collect", status=2)


def _until(met: Any, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 60
    while not met():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _rows(folder: Path, column: str) -> list[str]:
    file = folder / "cache" / "costopt" / "answers" / "batches.sqlite3"
    if not file.exists():
        return []
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=5)
    try:
        return [value for (value,) in db.execute(f"SELECT {column} FROM batches")]
    except sqlite3.OperationalError:  # It is being made.
        return []
    finally:
        db.close()


def _states(folder: Path) -> list[str]:
    return _rows(folder, "state")


def _only(folder: Path) -> str:
    (found,) = _rows(folder, "id")
    return found


def _check_no_key(folder: Path, said: str) -> None:
    """The key is in no file and no output, in no encoding; the files are the user's alone."""
    encoded = base64.b64encode(KEY.encode()).decode()
    for secret in (KEY, KEY[:10], encoded, KEY.encode().hex()):
        assert secret not in said
        for file in folder.rglob("*"):
            if file.is_file():
                assert secret.encode() not in file.read_bytes(), file
    answers = folder / "cache" / "costopt" / "answers"
    assert answers.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in answers.glob("*.sqlite3*"))
