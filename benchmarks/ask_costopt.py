"""costopt's runner, with all that `costopt analyze` has around it but the statistics.

The target is opened as `analyze` opens it from a configuration: with a price, so that the worst
case of each request is reserved; with the answer store, in which each request is written down
before it leaves and each answer before it is used; with the pace, the retries and the progress.
The engine of `analyze` then renders, asks and scores all rows. Started by `runner.py`.
"""

import asyncio
from pathlib import Path

from work import LIMIT, MODEL, PROMPT, REFERENCE, Task, measured, question, told

from costopt.core.config import load_config
from costopt.core.discovery import load_prompts
from costopt.core.progress import Silent
from costopt.core.types import Sample, Score, Variant
from costopt.evals.metrics import get
from costopt.evals.opening import open_desk, open_shared
from costopt.evals.options import AnalyzeOptions
from costopt.evals.runner import Runner, Tally

_CONFIG = """
[targets.{model}]
model = "{model}"
base_url = "{url}"
price = {{ input = 1, output = 2 }}
"""
_HEAD = f"---\nname: cities\nsettings: {{max_output_tokens: {LIMIT}}}\n---\n"


def options(task: Task) -> AnalyzeOptions:
    """Return what the command line would say, with the configuration that it would find."""
    folder = Path(task.folder)
    config = folder / "costopt.toml"
    config.write_text(_CONFIG.format(model=MODEL, url=task.url), "utf-8")
    return AnalyzeOptions(
        paths=(folder,),
        targets=(MODEL,),
        concurrency=task.concurrency,
        run_dir=folder / "run",
        config=load_config(config, folder),
    )


def baseline(task: Task) -> Variant:
    """Return the prompt as it is."""
    file = Path(task.folder) / "cities.md"
    file.write_text(_HEAD + PROMPT, "utf-8")
    (loaded,) = load_prompts([file]).prompts
    return Variant(name="baseline", template=loaded.template)


def row(number: int) -> Sample:
    """Return a row of the eval set."""
    inputs = {"question": question(number)}
    return Sample(id=str(number), inputs=inputs, references=(REFERENCE,))


async def main(task: Task) -> None:
    """Ask all rows of a task."""
    asked = options(task)
    variant, rows = baseline(task), [row(number) for number in task.numbers]
    shared = open_shared(asked, Silent())
    desk = open_desk(MODEL, asked, Silent(), shared=shared, compressor=None)
    if desk.client is None:
        raise SystemExit("the target was not opened")
    metrics = {"generate": get("contains")}
    runner = Runner(client=desk.client, metrics=metrics, progress=Silent(), tally=Tally())
    await runner.run(variant, [row(0)], "generate")
    with measured():
        outcomes = await runner.run(variant, rows, "generate")
    right = sum(isinstance(o.result, Score) and o.result.value == 1 for o in outcomes)
    await desk.aclose()
    stored = len(shared.ledger.store)
    shared.close()
    if (right, stored) != (task.requests, task.requests + 1):
        raise SystemExit(f"{right} answers were right and {stored} stored of {task.requests}")


if __name__ == "__main__":
    asyncio.run(main(told()))
