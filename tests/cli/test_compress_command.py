"""`costopt compress`: to standard output, as a diff, or in place; nothing else changes."""

import io
import sys
from pathlib import Path

import pytest

from costopt.cli.main import main

PROMPT = "---\nname: x\n---\nHello {{ name }}.   \n\n\n\nBe brief.\n"
SHORT = "---\nname: x\n---\nHello {{ name }}.\n\nBe brief.\n"


@pytest.fixture
def prompt(in_folder: Path) -> Path:
    file = in_folder / "p.md"
    file.write_bytes(PROMPT.encode())
    return Path("p.md")


def test_to_standard_output(prompt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "p.md", "--strategy", "whitespace"]) == 0
    assert capsys.readouterr() == (SHORT, "")
    assert prompt.read_bytes() == PROMPT.encode()


def test_lossless_strategies_by_default(prompt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "p.md"]) == 0
    assert capsys.readouterr().out == SHORT


def test_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a   \n\n\n\nb\n")))
    assert main(["compress", "-", "-s", "whitespace"]) == 0
    assert capsys.readouterr().out == "a\n\nb\n"


def test_a_diff_changes_nothing(prompt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "p.md", "-s", "whitespace", "--diff"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["--- p.md", "+++ p.md (compressed)"]
    assert "-Hello {{ name }}.   " in lines
    assert "+Hello {{ name }}." in lines
    assert prompt.read_bytes() == PROMPT.encode()


def test_in_place(prompt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compress", "p.md", "-s", "whitespace", "--write"]) == 0
    assert capsys.readouterr().out == ""
    assert prompt.read_bytes() == SHORT.encode()
    assert main(["compress", "p.md", "-s", "whitespace", "--write"]) == 0
    assert capsys.readouterr().err == "p.md: no change\n"
    assert prompt.read_bytes() == SHORT.encode()


def test_windows_newlines_stay(in_folder: Path) -> None:
    file = in_folder / "p.md"
    file.write_bytes(PROMPT.replace("\n", "\r\n").encode())
    assert main(["compress", "p.md", "-s", "whitespace", "--write"]) == 0
    assert file.read_bytes() == SHORT.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["missing.md"], "error: no such file"),
        (["p.md", "-s", "whitespce"], "unknown strategy 'whitespce'"),
        (["p.md", "-s", "whitespace+"], "has an empty part"),
        (["p.md", "-s", "whitespace:x=1"], "no parameter 'x'"),
        (["p.md", "-s", "token-budget:tokens=-5"], "token"),
        (["p.md", "-s", "filler", "--lossless"], "not lossless: filler"),
        (["-", "--write"], "--write needs a file"),
        (["p.md", "--write", "--output", "x.md"], "exclude each other"),
        (["-", "--input-format", "markdwon"], "unknown prompt format"),
        ([".", "-s", "whitespace"], "error: "),
    ],
)
def test_bad_input_is_one_error(
    args: list[str],
    what: str,
    prompt: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a")))
    assert main(["compress", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert what in err
    assert "bug of costopt" not in err
    assert prompt.read_bytes() == PROMPT.encode()


def test_a_binary_file_is_one_error(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (in_folder / "x.txt").write_bytes(b"\x89PNG\x00\xff")
    assert main(["compress", "x.txt"]) == 2
    assert "x.txt" in capsys.readouterr().err
