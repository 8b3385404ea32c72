"""Bad input to `costopt analyze`: one clear error each, exit 2, nothing asked."""

import json
from pathlib import Path

import pytest

from costopt.cli.main import main

ROWS = '{"x": "1", "reference": "a"}\n{"x": "2", "reference": "b"}\n'


@pytest.fixture(autouse=True)
def _files(in_folder: Path) -> None:
    (in_folder / "p").mkdir()
    (in_folder / "p" / "prompt.md").write_text("Say {{ x }}.\n", encoding="utf-8")
    (in_folder / "p" / "evals.jsonl").write_text(ROWS, encoding="utf-8")
    (in_folder / "empty").mkdir()
    (in_folder / "bad").mkdir()


@pytest.mark.parametrize(
    ("args", "what", "help_"),
    [
        ("missing", "no such file or folder", ""),
        ("empty", "no prompts found in empty", "prompts end in"),
        ("p --strategy whitspace", "unknown strategy 'whitspace'", '"whitespace"'),
        ("p --strategy whitespace:x=1", "has no parameter 'x'", ""),
        ("p --metric exact_mtch", 'unknown metric "exact_mtch"', '"exact_match"'),
        ("p --target embeded", 'no target "embeded"', '"embedded"'),
        ("p --target openai:gpt-5.4-mini", "OPENAI_API_KEY is not set", "OPENAI_API_KEY"),
        ("p --eval-set nope.jsonl", "no such eval set", ""),
        ("p --eval-set hf:no/such --offline", "cannot be read offline", ""),
        ("p --config nope.toml", "no such configuration file", ""),
    ],
)
def test_one_error(args: str, what: str, help_: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", *args.split(), "--run-dir", "run"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, *rest = err.splitlines()
    assert first.startswith("error: ")
    assert what in first
    assert help_ in "".join(rest)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("x.md", b"\x89PNG\x00\xff", "binary"),
        ("x.json", b'{"messages":', "broken JSON"),
        ("x.yaml", b"messages: [\n", "broken YAML"),
        ("x.j2", b"Hi {{ name \n", "unterminated"),
        ("x.md", b"", "empty"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    name: str, data: bytes, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad", name).write_bytes(data)
    assert main(["analyze", f"bad/{name}", "--static"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert what in err
    assert f"  --> bad/{name}" in err


def test_what_can_be_read_is_analysed_and_the_rest_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("bad", "x.json").write_bytes(b'{"messages":')
    assert main(["analyze", ".", "--static", "--strategy", "whitespace", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [prompt["path"] for prompt in data["prompts"]] == ["p/prompt.md"]
    assert [(item["path"], item["line"]) for item in data["skipped"]] == [("bad/x.json", 1)]
