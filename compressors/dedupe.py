"""CO204: sentences that nearly repeat an earlier one."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from ..core.blocks import lines
from ..core.spans import spans
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .base import Strategy, StrategyContext, replace_content, rewritable
from .sentences_of import Sentence, sentences, stem, without

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_SYMBOL = re.compile(r"[^\w\s.,;:!*_\"'“”‘’()\[\]–—-]")
_SMALL_WORDS = """
    a an the this that these those please kindly also just very really quite simply note remember
    once again reminder ensure sure make be is are your you to
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_WEAK_WORDS = """
    carefully clearly properly accurately thoroughly correctly absolutely fully completely entirely
    provided given important crucial essential critical vital
"""
_WEAK = frozenset(_WEAK_WORDS.split())
_ALIKE = """
    answer reply respond answers replies responds response responses
    show display shows displays
    give provide supply gives provides supplies
    use utilize utilise employ uses utilizes utilises
    using utilizing utilising employing
    help assist helps assists
    begin start begins starts
    create generate produce creates generates produces
    need require needs requires
    concise brief short
    correct accurate
    thorough detailed
    check verify checks verifies
    pick choose select picks chooses selects
    finish complete finishes completes
"""
_GROUP = {word: group.split()[0] for group in _ALIKE.strip().splitlines() for word in group.split()}
_BRITISH = re.compile(r"(?<=[a-z]{3}[a-z])is(?=(?:e[ds]?|ing|ations?)\Z)|(?<=[a-z]{3})ou(?=rs?\Z)")
_HEADINGS = re.compile(r"^[ \t]*#{1,6}[ \t]", re.MULTILINE)
_I = re.compile(r"I(?:['’]\w{1,2})?\Z")
_WHOLE = re.compile(r"[.!][)\"'”’*_]{0,3}\s*\Z")
_BLANK = re.compile(r"[\[\]<>{}|$?]|\.\.\.|___")
_COLON = re.compile(r":[*_]{0,3}\s*\Z")
_LONGEST = 2_000
_DATA = re.compile(r"[ \t]*[\"'][\w-]{1,80}[\"'][ \t]*:")
_PASSES = 5
_FEWEST_WORDS = 3
_MOST = 8
_MOVED = 5


@dataclass(frozen=True, kw_only=True)
class Dedupe(Strategy):
    """Drop sentences that say nearly the same as an earlier one.

    Where `repeated-rule` wants the same words, this one sees through spellings, interchangeable
    words ("reply" and "answer", "utilize" and "use"), words that only strengthen ("carefully", "the
    provided text") and moved clauses. The first of two such sentences stays. Two sentences are kept
    both where they differ in a number, a negation or limit, a quoted literal, a URL, a name (a
    capitalised word), or in any other word that carries meaning; and where an example or a turn of
    one stands between them. Questions, blanks to fill in ("[name]") and what holds a placeholder,
    code, data, a tag, or a format specification are never dropped, nor is all that a message, a
    heading or a line with a colon introduces. List items that are no sentences are compared within
    their section.

    What it can break:
        Repetition is emphasis: models follow a rule more often that is said again. What nearly
        repeats a rule may be meant for its own section. "The provided text" may tell one text from
        another.

    Args:
        threshold: How alike two sentences must be, in (50, 100]; 100 is the same words.

    Reference:
        ``token_sort_ratio`` of RapidFuzz, over word stems. On near-duplicates in prompts' training
        data: K. Lee et al., "Deduplicating Training Data Makes Language Models Better",
        arXiv:2107.06499.
    """

    name: ClassVar[str] = "dedupe"
    code: ClassVar[str] = "CO204"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops sentences that nearly repeat an earlier one"
    reference: ClassVar[str] = "RapidFuzz; arXiv:2107.06499"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    example: ClassVar[str] = (
        "Reply in the customer's language. Summarize the ticket in one line.\n\n"
        "Always check the price list. Please answer in the customer's language.\n\n"
        "Ticket: {ticket}"
    )

    threshold: float = 92.0

    def __post_init__(self) -> None:
        """Check the range."""
        self._require("threshold", 50 < self.threshold <= 100, "in (50, 100]")

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template without the sentences that nearly repeat an earlier one."""
        for _ in range(_PASSES):
            after = self._once(template)
            if context.count(after.text) >= context.count(template.text):
                break
            template = after
        return template

    def _once(self, template: PromptTemplate) -> PromptTemplate:
        kept: dict[_Key, list[_Said]] = {}
        contents: dict[int, str] = {}
        region, section, last = 0, 1, -1
        for index in rewritable(template):
            region += index != last + 1
            text, last = template.messages[index].content, index
            starts = _example_starts(text, template.syntax)
            begins, bounds = _bound(text)
            heads = [match.start() for match in _HEADINGS.finditer(text)]
            every = [
                _Said(
                    of=sentence,
                    region=region + bisect_left(starts, sentence.start),
                    section=section + bisect_left(heads, sentence.start),
                    loose=sentence.start <= bounds[bisect_right(begins, sentence.start) - 1],
                )
                for sentence in sentences(text, template.syntax)
            ]
            gone = [said for said in every if self._repeats(said, kept)]
            contents[index] = without(text, _spared(text, every, gone))
            region += len(starts)
            section += len(heads) + 1
        return replace_content(template, contents)

    def _repeats(self, said: "_Said", kept: "dict[_Key, list[_Said]]") -> bool:
        """Tell whether a sentence nearly repeats one of those kept; if not, it is kept itself."""
        if not said.of.readable or len(said.of.source) > _LONGEST:
            return False
        if len(said.strong) < _FEWEST_WORDS:
            return False
        others = kept.setdefault(said.key, [])
        if said.free and any(said.nearly(other, self.threshold) for other in others):
            return True
        if len(others) < _MOST:
            others.append(said)
        return False


_Key = tuple[object, ...]


@dataclass(frozen=True)
class _Said:
    """A sentence, and what it must have in common with one that repeats it."""

    of: Sentence
    region: int
    """How many examples stand before it."""
    section: int
    """How many headings do."""
    loose: bool
    """Whether it stands by itself: not after a question in its line, nor in a line of data."""

    @property
    def free(self) -> bool:
        """Whether it may be dropped."""
        return self.of.free and self.loose and not _BLANK.search(self.of.source)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """What it says, small words aside: stems, of interchangeable words always the same."""
        found = (word.lower().replace("’", "'") for word in _WORD.findall(self.of.source))
        return tuple(_known(word) for word in found if word not in _SMALL)

    @cached_property
    def strong(self) -> tuple[str, ...]:
        """The words that carry meaning."""
        return tuple(word for word in self.words if word not in _WEAK_STEMS)

    @cached_property
    def key(self) -> _Key:
        """What two sentences have in common, order aside, or they say something else."""
        spoken = [word for word in _WORD.findall(self.of.source) if word.lower() not in _SMALL]
        names = [word for word in spoken[1:] if word != word.lower() and not _I.match(word)]
        symbols = _SYMBOL.findall(self.of.source)
        literals = sorted(self.of.anchors.items())
        found = (sorted(part) for part in (self.strong, names, symbols, literals))
        section = 0 if _WHOLE.search(self.of.source) else self.section
        return (self.region, section, *map(tuple, found))

    def nearly(self, other: "_Said", threshold: float) -> bool:
        """Tell whether this says what ``other`` says: the same key, at most one clause moved."""
        if not _moved(self.strong, other.strong):
            return False
        from rapidfuzz import fuzz

        return fuzz.token_sort_ratio(" ".join(self.words), " ".join(other.words)) >= threshold


def _known(word: str) -> str:
    return stem(_GROUP.get(word) or _BRITISH.sub(_american, word))


def _american(found: re.Match[str]) -> str:
    return "iz" if found.group() == "is" else "o"


_WEAK_STEMS = frozenset(stem(word) for word in _WEAK)


def _moved(words: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Tell whether the words are equal, or become so when those at the end go to the start."""
    if words == others:
        return True
    twice = f" {' '.join(others)} {' '.join(others)} "
    return len(words) >= _MOVED and f" {' '.join(words)} " in twice


def _bound(text: str) -> tuple[list[int], list[int]]:
    """Return where lines start, and from where on what they say is bound to a question or data."""
    starts: list[int] = []
    bounds: list[int] = []
    for start, end in lines(text):
        asked = text.find("?", start, end)
        starts.append(start)
        data = _DATA.match(text, start, end) is not None
        bounds.append(start - 1 if data else end if asked == -1 else asked)
    return starts, bounds


def _example_starts(text: str, syntax: Syntax) -> list[int]:
    return [span.start for span in spans(text, syntax) if span.kind is SpanKind.EXAMPLE]


def _spared(text: str, every: Sequence[_Said], gone: Sequence[_Said]) -> list[Sentence]:
    """Leave out of ``gone`` what would leave a message, a heading or an introduction empty."""
    going = {said.of.start for said in gone}
    for group in _groups(text, every) if gone else ():
        if all(said.of.start in going for said in group):
            going -= {said.of.start for said in group}
    return [said.of for said in gone if said.of.start in going]


def _groups(text: str, every: Sequence[_Said]) -> list[list[_Said]]:
    """Return all sentences, those under each heading, and those of each list after a colon."""
    below: list[_Said] = []
    listed: list[_Said] = []
    groups = [list(every), below, listed]
    number = 0
    for start, end in lines(text):
        first = number
        while number < len(every) and every[number].of.start <= end:
            number += 1
        below += every[first:number]
        listed += every[first:number]
        if _HEADINGS.match(text, start, end):
            below = []
            groups.append(below)
        if _COLON.search(text[start:end]) or (listed and not text[start:end].strip()):
            listed = []
            groups += [listed] if text[start:end].strip() else []
    return groups[:1] + groups[3:]
