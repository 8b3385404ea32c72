"""What each lever would have saved, and what to change first."""

from collections.abc import Iterator
from dataclasses import dataclass

from ....usage.recommend import EFFORT, RISK, Recommendation
from ....usage.whatif.saving import Saving, WhatIf
from ...numbers import count, percent, usd
from ...safe import clean
from ...usage.recommendations import money_range
from ..tables import BAR, Cell, Line, Table, headers, number
from .names import feature, lever

MOST = 25
"""Recommendations that a page shows, the largest first."""
_COMMAND = 2_000
_STYLES = {"low": "good", "medium": "open", "high": "bad"}


@dataclass(frozen=True, kw_only=True)
class Advised:
    """One thing to do."""

    rank: int
    what: str
    feature: str
    saves: str
    range: str
    facts: tuple[str, ...]
    effort: str
    risk: str
    risk_style: str
    evidence: str
    evidence_style: str
    detail: str
    notes: tuple[str, ...]
    command: str


def advised(rank: int, one: Recommendation) -> Advised:
    """Return a recommendation as it is shown."""
    facts = [f"{count(one.requests)} requests of the period"]
    if one.share is not None:
        facts.append(f"{percent(one.share)} of what the feature costs")
    if one.added_usd_per_month is not None:
        facts.append(f"{usd(one.added_usd_per_month)} a month on top of the levers before it")
    return Advised(
        rank=rank,
        what=lever(one.lever),
        feature=feature(one.feature),
        saves=usd(one.usd_per_month),
        range=money_range(one.low, one.high),
        facts=tuple(facts),
        effort=one.effort,
        risk=one.risk,
        risk_style=_STYLES.get(one.risk, "none"),
        evidence=one.evidence,
        evidence_style="good" if one.evidence == "replayed" else "open",
        detail=clean(one.detail, 400),
        notes=tuple(clean(note, 400) for note in one.notes),
        command=clean(one.command, _COMMAND),
    )


def meanings() -> tuple[str, ...]:
    """Say what the words for effort and risk mean."""
    return tuple(
        f"{what}: {'; '.join(f'{word}, {meaning}' for word, meaning in words.items())}."
        for what, words in (("Effort", EFFORT), ("Risk", RISK))
    )


def lever_table(found: WhatIf) -> Table:
    """Return each lever alone and after those above it; their order is that of the replay."""
    steps = {one.lever: one for one in found.combined}
    return Table(
        caption=f"{count(found.requests)} requests replayed, which cost {usd(found.spent_usd)}",
        headers=headers(
            "Lever", "Saves", "$/month", "Range", "After those above", "$/month of that",
            "Requests", "Tokens", "Evidence", left=("Evidence",),
        ),
        lines=tuple(_lever(one, steps.get(one.lever)) for one in found.alone),
    )  # fmt: skip


def _lever(alone: Saving, step: Saving | None) -> Line:
    unknown = alone.usd is None
    style = "good" if alone.evidence == "replayed" else "open"
    said = "; ".join(alone.notes) if unknown else alone.setting
    cells = (
        Cell(text=lever(alone.lever), style="name", note=clean(said, 300)),
        Cell(text="unknown") if unknown else number(usd(alone.usd), alone.usd),
        number(usd(alone.month.usd), alone.month.usd),
        Cell(text="" if unknown else money_range(alone.month.low, alone.month.high)),
        number(usd(step.usd if step else None), step.usd if step else None),
        number(usd(step.month.usd if step else None), step.month.usd if step else None),
        Cell(text="") if unknown else number(count(alone.requests), alone.requests),
        Cell(text="") if unknown else number(count(alone.tokens), alone.tokens),
        Cell(text="") if unknown else Cell(text=alone.evidence, style=f"chip {style}"),
    )
    return Line(cells=cells)


def together(found: WhatIf) -> str:
    """Say what all levers save, one after the other."""
    month = ""
    if found.month.usd is not None:
        bounds = money_range(found.month.low, found.month.high)
        month = (
            f", {usd(found.month.usd)} a month ({bounds}). A month is 365/12 days; the log's "
            f"{found.month.days:.1f} days are taken as typical"
        )
    return (
        f"All of it, one after the other and nothing twice: {usd(found.usd)} in the period{month}."
    )


def lever_notes(found: WhatIf) -> Iterator[str]:
    """Yield what is to be known of each lever, and of all.

    Why one is unknown stands in the table.
    """
    for saving in found.alone:
        for note in saving.notes if saving.usd is not None else ():
            yield f"{lever(saving.lever)}: {clean(note, 600)}"
    for note in found.notes:
        yield clean(note, 600)


def curves(found: WhatIf) -> Iterator[Table]:
    """Yield what other settings of each lever would have saved, with their shares as bars."""
    for saving in found.alone:
        if saving.curve:
            yield Table(
                caption=f"{lever(saving.lever)}, at other settings",
                headers=headers("Setting", "Share", "Requests", "Saves", left=("Share",)),
                lines=tuple(
                    Line(cells=(
                        Cell(text=clean(point.setting, 120), style="words"),
                        Cell(
                            text=percent(point.share),
                            sort=point.share,
                            bar=None if point.share is None else round(BAR * point.share, 1),
                            bar_style="part",
                        ),
                        number(count(point.requests), point.requests),
                        number(usd(point.usd), point.usd),
                    ))
                    for point in saving.curve
                ),
                sortable=True,
            )  # fmt: skip
