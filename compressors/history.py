"""CO331: the turns of a conversation that the question asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ..core.types import Safety
from .base import ContextStrategy, StrategyContext
from .ranking import relevance, terms
from .sentences import Sentences
from .turns import Turn, message_turns, transcript_turns

_NEAR = 0.05
_LEAST = 8
"""Tokens that are worth filling with part of a turn."""


@dataclass(frozen=True, kw_only=True)
class History(ContextStrategy):
    r"""Keep the turns of a conversation that the question asks for, and the latest.

    The value is a list of messages (``role`` and ``content``), or a transcript with a speaker's
    name before each turn. What the system says, the first turns and the last ones stay; of the
    turns between, those stay that say most about the question (BM25), or about the user's last
    turn, until ``rate`` of the tokens is used; what is left of them is filled with sentences of
    the next best turn. A call of a tool and its result stay or go together. Order and wording are
    kept.

    What it can break:
        A decision, a promise or a correction in a turn that shares no word with the question is
        forgotten. Turns that refer to one that is gone ("as I said") lose their sense.

    Args:
        on: The variable whose value is shortened.
        question: The variable that holds the question; without it, the user's last turn asks.
        rate: Tokens after / tokens before; above 0 and at most 1.
        first: Turns that stay at the beginning, 0 or more.
        last: Turns that stay at the end, 1 or more.

    Reference:
        Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009). On
        what agents lose by plain truncation: J. Kim et al., "ACON", arXiv:2510.00615.

    Example:
        >>> from costopt.compressors import get
        >>> talk = ("User: My tent leaks.\nBot: Which model?\nUser: The Heron.\nBot: Noted.\n"
        ...         "User: Do you like rain?\nBot: No.\nUser: Can the tent be mended?\nBot:")
        >>> print(get("history", rate=0.5, first=1, last=2)(talk))
        User: My tent leaks.
        User: The Heron.
        User: Can the tent be mended?
        Bot:
    """

    name: ClassVar[str] = "history"
    code: ClassVar[str] = "CO331"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "keeps the turns of a conversation that the question asks for"
    reference: ClassVar[str] = "BM25 (Robertson and Zaragoza, 2009)"

    example: ClassVar[str] = (
        "User: My order LT-330 came with a broken lamp.\nAgent: I am sorry. Shall we send a lamp?\n"
        "User: Yes. By the way, do you have a shop in Hull?\nAgent: We do, on Quay Road.\n"
        "User: Nice, my sister lives there.\nAgent: It is a fine town.\n"
        "User: When will the lamp of my order come?\nAgent:"
    )
    example_question: ClassVar[str | None] = None
    reads_messages: ClassVar[bool] = True

    rate: float = 0.5
    first: int = 1
    last: int = 4

    def __post_init__(self) -> None:
        """Check the ranges."""
        self._require("rate", 0 < self.rate <= 1, "above 0 and at most 1")
        self._require("first", self.first >= 0, "at least 0")
        self._require("last", self.last >= 1, "at least 1")

    def shorten(self, text: str, question: str | None, context: StrategyContext) -> str:
        """Return the turns of a transcript that stay, to the letter."""
        turns = transcript_turns(text)
        if not self._speaks(turns, context):
            return text
        kept = self._kept(turns, question, context)

        def cut(turn: Turn, rate: float) -> str:
            head, body = text[turn.start : turn.body], text[turn.body : turn.end]
            short = _sentences(body, rate, question, context)
            return f"{head}{' ' if body[:1] == ' ' and short[:1] != ' ' else ''}{short}"

        whole = [context.count(text[turn.start : turn.end]) for turn in turns]
        parts = self._filled(turns, kept, whole, cut, context)
        said = "".join(
            parts.get(i, text[turn.start : turn.end])
            for i, turn in enumerate(turns)
            if i in kept or i in parts
        )
        self._note(sum(whole), context.count(said), context)
        return said.rstrip() + text[len(text.rstrip()) :]

    def shorten_value(
        self,
        value: Any,  # noqa: ANN401 - what a sample fills in
        question: str | None,
        context: StrategyContext,
    ) -> Any:  # noqa: ANN401
        """Return a list of messages shortened, or a transcript; another value stays as it is."""
        if not isinstance(value, list | tuple):
            return super().shorten_value(value, question, context)
        turns = message_turns(value)
        if not self._speaks(turns, context):
            return value
        kept = self._kept(turns, question, context)

        def cut(turn: Turn, rate: float) -> str:
            alone = turn.end - turn.start == 1 and isinstance(value[turn.start]["content"], str)
            return (
                _sentences(value[turn.start]["content"], rate, question, context) if alone else ""
            )

        whole = [context.count(turn.text) for turn in turns]
        parts = self._filled(turns, kept, whole, cut, context)
        result: list[Any] = []
        for i, turn in enumerate(turns):
            if i in kept:
                result += value[turn.start : turn.end]
            elif i in parts:
                result.append({**value[turn.start], "content": parts[i]})
        reached = sum(whole[i] for i in kept) + sum(map(context.count, parts.values()))
        self._note(sum(whole), reached, context)
        return type(value)(result)

    def _speaks(self, turns: Sequence[Turn], context: StrategyContext) -> bool:
        if not turns:
            context.notes.append(
                f"{self.name}: left as it is: neither a list of messages nor a transcript with "
                "speakers' names"
            )
        return bool(turns) and self.rate < 1

    def _fixed(self, turns: Sequence[Turn]) -> frozenset[int]:
        """Return the turns that stay in any case."""
        system = {i for i, turn in enumerate(turns) if turn.said_by in ("system", "developer")}
        others = [i for i in range(len(turns)) if i not in system]
        return frozenset(system | {*others[: self.first], *others[-self.last :]})

    def _kept(
        self, turns: Sequence[Turn], question: str | None, context: StrategyContext
    ) -> frozenset[int]:
        """Return the turns that stay whole."""
        sizes = [context.count(turn.text) for turn in turns]
        kept = set(self._fixed(turns))
        used, budget = sum(sizes[i] for i in kept), self.rate * sum(sizes)
        for i in self._ranked(turns, question):
            if i not in kept and used + sizes[i] <= budget * (1 + _NEAR):
                kept.add(i)
                used += sizes[i]
        return frozenset(kept)

    def _ranked(self, turns: Sequence[Turn], question: str | None) -> list[int]:
        """Return all turns, those that say most about the question first, the later of equals."""
        asked = question or next((t.text for t in reversed(turns) if t.by_user), turns[-1].text)
        scores = relevance([terms(turn.text) for turn in turns], terms(asked))
        return sorted(range(len(turns)), key=lambda i: (-scores[i], -i))

    def _filled(
        self,
        turns: Sequence[Turn],
        kept: frozenset[int],
        sizes: Sequence[int],
        cut: Callable[[Turn, float], str],
        context: StrategyContext,
    ) -> dict[int, str]:
        """Return parts of further turns, that fill what is left of the budget."""
        budget = self.rate * sum(sizes)
        left = budget - sum(sizes[i] for i in kept)
        parts: dict[int, str] = {}
        for i in sorted(set(range(len(turns))) - kept, key=lambda i: (-sizes[i], i)):
            if left < max(_LEAST, _NEAR * budget):
                break
            short = cut(turns[i], min(1.0, left / max(sizes[i], 1)))
            size = context.count(short)
            if short.strip() and size <= left + _NEAR * budget:
                parts[i] = short
                left -= size
        return parts

    def _note(self, before: int, after: int, context: StrategyContext) -> None:
        reached = after / before if before else self.rate
        if abs(reached - self.rate) > _NEAR * self.rate:
            why = "the first and last turns stay" if reached > self.rate else "turns go whole"
            context.notes.append(
                f"{self.name}: rate {self.rate:g} requested and {reached:.2f} reached: {why}"
            )


def _sentences(text: str, rate: float, question: str | None, context: StrategyContext) -> str:
    """Return the best sentences of a turn; its notes would speak of one turn alone."""
    return Sentences(rate=max(rate, 0.01)).shorten(text, question, replace(context, notes=[]))
