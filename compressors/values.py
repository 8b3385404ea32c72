"""Values of variables, shortened by context strategies, with what it took and what was lost."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.anchors import anchors, lost
from ..core.types import Syntax
from .base import ContextStrategy, NotApplicable, StrategyContext

__all__ = ["Cut", "cut", "cut_by_all", "text_of"]


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A value, shortened.

    Attributes:
        value: What is left of it.
        before: Its tokens.
        after: Tokens that are left.
        seconds: How long it took.
        dropped: Anchors (numbers with units, negations, quotes, URLs) that were lost.
        notes: What the strategies wanted to be said.
    """

    value: Any
    before: int
    after: int
    seconds: float = 0.0
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def cut(
    strategy: ContextStrategy,
    value: Any,  # noqa: ANN401 - what a sample fills in
    question: str | None,
    context: StrategyContext,
) -> Cut:
    """Shorten a value.

    Values have no structure that an edit could break, only anchors: none is made longer in tokens,
    nor empty, and a lossless strategy loses no anchor. What may not be leaves the value as it is.

    Raises:
        NotApplicable: the strategy needs what the context does not have.
        CostoptError: the strategy's model cannot be loaded.

    Example:
        >>> from costopt.compressors.contract import PieceCounter
        >>> from costopt.compressors.registry import get
        >>> text = "Ann keeps bees. The mill closed in 1931. Trains stop here at noon."
        >>> made = cut(get("sentences", rate=0.4), text, "When did the mill close?",
        ...            StrategyContext(count=PieceCounter()))
        >>> made.value, made.before, made.after
        ('The mill closed in 1931.', 28, 10)
    """
    own = replace(context, notes=[])
    # Counted first: what a tokenizer takes to load is not what shortening takes.
    before = context.count(text_of(value))
    begun = _clock(context)
    new = strategy.shorten_value(value, question, own)
    seconds = max(0.0, _clock(context) - begun)
    old_text, new_text = text_of(value), text_of(new)
    after = context.count(new_text)
    gone = _lost(old_text, new_text)
    emptied = bool(old_text.strip()) and not new_text.strip()
    if emptied or after > before or (gone and strategy.safety == "lossless"):
        new, after, gone = value, before, ()
    return Cut(
        value=new, before=before, after=after, seconds=seconds, dropped=gone, notes=tuple(own.notes)
    )


def cut_by_all(
    strategies: Sequence[ContextStrategy],
    value: Any,  # noqa: ANN401 - what a sample fills in
    question: str | None,
    context: StrategyContext,
) -> Cut:
    """Shorten a value by one strategy after another.

    Raises:
        NotApplicable: a strategy needs what the context does not have.
        CostoptError: a strategy's model cannot be loaded.
    """
    size = context.count(text_of(value))
    so_far = Cut(value=value, before=size, after=size)
    for strategy in strategies:
        try:
            made = cut(strategy, so_far.value, question, context)
        except NotApplicable as error:
            raise NotApplicable(f"{strategy.name}: {error.reason}") from None
        so_far = Cut(
            value=made.value,
            before=size,
            after=made.after,
            seconds=so_far.seconds + made.seconds,
            dropped=tuple(dict.fromkeys((*so_far.dropped, *made.dropped))),
            notes=tuple(dict.fromkeys((*so_far.notes, *made.notes))),
        )
    return so_far


def text_of(value: object) -> str:
    """Return a value as text: itself, or JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _clock(context: StrategyContext) -> float:
    """Return the time, without what loading a model took, and with what stored results took."""
    reader = context.compressor
    return time.perf_counter() + (reader.correction_s if reader is not None else 0.0)


def _lost(before: str, after: str) -> tuple[str, ...]:
    if before == after:
        return ()
    return lost(anchors(before, Syntax.NONE), anchors(after, Syntax.NONE))
