"""Dropping words of a text, least wanted first, until a rate is met."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from ..core.protocols import ContextCompressor, TokenCounter
from ..core.spans import editable
from ..core.types import Syntax
from ..core.words import Range, join, tidy
from .base import NotApplicable, StrategyContext

NEAR = 0.05
"""A rate is met where what was reached differs by no more than this part of it."""
LONGEST = 200_000
"""Tokens of the target that a model on CPUs is asked to read."""
_LONGEST_WORD = 10_000
MISSING = 'needs the llmlingua extra and a run with a model: pip install "costopt[llmlingua]"'
_CHUNK = 1000
"""Tokens of the target that are compressed at once; what one misses, the next makes up for."""
_AGAIN = 3


def protected(text: str) -> list[Range]:
    """Return the ranges of a value that stay: code, JSON, tables, tags, numbers, quotes, limits.

    Example:
        >>> protected("Costs 30 USD")
        [Range(start=6, end=12)]
    """
    ranges: list[Range] = []
    end = 0
    for start, stop in (*editable(text, Syntax.NONE), (len(text), len(text))):
        if start > end:
            ranges.append(Range(end, start))
        end = stop
    return ranges


def kept_strings(text: str) -> tuple[str, ...]:
    """Return what stands in `protected` ranges, without the blanks around it."""
    found = (text[start:end].strip() for start, end in protected(text))
    return tuple(string for string in found if string)


def touched(words: Sequence[Range], kept: Sequence[Range]) -> frozenset[int]:
    """Return the numbers of the words that a range of ``kept`` overlaps; both are in order.

    Example:
        >>> touched([Range(0, 3), Range(4, 8)], [Range(5, 6)])
        frozenset({1})
    """
    starts = [word.start for word in words]
    found: set[int] = set()
    for start, end in kept:
        index = max(0, bisect_left(starts, start) - 1)
        while index < len(words) and words[index].start < end:
            if words[index].end > start:
                found.add(index)
            index += 1
    return frozenset(found)


def drop(
    text: str,
    words: Sequence[Range],
    order: Sequence[Sequence[int]],
    *,
    rate: float,
    count: TokenCounter,
) -> str:
    """Return ``text`` without as few words as bring it to ``rate`` of its tokens.

    Args:
        text: The text.
        words: Its words, in order and disjoint.
        order: Groups of words that go together, the least wanted first; words in none stay.
        rate: Tokens after / before.
        count: Tokens of the target.

    Returns:
        The text itself where dropping saves nothing.
    """
    fixed, whole, best = protected(text), count(text), text
    groups = list(order)

    def left(number: int) -> str:
        gone = {word for group in groups[:number] for word in group}
        kept = [word for index, word in enumerate(words) if index not in gone]
        return join(text, tidy(text, kept, fixed))

    for _ in range(_AGAIN):
        sizes = [sum(count(text[slice(*words[word])]) for word in group) for group in groups]
        least = fewest(sizes, whole, rate * whole, lambda number: count(left(number)))
        result = left(least)
        if result.strip() and _off(count(result), rate * whole) < _off(count(best), rate * whole):
            best = result
        if not least or len(groups[least - 1]) == 1 or count(result) >= (1 - NEAR) * rate * whole:
            break
        # The last group was too large: it stays, and others go in its place.
        del groups[least - 1]
    return best if count(best) < whole else text


def fewest(sizes: Sequence[int], whole: int, wanted: float, left: Callable[[int], int]) -> int:
    """Return how many of the first groups have to go until no more than ``wanted`` is left.

    To count what is left is dear, and the groups' own sizes say about where to look. Every fourth
    look is at the middle, so that sizes that say little cost only some looks more.

    Args:
        sizes: What each group is worth, about.
        whole: What is left where none goes.
        wanted: What may be left.
        left: What is left where so many go; less for more.

    Returns:
        At most ``len(sizes)``, which is not asked about.

    Example:
        >>> fewest([1, 1, 4, 2], 8, 6, lambda number: 8 - sum([1, 1, 4, 2][:number]))
        2
    """
    gone = [0, *accumulate(sizes)]
    low, high = 0, len(sizes)  # what is looked for lies between them, both included
    looks, off = 0, 0
    while low < high:
        looks += 1
        near = bisect_left(gone, whole - wanted + off, low, high)
        at = min(near, high - 1) if looks % 4 else (low + high) // 2
        found = left(at)
        low, high = (low, at) if found <= wanted else (at + 1, high)
        off = gone[at] - (whole - found)
    return low


def _off(reached: int, wanted: float) -> float:
    return abs(reached - wanted)


def steered(
    text: str, rate: float, count: TokenCounter, compress: Callable[[str, float], str]
) -> str:
    """Return ``text`` compressed to ``rate`` by a ``compress`` that meets rates only roughly.

    A long text goes in parts, each asked for what is left of the budget up to its end; the last
    part, and with it a short text, is asked for up to three times.
    """
    parts = list(_parts(text, count))
    if len(parts) == 1:
        return nearest(text, rate, count, compress)
    done: list[str] = []
    before = after = 0
    for number, part in enumerate(parts):
        size = count(part)
        before += size
        wanted = min(1.0, max(0.02, (rate * before - after) / max(size, 1)))
        tries = _AGAIN if number == len(parts) - 1 else 1
        done.append(nearest(part, wanted, count, compress, tries=tries))
        after += count(done[-1])
    return "".join(done)


def nearest(
    text: str,
    rate: float,
    count: TokenCounter,
    compress: Callable[[str, float], str],
    *,
    tries: int = _AGAIN,
) -> str:
    """Return the compression of ``text`` that comes nearest to ``rate``, of at most ``tries``."""
    size, asked, best = max(count(text), 1), rate, text
    off = abs(1 - rate)
    for _ in range(tries):
        result = compress(text, asked)
        reached = count(result) / size
        if result.strip() and abs(reached - rate) < off:
            best, off = result, abs(reached - rate)
        if off <= NEAR * rate:
            break
        asked = min(1.0, max(0.02, asked + rate - reached))
    return best


def _parts(text: str, count: TokenCounter) -> Iterator[str]:
    """Cut a text at paragraphs, lines, sentences or spaces, into parts of some 1,000 tokens."""
    total = count(text)
    if total <= 1.5 * _CHUNK:
        yield text
        return
    size = max(200, len(text) * _CHUNK // total)
    start = 0
    while start < len(text):
        end = len(text) if len(text) - start < 1.5 * size else _cut(text, start, start + size)
        yield text[start:end]
        start = end


def _cut(text: str, start: int, hard: int) -> int:
    for mark in ("\n\n", "\n", ". ", " "):
        place = text.rfind(mark, (start + hard) // 2, hard)
        if place >= 0:
            return place + len(mark)
    return hard


def readable(name: str, text: str, context: StrategyContext) -> ContextCompressor | None:
    """Return the model to read ``text`` with; ``None``, with a note, where it is not to be read.

    Raises:
        NotApplicable: there is no model.
    """
    if context.compressor is None:
        raise NotApplicable(MISSING)
    if len(text.split(None, 1)) < 2 and len(text) > _LONGEST_WORD:
        context.notes.append(f"{name}: one word of {len(text):,} characters is left as it is")
        return None
    if not any(character.isalpha() for character in text):
        return None
    size = context.count(text)
    if size > LONGEST:
        context.notes.append(
            f"{name}: {size:,} tokens are left as they are: reading them would take hours "
            f"(the limit is {LONGEST:,})"
        )
        return None
    return context.compressor


def note(name: str, rate: float, before: str, after: str, context: StrategyContext) -> None:
    """Say what was reached where it is not what was asked for."""
    size = context.count(before)
    if not size:
        return
    reached = context.count(after) / size
    if abs(reached - rate) <= NEAR * rate:
        return
    why = (
        "what is protected stays (code, data, numbers, quotes, limits), and words go whole"
        if reached > rate
        else "words, names and documents go whole"
    )
    context.notes.append(f"{name}: rate {rate:g} requested and {reached:.2f} reached: {why}")
