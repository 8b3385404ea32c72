"""`costopt report`: a saved report in every format, from a file or standard input."""

import io
import json
import sys
from pathlib import Path

import pytest

from costopt.cli.main import main
from costopt.core.report import Report
from costopt.reports.json import to_json
from costopt.reports.markdown import to_markdown
from costopt.reports.terminal import render


@pytest.fixture
def saved(sample_report: Report, in_folder: Path) -> Path:
    file = in_folder / "report.json"
    file.write_text(to_json(sample_report), encoding="utf-8")
    return file


def test_a_table_by_default(
    saved: Path, sample_report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(saved)]) == 0
    assert capsys.readouterr().out == render(sample_report, 80, False)


def test_other_formats(
    saved: Path, sample_report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(saved), "--format", "markdown"]) == 0
    assert capsys.readouterr().out == to_markdown(sample_report)
    assert main(["report", str(saved), "--format", "json"]) == 0
    assert capsys.readouterr().out == saved.read_text(encoding="utf-8")


def test_the_suffix_of_the_output_chooses(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(saved), "--output", "again.json"]) == 0
    assert main(["report", str(saved), "--output", "page.md"]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(Path("again.json").read_text("utf-8"))["schema"] == "costopt.report/1"
    assert Path("page.md").read_text("utf-8").startswith("# costopt report")


def test_a_page(saved: Path, sample_report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(saved), "--output", "page.html"]) == 0
    assert main(["report", str(saved), "--output", "page.htm"]) == 0
    page = Path("page.html").read_text("utf-8")
    assert page == Path("page.htm").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "no answers can be shown" in page  # the report's prompts are not here
    assert capsys.readouterr().out == ""
    assert main(["report", str(saved), "--format", "html"]) == 0
    assert capsys.readouterr().out == page


def test_an_output_replaces_all_at_once(saved: Path) -> None:
    Path("page.md").write_text("old " * 100_000, encoding="utf-8")
    Path("page.md").chmod(0o640)
    assert main(["report", str(saved), "--output", "page.md"]) == 0
    assert "old" not in Path("page.md").read_text("utf-8")[:50]
    assert Path("page.md").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in Path().iterdir()) == ["page.md", "report.json"]


def test_standard_input(
    saved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(saved.read_bytes())))
    assert main(["report", "-"]) == 0
    assert "support-triage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "broken JSON"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b'{"schema": "costopt.tokens/1"}', "not a report of schema costopt.report/1"),
    ],
)
def test_what_is_no_report_is_one_block(
    data: bytes, what: str, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "x.json").write_bytes(data)
    assert main(["report", "x.json"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert what in lines[0]
    assert lines[1].startswith("  --> x.json")


def test_a_missing_report_or_a_folder(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "x.json"]) == 2
    assert "error: no such file\n  --> x.json" in capsys.readouterr().err
    assert main(["report", "."]) == 2
    assert "this is a folder" in capsys.readouterr().err
