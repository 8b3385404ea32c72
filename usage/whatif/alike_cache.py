"""A cache that answers a request like an earlier one, replayed request by request.

The most alike answer that it holds is found exactly, not nearly: two texts that are alike enough
have one of the rarest pairs of each in common (prefix filtering; Chaudhuri, Ganti & Kaushik 2006,
*A primitive operator for similarity joins in data cleaning*). So only few are compared.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_COMPARED = 10_000_000
"""After so many comparisons only texts with the same words are found."""
_LOOKED = 10
"""So many looks at a text that is then not compared count as a comparison."""

Row = tuple[int, int, int, bool]
"""A request: its number, its text, its time in microseconds, and whether it succeeded."""


@dataclass(frozen=True)
class Texts:
    """All different texts of a log, each known by its place here.

    Attributes:
        sizes: How many pairs of each count.
        shared: Of each the numbers of those that other texts have too, the rarest first.
        tokens: How many numbers there are.
    """

    sizes: Sequence[int]
    shared: Sequence[NDArray[np.int32]]
    tokens: int


@dataclass
class AlikeCache:
    """The answers that are held.

    Attributes:
        texts: What may be asked.
        percent: How alike a text has to be, in percent.
        ttl_us: How long an answer may be served, in microseconds; ``None``: for ever.
        size: How many answers there is room for; ``None``: any number.
        left: How many comparisons may still be made.
    """

    texts: Texts
    percent: int
    ttl_us: int | None
    size: int | None
    left: int = MOST_COMPARED
    _stored: OrderedDict[int, tuple[int, int]] = field(
        default_factory=OrderedDict[int, tuple[int, int]]
    )
    _having: dict[int, dict[int, None]] = field(default_factory=dict[int, dict[int, None]])
    _mask: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self._mask = np.zeros(self.texts.tokens, dtype=np.bool_)

    def answered(self, rows: Iterable[Row]) -> Iterator[tuple[int, int]]:
        """Yield the numbers of requests that are served, each with that of the one answered first.

        Of several answers the most alike is given, of those the one that was first asked for. An
        answer keeps its place until it is asked for anew or has to make room; serving it makes it
        the last to go. A failed request stores nothing.

        Args:
            rows: The requests in order of time.
        """
        for number, text, at, ok in rows:
            found = self._find(text, at)
            if found is not None:
                self._stored.move_to_end(found)
                yield number, self._stored[found][1]
            elif ok:
                self._store(text, at, number)

    def _find(self, text: int, at: int) -> int | None:
        if self._alive(text, at):
            return text
        size, best, best_found = self.texts.sizes[text], None, (0, 1)
        candidates = self._candidates(text, at) if self.left > 0 else []
        if not candidates:
            return None
        self.left -= len(candidates)
        self._mask[self.texts.shared[text]] = True
        for other in candidates:
            common = int(np.count_nonzero(self._mask[self.texts.shared[other]]))
            length = self.texts.sizes[other]
            enough = common * common * 10_000 >= self.percent**2 * size * length
            # common² / length orders as the cosine does: this text's own length is the same.
            if enough and common * common * best_found[1] > best_found[0] * length:
                best, best_found = other, (common * common, length)
        self._mask[self.texts.shared[text]] = False
        return best

    def _candidates(self, text: int, at: int) -> list[int]:
        """Return what may be alike, in the order in which it was first asked for."""
        size, square = self.texts.sizes[text], self.percent**2
        found: set[int] = set()
        looked = 0
        for token in self._prefix(text):
            having = self._having.get(token, ())
            looked += len(having)
            found.update(having)
        # Where few of very many are near enough in length and time, to look is the work.
        self.left -= looked // _LOOKED
        kept = [
            other
            for other in found
            if square * size <= self.texts.sizes[other] * 10_000
            and square * self.texts.sizes[other] <= size * 10_000
            and self._alive(other, at)
        ]
        return sorted(kept, key=lambda other: self._stored[other][1])

    def _prefix(self, text: int) -> list[int]:
        """Return the rarest pairs, of which one is in common with all that is alike enough."""
        size, shared = self.texts.sizes[text], self.texts.shared[text]
        needed = -(-(self.percent**2) * size // 10_000)
        own = size - len(shared)
        return shared[: max(size - needed + 1 - own, 0)].tolist() if size else []

    def _alive(self, text: int, at: int) -> bool:
        held = self._stored.get(text)
        return held is not None and (self.ttl_us is None or at - held[0] <= self.ttl_us)

    def _store(self, text: int, at: int, number: int) -> None:
        if text not in self._stored:
            for token in self._prefix(text):
                self._having.setdefault(token, {})[text] = None
        self._stored[text] = (at, number)
        self._stored.move_to_end(text)
        if self.size is not None and len(self._stored) > self.size:
            gone, _ = self._stored.popitem(last=False)
            for token in self._prefix(gone):
                del self._having[token][gone]
