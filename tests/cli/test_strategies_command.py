"""`costopt strategies` and `costopt explain`."""

import json

import pytest

from costopt.cli.main import main
from costopt.compressors.registry import entries
from costopt.core.blocks import fences


def prose(page: str) -> list[str]:
    """Return the lines of a page that stand in no fence."""
    for fence in reversed(list(fences(page))):
        page = page[: fence.start] + page[fence.end :]
    return page.splitlines()


def test_the_list_names_every_strategy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["strategies"]) == 0
    page = capsys.readouterr().out
    lines = page.splitlines()
    assert lines[0].split()[:4] == ["Code", "Name", "Side", "Safety"]
    assert all(len(line) <= 80 for line in lines)
    listed = [line.split()[:2] for line in lines[1:] if not line.startswith(" ")]
    assert listed == [[e.code, e.name] for e in entries()]
    assert all(f"       {e.summary}" in lines for e in entries())


def test_a_wide_list_has_one_line_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    assert main(["strategies"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(entries()) + 1
    assert all(line.endswith(e.summary) for line, e in zip(lines[1:], entries(), strict=True))


def test_the_list_as_json_and_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["strategies", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["schema"] == "costopt.strategies/1"
    found = {item["name"]: item for item in data["strategies"]}
    assert found["llmlingua"]["needs"] == "costopt[llmlingua]"
    assert found["whitespace"]["safety"] == "lossless"
    assert main(["strategies", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.count("\n") == len(entries()) + 2


@pytest.mark.parametrize("name", [entry.name for entry in entries() if entry.extra is None])
def test_every_strategy_has_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    out, err = capsys.readouterr()
    assert name in out
    assert err == ""
    assert all(len(line) <= 80 for line in prose(out) if " " in line.strip("- "))


def test_a_page_by_its_code_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "co101"]) == 0
    by_code = capsys.readouterr().out
    assert main(["explain", "Whitespace"]) == 0
    assert capsys.readouterr().out == by_code


def test_an_unknown_code_is_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "whitspace"]) == 2
    assert capsys.readouterr().err == (
        "error: unknown strategy or finding 'whitspace'\n  help: did you mean \"whitespace\"?\n"
    )
    assert main(["explain", "CO3244"]) == 2
    assert 'help: did you mean "CO324"?' in capsys.readouterr().err
    assert main(["explain", "zzz"]) == 2
    assert capsys.readouterr().err == (
        "error: unknown strategy or finding 'zzz'\n  help: costopt strategies lists them all\n"
    )
