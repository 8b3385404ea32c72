"""The page for a terminal and the Markdown: golden texts, widths, hostile names."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import cycle

import pytest
from hostile_texts import HOSTILE, PARTS

from costopt.core.report import PromptReport, Report, Skipped, Spent, TargetInfo
from costopt.reports.facts import next_steps
from costopt.reports.markdown import to_markdown
from costopt.reports.terminal import render

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_golden_page(sample_report: Report, golden: Callable[[str, str], None], width: int) -> None:
    golden(f"page-{width}.txt", render(sample_report, width, False))


def test_golden_colours(sample_report: Report, golden: Callable[[str, str], None]) -> None:
    golden("page-colour.txt", render(sample_report, 100, True))


def test_golden_markdown(sample_report: Report, golden: Callable[[str, str], None]) -> None:
    golden("report.md", to_markdown(sample_report))


def test_golden_partial_static_and_empty(
    sample_report: Report, golden: Callable[[str, str], None]
) -> None:
    partial = replace(sample_report, partial=True, spent=Spent(usd=Decimal("0.0123"), requests=3))
    static = replace(
        sample_report, static=True, skipped=(), prompts=tuple(map(_static, sample_report.prompts))
    )
    empty = replace(sample_report, prompts=(), targets=(), skipped=())
    pages = [render(report, 80, False) for report in (partial, static, empty)]
    golden("page-others.txt", "\f\n".join(pages))


def _static(prompt: PromptReport) -> PromptReport:
    """The same prompt as if no model had been asked."""
    variants = tuple(
        replace(
            v,
            verdict="baseline" if v.verdict == "baseline" else "not measured",
            tokens=replace(v.tokens, input_mean=None, output_mean=None),
            quality=None,
            delta=None,
            latency=None,
        )
        for v in prompt.variants
    )
    return replace(prompt, variants=variants, recommended=())


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 140])
def test_no_line_of_the_sample_is_wider_than_the_page(sample_report: Report, width: int) -> None:
    for line in render(sample_report, width, False).splitlines():
        assert len(line) <= width, line


def test_colour_changes_nothing_but_colour(sample_report: Report) -> None:
    plain, coloured = render(sample_report, 90, False), render(sample_report, 90, True)
    assert COLOUR.sub("", coloured) == plain
    assert coloured != plain


def test_tables_of_one_page_align(sample_report: Report) -> None:
    page = render(sample_report, 80, False)
    heads = [line for line in page.splitlines() if line.startswith("  Variant")]
    assert len(heads) == 2
    assert len(set(heads)) == 1


def test_two_targets_each_have_a_table(sample_report: Report) -> None:
    prompt = sample_report.prompts[0]
    other = tuple(replace(variant, target="big") for variant in prompt.variants)
    report = replace(
        sample_report,
        targets=(*sample_report.targets, TargetInfo(name="big", model="m")),
        prompts=(replace(prompt, variants=prompt.variants + other),),
    )
    page = render(report, 100, False)
    assert "  at embedded" in page
    assert "  at big" in page
    assert "big (m): no price known, so no money is shown" in page


def test_the_page_says_what_it_must(sample_report: Report) -> None:
    page = render(sample_report, 120, False)
    for words in (
        "priced as openai:gpt-4.1-mini, estimated",
        "6 to pick, 40 to confirm",
        "input −49.5 %, cost +9.0 %",
        "it drops: at most 3 lines",
        "no change: json-minify, table-compact",
        "needs about 63 more rows",
        "saves $10.58 per month (estimated)",
        "812 live requests",
        "prompts/broken.yaml:4: broken YAML",
    ):
        assert words in page, words


def test_next_steps_repeat_the_command(sample_report: Report) -> None:
    page = render(sample_report, 120, False, "costopt analyze 'my prompts' --target big")
    assert "  costopt analyze 'my prompts' --target big --write" in page


def test_many_skipped_files_are_counted(sample_report: Report) -> None:
    skipped = tuple(Skipped(path=f"f{i}.md", line=1, reason="x") for i in range(1234))
    page = render(replace(sample_report, skipped=skipped), 80, False)
    assert "Skipped: 1,234 files" in page
    assert "and 1,214 more" in page


def _poisoned(report: Report, texts: Sequence[str]) -> Report:
    """Put a batch of texts wherever data goes, each in another place."""
    text = cycle(texts).__next__
    prompt = report.prompts[0]
    variants = tuple(
        replace(
            variant,
            name=variant.name if variant.verdict == "baseline" else f"{text()}{index}",
            dropped=(text(),) if variant.dropped else (),
            notes=(text(),) if variant.notes else (),
            rejected=text() if variant.rejected else None,
        )
        for index, variant in enumerate(prompt.variants)
    )
    poisoned = replace(
        prompt,
        name=text(),
        path=text(),
        feature=text(),
        findings=tuple(replace(f, message=text(), code=text()) for f in prompt.findings),
        variants=variants,
        recommended=(replace(prompt.recommended[0], variant=variants[1].name, reason=text()),),
        notes=(text(),),
    )
    return replace(
        report,
        prompts=(poisoned,),
        skipped=(Skipped(path=text(), line=3, reason=text()),),
        targets=tuple(replace(t, model=text(), priced_as=text()) for t in report.targets),
        notes=(text(),),
    )


BATCHES = [HOSTILE[i : i + 8] for i in range(0, 200, 8)] + [[part] for part in PARTS[:12]]


@pytest.mark.parametrize("batch", BATCHES, ids=range(len(BATCHES)))
def test_hostile_texts_control_nothing(sample_report: Report, batch: list[str]) -> None:
    report = _poisoned(sample_report, batch)
    for page in (render(report, 80, False), COLOUR.sub("", render(report, 120, True))):
        assert not CONTROL.search(page), batch
        assert not any(line.lstrip().startswith("::") for line in page.splitlines()), batch
        assert "##[" not in page, batch


@pytest.mark.parametrize("batch", BATCHES, ids=range(len(BATCHES)))
def test_hostile_texts_stay_in_their_code_spans(sample_report: Report, batch: list[str]) -> None:
    page = to_markdown(_poisoned(sample_report, batch))
    assert not CONTROL.search(page), batch
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", page)
    outside = re.sub(r"</?(details|summary|sub)>", "", outside)
    for mark in ("<", "@", "](", "javascript", "##[", "```"):
        assert mark not in outside, (batch, mark)


def test_more_rows_are_asked_for_once(sample_report: Report) -> None:
    prompts = tuple(
        replace(p, eval_set=replace(p.eval_set, rows=999)) if p.eval_set else p
        for p in sample_report.prompts
    )
    steps = next_steps(replace(sample_report, prompts=prompts), "costopt analyze p --samples 8 -q")
    assert "costopt analyze p -q --samples 999" in [command for command, _ in steps]
