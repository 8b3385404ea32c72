"""`costopt usage --update-config`: what a log measured goes into costopt.toml, for `analyze`."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from costopt.cli.main import main
from costopt.core.config import load_config

COSTOPT = Path(sys.executable).with_name("costopt")
FILE = "prompts/triage/prompt.md"
KEY = ["calls_per_month", "cache_hit_rate", "output_tokens_per_call"]
OCTOBER = "# from logs of 2026-10-01 to 2026-10-31"


def prompt(name: str, front: str = "", text: str = "Route the ticket: {{ ticket }}") -> Path:
    file = Path("prompts") / name / "prompt.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"---\nname: {name}\n{front}---\n{text}\n")
    return file


def log(*parts: list[dict[str, Any]]) -> None:
    rows = [json.dumps(row) for part in parts for row in part]
    Path("log.jsonl").write_text("".join(row + "\n" for row in rows))


def asked(
    many: int, days: float = 31, begin: str = "2026-10-01T00:00:00", **more: Any
) -> list[Any]:
    """Return requests that are spread evenly; a last one ends the time."""
    start = datetime.fromisoformat(begin)
    times = [start + timedelta(days=days) * n / max(1, many - 1) for n in range(many)]
    usual = {
        "feature": "help", "provider": "openai", "model": "gpt-4o-mini", "prompt": "triage",
        "input_tokens": 1000, "cached_tokens": 0, "output_tokens": 10,
    }  # fmt: skip
    return [{"timestamp": f"{time.isoformat()}Z", **usual, **more} for time in times]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The command in this process; what it says on standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()  # The search for a configuration ends here.
    prompt("triage")

    def ran(*args: str, status: int = 0) -> str:
        words = ["usage", "log.jsonl", "--only-cost", "--update-config", *args]
        found = main(words)
        err = capsys.readouterr().err
        assert found == status, err
        return err

    return ran


def written(glob: str = FILE) -> dict[str, Any]:
    return tomllib.loads(Path("costopt.toml").read_text())["prompts"][glob]


def test_what_is_written_where_there_is_no_configuration(
    run: Callable[..., str], golden: Callable[[str, str], None]
) -> None:
    log(asked(30, cached_tokens=600), asked(30), asked(2, error="timeout", output_tokens=None,
        input_tokens=None, cached_tokens=None))  # fmt: skip
    said = run()
    golden("usage-update-config.txt", said)
    assert written() == {
        # 60 requests in 31 days, times 365/12; failed ones that cost nothing known are no calls.
        "calls_per_month": round(60 / 31 * 365 / 12),
        "cache_hit_rate": 0.5,
        "output_tokens_per_call": 10,
    }
    assert Path("costopt.toml").read_text().count(f"{OCTOBER}, 60 requests\n") == 3
    again = run()
    assert "nothing to write into costopt.toml: all of it stands there" in again
    assert "+++" not in again


def test_a_configuration_keeps_all_else(
    run: Callable[..., str], golden: Callable[[str, str], None]
) -> None:
    before = f"""\
# ours
[costopt]
target = "openai:gpt-4o-mini"   # keep

[prompts."prompts/"]   # all
calls_per_month = 7
margin = 0.03

[prompts."{FILE}"]
# by hand
output_tokens_per_call = 300   # a guess
max_usd_per_1k = 4

[features.help]
usd_per_month = 5
"""
    Path("costopt.toml").write_text(before)
    log(asked(62, cached_tokens=None))
    said = run("--quiet")  # A value that somebody set is replaced: that is shown.
    golden("usage-update-kept.txt", said)
    after = Path("costopt.toml").read_text()
    assert written() == {
        "output_tokens_per_call": 10, "max_usd_per_1k": 4, "calls_per_month": 61,
    }  # fmt: skip
    gone = set(before.splitlines()) - set(after.splitlines())
    assert gone == {"output_tokens_per_call = 300   # a guess"}
    assert f"output_tokens_per_call = 10   {OCTOBER}, 62 requests; a guess\n" in after
    assert load_config(None, Path.cwd()).rule_for(FILE).calls_per_month == 61


def test_it_says_what_a_value_goes_before(run: Callable[..., str]) -> None:
    prompt("triage", "calls_per_month: 9000\n")
    Path("costopt.toml").write_text('[prompts."*.md"]\ncalls_per_month = 7000\n')
    log(asked(62), asked(62, model="gpt-4o"))
    said = run()
    assert 'it goes before the 7,000 of [prompts."*.md"]' in said
    assert "it goes before the 9,000 of the prompt's own front matter" in said
    assert "the values are of 2 models together" in said
    assert load_config(None, Path.cwd()).rule_for(FILE).calls_per_month == 122


def test_a_rule_below_would_hold_so_nothing_is_written_there(run: Callable[..., str]) -> None:
    Path("costopt.toml").write_text(
        f'[prompts."{FILE}"]\nmargin = 0.1\n[prompts."prompts/"]\ncalls_per_month = 7\n'
    )
    log(asked(62))
    said = run()
    assert 'calls_per_month: [prompts."prompts/"] stands below its own rule' in said
    assert written() == {"margin": 0.1, "output_tokens_per_call": 10}


def test_pyproject_and_a_named_file(run: Callable[..., str], tmp_path: Path) -> None:
    log(asked(62))
    Path("pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.costopt]\nseed = 3\n')
    assert "into pyproject.toml" in run()
    found = tomllib.loads(Path("pyproject.toml").read_text())
    assert found["tool"]["costopt"]["prompts"][FILE]["calls_per_month"] == 61
    assert (found["project"], found["tool"]["costopt"]["seed"]) == ({"name": "x"}, 3)
    Path("own.toml").write_bytes(b"\xef\xbb\xbf[costopt]\r\nseed = 4\r\n")
    run("--config", "own.toml")
    raw = Path("own.toml").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf[costopt]\r\nseed = 4\r\n\r\n[prompts.")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 6
    assert load_config(Path("own.toml"), tmp_path).rule_for(FILE).calls_per_month == 61


@pytest.mark.parametrize(
    ("parts", "said", "keys"),
    [
        ([asked(19)], "19 requests, fewer than 20", None),
        ([asked(62, prompt="other")], "no request of this time is linked to: prompts/triage", None),
        ([asked(62, prompt="other")], "62 requests of this time are linked to none", None),
        ([asked(62, cached_tokens=None)], "the log says of 0 of 62 answers what a cache gave",
         {"calls_per_month", "output_tokens_per_call"}),
        # A log that says only what a cache gave, and not that it gave nothing.
        ([asked(40, cached_tokens=9), asked(22, cached_tokens=None)], "of 40 of 62 answers",
         {"calls_per_month", "output_tokens_per_call"}),
        ([asked(62)], "no request read from a cache or wrote to one",
         {"calls_per_month", "output_tokens_per_call"}),
        ([asked(62, output_tokens=None, cached_tokens=9)], "the output tokens of 0 answers",
         {"calls_per_month", "cache_hit_rate"}),
        ([asked(62, output_tokens=0)], "no answer has an output token", {"calls_per_month"}),
        ([asked(62, days=0.5)], "time is 12.0 hours, too short", {"output_tokens_per_call"}),
        ([asked(62, days=0)], "the log has no time that passes", None),
        ([asked(62, begin="1971-01-01T00:00:00")], None, set(KEY) - {"cache_hit_rate"}),
    ],
)  # fmt: skip
def test_what_is_unknown_is_not_written_and_said(
    run: Callable[..., str], parts: list[Any], said: str | None, keys: set[str] | None
) -> None:
    log(*parts)
    err = run()
    assert said is None or said in err
    assert Path("costopt.toml").exists() == (keys is not None)
    assert keys is None or set(written()) == keys


def test_a_short_log_is_said_to_be_an_estimate(run: Callable[..., str]) -> None:
    log(asked(300, days=3))
    run()
    assert "2026-10-01 to 2026-10-03, 300 requests, estimated from 3.0 days" in (
        Path("costopt.toml").read_text()
    )
    assert written()["calls_per_month"] == round(300 / 3 * 365 / 12)


def test_since_and_until_bound_what_is_measured(run: Callable[..., str]) -> None:
    log(asked(32, days=31), asked(32, days=31, output_tokens=30))
    run("--since", "2026-10-11", "--until", "2026-10-31")
    assert written()["calls_per_month"] == round(40 / 20 * 365 / 12)
    assert "2026-10-11 to 2026-10-30, 40 requests" in Path("costopt.toml").read_text()


def test_prompts_that_a_rule_cannot_tell_apart(run: Callable[..., str], tmp_path: Path) -> None:
    prompt("a[1]")
    prompt("twin-1").write_text("---\nname: twin\n---\nOne {{ x }}\n")
    prompt("twin-2").write_text("---\nname: twin\n---\nTwo {{ x }}\n")
    Path("prompts/promptfooconfig.yaml").write_text("prompts:\n  - Say {{x}}\n  - Tell {{x}}\n")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.md"
    outside.write_text("---\nname: far\n---\nFar {{ x }}\n")
    log(asked(62, prompt="a[1]"), asked(62, prompt="twin"), asked(62, prompt="far"))
    said = run("--prompts", "prompts", "--prompts", str(outside))
    assert 'prompts/twin-1/prompt.md: several prompts are called "twin"' in said
    assert "prompts/promptfooconfig.yaml: its file holds several prompts" in said
    assert f"{outside}: it lies outside of the configuration's folder" in said
    assert written("prompts/a\\[1]/prompt.md")["calls_per_month"] == 61
    config = load_config(None, Path.cwd())
    assert config.rule_for("prompts/a[1]/prompt.md").calls_per_month == 61
    assert config.rule_for("prompts/a1/prompt.md").calls_per_month is None


def test_a_prompt_beside_the_configuration_is_meant_alone(run: Callable[..., str]) -> None:
    Path("faq.md").write_text("Say {{ x }}\n")
    prompt("faq.md").rename("prompts/faq.md.md")
    log(asked(62, prompt="faq"))
    run("--prompts", "faq.md")
    config = load_config(None, Path.cwd())
    assert config.rule_for("faq.md").calls_per_month == 61
    assert config.rule_for("prompts/faq.md").calls_per_month is None


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["--yes"], "--yes answers what --update-config asks"),
        (["--update-config"], "no folder prompts/ here"),
    ],
)
def test_options_that_do_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    args: list[str], what: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    log(asked(2))
    assert main(["usage", "log.jsonl", *args]) == 2
    assert what in capsys.readouterr().err


def test_a_link_that_leads_outside_is_not_written(run: Callable[..., str], tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.toml"
    outside.write_text("[costopt]\nseed = 1\n")
    Path("costopt.toml").symlink_to(outside)
    log(asked(62))
    assert "leads outside" in run(status=2)
    assert outside.read_text() == "[costopt]\nseed = 1\n"


def test_a_hostile_name_is_inert(run: Callable[..., str]) -> None:
    name = 'e\x1b[31m"\n[costopt]\nseed = 9\n#'
    prompt("x").rename(f"prompts/{name.replace('/', '')}.md")
    Path(f"prompts/{name}.md").write_text("---\nname: evil\n---\nSay {{ x }}\n")
    log(asked(62, prompt="evil"))
    said = run()
    assert "\x1b" not in said
    found = tomllib.loads(Path("costopt.toml").read_text())
    assert set(found) == {"prompts"}
    assert "\x1b" not in Path("costopt.toml").read_text()


@pytest.mark.parametrize(("answer", "does"), [("y", True), ("n", False), (None, True)])
def test_on_a_terminal_it_asks_unless_told_not_to(
    run: Callable[..., str], answer: str | None, does: bool
) -> None:
    log(asked(62))
    words = [COSTOPT, "usage", "log.jsonl", "--only-cost", "--update-config", "--no-color"]
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*words, "--yes"] if answer is None else words,
        stdin=follower, stderr=follower, stdout=subprocess.DEVNULL,
        env={**os.environ, "TERM": "dumb"},
    )  # fmt: skip
    os.close(follower)
    if answer is not None:
        os.write(leader, f"{answer}\n".encode())
    said = b""
    try:
        while chunk := os.read(leader, 4096):
            said += chunk
    except OSError:  # The other end is closed.
        pass
    os.close(leader)
    assert process.wait() == 0
    assert b"+calls_per_month = 61" in said
    assert (b"Write costopt.toml?" in said) == (answer is not None)
    assert Path("costopt.toml").exists() == does


def test_analyze_counts_with_what_was_measured(
    run: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    target = "openai:gpt-4.1-mini"

    def analysed() -> dict[str, Any]:
        assert main(["analyze", "prompts", "--static", "--target", target, "--format", "json"]) == 0
        return json.loads(capsys.readouterr().out)["prompts"][0]

    before = analysed()
    assert before["variants"][0]["cost"]["evidence"] == "list"
    log(asked(62, output_tokens=125, cached_tokens=1))
    run()
    after = analysed()
    cost, was = after["variants"][0]["cost"], before["variants"][0]["cost"]
    assert (after["calls_per_month"], after["cache_hit_rate"]) == (61, 1.0)
    assert after["output_tokens_per_call"] == 125
    assert cost["evidence"] == "estimated"
    assert cost["usd_per_1k"] == pytest.approx(was["usd_per_1k"] + 125 * 1.6 / 1000)
    assert cost["usd_per_month"] == pytest.approx(cost["usd_per_1k"] * 61 / 1000)
    assert after["variants"][0]["tokens"]["output_mean"] is None
    assert any("answers of 125 tokens, as measured in request logs" in n for n in after["notes"])


def test_a_saved_report_is_priced_anew_with_it(
    run: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    log(asked(62, output_tokens=125))
    run()
    target = ["--target", "openai:gpt-4.1-mini"]
    assert main(["analyze", "prompts", "--static", *target, "--output", "saved.json"]) == 0
    saved = json.loads(Path("saved.json").read_text())["prompts"][0]["variants"]
    assert main(["report", "saved.json", "--price-date", "2026-11-01", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)["prompts"][0]["variants"]
    assert [one["cost"] for one in again] == [one["cost"] for one in saved]


def test_a_forecast_counts_with_what_was_measured(
    run: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    prompt("triage", "metric: exact_match\nsettings: {max_output_tokens: 400}\n")
    rows = (json.dumps({"ticket": f"t{n}", "reference": "a"}) for n in range(8))
    Path("prompts/triage/evals.jsonl").write_text("".join(row + "\n" for row in rows))
    target = '[targets.mini]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
    Path("costopt.toml").write_text(f"{target}price = {{ input = 1.0, output = 4.0 }}\n")

    def foreseen(format: str) -> str:
        words = ["analyze", "prompts", "--dry-run", "--target", "mini", "-s", "concise"]
        assert main([*words, "--format", format]) == 0
        return capsys.readouterr().out

    before = json.loads(foreseen("json"))["targets"][0]
    log(asked(62, output_tokens=125))
    run()
    after = json.loads(foreseen("json"))["targets"][0]
    assert after["output_tokens"]["low"] == 125 * after["requests"]["low"]
    assert before["output_tokens"]["low"] == before["requests"]["low"]  # One token of "a".
    assert after["output_tokens"]["high"] == before["output_tokens"]["high"]
    assert "answers as long as request logs say" in foreseen("table")
