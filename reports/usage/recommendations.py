"""What to do first, as sections for a terminal and for Markdown."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ...usage.recommend import EFFORT, RISK, Recommendation
from ..numbers import percent, usd
from ..sections import Header, Name, Section, Words, words

_SHOWN = 10
NO_FEATURE = "(no feature)"
LEVERS = {
    "exact-cache": "cache answers",
    "semantic-cache": "cache similar",
    "prefix-cache": "cache prefixes",
    "prompt-variant": "shorter prompt",
    "batch": "batch",
    "output-cap": "cap answers",
    "other-model": "cheaper model",
}
"""What a lever is called."""


def feature_cell(feature: str | None) -> str:
    """Return a feature as a cell."""
    return NO_FEATURE if feature is None else Name(feature)


def money_range(low: Decimal | None, high: Decimal | None) -> str:
    """Return a range of money.

    Example:
        >>> money_range(Decimal(1), Decimal("2.5")), money_range(None, None)
        ('$1.00 to $2.50', 'unknown')
    """
    if low is None and high is None:
        return "unknown"
    if high is None:
        return f"{usd(low)} or more"
    return f"{usd(low)} to {usd(high)}" if low is not None else f"up to {usd(high)}"


def recommendation_sections(found: Sequence[Recommendation]) -> tuple[Section, ...]:
    """Return the ranked list, and the command for each."""
    if not found:
        return (
            Section(
                heading=words("What to change first"),
                lines=(words("Nothing that is known to save a cent a month."),),
            ),
        )
    shown = found[:_SHOWN]
    more = len(found) - len(shown)
    table = Section(
        heading=words("What to change first, by what it saves a month if it is done alone"),
        headers=(
            Header(text="#"),
            Header(text="what", right=False),
            Header(text="feature", right=False, shrinks=True),
            Header(text="$/month"),
            Header(text="range", rank=3),
            Header(text="on top", rank=4),
            Header(text="of its cost", rank=5),
            Header(text="effort", right=False, rank=2),
            Header(text="risk", right=False, rank=2),
            Header(text="evidence", right=False, rank=1),
        ),
        rows=tuple(_row(i, one) for i, one in enumerate(shown, start=1)),
        lines=(
            *((words(f"and {more} more (--format json)"),) if more else ()),
            words(
                'The column "on top", on a page wide enough for it, is what it adds to what stands '
                "before it in the order of replay."
            ),
            words(
                "Effort: "
                + "; ".join(f"{word}, {meaning}" for word, meaning in EFFORT.items())
                + "."
            ),
            words(
                "Risk: " + "; ".join(f"{word}, {meaning}" for word, meaning in RISK.items()) + "."
            ),
        ),
    )
    return table, Section(heading=words("What proves it"), lines=tuple(_proofs(shown)))


def _row(number: int, one: Recommendation) -> tuple[str, ...]:
    return (
        str(number),
        LEVERS[one.lever],
        feature_cell(one.feature),
        usd(one.usd_per_month),
        money_range(one.low, one.high),
        usd(one.added_usd_per_month),
        percent(one.share),
        one.effort,
        one.risk,
        one.evidence,
    )


def _proofs(shown: Sequence[Recommendation]) -> Iterator[Words]:
    for number, one in enumerate(shown, start=1):
        # Names of models and features are in these.
        yield words(f"{number}. {LEVERS[one.lever]}: ", Name(one.detail))
        yield words("   ", Name(one.command))
