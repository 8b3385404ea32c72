"""What each segment of a prompt does: leave one out, race, and share what several do together.

Every segment is left out in turn, and what is left is asked on the same rows as the baseline. Rows
are asked in growing looks, and a segment whose interval has decided is asked no more. Then all that
look harmless are left out at once: if that is not harmless, they share a task, and orders of
leaving them out are sampled (see `shapley`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Protocol

from ..compressors.segments import Segment, without
from ..core.attribution import Effect, SegmentVerdict, Share
from ..core.types import PromptTemplate, Sample
from .choice import ALPHA
from .metrics.base import Scale
from .shapley import Gone, Sampling, sampling, shares
from .statistics import paired_bounds

CUT: SegmentVerdict = "no effect seen: candidate to cut"
_HARMLESS = frozenset[SegmentVerdict]({CUT, "hurts"})
_FIRST_LOOK = 10
"""Fewer rows say too little of a skewed spread to decide by it."""
_FAILURE_SHARE = 0.02
"""Above this share of rows without a score, nothing is called harmless."""
JOINT = 2
"""How often segments are left out together, at most."""
_ALIKE = 85.0
_FEWEST_WORDS = 4


@dataclass(frozen=True)
class Losses:
    """What each row loses without something, by id; ``failures`` have no score."""

    values: Mapping[str, float]
    failures: int = 0


class Scorer(Protocol):
    """Asks a target what templates are worth, against the baseline on the same rows."""

    @property
    def stopped(self) -> bool:
        """Whether a cap was reached."""
        ...

    async def ask(self, templates: Sequence[PromptTemplate], rows: Sequence[Sample]) -> None:
        """Ask each template on rows; what was asked before is not asked again."""
        ...

    def losses(self, template: PromptTemplate, rows: Sequence[Sample]) -> Losses:
        """Return the baseline's score minus the template's, as far as both are there."""
        ...


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How effects are judged."""

    scale: Scale
    margin: float
    biased: bool = False
    """Whether the metric is biased against every edit: then nothing is called harmless."""


@dataclass(kw_only=True)
class Attributor:
    """Measures the segments of one prompt at one target; readable at any moment."""

    template: PromptTemplate
    segments: tuple[Segment, ...]
    rows: tuple[Sample, ...]
    scorer: Scorer
    terms: Terms
    seed: int = 0
    joint: list[Gone] = field(default_factory=list[Gone])
    """What was left out together, in the order in which it was asked."""
    plan: Sampling | None = None
    """How shares are sampled, where segments interact."""
    shares: dict[int, Share] = field(default_factory=dict[int, Share])
    """The parts of the segments that do something together, where they were sampled."""
    interacts: bool = False
    """Whether what looks harmless one by one loses more than the margin together."""
    _decided: dict[int, tuple[Effect, SegmentVerdict]] = field(
        default_factory=dict[int, tuple[Effect, SegmentVerdict]]
    )
    _left: dict[Gone, PromptTemplate] = field(default_factory=dict[Gone, PromptTemplate])

    @cached_property
    def tried(self) -> tuple[int, ...]:
        """The indices of the segments that can be left out."""
        return tuple(at for at, one in enumerate(self.segments) if one.kept is None)

    @cached_property
    def looks(self) -> tuple[int, ...]:
        """After how many rows it is looked whether a segment is decided."""
        return looks(len(self.rows))

    @property
    def alpha(self) -> float:
        """The error of each bound: 5 % shared among segments and looks, and what goes together."""
        return ALPHA / (max(len(self.tried), 1) * len(self.looks) + JOINT)

    async def run(self) -> None:
        """Ask what decides; a cap or an interruption leaves what was measured."""
        await self._race()
        await self._ask_together(self._harmless())
        found = self._measured(self.joint[0]) if self.joint else None
        self.interacts = found is not None and found.mean > self.terms.margin
        players = self._players()
        if len(players) > 1 and not self.scorer.stopped:
            await self._sample(players)
            left = self._harmless()
            if self.interacts and left != self.joint[0]:
                await self._ask_together(left)

    async def _race(self) -> None:
        for count in self.looks:
            open_ = [at for at in self.tried if at not in self._decided]
            if not open_ or self.scorer.stopped:
                return
            templates = [self.left({at}) for at in open_]
            await self.scorer.ask(templates, self.rows[:count])
            for at in open_:
                found = self._measured({at})
                verdict = self._verdict(found, {at})
                if found is not None and verdict != "not enough data":
                    self._decided[at] = found, verdict

    async def _ask_together(self, gone: Gone) -> None:
        if len(gone) > 1 and not self.scorer.stopped:
            await self.scorer.ask([self.left(gone)], self.rows)
            self.joint.append(gone)

    async def _sample(self, players: Sequence[int]) -> None:
        self.plan = sampling(players, len(self.rows), self.seed)
        rows = self.rows[: self.plan.rows]

        def lost(gone: Gone) -> Mapping[str, float] | None:
            return self.scorer.losses(self.left(gone), rows).values or None

        for order in self.plan.orders:
            if not self.scorer.stopped:
                await self.scorer.ask([self.left(gone) for gone in self.plan.steps(order)], rows)
                self.shares = shares(self.plan, lost)

    def _harmless(self) -> Gone:
        """Return what looks as if it could go, shown or not."""
        return frozenset(at for at in self.tried if self._looks_harmless(at))

    def _looks_harmless(self, at: int) -> bool:
        verdict, found = self.verdict(at), self.effect(at)
        if verdict in _HARMLESS:
            return True
        share = self.shares.get(at)
        if share is not None and self.interacts:
            return share.mean <= self._least_share
        if verdict != "not enough data" or found is None:
            return False
        return found.mean <= self.terms.margin / 2

    def _players(self) -> tuple[int, ...]:
        """Return the segments that may stand in for each other."""
        if not self.joint:
            return ()
        harmless = self.joint[0]
        players = set(harmless) if self.interacts else set[int]()
        for one, other in self._near():
            if (one in harmless) != (other in harmless) or players & {one, other}:
                players |= {one, other}
        return tuple(sorted(players))

    def _near(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of segments that say nearly the same."""
        from rapidfuzz.fuzz import token_sort_ratio

        for one, other in combinations(self.tried, 2):
            texts = [self.segments[at].text.lower() for at in (one, other)]
            wordy = min(len(text.split()) for text in texts) >= _FEWEST_WORDS
            if wordy and token_sort_ratio(*texts) >= _ALIKE:
                yield one, other

    # -- reading what was asked ------------------------------------------------------------

    def left(self, gone: Gone | set[int]) -> PromptTemplate:
        """Return the template without segments."""
        key = frozenset(gone)
        if key not in self._left:
            self._left[key] = without(self.template, [self.segments[at] for at in sorted(gone)])
        return self._left[key]

    def effect(self, at: int) -> Effect | None:
        """Return what a segment does, with its interval; ``None`` where too little is known."""
        return self._decided[at][0] if at in self._decided else self._measured({at})

    def together(self) -> tuple[Gone, Effect | None, SegmentVerdict] | None:
        """Return what was left out together last, and what that did."""
        if not self.joint:
            return None
        gone = self.joint[-1]
        found = self._measured(gone)
        return gone, found, self._verdict(found, gone)

    def verdict(self, at: int) -> SegmentVerdict:
        """Say in words what was found of a segment."""
        if self.segments[at].kept is not None:
            return "kept"
        decided = self._decided.get(at)
        own = decided[1] if decided else self._verdict(self.effect(at), {at})
        share = self.shares.get(at)
        if share is None or own in ("earns its keep", "not measured") or not self.interacts:
            return own
        if share.mean - 2 * share.standard_error > 0 and share.mean > self._least_share:
            return "earns its keep with others"
        if share.mean + 2 * share.standard_error < self._least_share:
            return own
        return "not enough data"

    @property
    def _least_share(self) -> float:
        """Shares below this, of all players together, make no more than the margin."""
        players = len(self.plan.orders[0]) if self.plan else 1
        return self.terms.margin / players

    def _measured(self, gone: Gone | set[int]) -> Effect | None:
        found = self.scorer.losses(self.left(gone), self.rows)
        rows = [row for row in self.rows if row.id in found.values]
        labels = [row.cluster for row in rows]
        bounds = paired_bounds(
            [found.values[row.id] for row in rows],
            alpha=self.alpha,
            scale=self.terms.scale,
            clusters=labels if any(labels) else None,
        )
        if bounds is None:
            return None
        return Effect(mean=bounds.mean, low=bounds.low, high=bounds.high, n=bounds.n)

    def _verdict(self, found: Effect | None, gone: Gone | set[int]) -> SegmentVerdict:
        asked = self.scorer.losses(self.left(gone), self.rows)
        if found is None:
            return "not enough data" if asked.values or asked.failures else "not measured"
        if len(asked.values) + asked.failures not in self.looks:
            return "not enough data"  # It was stopped between two looks.
        if found.low > 0:
            return "earns its keep"
        unscored = asked.failures > _FAILURE_SHARE * (len(asked.values) + asked.failures)
        if unscored or self.terms.biased:
            return "not enough data"
        if found.high < 0:
            return "hurts"
        return CUT if found.high < self.terms.margin else "not enough data"


def looks(rows: int) -> tuple[int, ...]:
    """Return after how many rows it is looked: doubling from ten, and at last all.

    Example:
        >>> looks(40), looks(12)
        ((10, 20, 40), (12,))
    """
    count = _FIRST_LOOK
    found: list[int] = []
    # A look at nearly all rows would cost more error than it could save requests.
    while count * 3 <= rows * 2:
        found.append(count)
        count *= 2
    return (*found, rows)
