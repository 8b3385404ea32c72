"""The heat map: golden pages, no line too wide, and nothing that a terminal would obey."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from costopt.core.attribution import (
    Attribution,
    Effect,
    SegmentReport,
    SegmentVerdict,
    Share,
    Together,
)
from costopt.core.report import Report
from costopt.core.types import Message
from costopt.reports.json import from_json, to_json
from costopt.reports.markdown import to_markdown
from costopt.reports.terminal import render

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SYSTEM = """# The desk

You sort tickets. Be kind to everybody who writes, whatever it is that they write to the desk about.

- Never invent a topic.
- Do not explain.

| topic      | about        |
|------------|--------------|
| badge      | doors        |
"""
USER = "Ticket: {ticket}"
PARTS: tuple[tuple[str, str, SegmentVerdict, float | None, float | None], ...] = (
    ("# The desk", "heading", "not enough data", 0.02, None),
    ("You sort tickets.", "sentence", "earns its keep", 0.41, None),
    (
        "Be kind to everybody who writes, whatever it is that they write to the desk about.",
        "sentence", "hurts", -0.2, None,
    ),
    ("Never invent a topic.", "item", "earns its keep with others", 0.0, 0.3),
    ("Do not explain.", "item", "no effect seen: candidate to cut", 0.01, 0.0),
    ("| topic      | about        |\n|------------|--------------|\n| badge      | doors        |",
     "block", "earns its keep", 1.62, None),
)  # fmt: skip


def _segment(number: int, *part: object) -> SegmentReport:
    text, kind, verdict, mean, share = part
    start = SYSTEM.index(str(text))
    effect = Effect(mean=mean, low=mean - 0.1, high=mean + 0.1, n=40)  # type: ignore[operator,arg-type]
    return SegmentReport(
        number=number,
        message=0,
        start=start,
        end=start + len(str(text)),
        line=SYSTEM[:start].count("\n") + 4,
        column=1,
        kind=str(kind),
        text=str(text),
        tokens=len(str(text)) // 4,
        usd_per_month=Decimal(len(str(text)) // 4),
        verdict=verdict,  # type: ignore[arg-type]
        effect=effect,
        share=None if share is None else Share(mean=share, standard_error=0.02, orders=2, n=12),  # type: ignore[arg-type]
    )


@pytest.fixture
def attributed(sample_report: Report) -> Report:
    """The sample report's first prompt as a chat, with an attribution of every verdict."""
    kept = SegmentReport(
        number=7, message=1, start=0, end=len(USER), line=16, column=1, kind="sentence", text=USER,
        tokens=4, usd_per_month=Decimal(4), verdict="kept", kept="it holds {ticket}",
    )  # fmt: skip
    found = Attribution(
        target="embedded",
        metric="log_likelihood",
        margin=0.1,
        confidence=0.997,
        rows=40,
        segments=(*(_segment(at, *part) for at, part in enumerate(PARTS, start=1)), kept),
        together=Together(
            segments=(3, 5), tokens=23, usd_per_month=Decimal(23),
            effect=Effect(mean=-0.15, low=-0.3, high=-0.01, n=40), verdict="hurts",
        ),
        notes=("left out together, segments 4, 5 lose more than the margin: they share a task",),
    )  # fmt: skip
    return _with(sample_report, found, (Message("system", SYSTEM), Message("user", USER)))


def _with(report: Report, found: Attribution, messages: tuple[Message, ...]) -> Report:
    first = report.prompts[0]
    variants = (replace(first.variants[0], messages=messages, chat=True), *first.variants[1:])
    prompt = replace(first, variants=variants, attribution=found)
    return replace(report, prompts=(prompt,), skipped=())


def page(report: Report, width: int, colour: bool = False) -> str:
    """The part of the page that is about the attribution."""
    text = render(report, width, colour)
    lines = text.splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if "What each part does" in line)
    last = next(at for at, line in enumerate(lines) if at > first and not line.strip())
    return "".join(lines[first:last])


@pytest.mark.parametrize("width", [80, 120])
def test_golden_heat_map(
    attributed: Report, golden: Callable[[str, str], None], width: int
) -> None:
    golden(f"attribution-{width}.txt", page(attributed, width))


def test_golden_colours_and_markdown(
    attributed: Report, golden: Callable[[str, str], None]
) -> None:
    golden("attribution-colour.txt", page(attributed, 80, True))
    text = to_markdown(attributed)
    start = text.index("### What each part does")
    golden("attribution.md", text[start : text.index("<details>", start)])


def test_colour_changes_nothing_but_colour(attributed: Report) -> None:
    assert COLOUR.sub("", page(attributed, 80, True)) == page(attributed, 80)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_page(attributed: Report, width: int) -> None:
    for line in page(attributed, width).splitlines():
        assert len(line) <= width, line


def test_it_comes_back_from_json(attributed: Report) -> None:
    assert from_json(to_json(attributed)) == attributed


def test_nothing_is_said_where_it_was_not_asked_for(sample_report: Report) -> None:
    assert "attribution" not in to_json(sample_report)
    assert "What each part" not in render(sample_report, 80, False)
    assert "What each part" not in to_markdown(sample_report)


def test_a_hostile_prompt_is_shown_as_text(attributed: Report) -> None:
    found = attributed.prompts[0].attribution
    assert found is not None
    hostile = "\x1b[2J\u202eevil `x` | <img src=x> @all\n::error::boom\n##[error]boom"
    segments = (replace(found.segments[0], text=hostile, start=0, end=len(hostile)),)
    report = _with(
        attributed, replace(found, segments=segments), (Message("system\x1b[1m", hostile),) * 2
    )
    for text in (render(report, 80, False), to_markdown(report)):
        assert not CONTROL.search(text)
        assert not re.search(r"^\s*::error", text, re.MULTILINE)
        assert "##[error]" not in text
