"""The race: which variants are still worth asking about, as answers come in.

Rows are asked in stages, each as long as all before it. After each, a variant leaves that is

* clearly worse: a bet against "it loses no more than the margin" has won enough (`betting`). Such a
  bet may be looked at as often as one likes (Ville's inequality; Waudby-Smith & Ramdas 2024, JRSS B
  86:1-27), so that a variant that holds is lost with a probability of at most 5 % over all
  variants and stages together. Log-likelihoods have no range: a difference of more than ten
  margins counts as ten, and where that was so the reason says it;
* clearly dearer: it saves nothing, by the same kind of bet on the cost of each row;
* out of reach: half of the others have a better expected saving, even if what was seen of it were
  one and a half standard errors too low (after sequential halving: Karnin, Koren & Somekh 2013,
  ICML). That is no finding about the variant, and the reason does not say one.

What is left is compared and confirmed as if there had been no race; leaving decides no verdict.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Literal

from .betting import betting_low, log_capital, mixed
from .choice import ALPHA, assurance
from .metrics.base import Scale

FIRST_STAGE = 8
"""Rows of the first stage."""

FEWEST = 4
"""As many variants are never out of reach."""

_MOST_MARGINS = 10.0
_LUCK = 1.5

Why = Literal["worse", "dearer", "out of reach"]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A variant in the race.

    ``differences`` are paired, variant minus baseline in the metric's unit, positive is better;
    ``saving`` is the fraction of the baseline's cost that it saves, and ``row_savings`` that of
    each row where answers are part of it; without them the saving is taken to be exact.
    """

    name: str
    differences: tuple[float, ...]
    saving: float
    row_savings: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A variant that left the race after ``rows`` rows, and the reason in a sentence."""

    name: str
    why: Why
    rows: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the race is about.

    ``entrants`` counts all variants that compete for the prompt; ``confirmation`` the rows that
    the best will be confirmed on, ``finalists`` how many these are.
    """

    margin: float
    scale: Scale
    unit: str
    entrants: int
    confirmation: int
    finalists: int

    @property
    def alpha(self) -> float:
        """The error of each bet, so that all of them together are wrong 5 % of the time."""
        return ALPHA / max(self.entrants, 1)


def stages(rows: int) -> tuple[int, ...]:
    """Return after how many rows the race is looked at.

    Example:
        >>> stages(80), stages(5)
        ((8, 16, 32, 64, 80), (5,))
    """
    found: list[int] = []
    stage = FIRST_STAGE
    while stage < rows:
        found.append(stage)
        stage *= 2
    return (*found, rows)


def leave(standings: Sequence[Standing], rules: Rules) -> tuple[Dropped, ...]:
    """Return who leaves now.

    Example:
        >>> rules = Rules(margin=0.05, scale="bounded", unit="fraction", entrants=2,
        ...               confirmation=100, finalists=2)
        >>> standings = [Standing(name="a", differences=(-0.6,) * 16, saving=0.3),
        ...              Standing(name="b", differences=(0.0,) * 16, saving=0.2)]
        >>> [(one.name, one.why, one.reason) for one in leave(standings, rules)]
        [('a', 'worse', 'dropped after 16 rows: -0.600 [-0.706, -0.176]')]
    """
    gone = [found for one in standings if (found := _worse(one, rules) or _dearer(one, rules))]
    names = {one.name for one in gone}
    rest = [one for one in standings if one.name not in names]
    return (*gone, *_out_of_reach(rest, rules))


def _worse(one: Standing, rules: Rules) -> Dropped | None:
    clip = 1.0 if rules.scale != "unbounded" else _MOST_MARGINS * rules.margin
    if clip <= 0.0 or not one.differences:
        return None
    losses = [-min(max(difference / clip, -1.0), 1.0) for difference in one.differences]
    if not _surely_above(losses, rules.margin / clip, rules.alpha):
        return None
    low = clip * betting_low([-loss for loss in losses], rules.alpha)
    high = -clip * betting_low(losses, rules.alpha)
    mean = -clip * math.fsum(losses) / len(losses)
    unit = " nats" if rules.unit.startswith("nats") else ""
    clipped = any(abs(difference) > clip for difference in one.differences)
    said = f", differences beyond {clip:g}{unit} taken as that" if clipped else ""
    reason = f"{mean:+.3f}{unit} [{low:+.3f}, {high:+.3f}]{said}"
    return _dropped(one, "worse", reason)


def _dearer(one: Standing, rules: Rules) -> Dropped | None:
    if one.row_savings:
        costs = [-min(max(saving, -1.0), 1.0) for saving in one.row_savings]
        if not _surely_above(costs, 0.0, rules.alpha):
            return None
    elif one.saving > 0.0:
        return None
    much = f"{-100 * one.saving:.1f} % dearer" if one.saving < 0.0 else "it saves nothing"
    return _dropped(one, "dearer", much)


def _out_of_reach(standings: Sequence[Standing], rules: Rules) -> tuple[Dropped, ...]:
    """Set aside who would not be among the better half, or the fewest, even if it were lucky."""
    keep = max(FEWEST, rules.finalists, math.ceil(len(standings) / 2))
    if len(standings) <= keep:
        return ()
    bar = sorted((_expected(one, rules) for one in standings), reverse=True)[keep - 1]
    reason = f"{keep} other variants promise a larger saving"
    return tuple(
        _dropped(one, "out of reach", reason)
        for one in standings
        if _expected(one, rules, luck=_LUCK) < bar
    )


def _expected(one: Standing, rules: Rules, luck: float = 0.0) -> float:
    """Return the expected saving, if the mean seen were ``luck`` standard errors higher."""
    n = len(one.differences)
    own = stdev(one.differences) if n > 1 else rules.margin
    # As steadied as `assurance` does: of few rows that are all equal nothing is known yet.
    error = math.sqrt(((n - 1) * own**2 + 3 * rules.margin**2) / (n + 2) / n) if n else 0.0
    chance = assurance(
        [difference + luck * error for difference in one.differences],
        margin=rules.margin,
        rows=rules.confirmation,
        alpha=ALPHA / rules.finalists,
        spread=rules.margin,
    )
    return chance * max(one.saving, 0.0)


def _surely_above(values: Sequence[float], tested: float, alpha: float) -> bool:
    """Whether the mean of values in [-1, 1] is above ``tested``, wrong with at most ``alpha``."""
    mean = (tested + 1.0) / 2.0
    growth = log_capital([(value + 1.0) / 2.0 for value in values], mean)
    return mean < 1.0 and mixed(growth, len(values)) >= -math.log(alpha)


def _dropped(one: Standing, why: Why, reason: str) -> Dropped:
    rows = len(one.differences)
    verb = "set aside" if why == "out of reach" else "dropped"
    return Dropped(name=one.name, why=why, rows=rows, reason=f"{verb} after {rows} rows: {reason}")


def summary(dropped: Mapping[str, Dropped], entrants: int) -> str:
    """Say in a sentence how many left the race, and why.

    Example:
        >>> one = Dropped(name="a", why="worse", rows=8, reason="")
        >>> summary({"a": one}, 9)
        '1 of 9 variants left the race before its last row: 1 clearly worse'
    """
    words: dict[Why, str] = {
        "worse": "clearly worse",
        "dearer": "clearly dearer",
        "out of reach": "promised less than the others",
    }
    counts = {why: sum(one.why == why for one in dropped.values()) for why in words}
    parts = ", ".join(f"{counts[why]} {words[why]}" for why in words if counts[why])
    return f"{len(dropped)} of {entrants} variants left the race before its last row: {parts}"
