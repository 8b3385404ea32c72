"""inspect_ai doing the work, in its own environment and with its defaults but for the display.

One sample a row, `generate()` as the solver and `includes()` as the scorer, through its provider
for OpenAI-compatible servers; its log is written as it always is. An evaluation of one sample goes
before, in this process, so that what is imported at first use is not counted. Started by
`runner.py`.
"""

import os

from inspect_ai import Task as Evaluation
from inspect_ai import eval as evaluate
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import includes
from inspect_ai.solver import generate
from work import LIMIT, MODEL, REFERENCE, Task, measured, prompt, told


def ask(task: Task, numbers: range) -> None:
    """Evaluate rows; all have to be right."""
    samples = [Sample(input=prompt(number), target=REFERENCE) for number in numbers]
    dataset = MemoryDataset(samples)
    (log,) = evaluate(
        Evaluation(dataset=dataset, solver=generate(), scorer=includes()),
        model=f"openai-api/loop/{MODEL}",
        model_base_url=task.url,
        log_dir=f"{task.folder}/logs",
        display="none",
        max_connections=task.concurrency,
        max_samples=task.concurrency,
        max_tokens=LIMIT,
        temperature=0.0,
    )
    if log.status != "success" or log.results is None:
        raise SystemExit(f"inspect_ai: {log.status}: {log.error}")
    right = log.results.scores[0].metrics["accuracy"].value
    if right != 1:
        raise SystemExit(f"inspect_ai: {right} of the answers were right")


def main(task: Task) -> None:
    """Ask all rows of a task."""
    os.environ["LOOP_API_KEY"] = "none"
    ask(task, range(1))
    with measured():
        ask(task, task.numbers)


if __name__ == "__main__":
    main(told())
