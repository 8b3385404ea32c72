"""Counts the texts behind a saved report as another model does; asks nobody.

A report holds the variants' texts, but neither rows nor answers. Those are read again from the
prompt's file, its eval set and the store. They are taken for the report's own only where the
report's own tokens come out of them: then a variant's new tokens are exact, and else unknown.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..compressors.base import StrategyContext
from ..compressors.contexts import Shortener
from ..core.configured import Config
from ..core.errors import CostoptError
from ..core.paths import answers_dir
from ..core.protocols import TokenCounter
from ..core.report import PromptReport, TargetInfo, VariantReport
from ..core.types import Answer, PromptTemplate, Request, Sample, Variant
from ..costs.prefix import moved_behind, prefix_tokens
from ..costs.tokens import counter_for
from ..models.inventory import stored_answers
from .meter import Meter, Weight
from .repriced import Counts, Recounted
from .rereading import counter_of, priced_as_before, reread, rows_of, variant_of
from .runner import REPEATED, render_trial


@dataclass(frozen=True, kw_only=True)
class Recounter:
    """Counts the texts behind a report.

    Attributes:
        seed: The report's, which orders the rows.
        config: Names eval sets and metrics of prompts.
        run_dir: Where the run kept its answers; ``None`` for the cache folder.
    """

    seed: int
    config: Config
    run_dir: Path | None = None

    def __call__(self, prompt: PromptReport, target: TargetInfo, model: str) -> Counts:
        """Return a prompt's tokens at a target as ``model`` counts them, variant by variant."""
        variants = [v for v in prompt.variants if v.target == target.name]
        try:
            prepared = reread(prompt, variants[0], self.config)
            books = _Books(
                template=prepared.template,
                rows=rows_of(prepared.eval_set, prompt.eval_set, self.seed),
                folder=answers_dir(self.run_dir),
                target=target,
                before=counter_of(target),
                recounted=priced_as_before(target) is not None,
                after=counter_for(model),
            )
        except CostoptError as error:
            return Counts(found={}, why=error.what)
        found: dict[str, Recounted] = {}
        reasons: dict[str, None] = {}
        for variant in variants:
            try:
                found[variant.name] = books.recount(variant, variants[0])
            except CostoptError as error:
                reasons[error.what] = None
        return Counts(found=found, why="; ".join(reasons) or None)


@dataclass(frozen=True, kw_only=True)
class _Books:
    """What a prompt's texts at one target are counted from."""

    template: PromptTemplate
    rows: Sequence[Sample]
    folder: Path
    """Where the answers are."""
    target: TargetInfo
    before: TokenCounter
    """Counted the report's tokens, where the target's own usage did not."""
    recounted: bool
    """Whether the report's tokens were counted so, and not read from the target's usage."""
    after: TokenCounter

    def recount(self, report: VariantReport, baseline: VariantReport) -> Recounted:
        """Return a variant's tokens as the new model counts them.

        Raises:
            CostoptError: the texts at hand are not those of the report.
        """
        variant, base = variant_of(self.template, report), variant_of(self.template, baseline)
        own, held = self._found(variant), self._found(base)
        was = self._weight(self.before, self.recounted, variant, own, base, held)
        _check(report, was)
        now = self._weight(self.after, True, variant, own, base, held)
        meter = self._meter(self.after, True)
        return Recounted(
            tokens=meter.tokens(variant, now, asked=report.tokens.input_mean is not None),
            prefix=prefix_tokens(variant.template, self.after),
            moved=sum(map(self.after, moved_behind(base.template, variant.template))),
        )

    def _found(self, variant: Variant) -> dict[str, Answer]:
        requests = {
            sample.id: Request(
                messages=render_trial(variant, sample, self._shortener),
                settings=variant.template.settings,
                replicate=1 if variant.name == REPEATED else 0,
            )
            for sample in self.rows
        }
        return stored_answers(self.folder, self.target.name, self.target.model, requests)

    @property
    def _shortener(self) -> Shortener:
        return Shortener(context=StrategyContext(count=self.before))

    def _meter(self, counter: TokenCounter, recount: bool) -> Meter:
        return Meter(
            counter=counter,
            price=None,
            recount=recount,
            rows=self.rows,
            shortener=self._shortener,
        )

    def _weight(
        self,
        counter: TokenCounter,
        recount: bool,
        variant: Variant,
        own: Mapping[str, Answer],
        base: Variant,
        held: Mapping[str, Answer],
    ) -> Weight:
        return self._meter(counter, recount).weigh(variant, own, base, held)


def _check(report: VariantReport, found: Weight) -> None:
    """Refuse texts that the report's own tokens do not come out of."""
    tokens = report.tokens
    output = found.output if found.output_measured else None
    if not _same(tokens.output_mean, output):
        raise CostoptError("the store does not hold the answers of the report")
    if tokens.input_mean is not None and not _same(tokens.input_mean, found.input):
        raise CostoptError("the rows at hand are not those that the report counted")


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9)
