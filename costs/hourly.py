"""A server that is paid by the hour: how many requests share its time."""

from collections.abc import Iterable
from datetime import datetime


def mean_concurrency(answered: Iterable[tuple[str, float]]) -> float | None:
    """Return how many requests were under way at a time, on average, while any was.

    It is read from when each answer came and how long it took, so that it is what the server was
    really given and not what was allowed. An answer that was used twice counts once.

    Args:
        answered: For each answer when it came (ISO 8601) and its latency in seconds.

    Returns:
        1 or more; ``None`` where no answer took any time.

    Example:
        >>> mean_concurrency([("2026-01-01T00:00:02Z", 2.0), ("2026-01-01T00:00:02Z", 1.0)])
        1.5
    """
    spans = sorted(
        (end - latency, end)
        for end, latency in {(_seconds(created), latency) for created, latency in answered}
        if latency > 0
    )
    busy, until = 0.0, float("-inf")
    for start, end in spans:
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    return sum(end - start for start, end in spans) / busy if busy else None


def _seconds(created: str) -> float:
    return datetime.fromisoformat(created).timestamp()
