"""What a rule is: a pure function from a prompt and what is known of it to places worth a look."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from ...core.formats import Parsed, Place, Places
from ...core.ignores import Ignore
from ...core.protocols import TokenCounter
from ...core.report import Across
from ...core.types import PromptTemplate

LONGEST_PROSE = 300_000
"""Characters: a longer prompt holds pasted text, which rules do not read sentence by sentence."""
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model that the prompt is sent to, or priced as.

    Rates are USD per million tokens at list price, or in a batch where the prompt's calls are
    made in batches; ``None`` where unknown. ``floor`` is from how many tokens it caches a prefix.
    """

    ref: str
    count: TokenCounter
    input: Decimal | None = None
    cache_read: Decimal | None = None
    output: Decimal | None = None
    floor: int | None = None

    def cached_saves(self, tokens: int) -> Decimal | None:
        """Return what 1,000 requests save where so many tokens of each are read from a cache."""
        if self.input is None or self.cache_read is None:
            return None
        return per_1k(tokens, self.input - self.cache_read)


def per_1k(tokens: int, rate: Decimal | None) -> Decimal | None:
    """Return USD for so many tokens in each of 1,000 requests; ``None`` without a rate.

    Example:
        >>> str(per_1k(200, Decimal("0.75")))
        '0.15'
    """
    return None if rate is None else (tokens * 1000 * rate / _MILLION).normalize() + 0


@dataclass(frozen=True, kw_only=True)
class Case:
    """A prompt and what its rules may look at.

    Attributes:
        parsed: The template, with where its messages and keys stand in the file.
        models: What it is sent to; the first one's tokens and prices are those of the findings.
        calls_per_month: How often it is called; ``None`` where that is unknown.
        constant: Variables that have the same value in all rows of the eval set.
        said: Codes of strategies that have a finding of their own in this prompt.
        known: All codes and names that a file may silence.
        ignores: What this file silences.
        across: What a run that measured several targets found; ``None`` before, or without one.
    """

    parsed: Parsed
    models: tuple[Model, ...]
    calls_per_month: int | None = None
    constant: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    ignores: tuple[Ignore, ...] = ()
    across: Across | None = None

    @property
    def template(self) -> PromptTemplate:
        """The prompt."""
        return self.parsed.template

    @property
    def is_prose(self) -> bool:
        """Whether it is short enough to be read sentence by sentence."""
        return sum(len(message.content) for message in self.template.messages) <= LONGEST_PROSE

    @property
    def main(self) -> Model:
        """The model whose tokens and prices the findings are in."""
        return self.models[0]

    def tokens(self, text: str) -> int:
        """Return how many tokens a text is for the main model."""
        return self.main.count(text)

    @cached_property
    def places(self) -> Places:
        """Finds lines and columns of the file."""
        return Places(self.parsed)

    def place(self, hit: "Hit") -> tuple[Place, Place | None]:
        """Return where a hit begins in the file, and where it ends if it is a range."""
        message, start, end = hit.at
        if message is None:
            places = self.places.in_file(start), self.places.in_file(end)
        else:
            places = self.places.at(message, start), self.places.at(message, end)
        return places[0], places[1] if end > start else None

    @cached_property
    def template_tokens(self) -> int:
        """The tokens of all messages, placeholders included."""
        return sum(self.tokens(message.content) for message in self.template.messages)


Range: TypeAlias = tuple[int | None, int, int]


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A place worth a look.

    Attributes:
        message: What is to be seen there, in a sentence; what it quotes is untrusted.
        at: A message's index and the range in it; with ``None`` for the message, a range of the
            file.
        tokens: Input tokens of a request that mending it saves, at most.
        usd_per_1k: What that saves in 1,000 requests, at most; by default, what ``tokens`` cost.
    """

    message: str
    at: Range
    tokens: int = 0
    usd_per_1k: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule, and what its page says.

    Attributes:
        code: ``CO5`` and two digits.
        name: In lower case with hyphens.
        summary: One line for lists.
        find: Looks at a prompt.
        why: Why it costs.
        before: A prompt that it finds something in, in the ``format``.
        after: The same one, mended.
        ignore: When to ignore it.
        money: What its money is.
        format: The format of ``before`` and ``after``.
        covers: Codes of strategies whose findings say the same, less exactly.
        measured: What a run found, for an example that needs one.
    """

    code: str
    name: str
    summary: str
    find: Callable[[Case], Iterator[Hit]]
    why: str
    before: str
    after: str
    ignore: str
    money: str
    format: str = "markdown"
    covers: frozenset[str] = frozenset()
    measured: Across | None = None


def first_visible(text: str) -> int:
    """Return where a text's first character that is no blank stands."""
    return len(text) - len(text.lstrip("\ufeff \t\r\n"))


def quote(text: str, limit: int = 60) -> str:
    """Return a short quotation on one line."""
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= limit else f'"{line[: limit - 1].rstrip()}…"'


def usd(amount: Decimal) -> str:
    """Return an amount in a sentence, with three digits that count.

    Example:
        >>> usd(Decimal("0.012345")), usd(Decimal("1234.5")), usd(Decimal("3"))
        ('$0.0123', '$1,234', '$3.00')
    """
    if amount == 0 or 1 <= abs(amount) < 1000:
        return f"${amount:,.2f}"
    if abs(amount) >= 1000:
        return f"${amount:,.0f}"
    return f"${amount:.{2 - amount.adjusted()}f}"
