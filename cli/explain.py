"""``costopt explain``: the page of one strategy or finding."""

from typing import Annotated

import typer

from .options import Debug


def explain(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="The code or name of a strategy or finding.")
    ],
    debug: Debug = False,
) -> None:
    """Show the page of one strategy or finding: what it does, when it helps, what it may break.

    \b
    Examples:
      costopt explain whitespace
      costopt explain CO501
      costopt strategies
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    from ..reports.pages import wrapped
    from .output import emit, page_width

    name = code.upper() if code[:2].lower() == "co" and code[2:].isdigit() else code.lower()
    emit(wrapped(_page(name), page_width()).rstrip() + "\n", None)


def _page(name: str) -> str:
    from ..compressors import pages
    from ..compressors.registry import entry
    from ..evals.rules import RULES, rule
    from ..evals.rules.pages import page

    found = rule(name)
    if found is not None:
        return page(found)
    return pages.page(entry(name, also=[n for one in RULES for n in (one.code, one.name)]))
