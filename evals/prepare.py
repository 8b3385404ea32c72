"""Makes a loaded prompt ready to measure: its eval set, its metric, what the user said of it."""

import hashlib
import json
from dataclasses import dataclass, replace

from ..core.configured import PromptRule
from ..core.discovery import LoadedPrompt
from ..core.errors import CostoptError, Where
from ..core.render import render
from ..core.types import EvalSet, PromptTemplate
from .evalset import load_eval_set
from .metrics import Metric, get
from .options import AnalyzeOptions


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A prompt with its eval set, ready for any target."""

    template: PromptTemplate
    eval_set: EvalSet | None
    metric: Metric | None
    """What generated answers are scored by; ``None`` where nothing can score them."""
    asked_metric: Metric | None
    """The metric of the command line, which judges both sides."""
    margin: float | None
    rule: PromptRule

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the other prompts of a run."""
        return self.template.source.path, self.template.source.index

    @property
    def judged(self) -> bool:
        """Whether a judge compares its answers."""
        metric = self.asked_metric or self.metric
        return metric is not None and metric.kind == "judged"

    @property
    def has_references(self) -> bool:
        """Whether some row says what the answer should be."""
        return self.eval_set is not None and any(s.references for s in self.eval_set.samples)


def prepare(prompt: LoadedPrompt, options: AnalyzeOptions) -> Prepared:
    """Load and check all that a prompt needs.

    Raises:
        CostoptError: a bad eval set, an unknown metric, a variable without a value, or an eval
            set without references for a metric that needs them.
    """
    asked = get(options.metric) if options.metric else None
    eval_set = None if options.static and not _has_rows(prompt, options) else _rows(prompt, options)
    prepared = prepare_with(prompt.template, eval_set, asked, options)
    if eval_set is not None:
        check_renders(prepared.template, eval_set)
    return prepared


def prepare_with(
    template: PromptTemplate,
    eval_set: EvalSet | None,
    asked: Metric | None,
    options: AnalyzeOptions,
) -> Prepared:
    """Make a prompt ready with rows that are there already.

    Args:
        template: The prompt.
        eval_set: Its rows.
        asked: The metric of the command line.
        options: The others.

    Raises:
        CostoptError: an unknown metric, one that needs what is not there, or no judge for it.
    """
    rule = options.config.rule_for(template.source.path)
    template = replace(
        template,
        feature=rule.feature or template.feature,
        calls_per_month=(
            rule.calls_per_month if rule.calls_per_month is not None else template.calls_per_month
        ),
    )
    named = template.metric or (eval_set.metric if eval_set else None)
    own = get(named) if named else None
    _check_judge(asked or own, template, options)
    prepared = Prepared(
        template=template,
        eval_set=eval_set,
        metric=own,
        asked_metric=asked,
        margin=rule.margin if rule.margin is not None else template.margin,
        rule=rule,
    )
    return prepared if eval_set is None else _with_metric(prepared, eval_set)


def _check_judge(metric: Metric | None, template: PromptTemplate, options: AnalyzeOptions) -> None:
    """Refuse a judged metric without a judge, or where each verdict would take a batch of its own.

    Raises:
        CostoptError: there is none, or batches were asked for.
    """
    if metric is None or metric.kind != "judged" or options.static:
        return
    where = None if options.metric else Where(template.source.path)
    if options.judge is None:
        raise CostoptError(
            'the metric "judge" needs a model that judges',
            where=where,
            hint="name a target: --judge openai:gpt-5.5-mini, or judge = … under [costopt]",
        )
    if options.batch:
        raise CostoptError(
            "a judge is asked while answers come in, which batches do not allow",
            where=where,
            hint="leave --batch out, or use another metric",
        )


def _has_rows(prompt: LoadedPrompt, options: AnalyzeOptions) -> bool:
    return bool(options.eval_set or prompt.eval_set or prompt.template.inline_samples)


def _rows(prompt: LoadedPrompt, options: AnalyzeOptions) -> EvalSet | None:
    template = prompt.template
    source = options.eval_set or prompt.eval_set
    if source is not None:
        return load_eval_set(
            source,
            variables=template.variables,
            defaults=template.defaults,
            shown=str(source),
            limit=None,
            offline=options.offline,
        )
    return inline_rows(template)


def inline_rows(template: PromptTemplate) -> EvalSet | None:
    """Return the rows that a prompt's own file holds; ``None`` where it holds none."""
    if not template.inline_samples:
        return None
    samples = template.inline_samples
    metrics = {sample.metric for sample in samples if sample.metric}
    text = json.dumps([dict(sample.inputs) for sample in samples], sort_keys=True, default=str)
    return EvalSet(
        path=template.source.path,
        samples=samples,
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        metric=metrics.pop() if len(metrics) == 1 else None,
    )


def _with_metric(prepared: Prepared, eval_set: EvalSet) -> Prepared:
    metric = prepared.asked_metric or prepared.metric
    if metric is not None and metric.needs_reference and not prepared.has_references:
        raise CostoptError(
            f'the metric "{metric.name}" needs references, and no row has one',
            where=Where(eval_set.path),
            hint='give each row a "reference", or use --metric drift',
        )
    if metric is None and prepared.has_references:
        return replace(prepared, metric=get("token_f1"))
    return prepared


def check_renders(template: PromptTemplate, eval_set: EvalSet) -> None:
    """Render the first row: a template that cannot render is found before it is paid for.

    Raises:
        CostoptError: it cannot.
    """
    sample = eval_set.samples[0]
    try:
        render(template, sample.inputs)
    except CostoptError as error:
        raise CostoptError(
            f"{error.what} (row {sample.id} of {eval_set.path})",
            where=error.where or Where(template.source.path),
            hint=error.hint,
        ) from None
