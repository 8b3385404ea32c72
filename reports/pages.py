"""Pages in Markdown, laid out for a terminal."""

import re
import textwrap

from ..core.blocks import fences

_PARAGRAPHS = re.compile(r"(\n{2,})")
_ITEMS = re.compile(r"\n(?=- )")


def wrapped(page: str, width: int) -> str:
    r"""Return a page with its paragraphs and list items broken at a width; fences stay.

    Example:
        >>> print(wrapped("# Mill\n\nIt stands by\nthe river.\n\n- one or two sails\n- three", 12))
        # Mill
        <BLANKLINE>
        It stands by
        the river.
        <BLANKLINE>
        - one or two
          sails
        - three
    """
    parts: list[str] = []
    at = 0
    for fence in fences(page):
        parts += [_prose(page[at : fence.start], width), page[fence.start : fence.end]]
        at = fence.end
    return "".join([*parts, _prose(page[at:], width)])


def _prose(text: str, width: int) -> str:
    return "".join(_paragraph(part, width) for part in _PARAGRAPHS.split(text))


def _paragraph(text: str, width: int) -> str:
    body = text.strip("\n")
    if not body or body.startswith("#"):
        return text
    made = "\n".join(_item(item, width) for item in _ITEMS.split(body))
    return text.replace(body, made)


def _item(text: str, width: int) -> str:
    hang = "  " if text.startswith("- ") else ""
    return textwrap.fill(
        " ".join(text.split()),
        width,
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
