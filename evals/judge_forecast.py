"""What a run will ask its judge for: estimated before its first request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean

from ..compressors.contexts import at_run_time
from ..core.errors import CostoptError
from ..core.forecast import Forecast
from ..core.types import Answer, Request, Sample, Variant
from ..costs.forecast import Lengths, Part, forecast
from ..models.keys import request_key
from ..models.store import AnswerStore
from .assemble import PromptResult
from .judge_audit import ROWS
from .judge_prompt import SETTINGS, ask
from .judging import Referee, Seat
from .measure import Measurement
from .runner import Trial

_LOOKED_AT = 5
_ALWAYS, _SWAP = 5, 2
"""Requests of the audit for a row: what is always asked, and where another answer differs."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Rows on which a judge may be asked to compare; without a variant, one not known yet."""

    variant: Variant | None
    rows: Sequence[Sample]
    times: int


def judge_parts(
    result: PromptResult, store: AnswerStore | None, asked: Sequence[Judged]
) -> tuple[Part, ...]:
    """Return what one prompt at one target asks the judge; nothing where none judges it.

    Args:
        result: The prompt's result in the making.
        store: Where its verdicts would lie.
        asked: What it may be asked to compare.
    """
    measurement = result.measurement
    referee = measurement.setup.runner.referee if measurement else None
    if measurement is None or referee is None or not measurement.setup.plan.selection:
        return ()
    look = _Look(result=result, measurement=measurement, referee=referee, store=store)
    return tuple(chain(look.audit(), (part for one in asked for part in look.pairs(one))))


def judge_forecast(seat: Seat, parts: Sequence[Part]) -> Forecast:
    """Return what a whole run will ask its judge."""
    return forecast(
        f"{seat.name} (judge)",
        parts,
        Lengths(mean=1.0),
        seat.own,
        free=seat.free,
        notes=("two for each pair of answers that are not the same, and its audit",),
    )


@dataclass(frozen=True, kw_only=True)
class _Look:
    """Renders and looks up a few rows."""

    result: PromptResult
    measurement: Measurement
    referee: Referee
    store: AnswerStore | None

    def audit(self) -> Iterator[Part]:
        rows = self.measurement.setup.plan.selection
        some = rows[:ROWS]
        count, size = len(some), self._size(some)
        held = [self._answer(self.result.static[0], row) for row in _few(some)]
        stored = fmean(
            answer is not None and self._judged(row, answer.text, answer.text)
            for row, answer in zip(_few(some), held, strict=True)
        )
        for each, certain in ((_ALWAYS, True), (_SWAP, False)):
            yield self._part(count * each, size, certain=certain, stored=stored)

    def pairs(self, one: Judged) -> Iterator[Part]:
        if one.rows:
            repeats = self.measurement.setup.runner.repeats
            count = 2 * len(one.rows) * one.times * repeats
            stored = fmean(self._known(one.variant, row) for row in _few(one.rows))
            yield self._part(count, self._size(one.rows), certain=False, stored=stored)

    def _part(self, requests: int, size: float, *, certain: bool, stored: float) -> Part:
        return Part(
            requests=requests,
            certain=certain,
            input_mean=size,
            output_most=SETTINGS.max_output_tokens,
            stored=stored,
        )

    def _size(self, rows: Sequence[Sample]) -> float:
        """Return a request's tokens, with answers as long as the reference, or as they may be."""
        count, sizes = self.referee.seat.counter, list[int]()
        baseline = self.result.static[0]
        for row in _few(rows):
            try:
                trial = Trial(variant=baseline, sample=row, mode="generate")
                task = self.measurement.setup.runner.task(trial)
            except CostoptError:
                continue
            text = task.reference or ""
            tokens = sum(count(message.content) for message in ask(task, text, text).messages)
            longest = baseline.template.settings.max_output_tokens
            sizes.append(tokens if text else tokens + 2 * longest)
        return fmean(sizes) if sizes else 0.0

    def _known(self, variant: Variant | None, row: Sample) -> bool:
        """Whether the judge need not be asked any more: it was, or the answers are the same."""
        if variant is None or any(at_run_time(spec) for spec in variant.chain):
            return False
        held, tried = self._answer(self.result.static[0], row), self._answer(variant, row)
        if held is None or tried is None:
            return False
        return held.text == tried.text or self._judged(row, held.text, tried.text)

    def _answer(self, variant: Variant, row: Sample) -> Answer | None:
        requests = self.measurement.setup.runner.first_requests(variant, [row])
        return self.result.lookup(requests[0]) if requests and self.result.lookup else None

    def _judged(self, row: Sample, first: str, second: str) -> bool:
        trial = Trial(variant=self.result.static[0], sample=row, mode="generate")
        request = ask(self.measurement.setup.runner.task(trial), first, second)
        return self.store is not None and self.store.get(self._key(request)) is not None

    def _key(self, request: Request) -> str:
        return request_key(self.referee.seat.client.target.identity, request)


def _few(rows: Sequence[Sample]) -> Sequence[Sample]:
    return rows[:: max(1, len(rows) // _LOOKED_AT)][:_LOOKED_AT]
