"""``costopt explain``: the page of one strategy."""

from typing import Annotated

import typer

from .options import Debug


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A strategy's code or name.")],
    debug: Debug = False,
) -> None:
    """Show the page of one strategy or finding: what it does, when it helps, what it may break.

    \b
    Examples:
      costopt explain whitespace
      costopt strategies
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    from ..compressors.pages import page
    from ..compressors.registry import entry
    from ..reports.pages import wrapped
    from .output import emit, page_width

    name = code.upper() if code[:2].lower() == "co" and code[2:].isdigit() else code.lower()
    emit(wrapped(page(entry(name)), page_width()).rstrip() + "\n", None)
