"""Reports with everything that a page can show, and with hostile text everywhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from itertools import cycle
from typing import Any, cast

from costopt.core.attribution import Attribution, Effect, SegmentReport, Share
from costopt.core.checked import CheckReport, Gate, PromptChange
from costopt.core.evidence import JudgeReport, NoiseFloor, Probe, SpentOnJudge
from costopt.core.report import (
    Across,
    AcrossRow,
    Finding,
    PromptReport,
    QualityDelta,
    Report,
    Slice,
    Suggestion,
)
from costopt.core.samples import SampleRow, SampleTable, ShownAnswer
from costopt.core.types import Message

TEXT = "You sort tickets.\nBe kind to everybody.\n\nTicket: {{ ticket }}\n"


def full_report(report: Report) -> Report:
    """Return the sample report with every part that a report can have."""
    first, *others = report.prompts
    variants = tuple(
        replace(
            variant,
            messages=(
                Message("user", TEXT if at == 0 else TEXT.replace(" kind", f" kind, {at},")),
            ),
            slices=(_slice(),) if variant.name == "whitespace+filler" else (),
        )
        for at, variant in enumerate(first.variants)
    )
    full = replace(
        first,
        variants=variants,
        attribution=_attribution(),
        noise=(_noise(),),
        judge=(_judge(),),
        across=_across(),
        suggestions=(_suggestion(),),
    )
    spent = replace(report.spent, judge=SpentOnJudge(
        judge="judge", usd=Decimal("0.1"), requests=3, cached_answers=1, input_tokens=9,
        output_tokens=3,
    ))  # fmt: skip
    return replace(report, prompts=(full, *others), spent=spent, notes=("a note",))


def _delta(mean: float) -> QualityDelta:
    return QualityDelta(mean=mean, low=mean - 0.1, high=mean + 0.1, n=9, margin=0.2, confidence=0.9)


def _slice() -> Slice:
    return Slice(by="label", value="billing", delta=_delta(-0.02), verdict="holds")


def _attribution() -> Attribution:
    parts = ("You sort tickets.", "Be kind to everybody.", "Ticket: {{ ticket }}")
    verdicts = ("earns its keep", "hurts", "kept")
    segments = tuple(
        SegmentReport(
            number=at + 1, message=0, start=TEXT.index(part), end=TEXT.index(part) + len(part),
            line=at + 1, column=1, kind="sentence", text=part, tokens=5,
            usd_per_month=Decimal("1.25"), verdict=cast(Any, verdicts[at]),
            effect=None if at == 2 else Effect(mean=0.2 - 0.3 * at, low=-0.2, high=0.3, n=40),
            share=Share(mean=0.1, standard_error=0.02, orders=2, n=9) if at == 0 else None,
            kept="it holds {{ ticket }}" if at == 2 else None,
        )
        for at, part in enumerate(parts)
    )  # fmt: skip
    return Attribution(
        target="embedded", metric="accuracy", margin=0.05, confidence=0.95, rows=40,
        segments=segments, notes=("measured in two looks",),
    )  # fmt: skip


def _noise() -> NoiseFloor:
    return NoiseFloor(
        target="embedded", metric="accuracy", mean_difference=0.1, mean=0.0, low=-0.1, high=0.1,
        n=9, margin=0.05, reaches_margin=True,
    )  # fmt: skip


def _judge() -> JudgeReport:
    probe = Probe(failed=1, n=9, unreadable=0, low=0.0, high=0.3, limit=0.1)
    return JudgeReport(
        target="embedded", judge="judge", model="m", fit=False, reason="it likes padding",
        audit={"null": probe}, pairs=9, position_dependent=1, unreadable=0, usd=Decimal("0.1"),
        requests=18, input_tokens=99, output_tokens=9,
    )  # fmt: skip


def _across() -> Across:
    rows = (
        AcrossRow(name="embedded: baseline", target="embedded", variant="baseline",
                  verdict="baseline", usd_per_1k=Decimal("0.12"), input_tokens=812.0),
        AcrossRow(name="small: filler", target="small", variant="filler", verdict="holds",
                  usd_per_1k=Decimal("0.02"), input_tokens=640.0, delta=_delta(0.0)),
    )  # fmt: skip
    return Across(
        baseline="embedded", metric="accuracy", candidates=1, rows=rows, best="small: filler",
        reason="the cheapest that holds",
    )  # fmt: skip


def _suggestion() -> Suggestion:
    return Suggestion(target="embedded", model="openai:gpt-5-nano", usd_per_1k=Decimal("0.01"),
                      ratio=0.1)  # fmt: skip


def many_rows(count: int, text: str = "billing") -> Callable[[PromptReport, str], SampleTable]:
    """Return a source of so many rows for every prompt, each with two answers."""
    rows = tuple(
        SampleRow(
            id=f"row-{at}",
            inputs=(("ticket", f"{text} {at} " * 20),),
            reference=text,
            answers=(
                ShownAnswer(variant="baseline", text=text, score=1.0, input_tokens=9),
                ShownAnswer(variant="whitespace+filler", text=f"{text} {at}", score=at % 2,
                            output_tokens=3),
            ),
        )
        for at in range(count)
    )  # fmt: skip

    def source(prompt: PromptReport, target: str) -> SampleTable:
        del prompt
        return SampleTable(
            target=target, metric="accuracy", rows=rows, asked=count + 5, found=count,
            why="five are gone",
        )  # fmt: skip

    return source


def full_check(report: Report) -> CheckReport:
    """Return a check with every outcome and every status."""
    gates = (
        Gate(prompt="support-triage", gate="max_input_tokens", outcome="passed", message="fine",
             limit=900, base=812.0, head=640.0, unit="tokens", target="embedded"),
        Gate(prompt="support-triage", gate="quality", outcome="inconclusive",
             message="not enough data: about 63 more rows", limit=0.05, unit="fraction"),
        Gate(prompt=None, gate="feature", outcome="failed", message="Inbox costs too much",
             limit=40.0, base=39.0, head=41.5, unit="usd"),
        Gate(prompt="meeting-notes", gate="lock", outcome="skipped", message="no lock", limit="x"),
    )  # fmt: skip
    finding = Finding(code="CO104", name="filler", line=1, column=2, message="wordy", tokens=3)
    changes = (
        PromptChange(
            name="support-triage", path="prompts/support-triage/prompt.md", status="renamed",
            old_path="old.md", why=("text", "settings"), rows="60 rows of the base",
            diff=("--- a", "+++ b", "@@ -1 +1 @@", "-old", "+new", " same"),
            new_findings=(finding,), gone_findings=(finding,), notes=("a note of it",),
        ),
        PromptChange(name="gone", path="gone.md", status="deleted"),
    )  # fmt: skip
    return CheckReport(
        base="origin/main", base_commit="0123456789abcdef", head="working tree", depth="replay",
        depth_reason="no key is set", exit=1, gates=gates, changes=changes, unchanged=7,
        report=report, notes=("a note of the check",),
    )  # fmt: skip


_CHOSEN = frozenset({"verdict", "kind", "status", "outcome", "depth", "evidence", "unit", "metric",
                     "safety", "side", "step", "cause", "also", "effort", "risk"})  # fmt: skip


def poisoned(value: Any, texts: list[str]) -> Any:
    """Return a value with another hostile text in place of each of its texts.

    Words that come from a fixed list stay, and texts that were equal are equal still, so that what
    belongs together does: a recommendation and its variant.
    """
    supply, known = cycle(texts), dict[str, str]()

    def of(text: str) -> str:
        # The number keeps names apart that hostile texts would make the same.
        return known.setdefault(text, f"{next(supply)}{len(known)}")

    return _mapped(value, of)


def _mapped(value: Any, of: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return of(value)
    if isinstance(value, tuple):
        return tuple(_mapped(item, of) for item in value)
    if isinstance(value, Mapping):
        return {key: _mapped(item, of) for key, item in value.items()}
    if is_dataclass(value):
        return replace(cast(Any, value), **dict(_fields(value, of)))
    return value


def _fields(value: Any, of: Callable[[str], str]) -> Iterator[tuple[str, Any]]:
    for item in fields(value):
        if item.name not in _CHOSEN:
            yield item.name, _mapped(getattr(value, item.name), of)
