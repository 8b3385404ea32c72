"""What a client library's errors mean for us. Imported only where a request is made."""

import re

from pydantic_ai import exceptions as ai

from ..core.protocols import TargetError
from ..core.secrets import scrub

_LONGEST = 300


def target_error(error: Exception, *, key: str | None, paying: bool) -> TargetError:
    """Return the `TargetError` for what pydantic-ai raised.

    Args:
        error: What it raised.
        key: The API key; taken out of the message.
        paying: Whether calls are billed: then an answer that was lost on its way is not asked for
            again, since it may have been paid.
    """
    message = _clean(str(error), key)
    retry_after_s = getattr(error, "retry_after", None)
    if isinstance(error, ai.ModelRateLimitError):
        return TargetError(message, kind="rate_limit", retry_after_s=retry_after_s)
    if isinstance(error, ai.ModelUnavailableError | ai.ModelServerError):
        return TargetError(message, kind="server", retry_after_s=retry_after_s)
    if isinstance(error, ai.ModelConnectionError):
        lost = paying and error.phase not in ("pool", "connect")
        kind = "timeout" if isinstance(error, ai.ModelTimeoutError) else "server"
        return TargetError(message, kind=kind, possibly_paid=lost)
    if isinstance(error, ai.ModelRequestTimeout | TimeoutError):
        return TargetError(message or "no answer in time", kind="timeout", possibly_paid=paying)
    if isinstance(error, ai.ContentFilterError):
        return TargetError(message, kind="refused", possibly_paid=paying)
    if isinstance(error, ai.ModelHTTPError | ai.ModelRequestRejectedError):
        return TargetError(message, kind="rejected")
    if isinstance(error, ai.ModelQuotaExceededError | ai.UserError):
        return TargetError(message, kind="rejected")
    # A body that is no answer: it came with status 200, so it may be billed.
    return TargetError(f"not an answer: {message}", kind="server", possibly_paid=paying)


def _clean(text: str, key: str | None) -> str:
    text = scrub(text, key or "")
    # Some servers quote a part of the key they were given.
    text = re.sub(r"\bsk-[\w*-]+", "***", text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
