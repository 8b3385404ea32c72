"""CO203: rules that are said twice."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from ..core.anchors import anchors
from ..core.blocks import lines
from ..core.spans import spans
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .base import Strategy, StrategyContext, replace_content, rewritable

_SENTENCE_END = re.compile(r"[.!?][)\"'”’*_]{0,3}[ \t]+(?=[*_\"'(]{0,3}[A-Z0-9])")
_BULLET = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•][ \t]+|\d{1,3}[.)][ \t]+)?")
_WORD = re.compile(r"[^\W_]+(?:['’][a-z]+)?")
_CLAUSE = re.compile(
    r"[,;:][*_]{0,3}\s+(?:(?:and|but|or)\s+)?(?:that\s+)?|\s+(?:and|but)\s+(?:that\s+)"
)
_REMINDER = re.compile(
    r"[*_]{0,3}(?:please[ ,]+)?(?:once (?:again|more)|again,|as (?:has )?(?:already )?(?:been )?"
    r"(?:mentioned|stated|noted|said|described|explained)\b|as a (?:final )?reminder|reminder:"
    r"|to (?:repeat|reiterate|summari[sz]e|recap)\b|remember\b|(?:always )?(?:also )?(?:keep|bear)"
    r" in mind|(?:also )?keep in mind|in summary|finally, remember)",
    re.IGNORECASE,
)
_SMALL_WORDS = """
    a an the this that these those it its is are was were be been being of in on at to for from by
    with and or but as so if then than which who whom whose you your yours i we our us me my they
    them their he she his her do does did have has had will would should shall can could may might
    please kindly note again once reminder remember remind mind keep keeping very really important
    crucial essential vital extremely also just make sure ensure certain above below before earlier
    mentioned stated noted said described already there here what when where how any some such
"""
_LIGHT = frozenset(_SMALL_WORDS.split())
_ENDINGS = ("ings", "ing", "edly", "ed", "ies", "es", "ly", "s", "e")
_SOLID = frozenset(
    {
        SpanKind.PLACEHOLDER, SpanKind.CODE, SpanKind.DATA, SpanKind.MARKUP, SpanKind.EXAMPLE,
        SpanKind.FORMAT,
    }
)  # fmt: skip
_ITEM = re.compile(r"[ \t]*(?:>[ \t]*)?(?:[-*+•]|\d{1,3}[.)])[ \t]+")
_WHOLE = re.compile(r"[.!?][)\"'”’*_]{0,3}\s*\Z")
_ITEM_WORDS = 4
_FEWEST_WORDS = 3
_COVERED = 0.8


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
        kept = _Kept()
        contents: dict[int, str] = {}
        for index in rewritable(template):
            text = template.messages[index].content
            gone: list[_Rule] = []
            for rule in _rules(text, template.syntax):
                if rule.free and kept.repeated(rule, self.similarity):
                    gone.append(rule)
                elif rule.readable:
                    kept.add(rule)
            left = _without(text, gone)
            contents[index] = left if left.strip() else text
        return replace_content(template, contents)


@dataclass(frozen=True)
class _Rule:
    """A sentence or list item, and what it is compared by."""

    source: str
    start: int = 0
    end: int = 0
    readable: bool = True
    """Whether it is prose: no placeholder, code, data or tag."""
    free: bool = True
    """Whether it may be dropped."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The stems of its content words, in order."""
        words = (word.lower().replace("’", "'") for word in _WORD.findall(self.source))
        return tuple(_stem(word) for word in words if word not in _LIGHT)

    @cached_property
    def said(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def anchors(self) -> Counter[str]:
        return anchors(self.source, Syntax.NONE)

    @cached_property
    def clauses(self) -> "tuple[_Rule, ...]":
        """The clauses of a sentence that calls itself a reminder; of any other, none."""
        reminder = _REMINDER.match(self.source)
        if not reminder:
            return ()
        found = (_Rule(part) for part in _CLAUSE.split(self.source[reminder.end() :]))
        return tuple(clause for clause in found if clause.words or clause.anchors)


class _Kept:
    """The sentences that stay, to be looked up by their words."""

    def __init__(self) -> None:
        self.by_words: dict[frozenset[str], list[_Rule]] = {}

    def add(self, rule: _Rule) -> None:
        self.by_words.setdefault(rule.said, []).append(rule)

    def repeated(self, rule: _Rule, similarity: float) -> bool:
        if len(rule.words) < _FEWEST_WORDS:
            return False
        same = self.by_words.get(rule.said, ())
        if any(_alike(rule, other, similarity) for other in same):
            return True
        return bool(rule.clauses) and all(map(self._covered, rule.clauses))

    def _covered(self, clause: _Rule) -> bool:
        return any(
            _covers(said, clause.words) and not clause.anchors - other.anchors
            for said, others in self.by_words.items()
            for other in others
        )


def _rules(text: str, syntax: Syntax) -> Iterator[_Rule]:
    solid, joined = bytearray(len(text)), bytearray(len(text))
    for span in spans(text, syntax):
        marks = solid if span.kind in _SOLID else joined if span.kind is SpanKind.QUOTE else None
        if marks is not None:
            marks[span.start : span.end] = b"\1" * (span.end - span.start)
    for start, end in lines(text):
        yield from _line_rules(text, start, end, solid, joined)


def _line_rules(
    text: str, start: int, end: int, solid: bytearray, joined: bytearray
) -> Iterator[_Rule]:
    bullet = _BULLET.match(text, start, end)
    first = bullet.end() if bullet else start
    if text.startswith("#", first) or not text[first:end].strip():
        return
    cuts = [
        stop.end()
        for stop in _SENTENCE_END.finditer(text, first, end)
        if not solid[stop.start()] and not joined[stop.start()]
    ]
    item = _ITEM.match(text, start, end) is not None
    numbered = item and text[start:first].strip()[:1].isdigit()
    for begin, stop in pairwise([first, *cuts, end]):
        source = text[begin:stop]
        readable = 1 not in solid[begin:stop]
        # A sentence of a longer list item speaks of that item: only a reminder speaks of others.
        alone = not (item and cuts) or _REMINDER.match(source) is not None
        whole = _WHOLE.search(source) is not None or (item and len(source.split()) > _ITEM_WORDS)
        yield _Rule(source, begin, stop, readable, readable and alone and whole and not numbered)


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _alike(rule: _Rule, other: _Rule, similarity: float) -> bool:
    """Tell whether two sentences of the same words say the same: same anchors, about same order."""
    if rule.anchors != other.anchors:
        return False
    if rule.words == other.words:
        return True
    from rapidfuzz.distance import Indel

    return Indel.normalized_similarity(rule.words, other.words) >= similarity


def _covers(said: frozenset[str], words: Sequence[str]) -> bool:
    return sum(word in said for word in words) >= _COVERED * len(words)


def _without(text: str, gone: Sequence[_Rule]) -> str:
    """Take sentences out, and with them lines and bullets of which nothing is left."""
    for rule in reversed(gone):
        start, end = rule.start, rule.end
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        last = len(text) if last == -1 else last
        if not _BULLET.sub("", text[first:start], count=1).strip(" \t*_") and not text[
            end:last
        ].strip(" \t\r*_"):
            start, end = first, min(last + 1, len(text))
            start, end = _with_blank_line(text, start, end)
        elif not text[end:last].strip():
            start, end = len(text[:start].rstrip(" \t")), len(text[:end].rstrip("\r"))
        text = text[:start] + text[end:]
    return text


def _with_blank_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen to the blank line after a paragraph that goes, if one stands before it as well."""
    before = text[:start].endswith(("\n\n", "\r\n\r\n")) or start == 0
    after = re.compile(r"\r?\n").match(text, end)
    return (start, after.end()) if before and after else (start, end)
