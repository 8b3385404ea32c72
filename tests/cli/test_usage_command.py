"""The command ``costopt usage``, as people and scripts see it."""

import gzip
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from costopt.cli.main import main

_START = "2026-11-0"


def _log(path: Path, many: int = 12, **more: Any) -> Path:
    lines: list[dict[str, Any]] = [
        {
            "timestamp": f"{_START}{1 + n // 4}T{10 + n % 4}:00:00Z",
            "id": f"r{n}",
            "feature": ("chat", "search")[n % 2],
            "provider": "openai",
            "model": ("gpt-4o-mini", "o3", "in-house")[n % 3],
            "input_tokens": 1000 * (n + 1),
            "cached_tokens": 500 * (n % 2),
            "output_tokens": 100 + n,
            "latency_ms": 300 + 100 * n,
            "error": "timeout" if n == 7 else None,
            **more,
        }
        for n in range(many)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


class _Run:
    """Runs the command in this process, which takes a tenth of the time of a new one."""

    def __init__(self, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *args: object, status: int = 0, input: bytes = b"") -> tuple[str, str]:
        self._patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(input)))
        found = main(["usage", *map(str, args)])
        out, err = self._capsys.readouterr()
        assert found == status, err
        return out, err

    def json(self, *args: object, **more: Any) -> Any:
        return json.loads(self(*args, "--format", "json", **more)[0])


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> _Run:
    """The command."""
    return _Run(capsys, monkeypatch)


def test_the_table(run: _Run, in_folder: Path, golden: Any) -> None:
    _log(in_folder / "log.jsonl")
    (in_folder / "more.jsonl").write_text("no json\n" + "{}\n")
    shown = run("log.jsonl", "more.jsonl", "--only-cost")[0]
    assert max(map(len, shown.splitlines())) <= 80
    golden("usage-table.txt", re.sub(r"genai-prices [\d.]+", "genai-prices X", shown))


def test_markdown_is_inert(run: _Run, in_folder: Path, golden: Any) -> None:
    hostile = "a|b`c` <img src=x> [l](http://x) @all \x1b[31m\n# h"
    _log(in_folder / "log.jsonl", 2, feature=hostile, model=hostile)
    shown = run("log.jsonl", "--only-cost", "--format", "markdown")[0]
    assert "\x1b" not in shown
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", shown)
    assert not re.search(r"<img|\[l\]|@all|^# h", outside, re.MULTILINE)
    golden("usage-hostile.md", shown)


def test_json_has_the_contracts_shape(run: _Run, in_folder: Path) -> None:
    _log(in_folder / "log.jsonl")
    found = run.json("log.jsonl", "--by", "model,feature")
    assert found["schema"] == "costopt.usage/1"
    assert found["period"] == {"from": f"{_START}1T10:00:00Z", "to": f"{_START}3T13:00:00Z"}
    assert found["rows"]["read"] == 12
    assert {"bad", "duplicate", "unpriced"} <= found["rows"].keys()
    assert found["rows"]["unpriced"] == 4
    assert found["groups"][0]["by"] == {"model": "o3", "feature": "chat"}
    assert {"requests", "input_tokens", "cache_read_tokens", "output_tokens", "usd"} <= found[
        "total"
    ].keys()
    assert found["total"]["input_tokens"] == 78_000
    assert found["total"]["errors"] == 1
    assert isinstance(found["anomalies"], list)
    assert isinstance(found["recommendations"], list)
    unpriced = [group for group in found["groups"] if group["by"]["model"] == "in-house"]
    assert [group["usd"] for group in unpriced] == [None, None]


def test_standard_input_a_folder_and_a_glob_are_the_same(run: _Run, in_folder: Path) -> None:
    path = _log(in_folder / "log.jsonl")
    folder = in_folder / "logs"
    folder.mkdir()
    path.rename(folder / "log.jsonl")
    given = (folder / "log.jsonl").read_bytes()
    totals = [
        run.json("-", input=given)["total"],
        run.json("logs")["total"],
        run.json("logs/*.jsonl")["total"],
        run.json("logs/log.jsonl", "logs")["total"],
    ]
    assert totals.count(totals[0]) == 4


def test_a_period_is_asked_for(run: _Run, in_folder: Path) -> None:
    _log(in_folder / "log.jsonl")
    found = run.json("log.jsonl", "--since", f"{_START}2", "--until", f"{_START}3T00:00Z")
    assert found["rows"]["in_period"] == 4
    assert found["period"] == {"from": f"{_START}2T00:00:00Z", "to": f"{_START}3T00:00:00Z"}


def test_columns_are_mapped_by_the_configuration(run: _Run, in_folder: Path) -> None:
    (in_folder / "costopt.toml").write_text(
        '[usage.columns]\ntimestamp = "when"\ninput_tokens = "n in"\noutput_tokens = "n out"\n'
        'model = "engine"\nfeature = "team"\n[targets.mine]\nmodel = "x1"\n'
        "price = { input = 1, output = 2 }\n"
    )
    (in_folder / "log.csv").write_text(
        "when,engine,team,n in,n out\n2026-11-01 10:00:00,x1,red,1000000,500000\n"
    )
    (group,) = run.json("log.csv")["groups"]
    assert group["by"] == {"feature": "red", "model": "x1"}
    assert group["usd"] == 2.0


def test_requests_are_linked_to_prompts_by_their_text(run: _Run, in_folder: Path) -> None:
    prompts = in_folder / "prompts"
    prompts.mkdir()
    (prompts / "greet.md").write_text("Write a short greeting for {{ name }}. Be kind and brief.")
    (prompts / "sum.md").write_text("Summarise the following text in one line:\n\n{{ text }}\n")
    texts = (
        "Write a short greeting for Zoë. Be kind and brief.",
        "Summarise the following text in one line:\n\nOnce upon a time.",
        "Something else altogether.",
    )
    lines = [
        {
            "timestamp": "2026-11-01T00:00:00Z",
            "request": {"messages": [{"role": "user", "content": text}]},
            "response": {
                "id": f"r{n}",
                "model": "gpt-4o-mini",
                "usage": {"prompt_tokens": 10, "completion_tokens": 1},
            },
        }
        for n, text in enumerate(texts)
    ]
    (in_folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = run.json("log.jsonl", "--by", "prompt", "--prompts", "prompts")
    assert {group["by"]["prompt"]: group["requests"] for group in found["groups"]} == {
        "greet": 1,
        "sum": 1,
        None: 1,
    }


@pytest.mark.parametrize(
    ("args", "what", "hint"),
    [
        (["nothing.jsonl"], "no such log", "standard input"),
        (["log.jsonl", "--by", "modle"], 'no dimension "modle"', 'did you mean "model"'),
        (["log.jsonl", "--log-format", "otell"], 'unknown log format "otell"', '"otel"'),
        (["log.jsonl", "--since", "soon"], "--since must be a date", "2026-11-01"),
        (["log.jsonl", "--since", "2026-02-01", "--until", "2026-01-01"], "period is empty", ""),
    ],
)
def test_mistakes_are_named(
    run: _Run, in_folder: Path, args: list[str], what: str, hint: str
) -> None:
    _log(in_folder / "log.jsonl", 2)
    said = run(*args, status=2)[1]
    assert what in said
    assert hint in said
    assert "Traceback" not in said


def test_without_duckdb_it_says_what_to_install(in_folder: Path) -> None:
    _log(in_folder / "log.jsonl", 2)
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from costopt.cli.main import main; sys.exit(main(['usage', 'log.jsonl']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "pip install 'costopt[logs]'" in run.stderr


def test_the_installed_command(in_folder: Path) -> None:
    path = _log(in_folder / "log.jsonl")
    (in_folder / "log.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    run = subprocess.run(
        [str(Path(sys.executable).with_name("costopt")), "usage", ".", "-q", "-o", "out.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert json.loads((in_folder / "out.json").read_text())["rows"]["read"] == 12


def test_a_page_by_its_suffix_or_by_name(run: _Run, in_folder: Path) -> None:
    hostile = "</script><script>alert(1)</script>\u202e"
    _log(in_folder / "log.jsonl", feature=hostile)
    assert run("log.jsonl", "--output", "page.html") == ("", "")
    page = (in_folder / "page.html").read_text("utf-8")
    assert page == run("log.jsonl", "--format", "html")[0]
    assert page.startswith("<!doctype html>")
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert "<h2>What if</h2>" in page
    assert "<h2>What if</h2>" not in run("log.jsonl", "--format", "html", "--only-cost")[0]


def test_json_has_cost_over_time(run: _Run, in_folder: Path) -> None:
    _log(in_folder / "log.jsonl")
    found = run.json("log.jsonl")
    times = found["over_time"]
    assert (times["step"], times["features"]) == ("hour", ["chat", "search"])
    assert sum(slot["usd"] or 0 for slot in times["slots"]) == pytest.approx(found["total"]["usd"])
    assert sum(slot["unpriced"] for slot in times["slots"]) == found["rows"]["unpriced"]
    assert run.json("log.jsonl", "--only-cost")["over_time"] is None


def test_the_trend_says_what_it_is_against(run: _Run, in_folder: Path) -> None:
    _log(in_folder / "log.jsonl")
    words = ("log.jsonl", "--only-cost", "--format", "markdown")
    assert "money of the second half of this time against the first; in all" in run(*words)[0]
    period = ("--since", f"{_START}2T12:00Z", "--until", f"{_START}2T14:00Z")
    shown = run(*words, *period)[0]
    assert "money of this time against the one before it of the same length; in all" in shown
