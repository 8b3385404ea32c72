"""Reads again what a saved report was made of: its prompts' files and its rows; asks nobody."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..compressors.contexts import at_run_time
from ..compressors.registry import load
from ..core.configured import Config
from ..core.discovery import load_prompts
from ..core.errors import CostoptError
from ..core.protocols import TokenCounter
from ..core.report import EvalSetInfo, PromptReport, TargetInfo, VariantReport
from ..core.types import EvalSet, PromptTemplate, Sample, StrategySpec, Variant
from ..costs.tokens import counter_for
from .options import AnalyzeOptions
from .plan import STATIC_ROWS, planned_rows
from .prepare import Prepared, prepare


def reread(prompt: PromptReport, held: VariantReport, config: Config) -> Prepared:
    """Return a report's prompt as its file has it.

    Args:
        prompt: The prompt.
        held: The variant that the file has to hold still: mostly the baseline.
        config: Names eval sets and metrics of prompts.

    Raises:
        CostoptError: the file is not there, or says something else than the report.
    """
    own = prompt.eval_set.path if prompt.eval_set else None
    options = AnalyzeOptions(
        paths=(Path(prompt.path),),
        eval_set=own if own not in (None, prompt.path) else None,
        static=prompt.eval_set is None,
        offline=True,
        config=config,
    )
    for loaded in load_prompts(options.paths).prompts:
        if loaded.template.name == prompt.name:
            if loaded.template.messages != held.messages:
                raise CostoptError(f"{prompt.path} is not the prompt of the report any more")
            return prepare(loaded, options)
    raise CostoptError(f"{prompt.path} holds no prompt {prompt.name}")


def rows_of(found: EvalSet | None, info: EvalSetInfo | None, seed: int) -> Sequence[Sample]:
    """Return the rows that a report is about, in the order in which they were asked.

    Args:
        found: The eval set as it is now.
        info: What the report says of it.
        seed: The report's, which orders the rows.

    Raises:
        CostoptError: the eval set is another one.
    """
    if info is None:
        return ()
    if found is None or found.sha256 != info.sha256:
        raise CostoptError(f"{info.path} is not the eval set of the report any more")
    if not info.selection_rows + info.confirmation_rows:  # Nothing was asked, only counted.
        return found.samples[:STATIC_ROWS]
    return planned_rows(
        found,
        seed=seed,
        selection=info.selection_rows,
        confirmation=info.confirmation_rows,
    )


def variant_of(template: PromptTemplate, report: VariantReport) -> Variant:
    """Return a variant as a report has it.

    Raises:
        CostoptError: what it sends cannot be made again without a model.
    """
    chain = tuple(StrategySpec(s.name, dict(s.params)) for s in report.strategies)
    if any("model" in load(spec.name).needs for spec in chain if at_run_time(spec)):
        raise CostoptError("what a model shortened when requests were made is not kept")
    own = replace(template, messages=report.messages, settings=report.settings)
    return Variant(name=report.name, template=own, chain=chain)


def priced_as_before(target: TargetInfo) -> str | None:
    """Return as what a target was priced in the run itself."""
    return target.repriced_from.priced_as if target.repriced_from else target.priced_as


def counter_of(target: TargetInfo) -> TokenCounter:
    """Return what counted the report's tokens.

    Raises:
        CostoptError: its tokenizer is not known.
    """
    own = target.name if ":" in target.name else target.model
    return counter_for(priced_as_before(target) or own)
