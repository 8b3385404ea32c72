"""The period that is looked at, and the one that it is compared with."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ..core.errors import CostoptError

Basis = Literal["previous period", "halves"]


@dataclass(frozen=True, kw_only=True)
class Period:
    """The requests that count, and those that they are compared with; times are UTC.

    Attributes:
        first: The first moment that counts; ``None`` where nothing is left out.
        end: The first moment that does not count any more; ``None`` likewise.
        before: From when on the earlier requests count that a trend is taken against; ``None``
            where there is no trend.
        since: From when on the later ones count.
        basis: ``previous period`` of the same length, or ``halves`` of the log itself.
        note: Why there is no trend; ``None`` where there is one.
    """

    first: datetime | None = None
    end: datetime | None = None
    before: datetime | None = None
    since: datetime | None = None
    basis: Basis | None = None
    note: str | None = None


def period(
    log_first: datetime | None,
    log_last: datetime | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Period:
    """Return the period that the user asked for, with what it is compared with.

    Args:
        log_first: The time of the log's first request.
        log_last: The time of its last one.
        since: The first moment that the user wants.
        until: The first moment that the user does not want any more.

    Raises:
        CostoptError: the period is empty.

    Example:
        >>> from datetime import datetime
        >>> found = period(datetime(2026, 1, 1), datetime(2026, 1, 3))
        >>> found.basis, found.since.isoformat()
        ('halves', '2026-01-02T00:00:00')
    """
    if since and until and since >= until:
        raise CostoptError(
            "the period is empty: --since is not before --until",
            hint="--until names the first moment that does not count any more",
        )
    if log_first is None or log_last is None:
        return Period(first=since, end=until, note="no request has a time, so there is no trend")
    if since is None and until is None:
        return _halves(log_first, log_last)
    start, end = since or log_first, until or log_last
    earlier = start - (end - start)
    if earlier < log_first:
        note = (
            f"no trend: the log begins at {shown(log_first)}, and the period before this one of "
            f"the same length at {shown(earlier)}"
        )
        return Period(first=since, end=until, note=note)
    return Period(first=since, end=until, before=earlier, since=start, basis="previous period")


def _halves(first: datetime, last: datetime) -> Period:
    middle = first + (last - first) / 2
    if middle == first:
        return Period(note="no trend: all requests are of one moment")
    return Period(before=first, since=middle, basis="halves")


def moment(text: str, option: str) -> datetime:
    """Read a time of the command line; one without a zone is UTC.

    Raises:
        CostoptError: it is no ISO 8601 date or time.

    Example:
        >>> moment("2026-11-01T02:00+02:00", "--since")
        datetime.datetime(2026, 11, 1, 0, 0)
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CostoptError(
            f"{option} must be a date or a time, not {text!r:.60}",
            hint=f"such as {option} 2026-11-01 or {option} 2026-11-01T12:00Z",
        ) from None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def shown(time: datetime) -> str:
    """Return a time as ISO 8601 with its zone, to the second."""
    return f"{time.replace(microsecond=0).isoformat()}Z"
