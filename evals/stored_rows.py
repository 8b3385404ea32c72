"""A prompt's answers out of the store, as the rows of a log; asks nobody."""

from collections.abc import Sequence
from pathlib import Path

from ..core.configured import Config, TargetConfig
from ..core.errors import CostoptError
from ..core.paths import answers_dir
from ..core.protocols import TokenCounter
from ..core.types import Answer, PromptTemplate, Request, Sample, Variant, schemas_text
from ..models.inventory import stored_answers
from ..models.targets import EMBEDDED, hosted
from ..models.weights import MODEL
from .result_log import LogRow, ResultLog
from .runner import render_trial


def stored_log(
    template: PromptTemplate,
    samples: Sequence[Sample],
    *,
    target: str,
    config: Config,
    run_dir: Path | None,
    recount: TokenCounter | None = None,
) -> ResultLog:
    """Return the generated answers to a prompt that are in the store, as a log.

    Args:
        template: The prompt as it is.
        samples: Its rows.
        target: Whose answers.
        config: Says which model a target is.
        run_dir: Where answers are kept; ``None`` for the cache folder.
        recount: Counts the texts anew, for a target that is priced as another model; ``None``
            takes the target's own usage.

    Raises:
        CostoptError: the store cannot be read, or a row cannot be rendered.
    """
    shown = f"stored answers of {template.source.path}"
    variant = Variant(name="baseline", template=template)
    requests = {
        sample.id: Request(messages=render_trial(variant, sample), settings=template.settings)
        for sample in samples
    }
    found = stored_answers(answers_dir(run_dir), target, model_of(target, config), requests)
    rows = {
        sample.id: _row(requests[sample.id], sample, found[sample.id], recount)
        for sample in samples
        if sample.id in found
    }
    return ResultLog(path=shown, rows=rows, columns={})


def model_of(target: str, config: Config) -> str:
    """Return the model that a target's answers are stored as.

    Example:
        >>> model_of("embedded", Config()), model_of("openai:gpt-4.1", Config())
        ('SmolLM2-135M-Instruct', 'gpt-4.1')
    """
    found = config.targets.get(target) or TargetConfig(name=target, model=target)
    if EMBEDDED in (target, found.model):
        return MODEL
    if found.base_url is not None:
        return found.model or found.name
    try:
        return hosted(found)[1]
    except CostoptError:
        return found.model or found.name


def _row(request: Request, sample: Sample, answer: Answer, recount: TokenCounter | None) -> LogRow:
    read, written = answer.usage.input, answer.usage.output
    if recount is not None:
        read = sum(recount(message.content) for message in request.messages)
        read += recount(schemas_text(request.settings))
        written = recount(answer.text)
    return LogRow(
        id=sample.id,
        references=sample.references,
        answer=answer.text,
        input_tokens=read,
        output_tokens=written,
        cluster=sample.cluster,
    )
