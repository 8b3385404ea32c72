"""What each lever would have saved, as sections for a terminal and for Markdown."""

from collections.abc import Iterator

from ...usage.whatif.saving import Saving, WhatIf
from ..numbers import count, percent, usd
from ..sections import Header, Name, Section, Words, words
from .recommendations import LEVERS, money_range


def whatif_sections(found: WhatIf) -> tuple[Section, ...]:
    """Return the levers alone and together, other settings, and what is to be known."""
    table = Section(
        heading=words(
            f"What if: {count(found.requests)} requests replayed, which cost {usd(found.spent_usd)}"
        ),
        headers=(
            Header(text="lever", right=False),
            Header(text="saves"),
            Header(text="$/month"),
            Header(text="range", rank=2),
            Header(text="after those above", rank=1),
            Header(text="requests", rank=3),
            Header(text="tokens", rank=4),
            Header(text="evidence", right=False, rank=1),
        ),
        rows=tuple(
            _row(alone, step) for alone, step in zip(found.alone, found.combined, strict=True)
        ),
        lines=tuple(_lines(found)),
    )
    curves = tuple(_curve(saving) for saving in found.alone if saving.curve)
    return table, *curves


def _row(alone: Saving, step: Saving) -> tuple[str, ...]:
    unknown = alone.usd is None
    return (
        LEVERS[alone.lever],
        "unknown" if unknown else usd(alone.usd),
        usd(alone.month.usd),
        "" if unknown else money_range(alone.month.low, alone.month.high),
        usd(step.usd),
        "" if unknown else count(alone.requests),
        "" if unknown else count(alone.tokens),
        "" if unknown else alone.evidence,
    )


def _lines(found: WhatIf) -> Iterator[Words]:
    yield words(
        f"All of it, one after the other and nothing twice: {usd(found.usd)} in the period, "
        f"{usd(found.month.usd)} a month ({money_range(found.month.low, found.month.high)})."
    )
    if found.month.usd is not None:
        yield words(
            f"A month is 365/12 days; the log's {found.month.days:.1f} days are taken as typical."
        )
    for saving in found.alone:
        name = LEVERS[saving.lever]
        if saving.setting:
            yield words(f"{name}: {saving.setting}")
        for note in saving.notes:
            yield words(f"{name}: ", Name(note))
    for note in found.notes:
        yield words(note)


def _curve(saving: Saving) -> Section:
    share = "input read" if saving.lever == "prefix-cache" else "share"
    false = any(point.false_hits is not None for point in saving.curve)
    return Section(
        heading=words(f"{LEVERS[saving.lever]}, at other settings"),
        headers=(
            Header(text="setting", right=False),
            Header(text="requests", rank=2),
            Header(text=share, rank=1),
            *((Header(text="false of others"),) if false else ()),
            Header(text="saves"),
        ),
        rows=tuple(
            (
                point.setting,
                count(point.requests),
                percent(point.share),
                *((percent(point.false_hits),) if false else ()),
                usd(point.usd),
            )
            for point in saving.curve
        ),
    )
