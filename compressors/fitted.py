"""Strategies that are fitted on samples: their base, and the ids of what they choose among."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from ..core.protocols import TokenCounter
from ..core.types import PromptTemplate
from .base import NotApplicable, Strategy, StrategyContext
from .guard import check

NEEDS_ROWS = "needs eval rows: it is fitted on them"
_LONG = 40
"""Longest value that is part of a variant's name."""
_ID = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, kw_only=True)
class FittedStrategy(Strategy):
    """The base of strategies that learn one parameter; it is ``None`` until then."""

    learns: ClassVar[str]
    """The name of that parameter."""
    example_learned: ClassVar[str]
    """A value of it that was learned for ``example``, for the strategy's page."""
    needs: ClassVar[frozenset[str]] = frozenset({"counter", "samples"})

    @property
    def fitted(self) -> bool:
        """Whether it was learned, or given."""
        return getattr(self, self.learns) is not None

    def note_learned(self, context: StrategyContext, *, found: bool) -> None:
        """Note what a variant's name is too short for, and ids that name nothing here."""
        value = str(getattr(self, self.learns))
        if not found:
            context.notes.append(f"nothing here is named by {self.learns}={value[:_LONG]}")
        elif len(value) > _LONG:
            context.notes.append(f"{self.learns}={value}")


def digest(text: str) -> str:
    r"""Return the SHA-256 of a text, its blanks aside, in hex digits.

    Example:
        >>> digest("a  b\r\n") == digest("a b")
        True
    """
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()


def short_ids(digests: Iterable[str]) -> dict[str, str]:
    """Return by digest its first hex digits, four or as many more as tell all apart.

    Example:
        >>> short_ids(["abcd1f", "abcd2f", "0123ff"])
        {'abcd1f': 'abcd1', 'abcd2f': 'abcd2', '0123ff': '0123f'}
    """
    found = list(dict.fromkeys(digests))
    length = 4
    while len({one[:length] for one in found}) < len(found):
        length += 1
    return {one: one[:length] for one in found}


@dataclass(frozen=True)
class Piece:
    """What may go, known by its text."""

    message: int
    text: str

    @cached_property
    def digest(self) -> str:
        """What its id is the beginning of."""
        return digest(self.text)


def weights(
    units: Iterable[Piece], names: Mapping[str, str], count: TokenCounter
) -> dict[str, int]:
    """Return the tokens of each unit by its id; units of one id together."""
    found: dict[str, int] = {}
    for unit in units:
        found[names[unit.digest]] = found.get(names[unit.digest], 0) + count(unit.text)
    return found


def read_ids(text: str) -> tuple[str, ...]:
    """Return the ids of a parameter; see `are_ids`."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def are_ids(text: str | None) -> bool:
    """Tell whether a parameter is ids joined by semicolons, or ``None``."""
    return text is None or all(_ID.fullmatch(one) for one in read_ids(text))


def matcher(ids: Iterable[str]) -> Callable[[str], bool]:
    """Return a function that tells whether one of ``ids`` names a digest.

    Example:
        >>> matcher(["abcd", "01234"])("01234f")
        True
    """
    by_length: dict[int, set[str]] = {}
    for one in ids:
        by_length.setdefault(len(one), set()).add(one)
    return lambda found: any(found[:length] in some for length, some in by_length.items())


def settled(edit: Callable[[PromptTemplate], PromptTemplate], t: PromptTemplate) -> PromptTemplate:
    """Apply an edit that only shortens until nothing changes."""
    while (after := edit(t)).messages != t.messages:
        t = after
    return t


def checked(strategy: Strategy, before: PromptTemplate, after: PromptTemplate) -> PromptTemplate:
    """Return ``after`` if the guard accepts it.

    Raises:
        NotApplicable: it does not: the parameters were learned from another prompt.
    """
    refused = check(before, after, strategy.safety, strategy.side, strategy.rewrites).rejected
    if refused is not None:
        raise NotApplicable(refused)
    return after


def learned_params(strategy: Strategy, given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a fitted strategy: those given, and what it learned."""
    params = strategy.get_params()
    learned = type(strategy)(**given).get_params()
    return {k: v for k, v in params.items() if k in given or v != learned[k]}
