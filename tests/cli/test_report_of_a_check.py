"""``costopt report`` with a saved check."""

import sys
from pathlib import Path

import pytest

from costopt.cli import main as cli
from costopt.reports.checks.json import check_to_json
from costopt.reports.checks.show import show_check

sys.path.insert(0, str(Path(__file__).parents[1]))

from sample_check import sample_check

FORMATS = ["table", "json", "markdown", "junit", "sarif", "github"]


@pytest.fixture
def check(in_folder: Path) -> str:
    (in_folder / "check.json").write_text(check_to_json(sample_check()), encoding="utf-8")
    return "check.json"


@pytest.mark.parametrize("format", FORMATS)
def test_it_is_shown_as_the_check_itself_would(
    check: str, format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", check, "--format", format]) == 0
    found = sample_check()
    shown = show_check(found, format, width=80, colour=False, command=None)
    assert capsys.readouterr().out == shown


def test_a_page_by_the_files_suffix(check: str, in_folder: Path) -> None:
    assert cli.main(["report", check, "--output", "check.html"]) == 0
    assert "<html" in (in_folder / "check.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["--price-date", "2026-06-01"], "this is a check, which is not priced anew"),
        (["--format", "tabel"], 'unknown format "tabel"'),
    ],
)
def test_what_it_cannot_do(
    check: str, args: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", check, *args]) == 2
    assert what in capsys.readouterr().err


def test_a_broken_check_is_named(
    check: str, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / check).write_text('{"schema": "costopt.check/1"}', encoding="utf-8")
    assert cli.main(["report", check]) == 2
    assert "--> check.json" in capsys.readouterr().err
