"""What a response of GitHub's interface that is no success means, and whether to ask again."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import CostoptError
from ...core.secrets import scrub
from ...models.statuses import retry_after_s
from ..safe import clean

_HINTS = {
    401: "give a token of this host that is still valid, by --token-env NAME",
    403: "the job that posts needs permissions: pull-requests: write; on a pull request from a "
    "fork, the check's own job never has it: post from a workflow_run job (costopt init)",
    404: "check --repo and --pull; a token that may not see the repository gets this answer too",
    410: "the pull request's conversation is gone or locked",
    422: "the host refuses the text or the pull request's number",
}
_LIMIT_HINT = "run the job again later; several jobs that post at once make this likelier"
_MINUTE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A whole response."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def data(self) -> Any:  # noqa: ANN401 (JSON)
        """Return its JSON; ``None`` where it has none.

        Raises:
            CostoptError: it is no JSON.
        """
        if not self.content:
            return None
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            hint = "is --api-url the address of GitHub's interface?"
            raise CostoptError("the host answered with no JSON", hint=hint) from None


class RefusedError(CostoptError):
    """The host said no.

    Args:
        what: What it said no to, and its own words.
        status: The status that it said it with; 0 where no whole response came.
        hint: What to do about it.
        maybe_done: Whether it may have done what was asked all the same.
    """

    def __init__(
        self, what: str, *, status: int, hint: str | None = None, maybe_done: bool = False
    ) -> None:
        super().__init__(what, hint=hint)
        self.status = status
        self.maybe_done = maybe_done


def limited_s(answer: Answer) -> float | None:
    """Return the seconds to wait where a rate limit turned the request away, else ``None``.

    GitHub says so with 429 or 403. Where it names no time, it asks for a minute.

    Example:
        >>> limited_s(Answer(status=429, headers={"retry-after": "7"}, content=b""))
        7.0
        >>> limited_s(Answer(status=403, headers={}, content=b'{"message": "no"}')) is None
        True
    """
    if answer.status not in (403, 429):
        return None
    wait = retry_after_s(answer.headers)
    spent = answer.headers.get("x-ratelimit-remaining") == "0"
    said = words(answer.content).lower()
    if wait is None and spent:
        return _until(answer.headers.get("x-ratelimit-reset"))
    if wait is None and answer.status == 403 and "rate limit" not in said:
        return None
    return _MINUTE_S if wait is None else wait


def _until(reset: str | None) -> float:
    digits = reset is not None and reset.isascii() and reset.isdigit() and len(reset) < 12
    return max(1.0, int(reset) - time.time()) if digits and reset else _MINUTE_S


def refused(answer: Answer, doing: str, *, maybe_done: bool = False) -> RefusedError:
    """Return the error for a response that is no success, in the host's words and ours."""
    wait = limited_s(answer)
    said = words(answer.content)
    if wait is not None:
        what = f"{doing}: a rate limit of the host; it asks to wait {wait:,.0f} s ({said})"
        return RefusedError(what, status=answer.status, hint=_LIMIT_HINT)
    what = f"{doing}: the host answers {answer.status} ({said})"
    hint = _HINTS.get(answer.status)
    return RefusedError(what, status=answer.status, hint=hint, maybe_done=maybe_done)


def words(content: bytes) -> str:
    """Return what a host says went wrong as one short line, without the token."""
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    said = content[:2000].decode("utf-8", "replace")
    if isinstance(found, dict):
        details = found.get("errors")
        listed = details if isinstance(details, list) else []
        said = "; ".join(text for text in map(_text, [found, *listed]) if text)
    return clean(scrub(said), 300) or "it said no more"


def _text(item: object) -> str:
    message = item.get("message") if isinstance(item, dict) else item
    return message if isinstance(message, str) else ""
