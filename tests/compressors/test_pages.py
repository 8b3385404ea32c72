"""The pages of strategies: those in docs, what was measured, and what real models gave."""

import json
import re
from pathlib import Path

import pytest

from costopt.compressors.base import ContextStrategy, default_context
from costopt.compressors.contract import template_of
from costopt.compressors.measured import Effect, measured, measured_of
from costopt.compressors.pages import handbook, page
from costopt.compressors.registry import entries, entry, get, load
from costopt.core.errors import CostoptError

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "strategies"
KEPT = [e.name for e in entries() if e.extra == "llmlingua" and load(e.name).example_result]


def test_the_pages_in_docs_are_what_the_code_says() -> None:
    made = handbook()
    there = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.md")}
    stale = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    if stale:
        names = ", ".join(stale)
        pytest.fail(f"stale: {names}\nrun: python docs/generate.py, and commit", pytrace=False)


def test_the_index_names_every_page() -> None:
    pages = handbook()
    assert len(pages) == 1 + sum(1 for e in entries() if e.plugin is None)
    assert all(f"({name})" in pages["README.md"] for name in pages if name != "README.md")


def test_what_benchmarks_left_can_be_read_and_names_strategies() -> None:
    for one in measured():
        assert one.effects, one.benchmark
        assert not re.search(r"(^|[\s=])[/~]", f"{one.command} {one.about}"), "a machine's path"
        for effect in one.effects:
            assert all(entry(name) for name in effect.names)
            assert effect.text.endswith(".")


def test_a_strategy_without_a_measurement_says_so() -> None:
    assert "## Measured effect\n\nNot measured yet.\n" in page(entry("none"))


RESULT = {
    "benchmark": "corpus",
    "date": "2026-11-25",
    "command": "python benchmarks/corpus.py",
    "about": "Three prompts.",
    "effects": [
        {"strategy": "whitespace", "text": "It saves 2 tokens in 3 prompts."},
        {"strategy": "filler:x=1+whitespace", "text": "Together they save 5."},
        {"strategy": "filler", "text": "It saves 3."},
    ],
    "rows": [1, 2],
}


def test_sentences_of_a_chain_stand_with_each_of_its_strategies(tmp_path: Path) -> None:
    (tmp_path / "corpus.json").write_text(json.dumps(RESULT), "utf-8")
    (tmp_path / "notes.txt").write_text("no result")
    (found,) = measured_of("whitespace", tmp_path)
    assert [effect.text[:2] for effect in found.effects] == ["It", "To"]
    assert (found.benchmark, found.date, found.about) == ("corpus", "2026-11-25", "Three prompts.")
    assert measured_of("none", tmp_path) == ()


def test_a_page_prints_the_sentences_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus.json").write_text(json.dumps(RESULT), "utf-8")
    monkeypatch.setattr("costopt.compressors.measured.files", lambda package: tmp_path)
    assert (
        "## Measured effect\n\nBenchmark `corpus`, 2026-11-25: Three prompts.\n\n"
        "- `whitespace`: It saves 2 tokens in 3 prompts.\n"
        "- `filler:x=1+whitespace`: Together they save 5.\n\n"
        "To measure it again: `python benchmarks/corpus.py`\n"
    ) in page(entry("whitespace"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({**RESULT, "effects": None}),
        json.dumps({**RESULT, "effects": [{"strategy": "whitespace"}]}),
        json.dumps({**RESULT, "date": 3}),
    ],
)
def test_a_file_of_another_form_is_one_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_text(text, "utf-8")
    with pytest.raises(CostoptError, match="not what a benchmark measured"):
        measured(tmp_path)


def test_effects_are_found_by_name_alone() -> None:
    assert Effect(strategy="history:rate=0.5", text="").names == {"history"}


def test_strategies_with_a_model_show_what_it_gave_or_say_why_not() -> None:
    for name in KEPT:
        text = page(entry(name))
        assert "as the embedded model's weights gave it" in text
        assert (load(name).example_result or "?") in text
    assert "None is shown: it needs a model that is to be named." in page(entry("llmlingua2"))


@pytest.mark.llmlingua
@pytest.mark.parametrize("name", KEPT)
def test_the_real_model_still_gives_what_the_page_shows(name: str) -> None:
    strategy = get(name)
    context = default_context(frozenset({"model"}))
    if isinstance(strategy, ContextStrategy) and not strategy.on_prompts:
        given = strategy(strategy.example, question=strategy.example_question, context=context)
    else:
        given = strategy.apply(template_of(strategy.example), context).text
    assert given == strategy.example_result, f"put this there, and run docs/generate.py: {given!r}"
