"""What is abnormal, and how budgets are kept, as tables."""

from collections.abc import Sequence

from ....usage.anomalies import Anomaly
from ....usage.budgets import Budget, Outcome
from ....usage.origin import Origin
from ...numbers import count, usd
from ...safe import clean
from ...usage.anomalies import level
from ...usage.recommendations import money_range
from ..tables import BAR, Cell, Line, Table, headers, number, without_empty
from .bars import moment
from .names import feature, name

MOST = 50
"""Anomalies that a page shows, the dearest first."""
_TIME = "%Y-%m-%d %H:%M"
_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    "kept": ("✓ kept", "good"),
    "at risk": ("? at risk", "open"),
    "over": ("✗ over", "bad"),
}


def anomaly_table(found: Sequence[Anomaly]) -> Table:
    """Return anomalies with where each began; numbers are those of the marks in the plot."""
    return without_empty(
        Table(
            caption="Anomalies, times in UTC",
            headers=headers(
                "#", "Feature", "Cause", "From", "To", "More USD, estimated", "Usual", "Seen",
                "First request", "New revision",
                left=("Feature", "Cause", "From", "To", "First request", "New revision"),
            ),
            lines=tuple(_anomaly(at, one) for at, one in enumerate(found, start=1)),
            sortable=True,
        )
    )  # fmt: skip


def _anomaly(at: int, one: Anomaly) -> Line:
    also = f"at the same time: {', '.join(one.also)}" if one.also else ""
    began = one.origin
    revision = name(began.revision) if began and began.revision is not None else ""
    cells = (
        number(str(at), at),
        Cell(text=feature(one.feature), style="name"),
        Cell(text=one.cause, note=also),
        number(one.start.strftime(_TIME), moment(one.start)),
        number("goes on" if one.goes_on else one.end.strftime(_TIME), moment(one.end)),
        number(usd(one.usd), one.usd),
        number(_usual(one), one.usual),
        number(level(one.seen, one.unit), one.seen),
        _first(began),
        Cell(text=revision, style="name" if revision else ""),
    )
    return Line(cells=cells)


def _usual(one: Anomaly) -> str:
    """Return what is usual without its unit, which stands beside what was seen."""
    unit = one.unit.removeprefix("USD ")
    return level(one.usual, one.unit).removesuffix(unit).rstrip()


def _first(began: Origin | None) -> Cell:
    if began is None:
        return Cell(text="")
    parts = [f"{name(began.request_id or 'without an id')} at {began.at.strftime(_TIME)}"]
    if began.source is not None:
        line = "" if began.line is None else f":{began.line}"
        parts.append(clean(f"{began.source}{line}", 120))
    parts += [f"{what} {name(value)}" for what, value in (
        ("model", began.model), ("prompt", began.prompt)) if value is not None]  # fmt: skip
    return Cell(text=", ".join(parts), style="words")


def budget_table(found: Sequence[Budget]) -> Table:
    """Return how budgets are kept: what is spent beside the limit, and what the month comes to."""
    return Table(
        caption=f"Budgets of {found[0].month:%Y-%m}",
        headers=headers(
            "Feature", "Outcome", "Limit", "Spent", "Month's end (estimated)", "Range",
            "Forecast from", left=("Outcome", "Spent"),
        ),
        lines=tuple(_budget(one) for one in found),
        sortable=True,
    )  # fmt: skip


def _budget(one: Budget) -> Line:
    text, style = _OUTCOMES[one.outcome]
    part = min(float(one.spent / one.limit), 1.0) if one.limit else 1.0
    low = f"{count(one.unpriced)} requests have no price: a lower bound" if one.unpriced else ""
    cells = (
        Cell(text=feature(one.feature), style="name"),
        Cell(text=text, style=f"chip {style}"),
        number(usd(one.limit), one.limit),
        Cell(
            text=usd(one.spent),
            sort=float(one.spent),
            note=low,
            bar=round(BAR * part, 1),
            bar_style=style,
        ),
        number(usd(one.expected), one.expected),
        number(money_range(one.low, one.high), one.low),
        number(f"{count(one.days)} days", one.days),
    )
    return Line(cells=cells)
