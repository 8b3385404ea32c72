"""`costopt compare`: the pages, exit statuses, kinds of files, and errors."""

import json
from collections.abc import Callable
from pathlib import Path

import ledger
import pytest
from payloads import hostile, live

from costopt.cli.main import main
from costopt.core.report import Report
from costopt.reports.json import to_json
from costopt.reports.sections import Name, Section, as_markdown, as_table

WORST = next(line for line in ledger.LINES if line.name == "entropy-0.5")
MODEL = ("--priced-as", "openai:gpt-4o-mini", "--price-ratio", "5")


@pytest.fixture
def logs(in_folder: Path) -> tuple[str, str]:
    for line in (ledger.BASE, WORST):
        ledger.plain_log(in_folder, line)
    return "base.jsonl", f"{WORST.name}.jsonl"


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_two_logs(
    name: str,
    logs: tuple[str, str],
    golden: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["compare", *logs, *MODEL, "--format", name]) == 0
    golden(f"logs.{'txt' if name == 'table' else 'md'}", capsys.readouterr().out)


def test_the_json_of_two_logs(logs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *logs, *MODEL, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["kind"], found["paired"]) == ("costopt.compare/1", "logs", 100)
    reading = found["quality"]["reading"]
    assert (reading["gained"], reading["lost"], found["quality"]["verdict"]) == (2, 26, "worse")
    assert reading["difference"]["low"] < -0.24 < reading["difference"]["high"]
    model, ratio = found["money"]["savings"]
    assert (model["estimated"], ratio["estimated"]) == (True, False)
    assert ratio["base_usd"] is None
    assert model["head_usd"] / model["base_usd"] == pytest.approx(1 - model["saving"])
    assert ratio["low"] < ratio["saving"] < ratio["high"]


def test_every_page_fits_80_columns(
    logs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *logs, *MODEL]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["table", "markdown"])
def test_two_reports(
    name: str,
    sample_report: Report,
    in_folder: Path,
    golden: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = to_json(sample_report)
    Path("a.json").write_text(text, "utf-8")
    Path("b.json").write_text(text.replace('"holds"', '"worse"').replace("812.25", "700"), "utf-8")
    assert main(["compare", "a.json", "b.json", "--format", name, "--fail-on-worse"]) == 1
    golden(f"reports.{'txt' if name == 'table' else 'md'}", capsys.readouterr().out)


def test_two_prompts(
    in_folder: Path, golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    text = "Please answer in order to help.\n\n\n\nQuestion: {{ q }}\n"
    Path("a.md").write_text(text)
    Path("b.md").write_text(text.replace("Please answer in order to", "Answer to"))
    assert main(["compare", "a.md", "b.md", "-t", "openai:gpt-4o-mini"]) == 0
    golden("prompts.txt", capsys.readouterr().out)


def test_exit_statuses(logs: tuple[str, str]) -> None:
    base, head = logs
    assert main(["compare", base, head, "--output", "x.json"]) == 0
    assert main(["compare", base, head, "--fail-on-worse", "--output", "x.md"]) == 1
    assert main(["compare", base, base, "--fail-on-worse", "--output", "x.md"]) == 0
    assert json.loads(Path("x.json").read_text("utf-8"))["schema"] == "costopt.compare/1"


def test_the_suffix_is_no_kind_where_it_may_be_two(
    logs: tuple[str, str], in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": n, "score": n % 2} for n in range(30)]
    Path("log.json").write_text(json.dumps(rows))
    Path("chat.json").write_text(json.dumps([{"role": "user", "content": "Say {{ q }}."}]))
    for name, kind in (("log.json", "logs"), ("chat.json", "prompts")):
        assert main(["compare", name, name, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["kind"] == kind


def test_scores_without_a_range(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, off in (("a", 0.0), ("b", -1.0)):
        rows = [{"id": n, "score": n % 7 + off + n / 100, "answer": "x" * 8} for n in range(30)]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["compare", "a.jsonl", "b.jsonl", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["quality"]["verdict"] == "worse"
    assert found["quality"]["reading"]["p"] is None
    assert any("any loss counts" in note for note in found["notes"])
    assert found["money"]["input"] is None
    assert "the saving is not measured" in found["money"]["notes"][0]


def test_a_metric_scores_anew(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a", "Paris"), ("b", "It is Paris, I think.")):
        rows = [{"id": n, "answer": text, "reference": "Paris", "score": 1} for n in range(30)]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert (
        main(["compare", "a.jsonl", "b.jsonl", "--metric", "exact_match", "--format", "json"]) == 0
    )
    quality = json.loads(capsys.readouterr().out)["quality"]
    assert quality["reading"]["name"] == "exact_match"
    assert (quality["reading"]["head"]["mean"], quality["verdict"]) == (0.0, "worse")


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["base.jsonl", "missing.jsonl"], "no such file"),
        (["base.jsonl", "."], "this is a folder"),
        (["base.jsonl", "a.md"], "base.jsonl is a log and a.md a prompt"),
        (["base.jsonl", "other.jsonl"], "no id of base.jsonl is in it"),
        (["base.jsonl", "base.jsonl", "--columns", "id"], '"id" names no column'),
        (["base.jsonl", "base.jsonl", "--price-ratio", "x"], '"x" is no ratio of prices'),
        (["base.jsonl", "base.jsonl", "--metric", "log_likelihood"], "the metric log_likelihood"),
        (["base.jsonl", "base.jsonl", "--target", "nobody"], 'there is no target "nobody"'),
        (["bad.json", "bad.json"], "broken JSON"),
    ],
)
def test_errors_are_one_block(
    args: list[str], what: str, logs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.md").write_text("Say {{ q }}.\n")
    Path("other.jsonl").write_text('{"id": "elsewhere", "score": 1}\n')
    Path("bad.json").write_text("{")
    assert main(["compare", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"error: {what}" in err
    assert "Traceback" not in err


def test_nothing_in_a_log_is_obeyed(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = [text for text in hostile() if "\x00" not in text and text.isprintable() is not None]
    for name, keep in (("a", slice(0, 150)), ("b", slice(50, 200))):
        rows = [
            {"id": f"{text} {n}", "answer": text, "reference": text, "cluster": text or "x"}
            for n, text in list(enumerate(texts))[keep]
        ]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    for format in ("table", "markdown", "json"):
        assert main(["compare", "a.jsonl", "b.jsonl", "--format", format]) == 0
        assert live(capsys.readouterr().out) == []


def test_no_part_of_a_page_is_obeyed() -> None:
    from costopt.reports.sections import Header

    for text in hostile():
        lines = [f"{sign}{line}" for sign in "+- " for line in text.splitlines() or [""]]
        section = Section(
            heading=(Name(text),),
            headers=(Header(text="A", right=False), Header(text="B")),
            rows=((Name(text), "1"),),
            lines=((Name(text), " said"), ("It said ", Name(text))),
            diff=tuple(lines),
        )
        assert live(as_table((Name(text),), [section], 80)) == []
        page = as_markdown((Name(text),), [section])
        assert live(page) == []
        # What stands outside of code spans and the fence is costopt's own.
        assert page.count("```") >= 2
