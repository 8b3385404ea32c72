"""A saved check, for `costopt report` and `costopt comment`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import CostoptError, Where
from .options import CHECK_FORMATS, choose_format

if TYPE_CHECKING:
    from ..core.checked import CheckReport

_SCHEMA = re.compile(r'\s*\{\s*"schema"\s*:\s*"costopt\.check/')


def is_check(text: str) -> bool:
    """Return whether a text is a check rather than a report, going by its first key.

    Example:
        >>> is_check('{"schema": "costopt.check/1"}'), is_check('{"schema": "costopt.report/1"}')
        (True, False)
    """
    return _SCHEMA.match(text) is not None


def read_check(file: Path, text: str) -> "CheckReport":
    """Return a check from its JSON.

    Raises:
        CostoptError: it is none, with the file as the place.
    """
    from ..reports.checks.json import check_from_json

    try:
        return check_from_json(text)
    except CostoptError as error:
        where = error.where or Where(file.as_posix())
        raise CostoptError(error.what, where=where, hint=error.hint) from None


def check_text(
    file: Path, text: str, format: str | None, output: Path | None, no_color: bool
) -> str:
    """Return a saved check in a format.

    Raises:
        CostoptError: no check, or an unknown format.
    """
    from ..reports.checks.show import show_check
    from .output import page_width, wants_colour

    chosen = choose_format(format, output, formats=CHECK_FORMATS)
    check = read_check(file, text)
    if chosen == "html":
        from ..reports.html import check_page

        return check_page(check)
    colour = wants_colour(no_color, output)
    return show_check(check, chosen, width=page_width(), colour=colour, command=None)
