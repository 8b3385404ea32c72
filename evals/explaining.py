"""Why a run would pay: which requests of a prompt are stored, and why the others are not."""

from dataclasses import dataclass, replace

from ..core.discovery import load_prompts
from ..core.errors import CostoptError, Where
from ..core.paths import answers_dir
from ..core.progress import Progress
from ..core.types import PromptTemplate, Request, Sample, Variant
from ..models.inventory import Difference, explain, is_stored, summaries
from ..models.store import AnswerStore
from ..models.targets import EMBEDDED, open_target
from .metrics import as_text
from .options import AnalyzeOptions
from .plan import plan_rows
from .prepare import Prepared, prepare
from .runner import render_trial

_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A row whose answer is not stored; ``difference`` is from the nearest that is."""

    row: str
    difference: Difference | None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One prompt as it is: how many of its rows' answers are stored.

    ``missing`` holds the first few that are not.
    """

    prompt: str
    target: str
    rows: int
    stored: int
    missing: tuple[Missing, ...]


def explain_prompts(options: AnalyzeOptions, progress: Progress) -> tuple[Explanation, ...]:
    """Look for the answers to prompts as they are, unchanged; nothing is asked.

    Raises:
        CostoptError: no prompt has an eval set, or a target is unknown.
    """
    loaded = load_prompts(options.paths)
    prompts = [p for p in (prepare(prompt, options) for prompt in loaded.prompts) if p.eval_set]
    if not prompts:
        where = Where(str(options.paths[0])) if options.paths else None
        raise CostoptError("no prompt here has an eval set", where=where)
    store = AnswerStore(answers_dir(options.run_dir), progress.note)
    try:
        return tuple(
            _explain(prompt, name, store, options, progress)
            for name in dict.fromkeys(options.targets)
            for prompt in prompts
        )
    finally:
        store.close()


def _explain(
    prompt: Prepared, name: str, store: AnswerStore, options: AnalyzeOptions, progress: Progress
) -> Explanation:
    target = open_target(name, options.config, offline=options.offline, progress=progress)
    known = summaries(store, name)
    samples = _planned(prompt, name, options)
    missing: list[Missing] = []
    stored = 0
    for sample in samples:
        requests = _requests(prompt.template, sample)
        if any(is_stored(store, target.identity, request) for request in requests):
            stored += 1
        elif len(missing) < _SHOWN:
            difference = explain(known, target.identity, requests[0])
            missing.append(Missing(row=sample.id, difference=difference))
    return Explanation(
        prompt=prompt.template.name,
        target=name,
        rows=len(samples),
        stored=stored,
        missing=tuple(missing),
    )


def _planned(prompt: Prepared, name: str, options: AnalyzeOptions) -> tuple[Sample, ...]:
    """Return the rows that a run asks about."""
    if prompt.eval_set is None:
        return ()
    local = name == EMBEDDED
    plan = plan_rows(
        prompt.eval_set, samples=options.samples, candidates=1, seed=options.seed, local=local
    )
    return plan.rows


def _requests(template: PromptTemplate, sample: Sample) -> list[Request]:
    """Return what a run may ask of the unchanged prompt: an answer, or a reference's likelihood."""
    baseline = Variant(name="baseline", template=template)
    request = Request(messages=render_trial(baseline, sample), settings=template.settings)
    texts = [as_text(reference) for reference in sample.references]
    return [request, *(replace(request, continuation=text) for text in texts if text)]
