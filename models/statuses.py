"""What an HTTP status that is no answer means for us."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..core.protocols import TargetError

# What a 429 says where waiting does not help: the account is empty.
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "quota_exceeded"})
_FILTERS = frozenset({"content_filter", "content_policy_violation"})


def status_error(status: int, body: bytes, headers: Mapping[str, str], message: str) -> TargetError:
    """Return the `TargetError` for a response that is no answer.

    Args:
        status: Its status, which is not 200.
        body: Its body; looked at for the error's code only.
        headers: Its headers, with lower-case names or in a case-insensitive mapping.
        message: What is to be said, without keys.
    """
    codes = _codes(body)
    wait_s = retry_after_s(headers)
    if status == 429 and not codes & _QUOTA:
        return TargetError(message, kind="rate_limit", retry_after_s=wait_s)
    if status == 408:
        return TargetError(message, kind="timeout", retry_after_s=wait_s)
    if status in (409, 425) or status >= 500:
        return TargetError(message, kind="server", retry_after_s=wait_s)
    if codes & _FILTERS:
        return TargetError(message, kind="refused")
    return TargetError(message, kind="rejected")


def said(body: bytes) -> str:
    """Return what a server says went wrong: its message where it has one, else how it begins."""
    error = _error(body)
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else body[:2000].decode("utf-8", "replace")
    return text.strip() or "it said no more"


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait; not bounded: whoever waits does that.

    ``retry-after-ms`` goes before ``Retry-After``, which holds seconds or an HTTP date.

    Example:
        >>> retry_after_s({"retry-after": "7"}), retry_after_s({"retry-after": "soon"})
        (7.0, None)
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    wanted = headers.get("retry-after")
    seconds = _number(wanted)
    return _until(wanted) if seconds is None and wanted else seconds


def _number(text: str | None) -> float | None:
    """Return a number of seconds in plain digits; what else a server writes there is none."""
    if not text or not re.fullmatch(r"\s*[0-9]{1,18}(\.[0-9]{1,9})?\s*", text, re.ASCII):
        return None
    return float(text)


def _until(date: str) -> float | None:
    try:
        then = parsedate_to_datetime(date)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (then - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _codes(body: bytes) -> set[str]:
    """Return the codes that a body names, as providers write them."""
    error = _error(body)
    if not isinstance(error, dict):
        return set()
    return {str(error[name]) for name in ("code", "type") if name in error}


def _error(body: bytes) -> object:
    """Return what a body names as its error: an object or a text; the body itself in some APIs."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found.get("error", found) if isinstance(found, dict) else None
