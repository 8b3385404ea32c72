"""`costopt analyze`: how options and configuration become one request, and how it ends."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from costopt.cli.main import main
from costopt.core.errors import CostoptError
from costopt.core.progress import Progress
from costopt.core.report import Report, StrategyInfo
from costopt.evals import analysis
from costopt.evals.analysis import Interrupted
from costopt.evals.options import AnalyzeOptions
from costopt.reports.json import from_json
from costopt.reports.markdown import to_markdown

Asked = list[AnalyzeOptions]


@pytest.fixture
def asked(sample_report: Report, monkeypatch: pytest.MonkeyPatch, in_folder: Path) -> Asked:
    """What the command asks for, answered with the sample report."""
    (in_folder / "prompts").mkdir()
    found: Asked = []

    def answer(options: AnalyzeOptions, progress: Progress, foretold: object = None) -> Report:
        progress.note("measuring")
        found.append(options)
        return sample_report

    monkeypatch.setattr(analysis, "analyze", answer)
    return found


def test_defaults(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "prompts"]) == 0
    assert asked == [AnalyzeOptions(paths=(Path("prompts"),))]
    out, err = capsys.readouterr()
    assert out.startswith("costopt 0.1.0  2 prompts")
    assert "costopt analyze prompts --write" in out
    assert err == "measuring\n"


def test_a_page(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "prompts", "--output", "page.html"]) == 0
    assert "whitespace+filler" in Path("page.html").read_text("utf-8")
    Path("costopt.toml").write_text('[costopt]\nformat = "html"\n')
    capsys.readouterr()
    assert main(["analyze", "prompts"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")


def test_only_reports_have_pages(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (in_folder / "a.txt").write_text("Say it.")
    assert main(["tokens", "a.txt", "--format", "html"]) == 2
    assert 'unknown format "html"' in capsys.readouterr().err
    (in_folder / "costopt.toml").write_text('[costopt]\nformat = "html"\n')
    assert main(["tokens", "a.txt"]) == 0
    assert "<" not in capsys.readouterr().out


def test_every_option_arrives(asked: Asked) -> None:
    args = (
        "analyze prompts -t a --target b -s whitespace+filler --strategy concise --eval-set e.csv "
        "--metric accuracy --samples 9 --margin 0.02 --max-cost 0.50 --max-requests 100 "
        "--concurrency 3 --suggest-targets --static --lossless --offline --run-dir r --resume "
        "--seed 7 --quiet --no-color --debug"
    )
    assert main(args.split()) == 0
    assert asked == [
        AnalyzeOptions(
            paths=(Path("prompts"),),
            targets=("a", "b"),
            strategies=("whitespace+filler", "concise"),
            eval_set="e.csv",
            metric="accuracy",
            samples=9,
            margin=0.02,
            max_cost=Decimal("0.50"),
            max_requests=100,
            concurrency=3,
            suggest_targets=True,
            static=True,
            lossless=True,
            offline=True,
            run_dir=Path("r"),
            seed=7,
        )
    ]


def test_the_configuration_fills_what_is_left_out(asked: Asked) -> None:
    text = '[costopt]\ntarget = "big"\nsamples = 20\nseed = 3\nmargin = 0.01\nquiet = true\n'
    Path("costopt.toml").write_text(text, encoding="utf-8")
    assert main(["analyze", "prompts", "--samples", "5"]) == 0
    options = asked[0]
    assert (options.targets, options.samples, options.seed) == (("big",), 5, 3)
    assert options.margin == 0.01
    assert options.config.path is not None


def test_the_next_command_repeats_the_options(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["analyze", "prompts", "--target", "a b", "--static", "--quiet", "--format", "table"]
    assert main(args) == 0
    assert "costopt analyze prompts --target 'a b' --static --write" in capsys.readouterr().out


def test_quiet_says_nothing_on_standard_error(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", "prompts", "-q", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["schema"] == "costopt.report/1"
    assert err == ""


def _ends(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def end(options: AnalyzeOptions, progress: Progress, foretold: object = None) -> Report:
        raise error

    monkeypatch.setattr(analysis, "analyze", end)


def test_an_interruption_shows_what_was_done(
    asked: Asked,
    sample_report: Report,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _ends(monkeypatch, Interrupted(replace(sample_report, partial=True)))
    assert main(["analyze", "prompts"]) == 130
    assert "PARTIAL" in capsys.readouterr().out


def test_an_interruption_writes_no_prompt(
    asked: Asked, sample_report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ends(monkeypatch, Interrupted(replace(sample_report, partial=True)))
    assert main(["analyze", "prompts", "--write"]) == 130
    assert list(Path("prompts").iterdir()) == []


def test_an_error_is_one_block(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _ends(monkeypatch, CostoptError("no prompt here", hint="name one"))
    assert main(["analyze", "prompts"]) == 2
    assert capsys.readouterr() == ("", "error: no prompt here\n  help: name one\n")


PROMPT = "---\nname: x\n---\nHello {{ name }}.   \n\n\n\nBe brief.\n"


def _recommending(report: Report, before: str, after: str) -> Report:
    """The sample's first prompt, as if it were the file p.md with a shorter text."""
    prompt = report.prompts[0]
    baseline, best = prompt.variants[:2]

    def text(variant: object, content: str) -> object:
        message = replace(baseline.messages[0], content=content)
        return replace(variant, messages=(message,))  # type: ignore[type-var]

    changed = (text(baseline, before), text(best, after))
    one = replace(prompt, name="x", path="p.md", variants=changed)
    return replace(report, prompts=(one,))


@pytest.fixture
def writes(
    asked: Asked, sample_report: Report, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    def write(before: str, after: str, **changes: object) -> int:
        report = replace(_recommending(sample_report, before, after), **changes)  # type: ignore[arg-type]
        monkeypatch.setattr(analysis, "analyze", lambda options, progress, foretold: report)
        return main(["analyze", "prompts", "--write", "--output", "report.json"])

    Path("p.md").write_text(PROMPT, encoding="utf-8")
    return write


def test_write_changes_the_file(
    writes: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    from costopt.core.formats import load_file

    content = load_file(Path("p.md"))[0].messages[0].content
    assert writes(content, content.replace(".   \n\n\n\n", ".\n\n")) == 0
    assert Path("p.md").read_text("utf-8") == "---\nname: x\n---\nHello {{ name }}.\n\nBe brief.\n"
    said = capsys.readouterr().err
    assert said.startswith("--- p.md\n+++ p.md (whitespace+filler)\n@@ -1,8 +1,6 @@\n")
    assert said.endswith("\nwrote whitespace+filler into p.md\n")


def test_what_is_done_at_run_time_is_said_and_not_written(
    writes: Callable[..., int], sample_report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    from costopt.core.formats import load_file

    content = load_file(Path("p.md"))[0].messages[0].content
    prompt = _recommending(sample_report, content, content).prompts[0]
    params = {"on": "name", "question": "ask", "rate": 0.4}
    used = StrategyInfo(name="sentences", params=params, side="input", safety="lossy")
    best = replace(
        prompt.variants[1], strategies=(used,), runtime=sample_report.prompts[0].variants[3].runtime
    )
    assert (
        writes(content, content, prompts=(replace(prompt, variants=(prompt.variants[0], best)),))
        == 0
    )
    assert Path("p.md").read_text("utf-8") == PROMPT
    assert capsys.readouterr().err == (
        "nothing to write into p.md\n  when a request is made: "
        'costopt.compressors.get("sentences", rate=0.4)(name, question=ask)\n'
    )
    page = to_markdown(from_json(Path("report.json").read_text("utf-8")))
    assert '- in a program: `costopt.compressors.get("sentences", rate=0.4)(name' in page
    assert "--write" not in page


def test_write_refuses_a_file_that_changed(
    writes: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert writes("something else", "shorter") == 2
    assert Path("p.md").read_text("utf-8") == PROMPT
    assert "the file changed since it was analysed" in capsys.readouterr().err
    assert Path("report.json").exists()


def test_write_refuses_a_file_that_changes_during_the_run(
    asked: Asked,
    sample_report: Report,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from costopt.core.formats import load_file

    Path("p.md").write_text(PROMPT, encoding="utf-8")
    content = load_file(Path("p.md"))[0].messages[0].content
    report = _recommending(sample_report, content, content.replace("\n\n\n\n", "\n\n"))
    report = replace(report, prompts=(replace(report.prompts[0], path="p.md"),))
    # Not even what no prompt shows: what somebody wrote meanwhile is theirs.
    changed = PROMPT.replace("name: x", "name: x  # mine")

    def edited(*_: object) -> Report:
        Path("p.md").write_text(changed, encoding="utf-8")
        return report

    monkeypatch.setattr(analysis, "analyze", edited)
    assert main(["analyze", "p.md", "--write", "--yes"]) == 2
    assert Path("p.md").read_text("utf-8") == changed
    assert "the file changed since it was read" in capsys.readouterr().err
    assert [path.name for path in Path().glob("tmp*")] == []
