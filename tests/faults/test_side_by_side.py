"""The HTML page shows the answers behind a report, out of the store, and asks nobody for them."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from fault_harness import PROMPT, Bench

from costopt.core.configured import Config
from costopt.evals.stored_samples import StoredSamples
from costopt.reports.html import to_html
from costopt.reports.json import from_json


def _saved(bench: Bench, rows: int = 10, *more: object) -> Path:
    bench.prompt(rows)
    file = bench.folder / "report.json"
    done = bench.run("--output", file, *more)
    assert done.status == 0, done.err
    return file


def _page(bench: Bench, file: Path) -> str:
    """Return the page of a saved report; nobody may be asked for it."""
    bench.server.script()
    done = bench.run(file, "--format", "html", "--run-dir", "run", command="report")
    assert done.status == 0, done.err
    assert bench.server.counts()["requests"] == 0
    return done.out


def _rows(page: str) -> list[str]:
    """Return each row's text, tags taken out."""
    found = re.findall(r'<details class="sample">(.*?)</details>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", one))) for one in found]


def test_every_row_has_its_answers_with_scores(bench: Bench) -> None:
    rows = _rows(_page(bench, _saved(bench)))
    assert len(rows) == 10
    by_id = {row.split()[0]: row for row in rows}
    right, wrong = by_id["row-3"], by_id["row-4"]
    assert "100.0 pt → 100.0 pt" in right
    assert "Which city is number 3? [[Oslo]]" in right
    assert right.count("score 100.0 pt") == 2
    assert re.search(r"baseline score 100.0 pt · \d+ input tokens · \d+ output tokens", right)
    assert "0.0 pt → 0.0 pt" in wrong
    assert "no idea" in wrong


def test_analyze_writes_the_same_page(bench: Bench) -> None:
    file = _saved(bench)
    page = bench.folder / "page.html"
    done = bench.run("--output", page, "--format", "html")
    assert (done.status, done.out) == (0, "")
    assert _rows(page.read_text("utf-8")) == _rows(_page(bench, file))


def test_rows_that_lost_most_come_first(bench: Bench) -> None:
    bench.prompt(20)
    bad = {"kind": "ok", "text": "no idea"}  # for some bodies, whatever prompt they are of
    bench.server.script({"when": {"share": 0.3}, "do": bad})
    page = bench.folder / "page.html"
    assert bench.run("--output", page, "--format", "html").status == 0
    signs = re.findall(r'chip \w+">([▼=▲]) ', page.read_text("utf-8"))
    assert signs == sorted(signs, key="▼=▲".index)
    assert set(signs) == set("▼=▲")
    assert len(signs) == 20


def test_what_the_store_has_no_more_is_said(bench: Bench) -> None:
    file = _saved(bench)
    shutil.rmtree(bench.run_dir)
    page = _page(bench, file)
    assert _rows(page) == []
    assert "the store does not hold the answers of this report any more" in page
    assert "0 of 10 rows are shown" in page


def test_changed_rows_and_prompts_are_not_taken_for_the_report_s(bench: Bench) -> None:
    file = _saved(bench)
    rows = bench.folder / "cities" / "evals.jsonl"
    text = rows.read_text()
    rows.write_text(text.replace("number 3?", "number three?"))
    assert "is not the eval set of the report any more" in unescape(_page(bench, file))
    rows.write_text(text)
    prompt = bench.folder / "cities" / "prompt.md"
    prompt.write_text(prompt.read_text().replace("city only", "town only"))
    assert "is not the prompt of the report any more" in unescape(_page(bench, file))
    prompt.unlink()
    assert "no answers can be shown" in unescape(_page(bench, file))


def test_so_many_rows_are_shown_and_the_rest_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = from_json(_saved(bench).read_text("utf-8"))
    monkeypatch.chdir(bench.folder)
    source = StoredSamples(report=report, config=Config(), run_dir=bench.run_dir, most=4)
    found = source(report.prompts[0], "fault")
    assert found is not None
    assert (len(found.rows), found.asked, found.found) == (4, 10, 10)
    assert "4 of 10 rows are shown" in to_html(report, samples=source)
    assert source(report.prompts[0], "another") is None
    static = StoredSamples(report=replace(report, static=True), config=Config())
    assert static(report.prompts[0], "fault") is None


def test_of_several_draws_the_first_is_shown(bench: Bench) -> None:
    warm = "settings: {max_output_tokens: 16, temperature: 0.7}"
    bench.prompt(6, PROMPT.replace("settings: {max_output_tokens: 16}", warm))
    page = bench.folder / "page.html"
    assert bench.run("--repeats", 2, "--output", page, "--format", "html").status == 0
    assert "of 2 draws of each answer the first is shown" in page.read_text("utf-8")
    assert len(_rows(page.read_text("utf-8"))) == 6


def test_the_file_may_hold_another_variant(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    report = from_json(_saved(bench).read_text("utf-8"))
    monkeypatch.chdir(bench.folder)
    concise = next(v for v in report.prompts[0].variants if v.name == "concise")
    prompt = bench.folder / "cities" / "prompt.md"
    body = prompt.read_text().index("You are asked")
    prompt.write_text(prompt.read_text()[:body] + concise.messages[0].content)
    source = StoredSamples(report=report, config=Config(), run_dir=bench.run_dir)
    found = source(report.prompts[0], "fault")
    assert found is not None
    assert not found.rows
    found = replace(source, in_file="concise")(report.prompts[0], "fault")
    assert found is not None
    assert (len(found.rows), found.found) == (10, 10)


def test_every_prompt_of_a_report_is_found_by_its_own_path(bench: Bench) -> None:
    file = _saved(bench)
    report = json.loads(file.read_text())
    assert report["prompts"][0]["path"] in _page(bench, file).replace("&#x2f;", "/")


def test_a_forecast_has_no_page(bench: Bench) -> None:
    bench.prompt(4)
    done = bench.run("--dry-run", "--format", "html")
    assert done.status == 2
    assert "a forecast has no page" in done.err


def test_the_heat_map_is_on_the_page(bench: Bench) -> None:
    bench.prompt(24)
    page = bench.folder / "page.html"
    done = bench.run(
        "--attribute", "--output", page, "--format", "html", "--strategy", "whitespace"
    )
    assert done.status == 0, done.err
    text = unescape(page.read_text("utf-8"))
    assert "What each part does, at fault" in text
    assert re.search(r'<span class="part \w+"', text)
