"""``costopt usage --follow``, as people and cron jobs use it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from costopt.cli.main import main
from costopt.reports.steps import steps
from costopt.usage.watch import Step

_COSTOPT = str(Path(sys.executable).with_name("costopt"))


def _append(path: Path, *numbers: int, end: str = "\n") -> None:
    lines = [
        json.dumps(
            {
                "timestamp": f"2026-11-{1 + number:02}T10:00:00Z",
                "id": f"r{number}",
                "feature": ("chat", "search")[number % 2],
                "provider": "openai",
                "model": "gpt-4o-mini",
                "input_tokens": 1_000_000 * (number + 1),
                "output_tokens": 0,
            }
        )
        for number in numbers
    ]
    with path.open("a") as file:
        file.write("\n".join(lines) + end)


def _run(*args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [_COSTOPT, "usage", *args, "--quiet"], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return done


def test_a_nightly_job(in_folder: Path, golden: Any) -> None:
    log = in_folder / "app.jsonl"
    _append(log, 0, 1, 2)
    _append(log, 3, end="")
    _run("app.jsonl*", "--follow", "usage.duckdb", "--only-cost")
    _append(log, 4)  # Ends the line before it, wrongly: it is no JSON now.
    log.rename(in_folder / "app.jsonl.1")
    _append(log, 5, 5)
    shown = _run("app.jsonl*", "--follow", "usage.duckdb", "--only-cost").stdout
    golden("usage-follow.txt", shown.replace(shown[shown.rfind("genai-prices") :], "…\n"))
    found = json.loads(_run("--follow", "usage.duckdb", "--only-cost", "--format", "json").stdout)
    logs = ("app.jsonl", "app.jsonl.1")
    at_once = json.loads(_run(*logs, "--only-cost", "--format", "json").stdout)
    for name in ("rows", "period", "groups", "total"):
        assert found[name] == at_once[name]


def test_mistakes_are_named(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _append(in_folder / "a.jsonl", 1)
    said = {
        (): "no logs to read",
        ("--follow", "none.duckdb"): "no such ledger",
        ("a.jsonl", "--follow", "a.jsonl"): "this file is no ledger",
        ("-", "--follow", "l.duckdb"): "not standard input",
        ("none.jsonl", "--follow", "l.duckdb"): "no such log",
    }
    for args, what in said.items():
        assert main(["usage", *args]) == 2
        out, err = capsys.readouterr()
        assert what in err
        assert "bug" not in err
        assert out == ""


def test_gates_work_on_a_ledger(in_folder: Path) -> None:
    _append(in_folder / "a.jsonl", *range(20))
    (in_folder / "costopt.toml").write_text("[features.chat]\nusd_per_month = 1\n")
    _run("a.jsonl", "--follow", "l.duckdb", "--fail-on", "budget", status=1)


def _stopped(*args: str, fifo: Path) -> subprocess.CompletedProcess[str]:
    """Interrupt a run that waits for the other end of a pipe: it is in the midst of reading."""
    with (
        subprocess.Popen(
            [_COSTOPT, "usage", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as run,
        fifo.open("w"),
    ):  # Opens when the run has opened it to read.
        run.send_signal(signal.SIGINT)
        out, err = run.communicate()
    return subprocess.CompletedProcess(args, run.returncode, out, err)


def test_an_interrupted_run_ends_with_130(in_folder: Path) -> None:
    _append(in_folder / "a.jsonl", 1, 2)
    os.mkfifo(in_folder / "b.jsonl")
    done = _stopped("a.jsonl", "b.jsonl", fifo=in_folder / "b.jsonl")
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr


@pytest.mark.parametrize("name", ["RuntimeError", "KeyboardInterrupt"])
def test_an_interrupted_query_is_no_bug(
    name: str, in_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from costopt.usage import opening
    from costopt.usage.follow import opening as following

    _append(in_folder / "a.jsonl", 1)
    error = {"RuntimeError": RuntimeError, "KeyboardInterrupt": KeyboardInterrupt}[name]

    def interrupted(*_: Any) -> None:
        raise error("Query interrupted")  # What DuckDB says.

    monkeypatch.setattr(opening, "load", interrupted)
    monkeypatch.setattr(following, "append", interrupted)
    for more in ([], ["--follow", "l.duckdb"]):
        assert main(["usage", "a.jsonl", *more]) == 130
        assert "bug" not in capsys.readouterr().err


def _waited(capfd: pytest.CaptureFixture[str], until: str) -> str:
    said = ""
    for _ in range(1000):
        said += capfd.readouterr().err
        if until in said:
            return said
        time.sleep(0.01)
    raise AssertionError(said)


def test_steps_are_shown_once_they_take_time(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("costopt.reports.steps._AFTER_IN_A_LOG_S", 0)
    monkeypatch.setattr("costopt.reports.steps._EVERY_S", 0.001)
    percent = 0.0
    with steps(quiet=False, colour=False) as watch:
        total = 40_000_000
        watch(Step(what="reading", total=total, part=total, percent=lambda: percent))
        said = _waited(capfd, "reading: 0 of 40 MB\n")
        percent = 52.0
        said += _waited(capfd, "reading: 21 of 40 MB\n")
        percent = -1.0  # A query has ended; that is no way back.
        watch(Step(what="adding\x1b[31m up"))
        said += _waited(capfd, "up\n")
    assert "\x1b" not in said
    assert len(said.splitlines()) == 3
    with steps(quiet=True, colour=False) as watch:
        watch(Step(what="reading"))
    assert capfd.readouterr().err == ""


def test_steps_on_a_terminal_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import time\nfrom costopt.reports import steps as s\n"
        "from costopt.usage.watch import Step\n"
        "s._AFTER_S, s._EVERY_S = 0, 0.001\n"
        "with s.steps(quiet=False, colour=False) as watch:\n"
        "    watch(Step(what='[red]reading', total=4_000_000)); input()\n"
    )
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=theirs
    ) as run:
        os.close(theirs)
        said = b""
        while b"[red]reading: 0 of 4 MB" not in said:
            said += os.read(ours, 1000)
        run.communicate(b"\n")
    os.close(ours)
    assert run.returncode == 0
