"""From open logs to the report: the period, the groups, and what is to be known about the money."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from .attribution import attribute, unpriced
from .opening import Requests
from .over_time import over_time
from .periods import period
from .pricing import PriceSource
from .report import UsageReport


def usage_report(
    requests: Requests,
    by: Sequence[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    top: int | None = None,
    times: bool = False,
) -> UsageReport:
    """Return what the requests of a time cost, by dimensions.

    Args:
        requests: The logs.
        by: Names of dimensions.
        since: The first moment that counts, UTC; the log's first where left out.
        until: The first moment that does not count any more; none where left out.
        top: How many groups to show; all where left out.
        times: Whether to tell the cost over time, too.

    Raises:
        CostoptError: the period is empty.
    """
    chosen = period(requests.first, requests.last, since, until)
    found = attribute(requests.connection, by, chosen, rows=requests.reading.rows.requests, top=top)
    models = unpriced(requests.connection, chosen) if found.total.unpriced else ()
    first, last = since or requests.first, until or requests.last
    if first and last and first > last:  # The log has nothing of the time that was asked for.
        first = last = since or until
    return UsageReport(
        first=first,
        last=last,
        reading=requests.reading,
        attribution=found,
        unpriced=models,
        prices=tuple(_price_notes(requests.prices)),
        notes=(chosen.note,) if chosen.note else (),
        over_time=over_time(requests.connection, chosen) if times else None,
    )


def _price_notes(sources: Sequence[PriceSource]) -> Iterator[str]:
    """Say where the money comes from, one line a source."""
    by_source: dict[str, list[str]] = {}
    for source in sources:
        shown = source.model or ""
        named = shown if source.ref.endswith(shown) else f"{shown} as {source.ref}"
        names = by_source.setdefault(source.source, [])
        if named not in names:
            names.append(named)
    for source, names in by_source.items():
        listed = ", ".join(sorted(names)[:8]) + (", …" if len(names) > 8 else "")
        yield f"prices of each request's day: {source} ({listed})"
