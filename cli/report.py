"""``costopt report``: a saved report in another format."""

from pathlib import Path
from typing import Annotated

import typer

from .options import Debug, Format, NoColor, Output, choose_format

MAX_BYTES = 256 * 1024 * 1024


def report(
    file: Annotated[Path, typer.Argument(metavar="REPORT.json", help="A saved report, or -.")],
    format: Format = None,
    output: Output = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Show a saved report in another format. Makes no model call.

    \b
    Examples:
      costopt report report.json
      costopt report report.json --format markdown --output report.md
    """  # noqa: D301 (\b keeps the lines apart)
    del debug  # read by cli.main
    from ..core.errors import CostoptError, Where
    from ..reports.json import from_json
    from ..reports.show import show_report
    from .output import check_output, emit, page_width, wants_colour
    from .source import read_text

    chosen = choose_format(format, output)
    check_output(output)
    try:
        found = from_json(read_text(file, MAX_BYTES))
    except CostoptError as error:
        where = error.where or Where(str(file))
        raise CostoptError(error.what, where=where, hint=error.hint) from None
    colour = wants_colour(no_color, output)
    emit(show_report(found, chosen, width=page_width(), colour=colour), output)
