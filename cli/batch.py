"""``costopt batch``: what waits in providers' batches: look, collect, cancel."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import ConfigFile, Debug, Format, NoColor, Output, Quiet, RunDir, choose_format

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..core.configured import Config
    from ..models.batches.desk import BatchDesk, Look

    Work = Callable[[BatchDesk], Awaitable[list[Look]]]

_HELP = """Look at, collect and cancel the batches of `costopt analyze --batch`.

\b
Examples:
  costopt analyze prompts/ --target openai:gpt-5.4-mini --batch   send
  costopt batch status                                            look
  costopt batch collect --wait                                    wait
  costopt analyze prompts/ --target openai:gpt-5.4-mini --batch   go on
"""

batch_app = typer.Typer(
    help=_HELP, short_help="Look at, collect and cancel batches.", no_args_is_help=True
)

Id = Annotated[
    str | None,
    typer.Argument(
        metavar="[ID]", help="One batch: its name, its beginning, or the provider's name."
    ),
]


@batch_app.command("status")
def status(
    id: Id = None,
    all: Annotated[bool, typer.Option("--all", help="Those that are done, too.")] = False,
    run_dir: RunDir = None,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Ask the providers how far the batches are. Costs nothing.

    \b
    Examples:
      costopt batch status
      costopt batch status 3f2a --format json
    """  # noqa: D301 (\b keeps the lines apart)
    del debug
    settings = _settings(config)
    show = _Show(format, output, settings)

    async def work(desk: "BatchDesk") -> "list[Look]":
        chosen = desk.journal.batches(only_open=not all and id is None)
        return [await desk.look(batch) for batch in desk.find(id, chosen)]

    _run(work, settings, run_dir, show, quiet=quiet, no_color=no_color)


@batch_app.command("collect")
def collect(
    id: Id = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until they are done.")] = False,
    run_dir: RunDir = None,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Bring the answers of batches that are done into the store.

    The next `costopt analyze`, with or without --batch, finds them there. It
    collects by itself what is done, too. Ctrl-C leaves the batches running.

    \b
    Examples:
      costopt batch collect
      costopt batch collect 3f2a --wait
    """  # noqa: D301 (\b keeps the lines apart)
    del debug
    settings = _settings(config)
    show = _Show(format, output, settings)

    async def work(desk: "BatchDesk") -> "list[Look]":
        chosen = desk.find(id, desk.journal.batches(only_open=id is None))
        return await desk.collect(chosen, wait=wait)

    _run(work, settings, run_dir, show, quiet=quiet, no_color=no_color)


@batch_app.command("cancel")
def cancel(
    id: Annotated[str, typer.Argument(metavar="ID", help="The batch.")],
    run_dir: RunDir = None,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Ask the provider to stop a batch.

    What is answered until then is billed; collect it as usual.

    \b
    Example:
      costopt batch cancel 3f2a
    """  # noqa: D301 (\b keeps the lines apart)
    del debug
    settings = _settings(config)
    show = _Show(format, output, settings)

    async def work(desk: "BatchDesk") -> "list[Look]":
        return [await desk.cancel(batch) for batch in desk.find(id, desk.journal.batches())]

    _run(work, settings, run_dir, show, quiet=quiet, no_color=no_color)


class _Show:
    """How and where the batches are shown; checked before anything is asked."""

    def __init__(self, format: str | None, output: Path | None, settings: "Config") -> None:
        from .output import check_output

        self.format = choose_format(format, output, settings.defaults.get("format"))
        self.output = output
        check_output(output)


def _settings(config: Path | None) -> "Config":
    from ..core.config import load_config

    return load_config(config, Path.cwd())


def _run(
    work: "Work",
    settings: "Config",
    run_dir: Path | None,
    show: _Show,
    *,
    quiet: bool,
    no_color: bool,
) -> None:
    import asyncio

    from ..core.paths import answers_dir
    from ..models.batches.desk import BatchDesk
    from ..reports.batches import show_batches
    from ..reports.progress import watch
    from .output import emit, page_width

    async def run() -> "list[Look]":
        return await work(desk)

    configured = settings.defaults.get("run_dir")
    folder = answers_dir(run_dir or (Path(configured) if configured else None))
    quiet = quiet or settings.defaults.get("quiet", False)
    with watch(quiet=quiet, colour=not no_color) as progress:
        desk = BatchDesk(folder, settings, progress.note)
        try:
            found = asyncio.run(run())
        finally:
            desk.close()
    emit(show_batches(found, show.format, width=page_width()), show.output)
