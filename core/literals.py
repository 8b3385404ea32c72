"""Literals of prose that an edit must keep: numbers, dates, limits, quotes, URLs, e-mails.

All patterns are linear in the text's length: every repetition is bounded, or starts at a word
boundary and has one way to match.
"""

import re
from collections.abc import Iterator

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
)  # fmt: skip
_WORDS = (
    "not", "never", "no", "none", "nothing", "nobody", "nowhere", "neither", "nor", "cannot",
    "only", "unless", "except", "excluding", "always", "must", "exactly", "exclusively",
    "solely", "strictly", "verbatim", "forbidden", "prohibited", "disallowed", "avoid", "refuse",
    "refrain", "maximum", "minimum", "max", "min", "within", "limit", "limited",
    "nicht", "nie", "niemals", "nur", "ohne", "außer", "höchstens", "mindestens",
    "pas", "jamais", "sans", "sauf", "seulement", "uniquement",
    "nunca", "jamás", "sin", "sólo", "solamente", "excepto", "non", "mai", "senza",
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
_KEIN = frozenset({"kein", "keine", "keinen", "keinem", "keiner", "keines"})
_CONTRACTED = ("n't", "n’t")
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
    for pattern in (URL, EMAIL):
        for match in pattern.finditer(text):
            yield match.start(), match.start() + len(match.group().rstrip(".,;:!?*_"))


def numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of dates, numbers with their units, and codes; list markers are none.

    Example:
        >>> text = "1. Use at most 30 words by 2026-01-31, or two lines for LT-330."
        >>> [text[start:end] for start, end in numbers(text)]
        ['2026-01-31', '30 words', 'two lines', '330']
    """
    markers = {match.end() - 1 for match in LIST_MARKER.finditer(text)}
    taken: set[int] = set()
    for match in DATE.finditer(text):
        taken.update(range(*match.span()))
        yield match.span()
    for match in NUMBER.finditer(text):
        if match.start() not in taken and match.end() not in markers:
            yield match.span()


def limits(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of negations and limits.

    Example:
        >>> text = "It goes without saying: don't use more than one, unless asked."
        >>> [text[start:end] for start, end in limits(text)]
        ["don't", 'more than', 'unless']
    """
    end = 0
    for word in _WORD.finditer(text):
        found = _limit_end(text, word) if word.start() >= end else 0
        if found:
            end = found
            yield word.start(), end
    for match in _CJK.finditer(text):
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
