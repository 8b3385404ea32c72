"""Attribution: what each part of a prompt weighs and does, as the report holds it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

SegmentVerdict = Literal[
    "earns its keep",
    "earns its keep with others",
    "no effect seen: candidate to cut",
    "hurts",
    "not enough data",
    "not measured",
    "kept",
]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The score with a segment minus the score without it, on ``n`` rows; positive: it helps."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Share:
    """A segment's part (Shapley) of what several do together, sampled over ``orders``.

    ``standard_error`` is over rows and orders.
    """

    mean: float
    standard_error: float
    orders: int
    n: int


@dataclass(frozen=True, kw_only=True)
class SegmentReport:
    """One segment: a half-open range of a message; a ``turn`` is that message and the next.

    Attributes:
        number: From 1, in the order of the prompt.
        message: The index of the message among the baseline's.
        start: Where it begins in the message's content, in characters.
        end: Where it ends.
        line: The line of the file on which it begins.
        column: The column, from 1.
        kind: ``sentence``, ``item``, ``heading``, ``paragraph``, ``section``, ``example``, ``turn``
            or ``block``.
        text: Its text.
        tokens: How many the prompt has less without it.
        usd_per_month: What those cost at the input's full price; ``None`` where it is unknown.
        verdict: What was found.
        effect: Of this segment alone.
        share: Its part of what it does together with others, where that was sampled.
        kept: Why it cannot be left out, or was not tried.
    """

    number: int
    message: int
    start: int
    end: int
    line: int
    column: int
    kind: str
    text: str
    tokens: int
    usd_per_month: Decimal | None
    verdict: SegmentVerdict
    effect: Effect | None = None
    share: Share | None = None
    kept: str | None = None


@dataclass(frozen=True, kw_only=True)
class Together:
    """Segments that look harmless, left out at once; ``segments`` are their numbers."""

    segments: tuple[int, ...]
    tokens: int
    usd_per_month: Decimal | None
    effect: Effect | None
    verdict: SegmentVerdict


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """What each part of a prompt weighs and does at one target.

    Attributes:
        target: Where it was measured.
        metric: What judged; ``None`` where nothing did.
        margin: The largest effect that counts as none, in the metric's unit.
        confidence: Of each bound, corrected for the segments and the looks.
        rows: How many rows there are for it.
        segments: In the order of the prompt.
        together: Those that look harmless, left out at once.
        notes: How it was measured.
    """

    target: str
    metric: str | None
    margin: float | None
    confidence: float | None
    rows: int
    segments: tuple[SegmentReport, ...]
    together: Together | None = None
    notes: tuple[str, ...] = ()
