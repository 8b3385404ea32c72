"""CO507: two instructions that may not be followed together."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from ...compressors.base import rewritable
from ...compressors.sentences_of import Sentence, sentences
from .base import Case, Hit, Rule, quote

_CONDITION = re.compile(
    r"\b(?:if|when(?:ever)?|unless|in case|in the event|except|otherwise|depending|where|while"
    r"|for (?:simple|complex|short|long|more|each|every|all|any|those|these)|until|after|before"
    r"|instead of|rather than|once|during|optional(?:ly)?|default|may|can|could|might)\b",
    re.IGNORECASE,
)
_PART = re.compile(
    r"\b(?:each|every|per|bullets?|titles?|headings?|headlines?|sections?|items?|fields?|names?"
    r"|labels?|called|first|second|third|last|step|phase|part|summary|introduction|conclusion"
    r"|description|subject|caption|tweet|question|list|column|row|cell|table|code|comment|file"
    r"|commit|paragraph \d|example|analysis|thought|plan|input|query|search|tool|function)s?\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|never|no|without|avoid|n't|refrain|nor|neither|don[’']t|doesn[’']t)\b", re.IGNORECASE
)
_ANSWER = r"(?:answers?|responses?|repl(?:y|ies)|outputs?|messages?)"
_YOURS = rf"(?:it|this|(?:the|your|all|all your)(?: final)? {_ANSWER})"
_BE = (
    r"(?:(?:^\W*|[;:,—]\s?|\b(?:please|always|and|but|also|you (?:should|must|will))\s)"
    r"(?:be|remain|stay)"
    rf"|\bkeep {_YOURS}|\b{_YOURS} (?:should|must|shall|has to|need to) be)"
)
_DEGREE = r"(?: (?:as|very|extremely|always|both|clear and|polite and|friendly and))*"
_VERB = (
    r"(?:^\W*|[;:,—]\s?|\b(?:please|always|and|but|also|you (?:should|must|will)|to)\s)"
    r"(?:answer|respond|reply|write|explain)(?: (?:the questions?|everything|it|all questions))?"
)
_BRIEF = re.compile(
    rf"{_BE}{_DEGREE} (?:brief|concise|short|succinct|terse)\b"
    rf"|{_VERB} (?:briefly|concisely|succinctly|tersely)\b"
    rf"|\b(?:give|provide|write) (?:a |an )?(?:very )?(?:brief|concise|short|succinct) {_ANSWER}\b",
    re.IGNORECASE,
)
_DETAILED = re.compile(
    rf"{_BE}{_DEGREE} (?:detailed|comprehensive|thorough|exhaustive|verbose|lengthy"
    r"|in[- ]depth|elaborate)\b"
    rf"|{_VERB} (?:in (?:great |full |as much |much )?detail|at length|thoroughly"
    r"|comprehensively|exhaustively)\b"
    r"|\b(?:give|provide|write) (?:a |an )?(?:very |highly )?(?:detailed|comprehensive|thorough"
    rf"|exhaustive|lengthy|in-depth|long) {_ANSWER}\b",
    re.IGNORECASE,
)
_JSON_ONLY = re.compile(
    r"\b(?:only|nothing but|solely|exclusively|just)\b[^.\n]{0,25}\bjson\b"
    r"|\bjson\b[^.\n]{0,20}\b(?:only|and nothing else)\b",
    re.IGNORECASE,
)
_PROSE_TOO = re.compile(
    rf"^\W*(?:please |always |also |then |and )*(?:explain|justify) your (?:reasoning|{_ANSWER}"
    r"|choice|decision|steps)\b"
    rf"|\b(?:format|write|style) {_YOURS} (?:in|as|using|with) markdown\b"
    rf"|^\W*(?:please |always |also )*(?:answer|respond|reply|write) (?:in|using|with) markdown\b"
    r"|\b(?:begin|start|end|finish) (?:it|your answer|your response) with (?:a|an) (?:short |brief "
    r"|friendly |polite )?(?:greeting|introduction|explanation|summary)\b",
    re.IGNORECASE,
)
_REASON_FIELD = re.compile(
    r"[\"'`](?:\w*_)?(?:reason\w*|explanation\w*|rationale|thoughts?|justification|analysis|markdown"
    r"|text|content|answer|comment\w*)[\"'`]",
    re.IGNORECASE,
)
_LANGUAGES = (
    "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "polish",
    "russian", "ukrainian", "turkish", "arabic", "hebrew", "hindi", "chinese", "japanese",
    "korean", "vietnamese", "swedish", "danish", "norwegian", "finnish", "greek", "czech",
)  # fmt: skip
_LANGUAGE = re.compile(
    rf"\b(?:answer|respond|reply|write|speak|{_YOURS} (?:must|should|shall) be)"
    rf"(?: (?:only|always|exclusively|strictly|your {_ANSWER}|the {_ANSWER}|everything|it))*"
    rf" (?:entirely |only |exclusively )?in (?P<language>{'|'.join(_LANGUAGES)}"
    r"|the (?:same )?language (?:of|as|that|in which|used by) (?:the )?(?:user|question|customer)"
    r"|the (?:user|customer)[’']s (?:own )?language)\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?P<way>at most|no more than|not more than|maximum(?: of)?|max\.?|up to|under|below"
    r"|fewer than|less than|within|at least|no less than|no fewer than|minimum(?: of)?|more than"
    r"|not exceed|exactly)\s(?P<number>\d[\d,]{0,6}) "
    r"(?P<unit>word|sentence|character|paragraph)s?\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    rf"\b(?:{_YOURS}|{_ANSWER})\b|^\W*(?:please |always )*(?:use|write|answer|respond|reply|limit"
    r"|keep|do not exceed|never exceed)\b",
    re.IGNORECASE,
)
_LEAST = re.compile(r"at least|no less|no fewer|minimum|more than", re.IGNORECASE)


@dataclass(frozen=True)
class _Said:
    """A sentence that says something of the whole answer, and what it is compared by."""

    message: int
    sentence: Sentence
    value: str


_Reader = Callable[[str], str | None]


def _find(case: Case) -> Iterator[Hit]:
    if not case.is_prose:
        return
    rules = [
        (index, rule)
        for index in rewritable(case.template)
        for rule in sentences(case.template.messages[index].content, case.template.syntax)
        if not _CONDITION.search(rule.source)
    ]
    fields = _REASON_FIELD.search(case.template.text) is not None
    for read in (_length_word, *([] if fields else [_form]), _language, *_limits()):
        yield from _clash(case, rules, read)


def _clash(case: Case, rules: list[tuple[int, Sentence]], read: _Reader) -> Iterator[Hit]:
    """Yield the first two sentences that differ in what a reader reads; one pair for each."""
    said = [_Said(i, rule, value) for i, rule in rules if (value := read(rule.source)) is not None]
    for one, other in combinations(said[:20], 2):
        if one.value != other.value:
            line = case.places.at(one.message, one.sentence.start).line
            start = other.sentence.start
            yield Hit(
                message=f"may conflict with line {line}: {quote(one.sentence.source, 50)} and "
                f"{quote(other.sentence.source, 50)}",
                at=(other.message, start, start + len(other.sentence.source.rstrip())),
            )
            return


def _length_word(text: str) -> str | None:
    brief, detailed = _BRIEF.search(text), _DETAILED.search(text)
    if bool(brief) == bool(detailed) or _NEGATION.search(text) or _PART.search(text):
        return None  # "Concise but thorough" in one sentence is a balance that somebody chose.
    return "brief" if brief else "detailed"


def _form(text: str) -> str | None:
    only, prose = _JSON_ONLY.search(text), _PROSE_TOO.search(text)
    if only:
        return None if prose else "json"
    return "prose" if prose and not _NEGATION.search(text) and "json" not in text.lower() else None


def _language(text: str) -> str | None:
    found = {match.group("language").lower() for match in _LANGUAGE.finditer(text)}
    if len(found) != 1 or _NEGATION.search(text) or _PART.search(text):
        return None
    language = found.pop()
    return language if language in _LANGUAGES else "the user's"


def _limits() -> Iterator[_Reader]:
    for unit in ("word", "sentence", "character", "paragraph"):
        for least in (False, True):
            yield _limit(unit, least)


def _limit(unit: str, least: bool) -> _Reader:
    """Return a reader of how many of a unit the answer may, or must, have."""

    def read(text: str) -> str | None:
        found = [m for m in _LIMIT.finditer(text) if m.group("unit").lower() == unit]
        if len(found) != 1 or _PART.search(text) or not _OWN.search(text):
            return None
        way = found[0].group("way")
        negated = way.lower() in ("more than",) and _NEGATION.search(text) is not None
        is_least = _LEAST.match(way) is not None and not negated
        return found[0].group("number").replace(",", "") if is_least == least else None

    return read


RULE = Rule(
    code="CO507",
    name="conflicting-instructions",
    summary="two instructions may not be followed together",
    find=_find,
    why="Both are paid for, and the model chooses which one it follows, not always the same one. "
    'The rule reads words, not meaning: "be concise" beside "answer in detail", "only JSON" '
    'beside "explain your reasoning" (unless the JSON has a field for it), two languages to '
    "answer in, two different limits on the length of the whole answer. Sentences with a condition "
    '("if", "when", "for each") and those about a part of the answer are left alone. It says '
    '"may", since it cannot know.',
    before="Answer the customer's question.\nBe concise.\n\n"
    "Tell them where to find the form. Answer in detail.\n\n{{ message }}\n",
    after="Answer the customer's question.\nBe concise.\n\n"
    "Tell them where to find the form.\n\n{{ message }}\n",
    ignore="Where the two are about different things.",
    money="None: which of the two should go is yours to say.",
)
