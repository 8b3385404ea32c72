"""The answers to single rows, side by side."""

from dataclasses import dataclass

from ...core.samples import SampleRow, SampleTable, ShownAnswer
from ..numbers import UNKNOWN, count, quality, unit
from ..safe import clean

_LONGEST = 4_000
_ID = 60


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """One variant's answer."""

    variant: str
    text: str | None
    facts: str
    """Score and tokens, in words."""


@dataclass(frozen=True, kw_only=True)
class RowView:
    """One row with its answers."""

    id: str
    score: str
    """How the score moved; empty without scores."""
    style: str
    sign: str
    inputs: tuple[tuple[str, str], ...]
    reference: str | None
    answers: tuple[AnswerView, ...]


@dataclass(frozen=True, kw_only=True)
class AnswersView:
    """The rows of a prompt at one target, and a sentence on how many of how many these are."""

    heading: str
    said: tuple[str, ...]
    generated: bool
    rows: tuple[RowView, ...]


def answers_view(table: SampleTable) -> AnswersView:
    """Return what is shown of a table of rows."""
    names = ", ".join(
        dict.fromkeys(clean(answer.variant, 60) for row in table.rows for answer in row.answers)
    )
    return AnswersView(
        heading=f"Answers side by side{f': {names}' if names else ''}",
        said=tuple(_said(table)),
        generated=table.generated,
        rows=tuple(_row(table, row) for row in table.rows),
    )


def _said(table: SampleTable) -> list[str]:
    shown = f"{count(len(table.rows))} of {count(table.asked)} rows are shown"
    order = ", those that lost most first" if table.metric and len(table.rows) > 1 else ""
    missing = table.asked - table.found if table.generated else 0
    gone = f"; of {count(missing)} the store does not hold both answers" if missing > 0 else ""
    scored = f"Scores are {clean(table.metric, 40)}." if table.metric else ""
    lines = [f"{shown}{order}{gone}. {scored}".rstrip()]
    return [*lines, *([clean(table.why, 400)] if table.why else [])]


def _row(table: SampleTable, row: SampleRow) -> RowView:
    scores = [answer.score for answer in row.answers]
    first, last = (scores[0], scores[1]) if len(scores) > 1 else (None, None)
    moved = last - first if first is not None and last is not None else None
    style, sign = _look(moved)
    return RowView(
        id=clean(row.id, _ID),
        score=_moved(table.metric or "", first, last),
        style=style,
        sign=sign,
        inputs=row.inputs,
        reference=None if row.reference is None else _cut(row.reference),
        answers=tuple(_answer(table.metric or "", answer) for answer in row.answers),
    )


def _look(moved: float | None) -> tuple[str, str]:
    if moved is None:
        return "none", "–"
    if abs(moved) < 1e-9:
        return "none", "="
    return ("good", "▲") if moved > 0 else ("bad", "▼")


def _moved(metric: str, first: float | None, last: float | None) -> str:
    if first is None and last is None:
        return ""
    return f"{_score(metric, first)} → {_score(metric, last)}"


def _score(metric: str, value: float | None) -> str:
    return UNKNOWN if value is None else f"{quality(metric, value)} {unit(metric)}".rstrip()


def _answer(metric: str, answer: ShownAnswer) -> AnswerView:
    parts = [f"score {_score(metric, answer.score)}"] if answer.score is not None else []
    if answer.input_tokens is not None:
        parts.append(f"{count(answer.input_tokens)} input tokens")
    if answer.output_tokens is not None:
        parts.append(f"{count(answer.output_tokens)} output tokens")
    return AnswerView(
        variant=clean(answer.variant, 80),
        text=None if answer.text is None else _cut(answer.text),
        facts=" · ".join(parts),
    )


def _cut(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… ({count(len(text) - _LONGEST)} characters more)"
