"""CO203: rules that are said twice."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import ceil
from typing import ClassVar

from ..core.types import PromptTemplate, Safety
from .base import Strategy, StrategyContext, replace_content, rewritable
from .sentences_of import REMINDER, Sentence, sentences, without

_CLAUSE = re.compile(
    r"[,;:][*_]{0,3}\s+(?:(?:and|but|or)\s+)?(?:that\s+)?|\s+(?:and|but)\s+(?:that\s+)"
)
_FEWEST_WORDS = 3
_COVERED = 0.8
_MOST_ALIKE = 8
_MOST_TRIED = 64


@dataclass(frozen=True, kw_only=True)
class RepeatedRule(Strategy):
    """Drop sentences that repeat an earlier one.

    Compares the sentences and list items of all messages that instruct, and keeps the first of
    those that say the same. Two say the same where their content words are alike: word forms,
    small words and emphasis aside, and in about the same order. A sentence that calls itself a
    reminder ("As mentioned above, …", "Once again, …") is also dropped where every one of its
    clauses is covered by an earlier sentence. Sentences whose numbers, negations, limits or quoted
    literals differ are never merged, and what holds a placeholder, code, data, a tag, an example or
    a format specification is never dropped.

    What it can break:
        Repetition is emphasis: models follow a rule more often that stands at the end, too. Two
        rules may mean different things in the sections they stand in.

    Args:
        similarity: How alike two sequences of content words must be, in (0.5, 1]; 1 is equal.

    Reference:
        Indel similarity of RapidFuzz, over words. On the worth of repeating: Y. Leviathan et al.,
        "Prompt Repetition Improves Non-Reasoning LLMs", arXiv:2512.14982.
    """

    name: ClassVar[str] = "repeated-rule"
    code: ClassVar[str] = "CO203"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops sentences that repeat an earlier one"
    reference: ClassVar[str] = "RapidFuzz; arXiv:2512.14982"
    example: ClassVar[str] = (
        "Answer with one label from the list. Never invent a new label.\n\n"
        "Once again, please never invent a new label.\n\nTicket: {ticket}"
    )

    similarity: float = 0.9

    def __post_init__(self) -> None:
        """Check the range."""
        self._require("similarity", 0.5 < self.similarity <= 1, "in (0.5, 1]")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template without the sentences that repeat an earlier one."""
        gone: dict[int, list[Sentence]] = {}
        for repeat in repeats(template, self.similarity):
            gone.setdefault(repeat.message, []).append(repeat.rule)
        contents: dict[int, str] = {}
        for index, rules in gone.items():
            text = template.messages[index].content
            left = without(text, rules)
            contents[index] = left if left.strip() else text
        return replace_content(template, contents)


@dataclass(frozen=True)
class Repeat:
    """A sentence that repeats an earlier one."""

    message: int
    rule: Sentence
    earlier: tuple[int, Sentence] | None
    """The earlier sentence and its message; ``None`` where several cover it together."""


def repeats(template: PromptTemplate, similarity: float) -> Iterator[Repeat]:
    """Yield the sentences that may go, since earlier ones that stay say the same.

    Args:
        template: The prompt; only messages that instruct are read.
        similarity: As of `RepeatedRule`.
    """
    kept = _Kept()
    for index in rewritable(template):
        for rule in sentences(template.messages[index].content, template.syntax):
            found = kept.repeated(rule, similarity) if rule.free else ()
            if found:
                first = found[0] if len(found) == 1 else None
                yield Repeat(index, rule, (kept.message_of[id(first)], first) if first else None)
            elif rule.readable:
                kept.add(rule, index)


class _Kept:
    """The sentences that stay, to be looked up by their words."""

    def __init__(self) -> None:
        self.by_words: dict[frozenset[str], list[Sentence]] = {}
        self.by_word: dict[str, list[Sentence]] = {}
        self.message_of: dict[int, int] = {}

    def add(self, rule: Sentence, message: int) -> None:
        same = self.by_words.setdefault(rule.said, [])
        if len(same) < _MOST_ALIKE:
            same.append(rule)
            self.message_of[id(rule)] = message
            for word in rule.said:
                self.by_word.setdefault(word, []).append(rule)

    def repeated(self, rule: Sentence, similarity: float) -> tuple[Sentence, ...]:
        """Return the sentences that say together what a sentence says; empty where none do."""
        if len(rule.words) < _FEWEST_WORDS:
            return ()
        for other in self.by_words.get(rule.said, ()):
            if _alike(rule, other, similarity):
                return (other,)
        covering = [self._covering(clause) for clause in _clauses(rule)]
        found = [other for other in covering if other is not None]
        return tuple(dict.fromkeys(found)) if len(found) == len(covering) else ()

    def _covering(self, clause: Sentence) -> Sentence | None:
        for other in islice(self._may_cover(clause.words), _MOST_TRIED):
            if _covers(other.said, clause.words) and not clause.anchors - other.anchors:
                return other
        return None

    def _may_cover(self, words: Sequence[str]) -> Iterator[Sentence]:
        """Yield the sentences with one of the rarest words, of so many that one must be there."""
        found = sorted((self.by_word.get(word, []) for word in words), key=len)
        missing = len(words) - ceil(_COVERED * len(words))
        return chain.from_iterable(found[: missing + 1])


def _clauses(rule: Sentence) -> tuple[Sentence, ...]:
    """Return the clauses of a sentence that calls itself a reminder; of any other, none."""
    reminder = REMINDER.match(rule.source)
    if not reminder:
        return ()
    found = (Sentence(part) for part in _CLAUSE.split(rule.source[reminder.end() :]))
    return tuple(clause for clause in found if clause.words or clause.anchors)


def _alike(rule: Sentence, other: Sentence, similarity: float) -> bool:
    """Tell whether two sentences of the same words say the same: same anchors, about same order."""
    if rule.anchors != other.anchors:
        return False
    if rule.words == other.words:
        return True
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(rule.words, other.words) >= similarity


def _covers(said: frozenset[str], words: Sequence[str]) -> bool:
    return sum(word in said for word in words) >= _COVERED * len(words)
