"""What a lever would have saved on a log: the value that every lever returns."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Evidence = Literal["replayed", "estimated"]


@dataclass(frozen=True, kw_only=True)
class Month:
    """A saving scaled to a month of 365/12 days, in USD; negative is dearer.

    Attributes:
        usd: The saving of the period, times a month, divided by the length of the period; ``None``
            where nothing is known, or the period has no length.
        low: A one-sided 95 % lower bound, from how much whole days differ. Where it is not certain
            that a saving comes at all, it is left out of this bound. ``None`` where the log has
            fewer than two whole days, and a saving that is certain.
        high: The upper bound likewise.
        days: The length of the period in days.
    """

    usd: Decimal | None
    low: Decimal | None
    high: Decimal | None
    days: float


@dataclass(frozen=True, kw_only=True)
class FeatureSaving:
    """The part of a saving that lies in one feature; ``feature`` is ``None`` where none is named.

    Attributes:
        detail: What is done there, as far as it differs by feature: a cap, a model.
        now: The models that are asked there now, as ``provider:model``, the dearest share first.
        to: Another model that is meant; ``None`` for all other levers.
        paths: Files of the prompts that change, as a stored run names them.
        strategies: How they change, as ``--strategy`` takes it.
        certain_usd: The part of ``usd`` that does not hang on what is only estimated.
        share: ``usd`` as a part of what the feature cost in the period.
    """

    feature: str | None
    usd: Decimal
    certain_usd: Decimal
    month: Month
    requests: int
    tokens: int
    share: float | None
    now: tuple[str, ...] = ()
    detail: str | None = None
    to: str | None = None
    paths: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of a curve: what another setting of the lever would have saved.

    Attributes:
        setting: The setting in words, with units.
        requests: How many requests it touches.
        share: These as a part of the requests that the lever can be tried on, in [0, 1]; for a
            prefix cache the part of their input tokens that is read.
        usd: What it saves in the period.
        false_hits: Of what a cache serves to requests in other words, the share that is judged to
            be wrong; ``None`` where that is unknown, or there is nothing of the kind.
    """

    setting: str
    requests: int
    share: float | None
    usd: Decimal
    false_hits: float | None = None


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What one lever would have saved on the log.

    Attributes:
        lever: ``exact-cache``, ``semantic-cache``, ``prefix-cache``, ``prompt-variant``, ``batch``,
            ``output-cap`` or ``other-model``.
        setting: The setting that the numbers are for, in words.
        usd: USD saved in the period; ``None`` where the log does not have what it takes to tell,
            and ``notes`` say what.
        certain_usd: The part of it that does not hang on what is only estimated.
        month: The same a month, with a range.
        requests: Requests that it touches.
        tokens: Tokens that are not paid any more, or paid at another rate.
        evidence: ``replayed``: arithmetic on what the log says. ``estimated``: it rests on
            something that the log does not say, too; ``notes`` name it.
        features: The same by feature, the largest first.
        curve: What other settings would have saved.
        notes: What is to be known before counting on it.
    """

    lever: str
    setting: str
    usd: Decimal | None
    certain_usd: Decimal | None
    month: Month
    requests: int
    tokens: int
    evidence: Evidence
    features: tuple[FeatureSaving, ...] = ()
    curve: tuple[Point, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """All levers on one log: each alone, and one after the other.

    Attributes:
        alone: What each would save if it were the only one.
        combined: What each saves in addition to those before it, in the order of replay.
        usd: What they save together in the period.
        month: The same a month.
        spent_usd: What the replayed requests cost by the price table.
        requests: How many requests were replayed.
        notes: What holds for all of it.
    """

    alone: tuple[Saving, ...]
    combined: tuple[Saving, ...]
    usd: Decimal
    month: Month
    spent_usd: Decimal
    requests: int
    notes: tuple[str, ...] = ()
