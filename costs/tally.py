"""Tokens and money of raw texts, for one or more models."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..core.protocols import TokenCounter
from .prices import Price, usd
from .rawfiles import RawText


@dataclass(frozen=True)
class Meter:
    """A model to count for; ``price`` is ``None`` where it is unknown.

    A model without a price of its own may be priced as another: then ``recount`` counts as that
    one does, for the money alone, and the money is an estimate.
    """

    model: str
    counter: TokenCounter
    price: Price | None
    recount: TokenCounter | None = None


@dataclass(frozen=True)
class Count:
    """What a text weighs for a model; ``usd`` is for sending it once as input."""

    model: str
    tokenizer: str
    tokens: int
    exact: bool
    usd: Decimal | None


@dataclass(frozen=True)
class FileCount:
    """A file's counts, one per model."""

    path: str
    models: tuple[Count, ...]


@dataclass(frozen=True)
class Tally:
    """All files' counts; ``total`` sums them, model by model."""

    meters: tuple[Meter, ...]
    files: tuple[FileCount, ...]
    total: tuple[Count, ...]


def tally(texts: Iterable[RawText], meters: Sequence[Meter]) -> Tally:
    """Count every text for every model.

    The total in USD is that of one request per file; it is ``None`` where the price is.
    """
    files = tuple(
        FileCount(raw.path, tuple(_count(raw.text, meter) for meter in meters)) for raw in texts
    )
    columns = (tuple(file.models[index] for file in files) for index in range(len(meters)))
    total = tuple(_sum(meter, counts) for meter, counts in zip(meters, columns, strict=True))
    return Tally(tuple(meters), files, total)


def _count(text: str, meter: Meter) -> Count:
    """Count one text for one model."""
    tokens = meter.counter(text)
    billed = meter.recount(text) if meter.recount else tokens
    cost = usd(meter.price, input=billed, output=0) if meter.price else None
    return Count(meter.model, meter.counter.tokenizer, tokens, meter.counter.exact, cost)


def _sum(meter: Meter, counts: Sequence[Count]) -> Count:
    """Sum a model's counts."""
    costs = [count.usd for count in counts]
    known = [cost for cost in costs if cost is not None]
    return Count(
        model=meter.model,
        tokenizer=meter.counter.tokenizer,
        tokens=sum(count.tokens for count in counts),
        exact=meter.counter.exact,
        usd=sum(known, Decimal(0)) if len(known) == len(costs) and meter.price else None,
    )
