"""The answers behind a report, row by row; the report itself does not hold them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .report import PromptReport


@dataclass(frozen=True, kw_only=True)
class ShownAnswer:
    """What one variant answered to one row.

    Attributes:
        variant: The variant's name.
        text: The first draw; ``None`` where the store holds none.
        score: In the metric's unit, of that draw; ``None`` where nothing scores it.
        input_tokens: As the target counted them.
        output_tokens: Likewise.
    """

    variant: str
    text: str | None = None
    score: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """One row of an eval set with the answers to it, the baseline's first."""

    id: str
    inputs: tuple[tuple[str, str], ...]
    """Names and values of the variables; long values are cut."""
    reference: str | None
    answers: tuple[ShownAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class SampleTable:
    """Rows of one prompt at one target, those that got worst first.

    Attributes:
        target: The target.
        metric: What the scores are in; ``None`` where there are none.
        rows: Those that are shown.
        asked: How many rows were asked.
        found: Of how many of them the store holds the answers of the first two variants.
        generated: Whether answers are what was scored, so that a missing one is missed.
        why: What is to be known of them, in a sentence.
    """

    target: str
    metric: str | None
    rows: tuple[SampleRow, ...]
    asked: int
    found: int
    generated: bool = True
    why: str | None = None


SampleSource: TypeAlias = Callable[[PromptReport, str], SampleTable | None]
"""Returns the rows of a prompt at a target, by its name; ``None`` where nothing was asked."""
