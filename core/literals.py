"""Literals of prose that an edit must keep: numbers, dates, limits, quotes, URLs, e-mails.

All patterns are linear in the text's length: every repetition is bounded, or starts at a word
boundary and has one way to match.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

URL = re.compile(
    r"(?:\b(?:https?|ftp|file|wss?)://|\bwww\.|\bmailto:)[^\s<>\"'`|(){}\[\]]+"
    r"(?:\([^\s()]{0,80}\)[^\s<>\"'`|(){}\[\]]*)?",
    re.IGNORECASE,
)
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8}")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
DATE = re.compile(
    rf"(?<!\w)(?:\d{{4}}-\d\d?-\d\d?(?:T[\d:.]{{4,15}}Z?)?|\d\d?[./]\d\d?[./]\d{{2,4}}"
    rf"|\d\d?(?:st|nd|rd|th)?\ (?:of\ )?{_MONTH}\b\.?(?:,?\ \d{{4}})?"
    rf"|{_MONTH}\.?\ \d\d?(?:st|nd|rd|th)?\b(?:,?\ \d{{4}})?)(?!\w)",
    re.IGNORECASE,
)

_UNIT = (
    r"%|‰|°\s?[cfk]?\b|(?:per\ ?cent|percent|points?|pixels?|px|pt|em|dpi|[kmgt]i?b|bytes?|bits?"
    r"|[kcm]?m|km/h|mph|[km]?g|lbs?|oz|[mcd]?l|litres?|liters?|kilomet\w{1,5}|met(?:re|er)s?|miles?"
    r"|feet|ft|inch(?:es)?|ms|s|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?|months?"
    r"|years?|am|pm|usd|eur|gbp|dollars?|euros?|pounds?|cents?|words?|sentences?|paragraphs?"
    r"|characters?|chars?|tokens?|lines?|pages?|bullets?|items?|steps?|examples?|options?|people"
    r"|times?|units?|rows?|columns?|labels?|fields?|[kmgt]?hz|k?wh?|v)\b"
)
_MONTH_NAMES = """
    jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july
    august september october november december
"""
_MONTHS = frozenset(_MONTH_NAMES.split())
_COUNT = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty"
    r"|hundred|thousand|million|billion|dozen"
)
NUMBER = re.compile(
    r"(?:(?<![\w.])[-+−±])?[$€£¥₹]?(?<!\w)[^\W\d]*\d\w*(?:[.,:/][^\W\d]*\d\w*)*"
    rf"(?:[ -]?(?:{_UNIT}))?"
    rf"|\b(?:(?:exactly|only|just|single)\ one|{_COUNT})\b(?:[ -](?:{_UNIT}))?",
    re.IGNORECASE,
)
LIST_MARKER = re.compile(r"^[ \t]*(?:>[ \t]*)?\d{1,3}[.)](?=\s)", re.MULTILINE)

_PHRASES = (
    "if and only if", "no more than", "not more than", "no less than", "not less than",
    "no fewer than", "no later than", "no longer than", "not exceed", "at most", "at least",
    "up to", "fewer than", "less than", "more than", "greater than", "must not", "do not",
    "does not", "did not", "should not", "shall not", "may not", "can not", "will not", "is not",
    "are not", "with the exception of", "instead of", "rather than", "other than",
    "es sei denn", "au plus", "au moins", "au maximum", "à moins que", "como máximo",
    "como mínimo", "a menos que", "al menos", "al massimo", "a meno che",
)  # fmt: skip
_WORDS = (
    "not", "never", "no", "none", "nothing", "nobody", "nowhere", "neither", "nor", "cannot",
    "only", "unless", "except", "excluding", "always", "must", "exactly", "exclusively",
    "solely", "strictly", "verbatim", "forbidden", "prohibited", "disallowed", "avoid", "refuse",
    "refrain", "maximum", "minimum", "max", "min", "within", "limit", "limited",
    "nicht", "nichts", "nie", "niemals", "niemand", "weder", "nur", "ausschließlich", "lediglich",
    "ohne", "außer", "höchstens", "mindestens", "maximal", "keinesfalls", "keineswegs",
    "pas", "jamais", "aucun", "aucune", "rien", "ni", "sans", "sauf", "hormis", "excepté",
    "seulement", "uniquement", "exclusivement",
    "nunca", "jamás", "ningún", "ninguno", "ninguna", "nada", "nadie", "tampoco", "sin", "solo",
    "sólo", "solamente", "únicamente", "exclusivamente", "excepto", "salvo", "máximo", "mínimo",
    "non", "mai", "nessun", "nessuno", "nessuna", "niente", "nulla", "neanche", "nemmeno", "senza",
    "soltanto", "esclusivamente", "tranne", "eccetto", "massimo", "minimo", "almeno",
)  # fmt: skip
_LIMIT_WORDS = frozenset(_WORDS)
_LIMIT_PHRASES: dict[str, re.Pattern[str]] = {
    first: re.compile(
        rf"{first}(?:"
        + "|".join(
            "".join(rf"[ \t]{{1,3}}{word}" for word in phrase.split()[1:])
            for phrase in _PHRASES
            if phrase.split()[0] == first
        )
        + r")(?!\w)",
        re.IGNORECASE,
    )
    for first in {phrase.split()[0] for phrase in _PHRASES}
}
_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:['’]t(?!\w))?(?!\w)")
_GAPS = re.compile(r"(\W+)")
_COUNTS = frozenset({"exactly", "only", "just", "single", *_COUNT.split("|")})
_KEIN = frozenset({"kein", "keine", "keinen", "keinem", "keiner", "keines"})
_CONTRACTED = ("n't", "n’t")
_APOSTROPHES = frozenset("'’")
_STARTERS = _LIMIT_WORDS | _KEIN | frozenset(_LIMIT_PHRASES) | {"without"}
_SAYING = re.compile(r"without[ \t]{1,3}saying\b", re.IGNORECASE)
_CJK = re.compile(r"[不没沒未无無勿禁只仅僅]|ない|ません|だけ|のみ")

_SINGLE = re.compile(
    r"(?<![\w'])'(?=[^\s'])(?:[^'\n]|(?<=\w)'(?=\w)){1,200}?(?<=[^\s'])'(?![\w'])"
    r"|‘[^‘’\n]{1,200}’(?!\w)|“[^“”\n]{1,500}”|«[^«»\n]{1,500}»|「[^「」\n]{1,500}」"
)
_LINE_WITH_QUOTES = re.compile(r'"[^\n]*"')


def quotes(text: str) -> Iterator[tuple[int, int]]:
    r"""Yield the ranges of quoted literals, quotation marks included, in any order.

    Where a line holds an odd number of straight double quotes, it is unknown which of them
    open: everything from the first to the last counts as quoted.

    Example:
        >>> text = 'Say "yes" or \'no\', don\'t say "maybe".'
        >>> sorted(text[start:end] for start, end in quotes(text))
        ['"maybe"', '"yes"', "'no'"]
    """
    for line in _LINE_WITH_QUOTES.finditer(text):
        marks = [line.start() + i for i, char in enumerate(line.group()) if char == '"']
        if len(marks) % 2:
            yield line.start(), line.end()
        else:
            yield from (
                (start, end + 1) for start, end in zip(marks[::2], marks[1::2], strict=True)
            )
    for match in _SINGLE.finditer(text):
        yield match.span()


def urls(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of URLs and e-mail addresses, without closing punctuation.

    Example:
        >>> [text[start:end] for text in ["See https://a.example/b."] for start, end in urls(text)]
        ['https://a.example/b']
    """
    low = text.lower()
    possible = "://" in low or "www." in low or "mailto:" in low
    for pattern in (*([URL] if possible else ()), *([EMAIL] if "@" in text else ())):
        for match in pattern.finditer(text):
            yield match.start(), match.start() + len(match.group().rstrip(".,;:!?*_"))


def numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of dates, numbers with their units, and codes; list markers are none.

    Example:
        >>> text = "1. Use at most 30 words by 2026-01-31, or two lines for LT-330."
        >>> [text[start:end] for start, end in numbers(text)]
        ['2026-01-31', '30 words', 'two lines', '330']
    """
    places, months, _ = _places(text)
    if not places and not months:
        return
    markers = {match.end() - 1 for match in LIST_MARKER.finditer(text)}
    taken: set[int] = set()
    for match in _matches(DATE, text, sorted((*places, *months))):
        taken.update(range(*match.span()))
        yield match.span()
    signed = sorted({place - back for place in places for back in (0, 1, 2) if place >= back})
    for match in _matches(NUMBER, text, signed):
        if match.start() not in taken and match.end() not in markers:
            yield match.span()


@lru_cache(maxsize=8)
def _places(text: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Return where words begin that may be numbers, months, and limits, each in order.

    Most words are none: to look each up once is ten times faster than to try every pattern at
    every character.
    """
    low = text.lower().replace("ſ", "s")
    if len(low) != len(text):  # such as that of a dotted capital I, which is two characters
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    numbers_at: list[int] = []
    months_at: list[int] = []
    limits_at: list[int] = []
    at = start = 0
    for index, piece in enumerate(_GAPS.split(low)):
        if index % 2:
            if piece in _APOSTROPHES:
                limits_at.append(start)
        elif piece in _STARTERS or piece in _COUNTS:
            limits_at.append(at)
            numbers_at.append(at)
        elif piece in _MONTHS:
            months_at.append(at)
        elif not piece.isalpha():
            numbers_at.append(at)
        start = at
        at += len(piece)
    return tuple(numbers_at), tuple(months_at), tuple(dict.fromkeys(limits_at))


def _matches(pattern: re.Pattern[str], text: str, places: Iterable[int]) -> Iterator[re.Match[str]]:
    """Yield the matches that begin at one of ``places``, from left to right, none overlapping."""
    end = 0
    for place in places:
        match = pattern.match(text, place) if place >= end else None
        if match:
            end = match.end()
            yield match


def limits(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of negations and limits.

    Example:
        >>> text = "It goes without saying: don't use more than one, unless asked."
        >>> [text[start:end] for start, end in limits(text)]
        ["don't", 'more than', 'unless']
    """
    end = 0
    for word in _matches(_WORD, text, _places(text)[2]):
        found = _limit_end(text, word) if word.start() >= end else 0
        if found:
            end = found
            yield word.start(), end
    for match in () if text.isascii() else _CJK.finditer(text):
        yield match.span()


def _limit_end(text: str, word: re.Match[str]) -> int:
    """Return where the limit that begins with this word ends, or 0 if none does."""
    key = word.group().lower()
    phrase = _LIMIT_PHRASES.get(key)
    longer = phrase.match(text, word.start()) if phrase else None
    if longer:
        return longer.end()
    if key == "without":
        return 0 if _SAYING.match(text, word.start()) else word.end()
    single = key in _LIMIT_WORDS or key.endswith(_CONTRACTED) or key in _KEIN
    return word.end() if single else 0
