"""What a change of input and output tokens comes to in money, on the rows that both logs have."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import fmean
from typing import Literal

from ..core.protocols import TokenCounter
from ..costs.prices import Price, usd
from .readings import ALPHA, Pairs
from .result_log import LogRow, ResultLog
from .statistics import paired_bounds

CHARACTERS_PER_TOKEN = 4
PROXY = "characters / 4"

Part = Literal["input", "output"]


@dataclass(frozen=True)
class Characters:
    """Counts four characters as a token: a proxy, for where no tokenizer is wanted."""

    tokenizer: str = PROXY
    exact: bool = False

    def __call__(self, text: str) -> float:
        """Return the characters of a text by four."""
        return len(text) / CHARACTERS_PER_TOKEN


@dataclass(frozen=True, kw_only=True)
class TokenMeans:
    """Mean tokens per row of both sides, over ``n`` rows that both have.

    ``source`` says where the counts come from; ``estimated`` whether that is not the model's own.
    """

    base: float
    head: float
    n: int
    source: str
    estimated: bool

    @property
    def change(self) -> float | None:
        """The change as a fraction of the base; -0.18 is less."""
        return self.head / self.base - 1 if self.base else None


@dataclass(frozen=True, kw_only=True)
class Pricing:
    """What tokens are priced at: a model's price, or output at a multiple of input.

    ``ratio`` is output's price over input's; with a model it is ``None``.
    """

    name: str
    price: Price | None = None
    ratio: Decimal | None = None
    estimated: bool = False

    def cost(self, read: float, written: float) -> Fraction | None:
        """Return what a request costs: USD, or input tokens' worth where there is a ratio only."""
        if self.ratio is not None:
            return Fraction(read) + Fraction(written) * Fraction(self.ratio)
        found = None if self.price is None else usd(self.price, input=read, output=written)
        return None if found is None else Fraction(found)


@dataclass(frozen=True, kw_only=True)
class Saving:
    """The realised saving at one price, as a fraction of base's cost; negative is dearer.

    ``low`` and ``high`` are one-sided bounds; ``None`` where too few rows tell. ``base_usd`` and
    ``head_usd`` are per 1,000 rows, ``None`` where only a ratio of prices is known.
    """

    pricing: str
    saving: float
    low: float | None
    high: float | None
    base_usd: Decimal | None
    head_usd: Decimal | None
    estimated: bool


@dataclass(frozen=True, kw_only=True)
class Money:
    """Tokens and money of two logs; ``None`` where they do not say.

    ``claimed`` is what counting input alone would call the saving.
    """

    input: TokenMeans | None
    output: TokenMeans | None
    savings: tuple[Saving, ...] = ()
    unpriced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def claimed(self) -> float | None:
        """The saving of input tokens, as a fraction."""
        change = self.input.change if self.input else None
        return None if change is None else -change


def money_of(
    base: ResultLog,
    head: ResultLog,
    pairs: Pairs,
    *,
    counter: TokenCounter | Characters,
    pricings: Sequence[Pricing],
) -> Money:
    """Return tokens and realised savings; both sides are always counted in the same way.

    Args:
        base: The first log.
        head: The second.
        pairs: The rows of both.
        counter: Counts texts, where the logs have no token counts.
        pricings: What to price at.
    """
    read, written = (_reader(base, head, part, counter) for part in ("input", "output"))
    asked = [(read(row), read(other)) for row, other in pairs]
    said = [(written(row), written(other)) for row, other in pairs]
    whole = [
        _Counts(row.cluster, one[0], two[0], one[1], two[1])
        for (row, _), one, two in zip(pairs, map(_both, asked), map(_both, said), strict=True)
        if one is not None and two is not None
    ]
    if not whole:
        tokens_in, tokens_out = _means(asked, read), _means(said, written)
        return Money(input=tokens_in, output=tokens_out, notes=_missing(tokens_in, tokens_out))
    found = {pricing.name: _saving(pricing, whole) for pricing in pricings}
    return Money(
        input=_means([(c.base_input, c.head_input) for c in whole], read),
        output=_means([(c.base_output, c.head_output) for c in whole], written),
        savings=tuple(saving for saving in found.values() if saving is not None),
        unpriced=tuple(name for name, saving in found.items() if saving is None),
        notes=_left_out(len(pairs) - len(whole)),
    )


@dataclass(frozen=True)
class _Counts:
    """The tokens of one pair of rows."""

    cluster: str | None
    base_input: float
    base_output: float
    head_input: float
    head_output: float


def _both(pair: tuple[float | None, float | None]) -> tuple[float, float] | None:
    one, two = pair
    return None if one is None or two is None else (one, two)


@dataclass(frozen=True)
class _Reader:
    source: str
    estimated: bool
    read: Callable[[LogRow], float | None]

    def __call__(self, row: LogRow) -> float | None:
        return self.read(row)


def _reader(
    base: ResultLog, head: ResultLog, part: Part, counter: TokenCounter | Characters
) -> _Reader:
    """Return what reads one side's tokens off a row: the logs' own counts where both have them."""
    column: Literal["input_tokens", "output_tokens"] = (
        "input_tokens" if part == "input" else "output_tokens"
    )
    if base.has(column) and head.has(column):
        return _Reader("as logged", False, lambda row: getattr(row, column))
    held: Literal["input", "answer"] = "input" if part == "input" else "answer"

    def counted(row: LogRow) -> float | None:
        text: str | None = getattr(row, held)
        return None if text is None else counter(text)

    return _Reader(f"texts counted by {counter.tokenizer}", True, counted)


def _means(
    pairs: Sequence[tuple[float | None, float | None]], reader: _Reader
) -> TokenMeans | None:
    both = [(one, two) for one, two in pairs if one is not None and two is not None]
    if not both:
        return None
    return TokenMeans(
        base=fmean(one for one, _ in both),
        head=fmean(two for _, two in both),
        n=len(both),
        source=reader.source,
        estimated=reader.estimated,
    )


def _saving(pricing: Pricing, rows: Sequence[_Counts]) -> Saving | None:
    """Return the saving at one price; ``None`` where that is unknown."""
    costs = [
        (pricing.cost(r.base_input, r.base_output), pricing.cost(r.head_input, r.head_output))
        for r in rows
    ]
    known = [(one, two) for one, two in costs if one is not None and two is not None]
    total, after = (sum((pair[side] for pair in known), Fraction(0)) for side in (0, 1))
    if len(known) < len(rows) or not total:
        return None
    mean = total / len(rows)
    parts = [float((one - two) / mean) for one, two in known]
    clusters = [row.cluster for row in rows]
    bounds = paired_bounds(
        parts, alpha=ALPHA, scale="unbounded", clusters=clusters if any(clusters) else None
    )
    priced = pricing.price is not None
    return Saving(
        pricing=pricing.name,
        saving=float(1 - after / total),
        low=bounds.low if bounds else None,
        high=bounds.high if bounds else None,
        base_usd=_per_1k(mean) if priced else None,
        head_usd=_per_1k(after / len(rows)) if priced else None,
        estimated=pricing.estimated,
    )


def _per_1k(mean: Fraction) -> Decimal:
    thousand = mean * 1000
    return Decimal(thousand.numerator) / Decimal(thousand.denominator)


def _missing(read: TokenMeans | None, written: TokenMeans | None) -> tuple[str, ...]:
    gone = [name for name, found in (("input", read), ("output", written)) if found is None]
    if not gone:
        return ("no row has input and output tokens in both logs: the saving is not measured",)
    what = " and ".join(gone)
    return (f"{what}: neither token counts nor texts in both logs; the saving is not measured",)


def _left_out(rows: int) -> tuple[str, ...]:
    return (f"{rows} pairs lack input or output, and are not in the money",) if rows else ()
