"""What a client library's errors mean for us. Imported only where a request is made."""

from pydantic_ai import exceptions as ai

from ..core.protocols import TargetError
from .api_key import without_keys


def target_error(error: Exception, *secrets: str) -> TargetError:
    """Return the `TargetError` for what pydantic-ai raised.

    Calls through it are billed: an answer that was lost on its way is not asked for again, since
    it may have been paid.

    Args:
        error: What it raised.
        secrets: What was sent as a key; taken out of the message.
    """
    message = without_keys(str(error), *secrets)
    retry_after_s = getattr(error, "retry_after", None)
    if isinstance(error, ai.ModelRateLimitError):
        return TargetError(message, kind="rate_limit", retry_after_s=retry_after_s)
    if isinstance(error, ai.ModelUnavailableError | ai.ModelServerError):
        return TargetError(message, kind="server", retry_after_s=retry_after_s)
    if isinstance(error, ai.ModelConnectionError):
        lost = error.phase not in ("pool", "connect")
        kind = "timeout" if isinstance(error, ai.ModelTimeoutError) else "server"
        return TargetError(message, kind=kind, possibly_paid=lost)
    if isinstance(error, ai.ModelRequestTimeout | TimeoutError):
        return TargetError(message or "no answer in time", kind="timeout", possibly_paid=True)
    if isinstance(error, ai.ContentFilterError):
        return TargetError(message, kind="refused", possibly_paid=True)
    if isinstance(error, ai.ModelHTTPError | ai.ModelRequestRejectedError):
        return TargetError(message, kind="rejected")
    if isinstance(error, ai.ModelQuotaExceededError | ai.UserError):
        return TargetError(message, kind="rejected")
    # A body that is no answer: it came with status 200, so it may be billed.
    return TargetError(f"not an answer: {message}", kind="server", possibly_paid=True)
