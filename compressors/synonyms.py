"""CO211: shorter words for the same thing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from ..core.protocols import TokenCounter
from ..core.spans import mask
from ..core.types import PromptTemplate, Safety, Syntax
from .base import Strategy, StrategyContext, replace_content, rewritable
from .synonym_table import SHORTER

_PASSES = 6
_AROUND = 24
_VOWELS = frozenset("aeiou")
_ARTICLE = re.compile(r"\b(an?)[ \t]+\Z", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Synonyms(Strategy):
    """Use shorter words for the same thing.

    Works from a closed list of English words and phrases ("in a concise manner": briefly, "provide
    an overview of": outline), each only where it saves tokens by the target's own count: most
    single words are one token, long or short, so that phrases are what pays. Case is kept, and an
    article before. Terms of art are not in the list. Placeholders, code, data, quotes, examples,
    format specifications, numbers, negations and limits are never touched.

    What it can break:
        Shades of meaning, and the tone of a prompt. Wording that answers are to imitate.

    Reference:
        The list is this project's own, after the plain language guidelines of the United States
        (plainlanguage.gov) and of the United Kingdom (GOV.UK style guide, "words to avoid").
    """

    name: ClassVar[str] = "synonyms"
    code: ClassVar[str] = "CO211"
    safety: ClassVar[Safety] = "lossy"
    summary: ClassVar[str] = "uses shorter words for the same thing"
    reference: ClassVar[str] = "plainlanguage.gov; GOV.UK style guide"
    needs: ClassVar[frozenset[str]] = frozenset({"counter"})
    example: ClassVar[str] = (
        "Provide an overview of the ticket in a clear and concise manner. In the absence of "
        "details, make an attempt to ask.\n\nTicket: {ticket}"
    )

    def apply(self, template: PromptTemplate, context: StrategyContext) -> PromptTemplate:
        """Return the template with shorter words in the messages that instruct."""
        return replace_content(
            template,
            {
                index: _shortened(template.messages[index].content, template.syntax, context.count)
                for index in rewritable(template)
            },
        )


def _shortened(text: str, syntax: Syntax, count: TokenCounter) -> str:
    """Replace until nothing is left to replace, so that a second application changes nothing."""
    counted, before = cache(count), text
    for _ in range(_PASSES):
        edited = _one_pass(text, syntax, counted)
        if edited == text:
            return text if count(text) < count(before) else before
        text = edited
    return before


def _one_pass(text: str, syntax: Syntax, count: Callable[[str], int]) -> str:
    solid = mask(text, syntax)
    parts: list[str] = []
    at = 0
    for start, end, by in _edits(text):
        if 1 not in solid[start:end] and _saves(text, start, end, by, count):
            parts += [text[at:start], by]
            at = end
    return "".join([*parts, text[at:]])


def _edits(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _pattern().finditer(text):
        long = match.group()
        short = SHORTER[" ".join(long.lower().split())]
        article = _ARTICLE.search(text, max(0, match.start() - _AROUND), match.start())
        if article and (long[0].lower() in _VOWELS) != (short[0] in _VOWELS):
            continue
        yield match.start(), match.end(), _cased(short, long)


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    phrases = sorted(SHORTER, key=lambda phrase: (-len(phrase), phrase))
    either = "|".join(re.escape(phrase).replace(r"\ ", r"[ \t]{1,3}") for phrase in phrases)
    return re.compile(rf"(?<![\w'’/.@#-])(?:{either})(?![\w'’/@-]|\.\w)", re.IGNORECASE)


def _cased(short: str, long: str) -> str:
    if long.isupper() and len(long) > 1:
        return short.upper()
    return short[0].upper() + short[1:] if long[0].isupper() else short


def _saves(text: str, start: int, end: int, by: str, count: Callable[[str], int]) -> bool:
    """Tell whether an edit saves tokens, counted with what stands around it."""
    head, tail = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    return count(f"{head}{by}{tail}") < count(f"{head}{text[start:end]}{tail}")
