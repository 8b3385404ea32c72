"""What is abnormal and how budgets are kept, as sections for a terminal and for Markdown."""

from collections.abc import Iterator, Sequence

from ...usage.anomalies import Anomalies, Anomaly
from ...usage.budgets import Budget
from ...usage.prompt_history import MARK
from ..numbers import count, mean, percent, usd
from ..sections import Header, Name, Section, Words, words
from .recommendations import feature_cell, money_range

_SHOWN = 20
_TIME = "%Y-%m-%d %H:%M"


def anomaly_sections(found: Anomalies) -> tuple[Section, ...]:
    """Return what is abnormal, the dearest first, with where each began."""
    shown = found.found[:_SHOWN]
    more = len(found.found) - len(shown)
    section = Section(
        heading=words("Anomalies, times in UTC"),
        headers=(
            Header(text="#"),
            Header(text="feature", right=False, shrinks=True),
            Header(text="cause", right=False),
            Header(text="from", right=False),
            Header(text="to", right=False, rank=2),
            Header(text="usual", rank=1),
            Header(text="seen", rank=1),
            Header(text="more USD (estimated)"),
        ),
        rows=tuple(_row(i, one) for i, one in enumerate(shown, start=1)),
        lines=(
            *(line for i, one in enumerate(shown, start=1) for line in _origin(i, one)),
            *((words(f"and {more} more (--format json)"),) if more else ()),
            *_looked(found),
        ),
    )
    return (section,)


def _row(number: int, one: Anomaly) -> tuple[str, ...]:
    return (
        str(number),
        feature_cell(one.feature),
        one.cause,
        one.start.strftime(_TIME),
        "goes on" if one.goes_on else one.end.strftime(_TIME),
        level(one.usual, one.unit),
        level(one.seen, one.unit),
        usd(one.usd),
    )


def level(value: float, unit: str) -> str:
    """Return what is usual, or was seen, with its unit."""
    if unit.startswith("of "):
        return f"{percent(value)} {unit}"
    if unit.startswith("USD"):
        return f"${value:.3g} {unit.removeprefix('USD ')}"
    return f"{mean(value)} {unit}"


def _origin(number: int, one: Anomaly) -> Iterator[Words]:
    if one.also:
        yield words(f"{number}. at the same time: {', '.join(one.also)}")
    began = one.origin
    if began is None:
        return
    parts: list[str] = [f"{number}. first request: "]
    parts += [Name(began.request_id or "without an id"), f" at {began.at.strftime(_TIME)}"]
    if began.source is not None:
        line = "" if began.line is None else f":{began.line}"
        parts += [" (", Name(f"{began.source}{line}"), ")"]
    if began.model is not None:
        parts += [", model ", Name(began.model)]
    if began.prompt is not None:
        parts += [", prompt ", Name(began.prompt)]
    if began.revision is not None:
        parts += [", which came with revision ", Name(began.revision)]
        parts += [" (by commit time)"] if began.revision.startswith(MARK) else []
    yield tuple(parts)


def _looked(found: Anomalies) -> Iterator[Words]:
    if not found.found:
        yield words("None was found." if found.looked_at else "No feature's log is long enough.")
    if found.too_short:
        yield words(
            f"{count(len(found.too_short))} features are too short to tell what is usual: it takes "
            "3 days with 20 requests an hour, or 14 days."
        )


def budget_sections(found: Sequence[Budget]) -> tuple[Section, ...]:
    """Return how budgets are kept; nothing where there are none."""
    if not found:
        return ()
    unpriced = sum(one.unpriced for one in found)
    note = f"{count(unpriced)} requests of these have no price: spent is a lower bound."
    return (
        Section(
            heading=words(f"Budgets of {found[0].month:%Y-%m}"),
            headers=(
                Header(text="feature", right=False, shrinks=True),
                Header(text="limit"),
                Header(text="spent"),
                Header(text="month's end (estimated)"),
                Header(text="range", rank=1),
                Header(text="", right=False),
            ),
            rows=tuple(
                (
                    Name(one.feature),
                    usd(one.limit),
                    usd(one.spent),
                    usd(one.expected),
                    money_range(one.low, one.high),
                    one.outcome,
                )
                for one in found
            ),
            lines=(words(note),) if unpriced else (),
        ),
    )
