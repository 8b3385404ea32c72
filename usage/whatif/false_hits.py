"""How often an earlier answer would have been wrong, judged by the answers that a log holds."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...core.binomial import share_bounds
from ...core.literals import limits, numbers
from .alike import words
from .state import Replay

SAMPLE = 200
"""How many hits of a feature are judged."""
OVERLAP = 0.8
"""From which part of their words in common on two answers may be the same (F1 of the words)."""
ALLOWED = 0.05
"""Up to which share of false hits a cache counts as shown to hold; the upper bound is below it."""


@dataclass(frozen=True, kw_only=True)
class FalseHits:
    """The hits of one feature, judged.

    Attributes:
        hits: How many there are.
        same: How many of them ask in the same words; only the others are judged.
        judged: How many were drawn and judged; 0 where the log holds no answers to them.
        false: How many of these would have been given another answer.
        reworded: How many would not have been given the same words.
        low: A one-sided 95 % lower bound of the share of false hits; ``None`` where none is judged.
        high: The upper bound.
    """

    hits: int
    same: int
    judged: int
    false: int
    reworded: int
    low: float | None
    high: float | None

    @property
    def others(self) -> int:
        """How many hits ask in other words than the request whose answer they get."""
        return self.hits - self.same

    @property
    def holds(self) -> bool:
        """Whether it is shown that few enough are wrong."""
        return self.high is not None and self.high <= ALLOWED

    @property
    def words(self) -> str:
        """The same as a part of a sentence.

        Example:
            >>> FalseHits(
            ...     hits=9, same=5, judged=0, false=0, reworded=0, low=None, high=None
            ... ).words
            '5 of 9 hits in the same words; how many of the others are false is unknown'
        """
        same = f"{self.same:,} of {self.hits:,} hits in the same words"
        if not self.others:
            return same
        if not self.judged or self.low is None or self.high is None:
            return f"{same}; how many of the others are false is unknown"
        return (
            f"{same}; false hits {_percent(self.false / self.judged)} of the others "
            f"[{_percent(self.low)}, {_percent(self.high)}], n = {self.judged:,} "
            f"(answered in other words: {_percent(self.reworded / self.judged)})"
        )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def differs(one: str, other: str) -> bool:
    """Say whether two answers are likely to say different things.

    They do unless their words are the same, or at least `OVERLAP` of the words are, and the
    numbers and the negations are the same. Two answers in quite other words count as different,
    whatever they mean.

    Example:
        >>> differs("The fee is 5 euros.", "the fee is 5 euros"), differs("It is 5.", "It is 6.")
        (False, True)
        >>> differs("Yes, you may smoke in here.", "Yes, you may not smoke in here.")
        True
    """
    first, second = words(one), words(other)
    if first == second:
        return False
    return (
        overlap(first, second) < OVERLAP
        or _said(one, numbers) != _said(other, numbers)
        or _said(one, limits) != _said(other, limits)
    )


def overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the F1 of two lists of words: 1 is the same words, 0 none in common.

    Example:
        >>> overlap(["a", "b"], ["b", "c"]), overlap([], ["a"])
        (0.5, 0.0)
    """
    common = (Counter(first) & Counter(second)).total()
    return 2 * common / (len(first) + len(second)) if first or second else 1.0


def _said(text: str, find: Callable[[str], Iterable[tuple[int, int]]]) -> Counter[str]:
    return Counter(" ".join(text[start:end].lower().split()) for start, end in find(text))


def judge(replay: Replay) -> Mapping[str | None, FalseHits]:
    """Judge a sample of the hits in ``whatif_alike`` (``n``, ``source``, ``same``), by feature.

    Drawn are those that ask in other words, and whose answers the log holds on both sides; without
    looking at anything but their numbers. What asks in the same words would make the others look
    better than they are, and needs no such cache.
    """
    sums: dict[str | None, list[int]] = {
        feature: [int(hits), int(same), 0, 0, 0]
        for feature, hits, same in replay.rows(
            "SELECT l.feature, count(*), count(*) FILTER (h.same) FROM whatif_alike h "
            "JOIN whatif_log l ON l.n = h.n GROUP BY ALL ORDER BY ALL"
        )
    }
    for feature, answer, given in _drawn(replay):
        own = sums[feature]
        own[2] += 1
        own[3] += differs(answer, given)
        own[4] += words(answer) != words(given)
    return {feature: _bounded(*own) for feature, own in sums.items()}


def _bounded(hits: int, same: int, judged: int, false: int, reworded: int) -> FalseHits:
    low, high = share_bounds(false, judged) if judged else (None, None)
    return FalseHits(
        hits=hits, same=same, judged=judged, false=false, reworded=reworded, low=low, high=high
    )


def _drawn(replay: Replay) -> Iterator[tuple[str | None, str, str]]:
    rows = replay.rows(
        """SELECT l.feature, l.answer, o.answer FROM whatif_alike h
        JOIN whatif_log l ON l.n = h.n JOIN whatif_log o ON o.n = h.source
        WHERE NOT h.same AND l.ok AND l.answer IS NOT NULL AND o.answer IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY l.feature ORDER BY md5(h.n::VARCHAR)) <= ?
        ORDER BY h.n""",
        [SAMPLE],
    )
    yield from rows
