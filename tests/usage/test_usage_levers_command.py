"""`costopt usage --texts --report`: what people see of similar requests and shorter prompts."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from stored_run import report, variant

from costopt.cli.main import main
from costopt.reports.json import to_json

START = datetime(2026, 11, 1)
EVIL = "\x1b[31m::error::x|`<b>[a](http://b)\n# c"


def lines(name, model="claude-haiku-4-5", answer="Yes."):
    """Requests of a prompt, one an hour for ten days: every other is like the one before."""
    for hour in range(240):
        said = " ".join(f"word{hour // 2}x{n}" for n in range(45))
        yield {
            "timestamp": f"{START + timedelta(hours=hour)}Z", "id": f"r{hour}", "feature": name,
            "provider": "anthropic", "model": model, "prompt": name, "input_tokens": 1000,
            "output_tokens": 100, "text": said.replace("x7 ", "x7 not " if hour % 2 else "x7 "),
            "answer": answer,
        }  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("levers")
    (path / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines("greet")))
    evil = "".join(json.dumps(one) + "\n" for one in lines(EVIL, answer=EVIL))
    (path / "evil.jsonl").write_text(evil)
    (path / "report.json").write_text(to_json(report(variant("filler"))))
    (path / "other.json").write_text(to_json(report(variant("filler", saves=0.1))))
    stored = report(variant(EVIL), recommended=EVIL)
    prompt = replace(stored.prompts[0], name=EVIL, path=EVIL)
    (path / "evil.json").write_text(to_json(replace(stored, prompts=(prompt,))))
    return path


@pytest.fixture
def run(folder, capsys, monkeypatch):
    """Run the command in this process: a new one takes much longer."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "100")

    def command(*words):
        assert main(["usage", *words]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return command


def levers(run, *words):
    found = json.loads(run(*words, "--format", "json"))["what_if"]
    return {one["lever"]: one for one in found["alone"]}


def test_texts_are_read_only_where_they_are_asked_for(run):
    found = levers(run, "log.jsonl", "--report", "report.json")
    assert found["semantic-cache"]["usd"] is None
    assert "--texts" in found["semantic-cache"]["notes"][0]
    assert found["prompt-variant"]["usd"] == pytest.approx(240 * (200 * 1e-6 + 10 * 5e-6))


def test_texts_and_of_several_reports_the_last(run):
    reports = ("--report", "report.json", "--report", "other.json")
    found = levers(run, "log.jsonl", "--texts", *reports)
    similar = found["semantic-cache"]
    assert similar["requests"] == 120
    assert similar["certain_usd"] == similar["usd"]
    detail = similar["features"][0]["detail"]
    assert "false hits 0.0 % of the others [0.0 %, 2.5 %], n = 120" in detail
    assert found["prompt-variant"]["usd"] == pytest.approx(240 * (100 * 1e-6 + 10 * 5e-6))


@pytest.mark.parametrize("format", ["table", "markdown"])
def test_texts_of_a_log_and_a_report_do_nothing_where_they_are_shown(run, format):
    out = run("evil.jsonl", "--texts", "--report", "evil.json", "--format", format)
    assert "\x1b" not in out
    assert not any(line.lstrip().startswith(("::", "# c")) for line in out.splitlines())
    words = " ".join(out.split())
    for shown in ("cache similar", "shorter prompt", "false of others", "holds in a stored run"):
        assert shown in words
    assert "--strategy filler" in words
