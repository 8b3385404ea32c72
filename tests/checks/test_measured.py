"""A check that asks a model, or reads what one answered, behind a real server."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from git_repository import PROMPT, GitRepository, rows

PATH = "prompts/tickets/prompt.md"
ROWS = 80


@pytest.fixture
def measured(
    repository: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch
) -> GitRepository:
    repository.start(server.config, number=ROWS)  # type: ignore[attr-defined]
    monkeypatch.setenv("TICKETS_KEY", "sk-tickets")
    return repository


def test_an_improved_prompt_is_measured_and_then_replayed_without_a_key(
    measured: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    measured.replace(PATH, "Name one label and nothing else", "Name one label")
    ran = measured.run()
    assert ran.status == 0
    assert ran.check["depth"] == "measured"
    assert ran.check["depth_reason"] is None
    (gate,) = ran.gates("quality")
    assert gate["outcome"] == "passed"
    assert gate["message"].startswith("not worse than the base: accuracy 0.0 points [")
    assert "80 rows" in gate["message"]
    asked = len(server.requests)  # type: ignore[attr-defined]
    assert asked >= 2 * ROWS
    monkeypatch.delenv("TICKETS_KEY")
    server.process.kill()  # type: ignore[attr-defined]
    again = measured.run()
    assert again.check["depth_reason"] == "TICKETS_KEY is not set"
    assert (again.status, again.check["depth"]) == (0, "replay")
    assert again.check["depth_reason"] == "TICKETS_KEY is not set"
    (other,) = again.gates("quality")
    assert other["message"] == gate["message"]
    assert measured.run("--replay").check["depth"] == "replay"
    assert measured.run("--static").check["depth"] == "static"
    measured.replace(PATH, "Name one label", "Name a label")
    half = measured.run()
    assert (half.status, half.check["depth"]) == (0, "static")
    assert "the store lacks 80 of the answers" in half.check["depth_reason"]
    told = measured.run("--replay")
    assert told.status == 3
    assert told.outcomes("quality") == ["inconclusive"]
    assert measured.run("--replay", "--allow-inconclusive").status == 0


def test_a_worse_prompt(measured: GitRepository) -> None:
    measured.replace(PATH, "Route the ticket.", "Route the ticket; guess.")
    ran = measured.run()
    assert ran.status == 1
    (gate,) = ran.gates("quality")
    assert gate["outcome"] == "failed"
    assert gate["head"] == pytest.approx(-50, abs=1)
    assert (gate["unit"], gate["limit"]) == ("points", -5)
    page = measured.run(format="html").out
    assert f"{ROWS} of {ROWS} rows are shown, those that lost most first" in page
    assert "Answers side by side: baseline, head" in page


def test_a_variable_that_no_row_has_passes_nothing(measured: GitRepository) -> None:
    measured.replace(PATH, "Route the ticket.", "Route the ticket; guess. {{ hint }}")
    ran = measured.run()
    assert ran.status == 3
    (gate,) = ran.gates("quality")
    assert gate["outcome"] == "inconclusive"
    assert "hint" in gate["message"]


def test_a_metric_that_sees_no_harm_passes_nothing(measured: GitRepository) -> None:
    text = "".join(
        json.dumps({"id": f"t{at}", "ticket": f"Ticket {at} (billing)", "reference": "none"}) + "\n"
        for at in range(ROWS)
    )
    measured.write("prompts/tickets/evals.jsonl", text)
    measured.replace(PATH, "metric: accuracy", "metric: exact_match")
    base = measured.commit()
    measured.replace(PATH, "Route the", "Do route the")
    ran = measured.run(base=base)
    assert ran.status == 3
    (gate,) = ran.gates("quality")
    assert gate["message"].startswith("no loss is seen, but none of a prompt without its")


def test_longer_answers_make_it_dearer(
    repository: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets = '[prompts."prompts/"]\nmax_growth = 0.1\nmax_output_tokens = 20\n'
    repository.start(server.config + budgets, number=ROWS)  # type: ignore[attr-defined]
    monkeypatch.setenv("TICKETS_KEY", "sk-tickets")
    repository.replace(PATH, "Route the ticket.", "Route at length.")
    ran = repository.run()
    assert ran.status == 1
    assert ran.outcomes("max_output_tokens") == ["failed"]
    (growth,) = ran.gates("max_growth")
    assert growth["message"].startswith("cost +")
    assert growth["head"] > 1
    assert ran.outcomes("quality") == ["passed"]


def test_not_enough_data_is_no_worse(
    repository: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.start(server.config, number=8)  # type: ignore[attr-defined]
    monkeypatch.setenv("TICKETS_KEY", "sk-tickets")
    repository.replace(PATH, "Route the", "Do route the")
    ran = repository.run()
    assert ran.status == 3
    (gate,) = ran.gates("quality")
    assert gate["outcome"] == "inconclusive"
    assert "not enough data to say that it is not worse" in gate["message"]
    assert "rows would decide it" in gate["message"]
    assert repository.run("--allow-inconclusive").status == 0
    assert repository.run("--static").status == 0


def test_a_cap_that_ends_the_run_decides_nothing(measured: GitRepository) -> None:
    measured.replace(PATH, "Route the", "Do route the")
    ran = measured.run("--max-requests", "5")
    assert ran.status == 3
    assert ran.check["report"]["partial"]
    assert ran.outcomes("quality") == ["inconclusive"]


def test_nobody_is_asked_about_what_asks_the_same(
    measured: GitRepository, server: "object"
) -> None:
    (measured.folder / "prompts/tickets").rename(measured.folder / "prompts/routing")
    measured.replace("prompts/routing/evals.jsonl", "Ticket 0", "Ticket 00")
    ran = measured.run()
    assert (ran.status, ran.check["depth"]) == (0, "static")
    assert ran.check["depth_reason"] == "no changed prompt asks anything else than before"
    assert ran.outcomes("quality") == ["passed"]
    measured.write("prompts/fresh/prompt.md", PROMPT.replace("Route", "Do route"))
    measured.write("prompts/fresh/evals.jsonl", rows(10))
    added = measured.run()
    assert (added.status, added.check["depth"]) == (0, "measured")
    assert len(added.check["report"]["prompts"]) == 2
    assert 10 <= len(server.requests) <= 30  # type: ignore[attr-defined]


def test_ctrl_c_keeps_what_was_measured(measured: GitRepository, server: "object") -> None:
    measured.replace(PATH, "Route the", "SLOW: route the")
    done = subprocess.Popen(
        [Path(sys.executable).parent / "costopt", "check", "--base", "main", "--format", "json",
         "--update-lock"],
        cwd=measured.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(server.requests) < 20:  # type: ignore[attr-defined]
        time.sleep(0.05)
        assert done.poll() is None
    done.send_signal(signal.SIGINT)
    out, err = done.communicate(timeout=60)
    assert done.returncode == 130, err
    found = json.loads(out)
    assert found["report"]["partial"]
    assert "Traceback" not in err
    assert not (measured.folder / "costopt.lock").exists()


@pytest.mark.parametrize("folder", ["answers", "."])
def test_planted_answers_are_named(
    repository: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    config = server.config.replace("../answers", folder)  # type: ignore[attr-defined]
    repository.start(config)
    monkeypatch.setenv("TICKETS_KEY", "sk-tickets")
    repository.replace(PATH, "Route the", "Do route the")
    repository.run()
    assert (repository.folder / folder / "answers.sqlite3").exists()
    repository.commit()
    ran = repository.run("--replay")
    assert any("nothing vouches for them" in note for note in ran.check["notes"])


def test_a_planted_store_takes_no_cap_away(
    repository: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.start(server.config.replace("../answers", "answers"))  # type: ignore[attr-defined]
    monkeypatch.setenv("TICKETS_KEY", "sk-tickets")
    repository.replace(PATH, "Route the", "Do route the")
    repository.run("--max-requests", "1")
    with closing(sqlite3.connect(repository.folder / "answers" / "answers.sqlite3")) as planted:
        for event in ("INSERT", "UPDATE"):
            planted.execute(
                f"CREATE TRIGGER free_{event} AFTER {event} ON runs "
                "BEGIN UPDATE runs SET spent = 0, reserved = 0, requests = 0; END"
            )
        planted.execute("DELETE FROM answers")
        planted.execute("INSERT INTO runs (id, started, purse) VALUES ('../../elsewhere', '', '')")
        planted.commit()
    repository.commit()
    before = len(server.requests)  # type: ignore[attr-defined]
    ran = repository.run("--max-requests", "3")
    assert ran.status == 3, ran.err
    assert len(server.requests) - before <= 3  # type: ignore[attr-defined]
    assert ran.check["report"]["partial"]


def test_a_lock_keeps_what_was_measured(measured: GitRepository) -> None:
    measured.replace(PATH, "Route the", "Do route the")
    measured.run("--update-lock")
    base = measured.commit()
    (entry,) = tomllib.loads(measured.read("costopt.lock"))["prompts"][PATH].values()
    assert entry["output_tokens"] == 1
    assert (entry["metric"], entry["quality"], entry["n"]) == ("accuracy", 1.0, ROWS)
    assert 0.9 < entry["quality_low"] < entry["quality_high"] == 1.0
    assert 0 < entry["usd_per_1k"] < 1
    measured.replace(PATH, "Do route the ticket.", "Route at length.")
    ran = measured.run(base=base)
    assert ran.status == 1
    messages = [gate["message"] for gate in ran.gates("lock")]
    assert any(message.startswith("output grew from 1 to") for message in messages)
    assert any(message.startswith("cost grew from") for message in messages)


def test_a_features_month(
    repository: GitRepository, server: "object", monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = (
        '[prompts."prompts/"]\nfeature = "desk"\ncalls_per_month = 1_000_000\n'
        "[features.desk]\nusd_per_month = {}\n"
    )
    repository.start(server.config + budget.format("70"), number=6)  # type: ignore[attr-defined]
    repository.write("prompts/second.md", "Say {{ x }} in three words of English, or in fewer.")
    base = repository.commit()
    repository.replace(PATH, "Route the", "Do route the")
    monkeypatch.setenv("TICKETS_KEY", "sk-tickets")
    ran = repository.run("--allow-inconclusive", base=base)
    (gate,) = ran.gates("feature")
    assert gate["outcome"] == "skipped"
    assert "for 2 prompts (1 counted by the input alone)" in gate["message"]
    static = repository.run("--static", base=base)
    assert static.outcomes("feature") == ["skipped"]
    repository.replace("costopt.toml", "usd_per_month = 70", "usd_per_month = 20")
    base = repository.commit()
    repository.replace(PATH, "Do route the", "Go and route the")
    ran = repository.run("--static", base=base)
    assert ran.status == 1
    (gate,) = ran.gates("feature")
    assert gate["outcome"] == "failed"
    assert (gate["prompt"], gate["limit"]) == (None, 20)
