"""What changed between two reports, as sections of a page."""

from collections.abc import Callable
from decimal import Decimal

from ..evals.compared_reports import ReportComparison, Side, VariantChange
from .compared_logs import outcome
from .numbers import UNKNOWN, mean, quality, usd
from .sections import Header, Name, Section, Words, words


def report_sections(found: ReportComparison) -> tuple[Section, ...]:
    """Return the sections: what changed prompt by prompt, prices, and what it comes to."""
    changed = [one for one in found.variants if one.status != "unchanged"]
    groups = dict.fromkeys((one.prompt, one.target) for one in changed)
    still = len(found.variants) - len(changed)
    said = (
        "no change" if found.same else f"{len(changed)} of {len(found.variants)} variants changed"
    )
    lines = [words(said)]
    if still and changed:
        lines.append(words(f"{still} unchanged, not shown"))
    lines += [words("prices of ", Name(text)) for text in found.prices]
    tables = [
        _table(key, [one for one in changed if (one.prompt, one.target) == key]) for key in groups
    ]
    return (Section(lines=tuple(lines)), *tables, outcome(found.worse, found.notes))


def _table(key: tuple[str, str], changes: list[VariantChange]) -> Section:
    headers = (
        Header(text="Variant", right=False),
        Header(text="Input"),
        Header(text="Output", rank=2),
        Header(text="$/1k"),
        Header(text="Quality", rank=1),
        Header(text="Verdict", right=False),
    )
    return Section(
        heading=words(Name(key[0]), " at ", Name(key[1])),
        headers=headers,
        rows=tuple(_row(one) for one in changes),
        lines=tuple(_what(one) for one in changes),
    )


def _row(one: VariantChange) -> tuple[str, ...]:
    return (
        Name(one.name),
        _pair(one, lambda side: mean(side.input)),
        _pair(one, lambda side: mean(side.output)),
        _pair(one, lambda side: usd(side.usd_per_1k)),
        _pair(one, lambda side: quality(side.metric or "", side.quality)),
        _pair(one, lambda side: side.verdict),
    )


def _pair(one: VariantChange, read: Callable[[Side], str]) -> str:
    """Return what both reports have, or once where that is the same."""
    was, now = (UNKNOWN if side is None else read(side) for side in (one.base, one.head))
    return was if was == now else f"{was} → {now}"


def _what(one: VariantChange) -> Words:
    if one.status != "changed":
        return words(Name(one.name), f": {one.status}")
    return words(Name(one.name), ": ", ", ".join(one.changed), _saved(one))


def _saved(one: VariantChange) -> str:
    """Say the change of cost as a fraction."""
    was = one.base.usd_per_1k if one.base else None
    now = one.head.usd_per_1k if one.head else None
    if not was or now is None or was == now:
        return ""
    part = (now - was) / was * Decimal(100)
    sign = "+" if part > 0 else "−"
    return f"; cost {sign}{abs(part):.1f} %"
