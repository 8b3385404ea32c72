"""CO503: an instruction that is said twice, word for word or lightly reworded."""

import re
from collections.abc import Iterator
from itertools import islice

from ...compressors.base import rewritable
from ...compressors.repeated_rule import repeats
from ...compressors.sentences_of import Sentence, sentences
from .base import Case, Hit, Rule, per_1k, quote

_SIMILARITY = 0.9
_REWORDED = 0.8
_FEWEST_WORDS = 5
_MOST_TRIED = 64
_STEM = 4
_INSTRUCTS = re.compile(
    r"^\W*be\b|\b(?:you|your|must|shall|should|always|never|do not|don[’']t|only|please|ensure"
    r"|make sure|avoid|include|exclude|use|write|answer|return|output|respond|reply|keep|give"
    r"|provide|note|list|choose|extract|classify|label|format|follow|state|mention|copy|explain"
    r"|translate|begin|end|start|stop|limit|optimi[sz]e|check|read)\b",
    re.IGNORECASE,
)
"""One of these stands in nearly every instruction; a story or a list of facts may have none."""
_LONGEST_LINE = 4000
"""A longer line is no prose that somebody wrote as instructions: it was pasted."""
_LAYOUT = re.compile(r"[\[\]<>{}|$_]|\.\.\.|…")
"""Marks of a form to be filled in: its lines repeat by design."""


def _find(case: Case) -> Iterator[Hit]:
    if not case.is_prose:
        return
    taken: set[tuple[int, int]] = set()
    for repeat in repeats(case.template, _SIMILARITY):
        taken.add((repeat.message, repeat.rule.start))
        if _instructs(case, repeat.message, repeat.rule):
            yield _hit(case, repeat.message, repeat.rule, repeat.earlier)
    for message, rule, earlier in _reworded(case, taken):
        if _instructs(case, message, rule):
            yield _hit(case, message, rule, earlier)


def _instructs(case: Case, message: int, rule: Sentence) -> bool:
    text = case.template.messages[message].content
    line = text.rfind("\n", 0, rule.start) + 1
    end = text.find("\n", rule.end - 1)
    length = (end if end != -1 else len(text)) - line
    if length > _LONGEST_LINE or _LAYOUT.search(rule.source):
        return False
    return _INSTRUCTS.search(rule.source) is not None


def _hit(case: Case, message: int, rule: Sentence, earlier: tuple[int, Sentence] | None) -> Hit:
    tokens = case.tokens(rule.source)
    said = "says again what earlier rules say"
    if earlier is not None:
        line = case.places.at(earlier[0], earlier[1].start).line
        said = f"says again what line {line} says"
    return Hit(
        message=f"{said}: {quote(rule.source)}",
        at=(message, rule.start, rule.start + len(rule.source.rstrip())),
        tokens=tokens,
        usd_per_1k=per_1k(tokens, case.main.input),
    )


def _reworded(
    case: Case, taken: set[tuple[int, int]]
) -> Iterator[tuple[int, Sentence, tuple[int, Sentence]]]:
    """Yield sentences of nearly the same words in the same order, and the earlier one of each."""
    by_word: dict[str, list[tuple[int, Sentence]]] = {}
    for message in rewritable(case.template):
        for rule in sentences(case.template.messages[message].content, case.template.syntax):
            if (message, rule.start) in taken or len(rule.words) < _FEWEST_WORDS:
                continue
            found = _like(rule, by_word) if rule.free else None
            if found is not None:
                yield message, rule, found
            elif rule.readable:
                for word in rule.said:
                    by_word.setdefault(word, []).append((message, rule))


def _like(
    rule: Sentence, by_word: dict[str, list[tuple[int, Sentence]]]
) -> tuple[int, Sentence] | None:
    from rapidfuzz.distance import Indel

    # Of two that are so much alike, one of any three words is in both: the rarest are tried.
    rarest = sorted((by_word.get(word, []) for word in rule.said), key=len)[:3]
    for message, other in islice((one for found in rarest for one in found), _MOST_TRIED):
        if rule.anchors != other.anchors or not _only_more(rule, other):
            continue
        if Indel.normalized_similarity(rule.words, other.words) >= _REWORDED:
            return message, other
    return None


def _only_more(rule: Sentence, other: Sentence) -> bool:
    """Whether two have the same content words, but for endings, or one more at one of its ends.

    Rules of one form about two things ("Write the IDEAS as …", "Write the FACTS as …") differ in
    a word each, and "… bullets on their teachings" is not "… bullets on the philosophy's
    teachings": neither are the same rule.
    """
    shorter, longer = sorted((rule.words, other.words), key=len)
    if len(longer) == len(shorter) + 1:
        return shorter in (longer[1:], longer[:-1])
    return len(longer) == len(shorter) and all(map(_spelt_alike, shorter, longer))


def _spelt_alike(word: str, other: str) -> bool:
    shorter, longer = sorted((word, other), key=len)
    return word == other or (len(shorter) >= _STEM and longer.startswith(shorter))


RULE = Rule(
    code="CO503",
    name="said-twice",
    summary="an instruction is said twice",
    find=_find,
    covers=frozenset({"CO203", "CO204"}),
    why="Every request pays for both. Sentences and list items of all messages that instruct are "
    "compared by their content words, so that light rewording does not hide a repetition; those "
    "whose numbers, negations, limits or quotations differ are not taken for the same. "
    "`costopt compress --strategy repeated-rule` drops most of them, and an analysis measures "
    "what that does to the answers.",
    before="Choose one label from the list below, and never invent a new label.\n\n"
    "- billing\n- delivery\n\n"
    "Please choose one label from the list, and never invent any new label.\n\n"
    "Ticket: {{ ticket }}\n",
    after="Choose one label from the list below, and never invent a new label.\n\n"
    "- billing\n- delivery\n\nTicket: {{ ticket }}\n",
    ignore="Where the repetition was measured to help: a model follows a rule more often that "
    "stands at the end, too.",
    money="What the later sentence's tokens cost as input.",
)
