"""The command line: help, version, and every error as one block with exit status 2."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from costopt import __version__
from costopt.cli import main as cli
from costopt.core.errors import CostoptError, Where

COSTOPT = str(Path(sys.executable).parent / "costopt")
COMMANDS = [
    "analyze", "tokens", "compress", "compare", "report", "strategies", "explain", "models",
    "batch", "check", "comment", "init", "usage", "cache",
]  # fmt: skip


def run(*args: str, cwd: Path | None = None, **env: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "COLUMNS": "80", **env}
    return subprocess.run(
        [COSTOPT, *args], capture_output=True, text=True, cwd=cwd, env=environment, timeout=120
    )


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(command: str, golden: Callable[[str, str], None]) -> None:
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    if command not in ("tokens", "models"):  # their own tests look at these
        golden(f"help-{command or 'costopt'}.txt", done.stdout)


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str) -> None:
    done = run(option)
    assert (done.returncode, done.stdout) == (0, f"costopt {__version__}\n")


def test_without_arguments_it_helps_on_standard_error() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: costopt")


def test_completion_is_offered() -> None:
    done = run(_COSTOPT_COMPLETE="complete_bash", COMP_WORDS="costopt ana", COMP_CWORD="1")
    assert "analyze" in done.stdout


def call(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, list[str]]:
    status = cli.main(list(args))
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return status, err.splitlines()


@pytest.mark.parametrize(
    ("args", "what", "help_"),
    [
        (["anlayze"], "No such command 'anlayze'. Did you mean 'analyze'?", "costopt --help"),
        (["analyze"], "Missing argument", "costopt analyze --help"),
        (["analyze", ".", "--tragets", "x"], "No such option: --tragets", "--help"),
        (["analyze", ".", "--samples", "0"], "Invalid value for '--samples'", "--help"),
        (["analyze", ".", "--samples", "-3"], "Invalid value for '--samples'", "--help"),
        (["analyze", ".", "--margin", "-1"], "Invalid value for '--margin'", "--help"),
        (["analyze", ".", "--seed", "x"], "Invalid value for '--seed'", "--help"),
        (["analyze", ".", "--max-cost", "abc"], "--max-cost must be an amount", "0.50"),
        (["analyze", ".", "--max-cost=-1"], "--max-cost must be an amount", "0.50"),
        (["analyze", ".", "--max-cost", "nan"], "--max-cost must be an amount", "0.50"),
        (["analyze", ".", "--format", "jsn"], 'unknown format "jsn"', '"json"'),
        (["strategies", "--format", "html"], 'unknown format "html"', "markdown"),
        (["report", "x", "--format", "tabel"], 'unknown format "tabel"', '"table"'),
    ],
)
def test_bad_usage_is_one_block(
    args: list[str], what: str, help_: str, capsys: pytest.CaptureFixture[str], in_folder: Path
) -> None:
    status, lines = call(capsys, *args)
    assert status == 2
    assert len(lines) == 2
    assert lines[0].startswith(f"error: {what}")
    assert lines[1].startswith("  help: ")
    assert help_ in lines[1]


def test_a_missing_path_is_named(capsys: pytest.CaptureFixture[str], in_folder: Path) -> None:
    status, lines = call(capsys, "analyze", "nope/x.md")
    assert status == 2
    assert lines[:2] == ["error: no such file or folder", "  --> nope/x.md"]


@pytest.mark.parametrize("output", ["missing/report.json", "folder"])
def test_an_output_that_cannot_be_written_is_refused_first(
    output: str, capsys: pytest.CaptureFixture[str], in_folder: Path
) -> None:
    (in_folder / "folder").mkdir()
    status, lines = call(capsys, "analyze", ".", "--output", output)
    assert status == 2
    assert lines[1] == f"  --> {output}"


def test_a_broken_configuration_is_named(
    capsys: pytest.CaptureFixture[str], in_folder: Path
) -> None:
    (in_folder / "costopt.toml").write_text("[costopt]\nsampels = 3\n", encoding="utf-8")
    status, lines = call(capsys, "analyze", ".")
    assert status == 2
    assert lines[0] == 'error: unknown key "sampels" in [costopt]'
    assert lines[1].endswith("costopt.toml:2")
    assert lines[2] == '  help: did you mean "samples"?'


def _raise(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def command(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(cli, "get_command", lambda app: command)


def test_an_error_cannot_control_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "bad \x1b[2J\nname\u202e ##[error]"
    _raise(monkeypatch, CostoptError(text, where=Where(text, 3, 4), hint=text))
    status, lines = call(capsys, "analyze")
    assert status == 2
    assert lines == [
        "error: bad \\x1b[2J name\\u202e ## [error]",
        "  --> bad \\x1b[2J name\\u202e ## [error]:3:4",
        "  help: bad \\x1b[2J name\\u202e ## [error]",
    ]


def test_a_bug_is_called_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raise(monkeypatch, KeyError("x"))
    status, lines = call(capsys, "analyze")
    assert status == 2
    assert lines[0] == "error: this is a bug of costopt: KeyError: 'x'"
    assert "--debug" in lines[2]


def test_debug_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raise(monkeypatch, KeyError("x"))
    assert cli.main(["analyze", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_is_130(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raise(monkeypatch, KeyboardInterrupt())
    assert call(capsys, "analyze") == (130, ["error: interrupted"])


def test_a_reader_that_went_away_is_no_error(tmp_path: Path) -> None:
    # About 1 MB, more than a pipe holds, into a reader that reads nothing.
    (tmp_path / "big.txt").write_text("word \n" * 200_000, encoding="utf-8")
    command = f"'{COSTOPT}' compress big.txt --quiet | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
