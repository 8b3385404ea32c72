"""When to ask again, and when to stop asking: one layer, for the whole run."""

import random

from ..core.protocols import TargetError
from .pacing import LONGEST_WAIT_S

TRIES = 4
"""How often a request is sent at most, where a server failed."""
LIMITED_TRIES = 10
"""How often it is sent at most, where a rate limit turned it away."""

_FREE_RETRIES = 50
_SHARE = 0.5
_ALIKE = 20


def wait_s(tries: int, error: TargetError) -> float | None:
    """Return how long to wait before the next try, or ``None`` where there is none.

    The wait doubles each time, up to a minute, with jitter; a server's own ``Retry-After`` is
    kept where it is longer, unless it is longer than a minute: then the request has failed.

    Args:
        tries: How often it was sent, at least 1.
        error: How it failed the last time.

    Example:
        >>> wait_s(1, TargetError("no such model", kind="rejected")) is None
        True
        >>> wait_s(1, TargetError("slow down", kind="rate_limit", retry_after_s=20))
        20
    """
    most = LIMITED_TRIES if error.kind == "rate_limit" else TRIES
    asked = error.retry_after_s
    if not error.transient or tries >= most or (asked is not None and asked > LONGEST_WAIT_S):
        return None
    return backoff_s(tries, asked)


def backoff_s(tries: int, asked: float | None) -> float:
    """Return how long to wait after so many tries, with jitter, and what the server asked for."""
    backoff = min(LONGEST_WAIT_S, 0.5 * 2**tries) * random.uniform(0.5, 1.0)  # noqa: S311
    return backoff if asked is None else max(backoff, asked)


class RetryBudget:
    """How many retries a whole run may make: fifty, and half as many as there were requests.

    Without it a server that is down is asked four times for each row of a large eval set. Rate
    limits do not count: they are paced, and cost nothing.
    """

    def __init__(self) -> None:
        self._requests = 0
        self._retries = 0

    def asked(self) -> None:
        """Count a request."""
        self._requests += 1

    def allows(self, error: TargetError) -> bool:
        """Take a retry out of the budget, if there is one left."""
        if error.kind == "rate_limit":
            return True
        if self._retries >= _FREE_RETRIES + _SHARE * self._requests:
            return False
        self._retries += 1
        return True


class Circuit:
    """Opens where requests fail alike one after the other: then no other is sent.

    A wrong key or model name fails every request the same way; nothing is learned, and something
    may be paid, by sending a thousand of them.
    """

    def __init__(self) -> None:
        self._alike = 0
        self._last: tuple[str, str] | None = None

    def check(self) -> None:
        """Raise where it is open.

        Raises:
            TargetError: kind ``stopped``; nothing was sent.
        """
        if self._alike >= _ALIKE and self._last is not None:
            message = f"not sent, since {_ALIKE} requests in a row failed alike: {self._last[1]}"
            raise TargetError(message, kind="stopped")

    def failed(self, error: TargetError) -> None:
        """Count a request that failed for good."""
        shape = (error.kind, _shape(str(error)))
        self._alike = self._alike + 1 if shape == self._last else 1
        self._last = shape

    def succeeded(self) -> None:
        """Begin to count anew."""
        self._alike = 0
        self._last = None


def _shape(message: str) -> str:
    """Return a message without the numbers that differ from request to request."""
    words = message.split()
    return " ".join("…" if any(letter.isdigit() for letter in word) else word for word in words)
