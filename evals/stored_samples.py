"""The answers behind a report, row by row, out of the store; asks nobody.

A report holds means and intervals, but no answers. Here the requests behind it are made again from
the prompt's file and its eval set, and looked up in the store.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..compressors.base import StrategyContext
from ..compressors.contexts import Shortener, at_run_time
from ..core.configured import Config
from ..core.errors import CostoptError
from ..core.paths import answers_dir
from ..core.report import PromptReport, Report, TargetInfo, VariantReport
from ..core.samples import SampleRow, SampleTable, ShownAnswer
from ..core.types import Answer, Request, Sample, Score, Variant
from ..models.inventory import stored_answers
from .cascade import restored
from .evalset import labels_of
from .metrics import Metric, as_text, best, get
from .prepare import Prepared
from .rereading import counter_of, reread, rows_of, variant_of
from .runner import render_trial

MOST_ROWS = 200
"""Rows of one prompt that are shown."""
_MOST_ANSWERS = 600
_MOST_OTHERS = 4
_LONGEST_INPUT = 600

Key = tuple[str, str, int]
"""A variant, a row, and which continuation; 0 for a generated answer."""


@dataclass(frozen=True, kw_only=True)
class StoredSamples:
    """Finds the rows of a report's prompts; callable, as a `SampleSource` is.

    Attributes:
        report: The report.
        config: Names eval sets and metrics of prompts.
        run_dir: Where the run kept its answers; ``None`` for the cache folder.
        most: Rows of a prompt at most.
        in_file: The variant that prompts' files hold, where that is not the baseline.
    """

    report: Report
    config: Config
    run_dir: Path | None = None
    most: int = MOST_ROWS
    in_file: str | None = None

    def __call__(self, prompt: PromptReport, target: str) -> SampleTable | None:
        """Return a prompt's rows at a target, those that lost most first."""
        info = prompt.eval_set
        asked = info.selection_rows + info.confirmation_rows if info else 0
        found = next((one for one in self.report.targets if one.name == target), None)
        if not asked or found is None or self.report.static:
            return None
        variants = [v for v in prompt.variants if v.target == target]
        shown = _shown(variants, prompt, asked)
        if len(shown) < 2:
            return None
        try:
            held = next((v for v in variants if v.name == self.in_file), shown[0])
            prepared = reread(prompt, held, self.config)
            rows = rows_of(prepared.eval_set, info, self.report.seed)
            lookup = _Lookup(
                prepared=prepared,
                variants=tuple(_made(prepared, shown)),
                reports=shown,
                rows=rows,
                target=found,
                folder=answers_dir(self.run_dir),
                repeats=max((n.repeats for n in prompt.noise if n.target == target), default=1),
            )
            return lookup.table(self.most)
        except CostoptError as error:
            why = f"no answers can be shown: {error.what}"
            return SampleTable(target=target, metric=None, rows=(), asked=asked, found=0, why=why)


def _shown(
    variants: Sequence[VariantReport], prompt: PromptReport, asked: int
) -> tuple[VariantReport, ...]:
    """Return the baseline, what is recommended, and more where there are few answers."""
    baseline = [v for v in variants if v.verdict == "baseline"]
    chosen = {found.variant for found in prompt.recommended}
    others = [v for v in variants if v.quality and v.delta and v.delta.quality and not v.control]
    others.sort(key=lambda v: (v.name not in chosen, -_rows(v), v.cost.usd_per_1k or 0))
    # Scores of two metrics side by side would be read as if they were of one.
    others = [v for v in others if v.quality and v.quality.metric == _metric_of(others[0])]
    room = max(1, min(_MOST_OTHERS, _MOST_ANSWERS // asked - 1))
    return (*baseline[:1], *(v for v in others if v not in baseline))[: 1 + room]


def _metric_of(variant: VariantReport) -> str | None:
    return variant.quality.metric if variant.quality else None


def _rows(variant: VariantReport) -> int:
    return variant.delta.quality.n if variant.delta and variant.delta.quality else 0


def _made(prepared: Prepared, shown: Sequence[VariantReport]) -> Iterator[Variant | None]:
    for report in shown:
        try:
            yield variant_of(prepared.template, report)
        except CostoptError:
            yield None  # What it sent cannot be made again, so neither can its key.


@dataclass(frozen=True, kw_only=True)
class _Lookup:
    """One prompt at one target: its requests, and what the store has of them."""

    prepared: Prepared
    variants: tuple[Variant | None, ...]
    reports: Sequence[VariantReport]
    rows: Sequence[Sample]
    target: TargetInfo
    folder: Path
    repeats: int
    """How often each variant was drawn on each row."""

    def table(self, most: int) -> SampleTable:
        """Return the rows, of which at most so many are shown."""
        rows = [self._row(sample) for sample in self.rows]
        there = [row for row in rows if _says(row)]
        both = sum(all(one.text is not None for one in row.answers[:2]) for row in there)
        return SampleTable(
            target=self.target.name,
            metric=self._metric.name if self._metric and self._scores else None,
            rows=tuple(sorted(there, key=_moved)[:most]),
            asked=len(rows),
            found=both,
            generated=not self._forced,
            why=self._why(there),
        )

    @cached_property
    def _metric(self) -> Metric | None:
        """What judged the first variant that is shown beside the baseline."""
        judged = self.reports[1].quality
        return get(judged.metric) if judged else None

    @property
    def _scores(self) -> bool:
        return self._metric is not None and self._metric.kind in ("generated", "log_likelihood")

    def _why(self, there: Sequence[SampleRow]) -> str | None:
        if None in self.variants:
            return "what a model shortened when requests were made is not kept, nor its answers"
        if not there:
            return "the store does not hold the answers of this report any more"
        if self._metric is not None and not self._scores:
            return f"{self._metric.name} compares answers, so that a single one has no score"
        if self._forced:
            told = sum(row.answers[0].text is not None for row in there)
            return (
                "log_likelihood scores the reference, not an answer: the baseline's answer was "
                f"generated on {told} rows, for its length"
            )
        if self.repeats > 1:
            return f"of {self.repeats} draws of each answer the first is shown, with its own score"
        return None

    @property
    def _forced(self) -> bool:
        """Whether the reference is what was scored."""
        return self._metric is not None and self._metric.kind == "log_likelihood"

    def _row(self, sample: Sample) -> SampleRow:
        pairs = zip(self.reports, self.variants, strict=True)
        return SampleRow(
            id=sample.id,
            inputs=tuple((name, _cut(_text(value))) for name, value in sample.inputs.items()),
            reference=as_text(sample.references[0]) if sample.references else None,
            answers=tuple(self._answer(report, variant, sample) for report, variant in pairs),
        )

    def _answer(
        self, report: VariantReport, variant: Variant | None, sample: Sample
    ) -> ShownAnswer:
        found = self._stored.get((report.name, sample.id, 0))
        if variant is None:
            return ShownAnswer(variant=report.name)
        text = restored(variant, found) if found else None
        return ShownAnswer(
            variant=report.name,
            text=text,
            score=self._score(report.name, found, text, sample),
            input_tokens=found.usage.input if found else None,
            output_tokens=found.usage.output if found else None,
        )

    def _score(
        self, name: str, found: Answer | None, text: str | None, sample: Sample
    ) -> float | None:
        metric = self._metric
        if metric is None:
            return None
        if metric.kind == "generated" and found is not None and text is not None:
            score = metric.score(replace(found, text=text), sample, labels=self._labels or None)
            return score.value if isinstance(score, Score) else None
        if metric.kind != "log_likelihood":
            return None
        read = [self._stored.get((name, sample.id, at)) for at in self._continuations(sample)]
        scores = [metric.score(one, sample) for one in read if one is not None]
        score = best(scores) if scores and len(scores) == len(read) else None
        return score.value if isinstance(score, Score) else None

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return labels_of(self.prepared.eval_set) if self.prepared.eval_set else ()

    @cached_property
    def _stored(self) -> Mapping[Key, Answer]:
        requests = dict(self._requests())
        names = {str(at): key for at, key in enumerate(requests)}
        asked = {name: requests[key] for name, key in names.items()}
        found = stored_answers(self.folder, self.target.name, self.target.model, asked)
        return {names[name]: answer for name, answer in found.items()}

    def _requests(self) -> Iterator[tuple[Key, Request]]:
        shortener = self._shortener
        for variant in filter(None, self.variants):
            for sample in self.rows:
                try:
                    messages = render_trial(variant, sample, shortener)
                except CostoptError:
                    continue  # It could not be asked either.
                asked = Request(messages=messages, settings=variant.template.settings)
                yield (variant.name, sample.id, 0), asked
                for at, text in self._continuations(sample).items():
                    yield (variant.name, sample.id, at), replace(asked, continuation=text)

    @property
    def _shortener(self) -> Shortener | None:
        """What shortens values as in the run; ``None`` where no variant that is shown needs it."""
        specs = (spec for variant in self.variants if variant for spec in variant.chain)
        if not any(map(at_run_time, specs)):
            return None
        return Shortener(context=StrategyContext(count=counter_of(self.target)))

    def _continuations(self, sample: Sample) -> Mapping[int, str]:
        if not self._forced:
            return {}
        texts = [text for one in sample.references if (text := as_text(one))]
        return dict(enumerate(texts, 1))


def _says(row: SampleRow) -> bool:
    return any(one.text is not None or one.score is not None for one in row.answers)


def _moved(row: SampleRow) -> tuple[bool, float]:
    """Order rows by what the first variant lost on them; those without scores last."""
    before, after = row.answers[0].score, row.answers[1].score
    known = before is not None and after is not None
    return not known, after - before if before is not None and after is not None else 0.0


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_INPUT:
        return text
    return f"{text[:_LONGEST_INPUT]}… ({len(text) - _LONGEST_INPUT:,} characters more)"
