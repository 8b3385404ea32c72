"""All that can be learnt from a log beyond what it cost: what is abnormal, and what to do first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from .anomalies import Anomalies, find_anomalies
from .budgets import Budget, budgets
from .recommend import Recommendation, recommend
from .watch import Step, Watch, unwatched
from .whatif.combined import what_if
from .whatif.known_quality import Known
from .whatif.known_variants import KnownVariant
from .whatif.rates import PriceOf, list_price
from .whatif.saving import WhatIf

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What is abnormal, how budgets are kept, what would save money, and what to do first."""

    anomalies: Anomalies
    budgets: tuple[Budget, ...]
    what_if: WhatIf
    recommendations: tuple[Recommendation, ...]

    def fails(self, on: Sequence[str]) -> bool:
        """Whether a gate says no: ``budget`` where one is over, ``anomaly`` where there is one."""
        over = "budget" in on and any(one.outcome == "over" for one in self.budgets)
        return over or ("anomaly" in on and bool(self.anomalies.found))


def advise(
    connection: "DuckDBPyConnection",
    *,
    price_of: PriceOf = list_price,
    limits: Mapping[str, Decimal] | None = None,
    waits: Mapping[str, float] | None = None,
    known: Mapping[tuple[str, str], Known] | None = None,
    variants: Sequence[KnownVariant] = (),
    paths: Mapping[str, Sequence[str]] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    watch: Watch = unwatched,
) -> Advice:
    """Return what can be learnt from the relation ``requests``.

    What is usual and what a month costs is read from the whole log; of anomalies those are told
    that lie in the period.

    Args:
        connection: A database with the relation.
        price_of: Returns the price of a model on a day.
        limits: USD a month that features may cost.
        waits: How long answers of a feature may take, in seconds, where that is declared.
        known: What stored runs say of other models.
        variants: What they say of shorter prompts.
        paths: The prompts of features, where known.
        since: The first moment of the period, UTC.
        until: The first moment that does not count any more.
        watch: Told how far it is.
    """
    watch(Step(what="looking for what is abnormal"))
    found = find_anomalies(connection, price_of=price_of)
    inside = tuple(
        one
        for one in found.found
        if (since is None or one.end > since) and (until is None or one.start < until)
    )
    watch(Step(what="working out what would have been saved"))
    savings = what_if(
        connection,
        price_of=price_of,
        waits=waits,
        known=known,
        variants=variants,
        since=since,
        until=until,
    )
    return Advice(
        anomalies=Anomalies(found=inside, looked_at=found.looked_at, too_short=found.too_short),
        budgets=budgets(connection, limits or {}),
        what_if=savings,
        recommendations=recommend(savings, paths=paths),
    )
