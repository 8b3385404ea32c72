"""``costopt models test``: one live call to a target, and what it gave and cost."""

from pathlib import Path
from typing import Annotated

import typer

from .options import ConfigFile, Debug, Format, NoColor, Output, Quiet, choose_format

_PROMPT = "Say hello in one short sentence."


def try_target(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="embedded, PROVIDER:MODEL, or yours.")
    ],
    prompt: Annotated[str, typer.Option("--prompt", metavar="TEXT", help="What to ask.")] = _PROMPT,
    format: Format = None,
    output: Output = None,
    config: ConfigFile = None,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch no weights.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Ask a target once, live, and show the answer, its tokens, time, cost and capabilities."""
    del debug
    import asyncio

    from ..core.config import load_config
    from ..models.targets import EMBEDDED, declared, open_target
    from ..models.tried import FREE, charge_of
    from ..models.tried import try_target as ask
    from ..reports.progress import watch
    from ..reports.targets import show_answer
    from .output import check_output, emit

    chosen = choose_format(format, output)
    check_output(output)
    settings = load_config(config, Path.cwd())
    with watch(quiet=quiet, colour=not no_color) as progress:
        target = open_target(name, settings, offline=offline, progress=progress)
        answer = asyncio.run(ask(target, prompt))
    charge = FREE if target.name == EMBEDDED else charge_of(name, settings, answer)
    emit(show_answer(target, answer, charge, declared(name, settings), chosen), output)
