"""CO210: politeness, hedges and wordy phrases."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from ..core.protocols import TokenCounter
from ..core.spans import mask
from ..core.types import PromptTemplate, Safety, SpanKind, Syntax
from .base import Strategy, StrategyContext, replace_content, rewritable
from .phrases import (
    INTENSIFIERS,
    KEEP_AFTER,
    KEEP_BEFORE,
    KINDLY,
    ORDERS,
    PLEASE,
    REMINDERS,
    THANKS,
    WISHES,
    WORDY,
    Phrase,
)

_PASSES = 10
_GAP = r"[*_]{0,3}[ \t]+[*_]{0,3}"
_WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
_FIRST = re.compile(r"\((?:\?:)?([a-z|']+)\)|([a-z']+)")
_START = re.compile(
    r"(?:^|\A|[.!?:;][)\"'”’*_]{0,3}[ \t]+|^[ \t]*(?:>[ \t]*)?"
    r"(?:[-*+•]|\d{1,3}[.)]|[a-z][.)]|#{1,6})[ \t]+)[*_(]{0,3}\Z",
    re.MULTILINE | re.IGNORECASE,
)
_JOINED = re.compile(r"(?:,|\b(?:and|then|now|so|but))[ \t]+[*_]{0,3}\Z", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"([\w'’]+)(,?)[ \t]+[*_]{0,3}\Z")
_ARTICLE = re.compile(r"\b(an?)[ \t]+\Z", re.IGNORECASE)
# An introduction with a comma, up to the place in question: "If the text is long, then ".
_OPENING = re.compile(
    r"(?:\A|\n|[.!?:;][ \t]+)[ \t*_>+-]{0,10}(?:\d{1,3}[.)][ \t]+)?(?:if|when|whenever|in|to|for"
    r"|once|after|before|because|as|given|while|unless|where|due|although|since|with|on|at|by)\b"
    r"[^.!?:;\n]{0,300},[ \t]+(?:then[ \t]+)?[*_]{0,3}\Z",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[^.!?:;\n]|[.:](?=\w)){0,1000}+")
_TO = re.compile(
    r"\b(?:and|or|but)(?:,? (?:then|also|finally|afterwards))?( to)(?= [*_]{0,3}[a-z])"
)
_THAT_YOU = re.compile(r"\b(?:and|or|but)( that you)(?= [*_]{0,3}[a-z])")
_STRAY_TO = re.compile(r",[ \t]+to\b|\b(?:and|or|but)\b[^.!?:;\n]{0,40}\bin order to\b")
_INNER = re.compile(r"[iI]t is (?:\w+ )?\w+ that\b")
_STRAY_THAT = re.compile(r"\b(?:and|or|but) that\b")
_NO_VERB = re.compile(
    r" [*_]{0,3}(?:not|have|has|had|are|is|were|was|can|could|will|would|may|might|should|the|a|an"
    r"|this|that|which|whom|it|your|my)\b"
)
_BEFORE_PLEASE = frozenset({"if", "so", "that", "not", "whether", "cannot"})
_SENTENCE_ADVERBS = frozenset({"basically", "essentially", "obviously", "actually"})
_KEPT_AFTER = KEEP_AFTER | INTENSIFIERS
_NEXT = re.compile(r"[*_]{0,3}([A-Za-z][\w'-]*)")


@dataclass(frozen=True, kw_only=True)
class Filler(Strategy):
    """Drop politeness, hedges and wordy phrases.

    Works from closed lists of English phrases: "please", "it is important to note that", "I would
    like you to", "in order to" (to), "due to the fact that" (because), "very" before an adjective,
    thanks. Sentences stay sentences: the next word is capitalised, "an extremely helpful" becomes
    "a helpful". Each edit is made only where it saves tokens by the target's own count.
    Placeholders, code, data, tables, quotes, format specifications, examples, numbers, negations
    and limits are never touched, nor are an assistant's messages.

    What it can break:
        Tone: a model may answer a curt prompt more curtly. Emphasis: "it is very important that you
        check" becomes "check". A text about politeness itself, or one to be kept to the letter but
        not quoted, is edited like any other.

    Reference:
        The lists are this project's own, after the United States' plain language guidelines
        (plainlanguage.gov, "Use simple words and phrases"). On what politeness is worth: Z. Yin et
        al., "Should We Respect LLMs?", arXiv:2402.14531.
    """

    name: ClassVar[str] = "filler"
    code: ClassVar[str] = "CO210"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "drops politeness, hedges and wordy phrases"
    reference: ClassVar[str] = "plainlanguage.gov; arXiv:2402.14531"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    example: ClassVar[str] = (
        "You are an extremely helpful assistant. Please make sure that you read the ticket "
        "carefully, due to the fact that details matter. Never guess.\n\nTicket: {ticket}"
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with the phrases dropped from the messages that instruct."""
        contents = {
            index: _shorten(template.messages[index].content, template.syntax, context.count)
            for index in rewritable(template)
        }
        return replace_content(template, contents)


def _shorten(text: str, syntax: Syntax, count: TokenCounter) -> str:
    """Edit until nothing is left to edit, so that a second application changes nothing."""
    counted = cache(count)
    before = text
    for _ in range(_PASSES):
        edited = _one_pass(text, syntax, counted)
        if edited == text:
            break
        text = edited
    return text if text.strip() and count(text) < count(before) else before


@dataclass(frozen=True)
class _Edit:
    """Replace ``[start, end)`` by ``by``; up to ``checked`` it must be free prose."""

    start: int
    end: int
    by: str
    checked: int


@dataclass(frozen=True)
class _Prose:
    """A text with a byte a character: what is protected, and what of it are limits."""

    text: str
    solid: bytearray
    limits: bytearray


def _one_pass(text: str, syntax: Syntax, count: Callable[[str], int]) -> str:
    prose = _Prose(text, mask(text, syntax), mask(text, syntax, (SpanKind.LIMIT,)))
    parts: list[str] = []
    at = 0
    for edit in _edits(prose):
        free = edit.start >= at and 1 not in prose.solid[edit.start : edit.checked]
        if free and _saves(text, edit, count):
            parts += [text[at : edit.start], edit.by]
            at = edit.end
    return "".join([*parts, text[at:]]) if parts else text


def _saves(text: str, edit: _Edit, count: Callable[[str], int]) -> bool:
    """Tell whether an edit saves tokens, counted with the words around it."""
    before = text[max(0, edit.start - 1) : edit.start].strip("*_\n")
    after = _NEXT.match(text, edit.end)
    follows = after.group() if after else text[edit.end : edit.end + 1]
    old = f"{before}{text[edit.start : edit.end]}{follows}"
    return count(f"{before}{edit.by}{follows}") < count(old)


@lru_cache(maxsize=1)
def _rules() -> dict[str, tuple[tuple[re.Pattern[str], Phrase], ...]]:
    """Compile the phrases, by their first word."""
    found: dict[str, list[tuple[re.Pattern[str], Phrase]]] = {}
    for phrase in (*THANKS, *REMINDERS, *WISHES, *ORDERS, *WORDY, KINDLY, PLEASE):
        source = phrase.pattern.replace(" ", _GAP)
        compiled = re.compile(rf"{source}(?!\w)" if source[-1].isalpha() else source, re.IGNORECASE)
        first = _FIRST.match(phrase.pattern)
        for word in (first.group(1) or first.group(2)).split("|") if first else ():
            found.setdefault(word, []).append((compiled, phrase))
    return {word: tuple(rules) for word, rules in found.items()}


def _edits(prose: _Prose) -> Iterator[_Edit]:
    rules = _rules()
    for word in _WORD.finditer(prose.text):
        key = word.group().lower()
        for pattern, phrase in rules.get(key, ()):
            match = pattern.match(prose.text, word.start())
            edit = match and _edit(prose, match, phrase)
            if edit:
                yield edit
                break
        else:
            weak = key in INTENSIFIERS and not word.group().isupper()
            edit = _intensifier(prose, word) if weak else None
            if edit:
                yield edit


def _starts(text: str, at: int) -> bool:
    """Tell whether a sentence starts here, and not after the full stop of "e.g."."""
    window = text[max(0, at - 40) : at]
    if not _START.search(f"\n{window}" if at <= 40 else window):
        return False
    return not window.rstrip(" \t*_(").lower().endswith(("e.g.", "i.e.", "etc.", "vs."))


def _word_before(text: str, at: int) -> str:
    found = _WORD_BEFORE.search(text, max(0, at - 40), at)
    return found.group(1).lower() if found else ""


def _edit(prose: _Prose, match: re.Match[str], phrase: Phrase) -> _Edit | None:
    text, (start, end) = prose.text, match.span()
    if not _balanced(match.group()):
        return None
    starts = _starts(text, start)
    if not starts and not _may_stand(text, start, phrase.place):
        return None
    if phrase is PLEASE and _word_before(text, start) in KEEP_BEFORE - _BEFORE_PLEASE:
        return None
    if phrase in THANKS:
        return _sentence(text, start, end) if starts else None
    if by := match.expand(phrase.by):
        return _Edit(start, end, _cased(by, match.group(), starts), end)
    edit = _removal(prose, start, end, starts)
    return edit and _coordinated(prose, edit, match.group(), end)


def _may_stand(text: str, at: int, place: str) -> bool:
    """Tell whether a phrase of this place may stand here, in the middle of a sentence."""
    if place == "any":
        return True
    if place == "start" or not _JOINED.search(text, max(0, at - 24), at):
        return False
    if place == "lead":
        return True
    sentence = _OPENING.search(text, max(0, at - 400), at)
    return sentence is not None


def _balanced(matched: str) -> bool:
    """Tell whether removing this leaves emphasis marks in pairs."""
    singles = matched.replace("**", "")
    return not any(n % 2 for n in (matched.count("**"), singles.count("*"), singles.count("_")))


def _cased(by: str, matched: str, starts: bool) -> str:
    if matched.isupper() and len(matched) > 3:
        return by.upper()
    first = matched[:1].isupper() and (starts or matched[1:2].islower())
    return by[:1].upper() + by[1:] if first else by


def _removal(prose: _Prose, start: int, end: int, starts: bool) -> _Edit | None:
    """Remove a range; where it opened a sentence, the next word is capitalised instead."""
    text = prose.text
    following = _NEXT.match(text, end)
    if not (starts and text[start].isupper()) or (following and following.group(1)[0].isupper()):
        return _Edit(start, end, "", end)
    if following is None:
        return None
    letter = following.start(1)
    # A limit is protected, but its first letter may change: "Please never" becomes "Never".
    if prose.solid[letter] and not prose.limits[letter]:
        return None
    return _Edit(start, letter + 1, text[end:letter] + text[letter].upper(), letter)


def _coordinated(prose: _Prose, edit: _Edit, opener: str, after: int) -> _Edit | None:
    """Mend what an opener was joined to: "It is vital that you read, and that you write".

    Returns:
        The edit, widened up to the last place that needs mending, or ``None`` where it is unclear
        what the rest of the sentence hangs on.
    """
    text = prose.text
    rest = _SENTENCE.match(text, edit.end)
    if rest is None:
        return edit
    infinitive = opener.rstrip(" \t*_").lower().endswith(" to")
    pattern, stray = (_TO, _STRAY_TO) if infinitive else (_THAT_YOU, _STRAY_THAT)
    cuts = [match.span(1) for match in pattern.finditer(text, *rest.span())]
    if any(1 in prose.solid[start:end] or _NO_VERB.match(text, end) for start, end in cuts):
        return None
    kept: list[str] = [edit.by]
    at = edit.end
    for start, end in cuts:
        kept.append(text[at:start])
        at = end
    tail = text[at : rest.end()]
    if _INNER.match(text, after):
        return edit
    if stray.search("".join(kept[1:]) + tail):
        return None
    return _Edit(edit.start, at, "".join(kept), edit.checked)


def _sentence(text: str, start: int, end: int) -> _Edit | None:
    """Remove a whole sentence, with the blanks before it, or its line if it is all of it."""
    begin = start
    while begin and text[begin - 1] in " \t":
        begin -= 1
    opens = begin == 0 or text[begin - 1] == "\n"
    closes = re.compile(r"[ \t]*(?:\r?\n|\Z)").match(text, end)
    if opens and closes:
        return _Edit(begin, closes.end(), "", closes.end())
    if opens:
        gap = re.compile(r"[ \t]+(?=[*_]{0,3}\w)").match(text, end)
        return _Edit(start, gap.end(), "", end) if gap else None
    return _Edit(begin, end, "", end)


def _intensifier(prose: _Prose, word: re.Match[str]) -> _Edit | None:
    """Remove an adverb before another word, and mend the article before it."""
    text = prose.text
    following = re.compile(r",?[ \t]+(?=[a-z])").match(text, word.end())
    comma = following is not None and following.group().startswith(",")
    if following is None or (comma and word.group().lower() not in _SENTENCE_ADVERBS):
        return None
    after = _NEXT.match(text, following.end())
    sentence_adverb = word.group().lower() in _SENTENCE_ADVERBS
    if after is None or (not sentence_adverb and after.group(1).lower() in _KEPT_AFTER):
        return None
    head = text[max(0, word.start() - 40) : word.start()]
    before = _WORD_BEFORE.search(head)
    if before and (before.group(1).lower() in KEEP_BEFORE | INTENSIFIERS):
        return None
    if before is None and not _starts(text, word.start()):
        return None
    if (article := _ARTICLE.search(text, max(0, word.start() - 4), word.start())) is not None:
        mended = _mended(article.group(1), after.group(1))
        if mended is None:
            return None
        return _Edit(article.start(), following.end(), f"{mended} ", following.end())
    return _removal(prose, word.start(), following.end(), _starts(text, word.start()))


def _mended(article: str, word: str) -> str | None:
    """Return the article that fits the word, or ``None`` where spelling does not tell.

    Example:
        >>> _mended("an", "helpful"), _mended("A", "experienced"), _mended("a", "unique")
        ('a', 'An', None)
    """
    lowered = word.lower()
    unclear = lowered.startswith(("h", "u", "eu", "one", "once")) and not lowered.startswith(_PLAIN)
    if unclear or (lowered.startswith("uni") and not lowered.startswith(("unin", "unim"))):
        return None
    right = "an" if lowered[0] in "aeiou" else "a"
    return right.capitalize() if article[0].isupper() else right


_PLAIN = ("help", "high", "hard", "happy", "humble", "human", "harsh", "heavy", "hot", "un", "up")
