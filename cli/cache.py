"""``costopt cache``: the answers that were paid for: what is there, why not, out of here, away."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import CostoptError
from .options import ConfigFile, Debug, Format, NoColor, Output, Quiet, RunDir, choose_format

if TYPE_CHECKING:
    from ..models.store import AnswerStore

cache_app = typer.Typer(
    help="Show, explain, export or clear the stored answers.", no_args_is_help=True
)


@cache_app.command("info")
def info(
    run_dir: RunDir = None,
    format: Format = None,
    output: Output = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Show where the answers are, how many, and what was lost.

    \b
    Examples:
      costopt cache info
      costopt cache info --format json
    """  # noqa: D301 (\b keeps the lines apart)
    del no_color, debug  # no colour here
    from ..models.inventory import take_inventory
    from ..reports.inventory import inventory_json, inventory_text
    from .output import check_output, emit, page_width

    chosen = choose_format(format, output)
    check_output(output)
    store = _open(run_dir)
    try:
        found = take_inventory(store)
    finally:
        store.close()
    emit(inventory_json(found) if chosen == "json" else inventory_text(found, page_width()), output)


@cache_app.command("explain")
def explain(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Prompts.")],
    target: Annotated[
        list[str] | None,
        typer.Option("--target", "-t", metavar="NAME", help="Default: embedded."),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", metavar="N", min=1, help="As given to analyze."),
    ] = None,
    run_dir: RunDir = None,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Say which rows of a prompt are stored, and why others are not.

    For a row that is not stored, the first part is named in which its request
    differs from the nearest one that is. Asks no model.

    \b
    Examples:
      costopt cache explain support.md
      costopt cache explain support.md --target openai:gpt-4.1-mini
    """  # noqa: D301 (\b keeps the lines apart)
    del debug
    from ..core.config import load_config
    from ..evals.explaining import explain_prompts
    from ..evals.options import AnalyzeOptions
    from ..reports.inventory import explanations_json, explanations_text
    from ..reports.progress import watch
    from .output import check_output, emit

    chosen = choose_format(format, output)
    check_output(output)
    settings = load_config(config, Path.cwd())
    values = settings.defaults
    options = AnalyzeOptions(
        paths=tuple(paths),
        targets=tuple(target or values.get("target", ("embedded",))),
        samples=samples if samples is not None else values.get("samples"),
        eval_set=values.get("eval_set"),
        seed=values.get("seed", 0),
        run_dir=_run_dir(run_dir, values.get("run_dir")),
        config=settings,
    )
    with watch(quiet=quiet, colour=not no_color) as progress:
        found = explain_prompts(options, progress)
    emit(explanations_json(found) if chosen == "json" else explanations_text(found), output)


@cache_app.command("export")
def export_answers(
    run_dir: RunDir = None,
    output: Output = None,
    debug: Debug = False,
) -> None:
    """Write all stored answers as JSON lines, oldest first.

    Each has its key, target, model, when it was drawn, the parts of its
    request (texts as hashes) and the answer with its usage.

    \b
    Examples:
      costopt cache export --output answers.jsonl
      costopt cache export | jq .answer.usage
    """  # noqa: D301 (\b keeps the lines apart)
    del debug
    from ..models.inventory import export
    from .output import check_output, emit

    check_output(output)
    store = _open(run_dir)
    try:
        lines = (json.dumps(row, ensure_ascii=True) + "\n" for row in export(store))
        if output is None:
            for line in lines:
                emit(line, None)
        else:
            with output.open("w", encoding="utf-8") as file:
                file.writelines(lines)
    finally:
        store.close()


@cache_app.command("clear")
def clear_answers(
    target: Annotated[
        str | None, typer.Option("--target", "-t", metavar="NAME", help="Only of this target.")
    ] = None,
    older_than: Annotated[
        int | None,
        typer.Option("--older-than", metavar="DAYS", min=0, help="Only what is older than that."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    run_dir: RunDir = None,
    debug: Debug = False,
) -> None:
    """Remove stored answers. What they cost is not given back: they are paid for again.

    \b
    Examples:
      costopt cache clear --older-than 90
      costopt cache clear --target embedded --yes
    """  # noqa: D301 (\b keeps the lines apart)
    del debug
    from ..models.inventory import clear, take_inventory
    from ..reports.numbers import count

    store = _open(run_dir)
    try:
        if not yes:
            there = count(take_inventory(store).answers)
            which = "those asked for" if target or older_than is not None else "all"
            typer.confirm(f"Answers stored: {there}. Remove {which}?", abort=True, err=True)
        removed = clear(store, target=target, older_than_days=older_than)
    finally:
        store.close()
    typer.echo(f"answers removed: {count(removed)}")


def _open(run_dir: Path | None) -> "AnswerStore":
    """Open a store that is there; none is made by looking for it."""
    from ..core.config import load_config
    from ..core.errors import Where
    from ..core.paths import answers_dir
    from ..models.store import FILE_NAME, AnswerStore

    configured = load_config(None, Path.cwd()).defaults.get("run_dir")
    folder = answers_dir(_run_dir(run_dir, configured))
    if not (folder / FILE_NAME).is_file():
        raise CostoptError(
            "no answers are stored here",
            where=Where(str(folder)),
            hint="costopt analyze stores them; name another folder with --run-dir",
        )
    return AnswerStore(folder, lambda text: typer.echo(text, err=True))


def _run_dir(given: Path | None, configured: str | None) -> Path | None:
    return given or (Path(configured) if configured else None)
