"""Context strategies at work: what is filled into a variant's variables, shortened once."""

import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from ..core.report import Runtime
from ..core.types import Sample, StrategySpec, Variant
from .base import ContextStrategy, NotApplicable, StrategyContext
from .registry import build, load
from .values import Cut, cut, text_of

_NOTES = 2
_NUMBER = re.compile(r"\d[\d.,]*")

__all__ = ["Shortened", "Shortener", "at_run_time"]


def at_run_time(spec: StrategySpec) -> bool:
    """Whether a spec shortens a variable's value, rather than the template.

    Example:
        >>> at_run_time(StrategySpec("filler"))
        False
    """
    return spec.params.get("on") is not None and issubclass(load(spec.name), ContextStrategy)


@dataclass(frozen=True, kw_only=True)
class Shortened:
    """One sample's inputs, shortened.

    Attributes:
        inputs: All inputs, the shortened ones among them.
        before: Tokens of the values in question.
        after: Tokens that are left of them.
        seconds: How long it took.
        dropped: Anchors (numbers with units, negations, quotes, URLs) that were lost.
        notes: What the strategies wanted to be said.
    """

    inputs: Mapping[str, Any]
    before: int = 0
    after: int = 0
    seconds: float = 0.0
    dropped: int = 0
    notes: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Shortener:
    """Shortens the inputs of one prompt's samples, each once a variant; safe between threads.

    What may be done to a value is said in `values.cut`.
    """

    context: StrategyContext
    timings: Path | None = None
    """A folder that remembers how long each took at first, so that a rerun reports the same."""
    _made: dict[tuple[str, str], Shortened] = field(
        default_factory=dict[tuple[str, str], Shortened]
    )
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def shorten(self, variant: Variant, sample: Sample) -> Shortened:
        """Return the inputs that ``variant`` is rendered with for ``sample``.

        Raises:
            CostoptError: a strategy's model cannot be loaded.
        """
        specs = [spec for spec in variant.chain if at_run_time(spec)]
        if not specs:
            return Shortened(inputs=sample.inputs)
        shown = [str(spec) for spec in specs]
        key = variant.name, _hash(shown, dict(sample.inputs), dict(variant.template.defaults))
        with self._lock:
            if key not in self._made:
                made = self._shorten(variant, sample, specs)
                self._made[key] = replace(made, seconds=self._first(key[1], made.seconds))
            return self._made[key]

    def runtime(self, variant: Variant) -> Runtime | None:
        """Return what a variant's shortening took and left; ``None`` where it did none."""
        made = self._made_for(variant)
        if not made:
            return None
        before, after = fmean(m.before for m in made), fmean(m.after for m in made)
        seconds = fmean(m.seconds for m in made)
        pays = (before - after) / seconds if before > after and seconds > 0 else None
        return Runtime(
            tokens_before_mean=before,
            tokens_after_mean=after,
            seconds_mean=seconds,
            n=len(made),
            pays_below_tokens_per_s=pays,
        )

    def notes(self, variant: Variant) -> tuple[str, ...]:
        """Say what a variant's shortening lost, and what its strategies wanted to be said."""
        made = self._made_for(variant)
        lost_of = sum(m.dropped for m in made)
        gone = (
            f"{lost_of:,} numbers, limits, quotes or URLs are gone from the values of "
            f"{len(made):,} requests"
        )
        return (*((gone,) if lost_of else ()), *_alike([note for m in made for note in m.notes]))

    def _made_for(self, variant: Variant) -> list[Shortened]:
        """Return what was made, in an order that no thread that came first can change."""
        return [self._made[key] for key in sorted(self._made) if key[0] == variant.name]

    def _first(self, key: str, seconds: float) -> float:
        """Return how long it took the first time that it was done on this machine."""
        if self.timings is None:
            return seconds
        path = self.timings / f"{key[:32]}.json"
        try:
            return float(json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            pass
        try:
            self.timings.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            part.write_text(json.dumps(seconds), "utf-8")
            part.replace(path)
        except OSError:
            pass  # A timing that is not remembered is measured again.
        return seconds

    def _shorten(
        self, variant: Variant, sample: Sample, specs: Sequence[StrategySpec]
    ) -> Shortened:
        result = Shortened(inputs={**variant.template.defaults, **sample.inputs})
        for spec in specs:
            strategy = build(spec)
            name = strategy.on if isinstance(strategy, ContextStrategy) else None
            if isinstance(strategy, ContextStrategy) and name is not None and name in result.inputs:
                result = self._apply(strategy, name, result)
        return result

    def _apply(self, strategy: ContextStrategy, name: str, so_far: Shortened) -> Shortened:
        """Apply one strategy to one variable; where it cannot be, the value stays as it is."""
        value = so_far.inputs[name]
        asked = so_far.inputs.get(strategy.question) if strategy.question else None
        try:
            made = cut(strategy, value, None if asked is None else text_of(asked), self.context)
        except NotApplicable as error:
            size = self.context.count(text_of(value))
            notes = (f"{strategy.name}: {error.reason}",)
            made = Cut(value=value, before=size, after=size, notes=notes)
        return Shortened(
            inputs={**so_far.inputs, name: made.value},
            before=so_far.before + made.before,
            after=so_far.after + made.after,
            seconds=so_far.seconds + made.seconds,
            dropped=so_far.dropped + len(made.dropped),
            notes=tuple(dict.fromkeys((*so_far.notes, *made.notes))),
        )


def _alike(notes: Sequence[str]) -> tuple[str, ...]:
    """Return the first note of each kind; those that differ in numbers alone are of one kind."""
    kinds: dict[str, list[str]] = {}
    for note in notes:
        kinds.setdefault(_NUMBER.sub("#", note), []).append(note)
    first = [
        alike[0] + (f" (and alike in {len(alike) - 1:,} requests more)" if len(alike) > 1 else "")
        for alike in kinds.values()
    ]
    more = f"and {len(first) - _NOTES} notes more of single requests"
    return (*first[:_NOTES], *((more,) if len(first) > _NOTES else ()))


def _hash(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
