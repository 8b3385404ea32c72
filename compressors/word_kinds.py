"""In which order the words of a text may go: by their kind, and within it by what they tell."""

from collections.abc import Iterator, Sequence

from ..core.protocols import WordScore
from ..core.words import Range
from .word_choice import protected, touched

_ARTICLES = frozenset({"a", "an", "the"})
_SMALL = """
    this that these those it its itself he him his himself she her hers herself they them their
    theirs themselves we us our ours ourselves you your yours i me my is are was were be been being
    am has have had having do does did doing will would shall should can could may might of in on
    at to for from by with as into onto upon about above below over under between among through
    during before after against toward towards across along via per and or but so yet if then than
    because while although though whereas since until when where which who whom whose what how why
    there here also such very more most much many some any each both another other own same too
    just even still already again however therefore thus hence moreover furthermore indeed rather
    quite often usually generally especially particularly up down out off
"""
_SMALL_WORDS = frozenset(_SMALL.split())
_ENGLISH = frozenset({"the", "of", "and", "to", "is", "that", "for", "with", "was", "are", "a"})
_ENGLISH_SHARE = 0.08
_NAME = 3
_STOPS = frozenset(".!?;:…。！？")


def drop_order(text: str, words: Sequence[WordScore]) -> list[tuple[int, ...]]:
    """Return the words that may go, the least wanted first, in groups that go together.

    Example:
        >>> words = [WordScore(0, 3, 2.0), WordScore(4, 7, 9.0), WordScore(8, 12, 6.0)]
        >>> drop_order("the old mill", words)
        [(0,), (2,), (1,)]
    """
    fixed = touched([Range(word.start, word.end) for word in words], protected(text))
    written = [text[word.start : word.end] for word in words]
    english = _is_english(written)
    kinds = [_kind(word, english) for word in written]
    groups = list(_groups(text, words, kinds, fixed))
    mean = {group: sum(words[index].score for index in group) / len(group) for group in groups}
    return sorted(groups, key=lambda group: (kinds[group[0]], mean[group], -group[0]))


def _is_english(written: Sequence[str]) -> bool:
    letters = [word.lower() for word in written if word[:1].isalpha()]
    return sum(word in _ENGLISH for word in letters) >= _ENGLISH_SHARE * max(len(letters), 1)


def _kind(word: str, english: bool) -> int:
    """Return how early a word goes: 0 to 3."""
    low = word.lower()
    if english and low in _ARTICLES:
        return 0
    if word == "," or (english and low in _SMALL_WORDS):
        return 1
    return _NAME if word[:1].isupper() or word[:1] in _STOPS else 2


def _groups(
    text: str, words: Sequence[WordScore], kinds: Sequence[int], fixed: frozenset[int]
) -> Iterator[tuple[int, ...]]:
    """Yield the words that may go, those of a name together; a name with a fixed word stays."""
    run: list[int] = []
    for index, word in enumerate(words):
        named = kinds[index] == _NAME and text[word.start].isupper()
        if run and not (named and text[words[run[-1]].end : word.start] == " "):
            yield from _run(run, fixed)
            run = []
        if named:
            run.append(index)
        elif index not in fixed:
            yield (index,)
    yield from _run(run, fixed)


def _run(run: list[int], fixed: frozenset[int]) -> Iterator[tuple[int, ...]]:
    if run and not fixed.intersection(run):
        yield tuple(run)
