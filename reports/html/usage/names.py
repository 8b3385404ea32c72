"""Names out of logs, as they are written in a page."""

from ...numbers import count
from ...safe import clean
from ...usage.facts import label
from ...usage.recommendations import LEVERS, NO_FEATURE

OTHERS = "s0"
"""The style of what has no colour of its own."""
COLOURS = 8
"""How many features have a colour of their own."""
_LONGEST = 80


def name(value: str | None, limit: int = _LONGEST) -> str:
    r"""Return a dimension's value on one line, cut where it is long.

    Example:
        >>> name("chat"), name(None), name("\u202e")
        ('chat', '(not in log)', '(blank)')
    """
    return clean(label(value), limit) or "(blank)"


def feature(value: str | None, limit: int = _LONGEST) -> str:
    """Return a feature; requests that name none are said to be that."""
    return NO_FEATURE if value is None else name(value, limit)


def others(many: int) -> str:
    """Return what several features are called where they are told as one.

    Example:
        >>> others(1), others(1200)
        ('1 other feature', '1,200 other features')
    """
    return f"{count(many)} other feature{'' if many == 1 else 's'}"


def lever(value: str) -> str:
    """Return what a lever is called, whichever levers there are.

    Example:
        >>> lever("exact-cache"), lever("some-lever")
        ('cache answers', 'some-lever')
    """
    return LEVERS.get(value, clean(value, 40))


def style(place: int) -> str:
    """Return the style of the feature at a place among the dearest, from 0.

    Example:
        >>> style(0), style(8)
        ('s1', 's0')
    """
    return f"s{place + 1}" if place < COLOURS else OTHERS
