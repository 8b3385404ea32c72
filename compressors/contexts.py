"""Context strategies at work: what is filled into a variant's variables, shortened once."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from ..core.anchors import anchors, lost
from ..core.types import Sample, StrategySpec, Syntax, Variant
from .base import ContextStrategy, NotApplicable, StrategyContext
from .registry import build, load

_NOTES = 2

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

    The values of variables have no structure that an edit could break, only anchors: a strategy
    never makes a value longer in tokens, nor empty; a lossless one never loses an anchor.
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

    def summary(self, variant: Variant) -> tuple[str, ...]:
        """Say what a variant's shortening took and saved a request; nothing where it did none."""
        made = [value for (name, _), value in self._made.items() if name == variant.name]
        if not made:
            return ()
        before, after = fmean(m.before for m in made), fmean(m.after for m in made)
        seconds = fmean(m.seconds for m in made)
        said = (
            f"values shortened at run time from {before:,.0f} to {after:,.0f} tokens a request "
            f"(mean of {len(made)}), which takes {_duration(seconds)} a request itself"
        )
        if before > after and seconds > 0:
            pays = (before - after) / seconds
            said += f"; faster in all at a target that reads fewer than {pays:,.0f} tokens a second"
        lost_of = sum(m.dropped for m in made)
        parts = [said]
        if lost_of:
            parts.append(f"{lost_of:,} numbers, limits, quotes or URLs are gone from the values")
        notes = dict.fromkeys(note for m in made for note in m.notes)
        shown = list(notes)[:_NOTES]
        if len(notes) > _NOTES:
            shown.append(f"and {len(notes) - _NOTES} notes more of single requests")
        return (*parts, *shown)

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
        """Apply one strategy to one variable; what it may not do leaves the value as it is."""
        value = so_far.inputs[name]
        asked = so_far.inputs.get(strategy.question) if strategy.question else None
        context = replace(self.context, notes=[])
        # Counted first: what a tokenizer takes to load is not what shortening takes.
        before = self.context.count(_text(value))
        begun = time.perf_counter()
        try:
            question = asked if asked is None or isinstance(asked, str) else _text(asked)
            new = strategy.shorten_value(value, question, context)
        except NotApplicable as error:
            new = value
            context.notes.append(f"{strategy.name}: {error.reason}")
        seconds = time.perf_counter() - begun
        old_text, new_text = _text(value), _text(new)
        after = self.context.count(new_text)
        gone = _lost(old_text, new_text)
        emptied = bool(old_text.strip()) and not new_text.strip()
        if emptied or after > before or (gone and strategy.safety == "lossless"):
            new, after, gone = value, before, 0
        return Shortened(
            inputs={**so_far.inputs, name: new},
            before=so_far.before + before,
            after=so_far.after + after,
            seconds=so_far.seconds + seconds,
            dropped=so_far.dropped + gone,
            notes=tuple(dict.fromkeys((*so_far.notes, *context.notes))),
        )


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.2g} ms" if seconds < 0.0995 else f"{seconds:.2g} s"


def _lost(before: str, after: str) -> int:
    if before == after:
        return 0
    return len(lost(anchors(before, Syntax.NONE), anchors(after, Syntax.NONE)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _hash(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
