"""The table over all targets of a prompt, at other prices."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from ..core.report import Across, AcrossRow, VariantReport
from ..core.types import HOLDING

_AGAIN = "run analyze again to decide it: what is stored is not asked again"


def across_again(across: Across, variants: Sequence[VariantReport]) -> Across:
    """Return the table with the variants' costs as they are now.

    The choice stays where what was chosen is still the cheapest of what holds; else it is left
    open, since the table does not hold all that could be chosen from. A cascade's cost hangs on
    answers that the report does not hold: it is unknown.

    Args:
        across: The table as it was reported.
        variants: All variants of the prompt, at their new costs.
    """
    costs = {(v.target, v.name): v.cost for v in variants}
    rows: list[AcrossRow] = []
    for row in across.rows:
        found = costs.get((row.target, row.variant)) if row.cascade is None else None
        evidence = found.evidence if found else row.evidence
        usd = found.usd_per_1k if found else None
        rows.append(replace(row, usd_per_1k=usd, evidence=evidence))
    best, reason = _choice(across, rows)
    return replace(across, rows=tuple(rows), best=best, reason=reason)


def _choice(across: Across, rows: Sequence[AcrossRow]) -> tuple[str | None, str]:
    base = next((row.usd_per_1k for row in rows if row.verdict == "baseline"), None)
    chosen = next((row for row in rows if row.name == across.best), None)
    if chosen is None:
        return None, f"nothing was chosen before; at these prices {_AGAIN}"
    if base is None or chosen.usd_per_1k is None:
        return None, f"what {chosen.name} costs at these prices is not known; {_AGAIN}"
    holding = [row for row in rows if row.verdict in HOLDING]
    if chosen.usd_per_1k >= base or any(_below(row, chosen.usd_per_1k) for row in holding):
        return None, f"{chosen.name} is not the cheapest any more at these prices; {_AGAIN}"
    part = float(chosen.usd_per_1k / base)
    return chosen.name, (
        f"{_verb(chosen)} against {across.baseline} at {100 * part:.0f} % of its cost, and is "
        "still the cheapest of those whose cost is known at these prices"
    )


def _verb(row: AcrossRow) -> str:
    return f"{row.name} {'is better' if row.verdict == 'better' else 'holds'}"


def _below(row: AcrossRow, usd: Decimal) -> bool:
    return row.usd_per_1k is not None and row.usd_per_1k < usd
