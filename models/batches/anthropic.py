"""Anthropic's message batches."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ...core.protocols import TargetError
from ...core.types import Request
from .answers import messages_reply
from .base import BatchRequest, BatchState, Limits, Result, Sought, Style
from .bodies import messages_body
from .http import Http, persistent

_PATH = "messages/batches"
_PAGE = 100
_MOST_PAGES = 50
_SLACK_S = 600
_REJECTED = frozenset(
    {"invalid_request_error", "authentication_error", "permission_error", "not_found_error"}
)


class AnthropicBatches:
    """Batches of messages: the requests go in one body, the results come as lines.

    Args:
        base_url: Such as ``https://api.anthropic.com/v1``.
        model: The model's name there.
        headers: Returns the headers with the key and the API's version.
    """

    style: Style = "messages"
    limits = Limits(requests=100_000, bytes=256_000_000 - 1000)

    def __init__(self, base_url: str, model: str, headers: Callable[[], Mapping[str, str]]) -> None:
        self.base_url = base_url.rstrip("/")
        self._model = model
        self._http = Http(base_url, headers)

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body for ``messages``."""
        return messages_body(request, self._model)

    def size(self, request: BatchRequest) -> int:
        """Return the bytes of the request's part."""
        return len(_part(request)) + 1

    async def submit(
        self, tag: str, requests: Sequence[BatchRequest], about_to: Callable[[str], None]
    ) -> str:
        """Send the batch; Anthropic keeps no tag."""
        content = b'{"requests":[' + b",".join(_part(request) for request in requests) + b"]}"
        about_to(tag)
        batch = await self._http.call(
            "POST", _PATH, content=content, headers={"Content-Type": "application/json"}
        )
        return _name(batch)

    async def find(self, sought: Sought) -> str | None:
        """Return a batch of as many requests, made since, that we do not know of.

        Anthropic keeps no tag, so it is a guess as long as the batch runs; once it has ended, its
        results name their requests, and whoever collects them sees whether they are ours.
        """
        if sought.reference is None:
            return None
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self._http.get(_PATH, params={"limit": str(_PAGE), **after})
            data = page.get("data")
            found = [item for item in data if isinstance(item, dict)] if data else []
            for batch in found:
                same = sum(_counts(batch).values()) == sought.requests
                if same and not _too_old(batch, sought) and batch.get("id") not in sought.known:
                    return _name(batch)
            last = page.get("last_id")
            if not page.get("has_more") or not last or _too_old(found[-1], sought):
                return None
            after = {"after_id": str(last)}
        return None

    async def state(self, name: str) -> BatchState:
        """Return how far a batch is; Anthropic counts only once it has ended."""
        batch = await self._http.get(f"{_PATH}/{name}")
        counts = _counts(batch)
        total = sum(counts.values())
        ended = batch.get("processing_status") == "ended"
        return BatchState(
            status="ended" if ended else "running",
            said=str(batch.get("processing_status") or "unknown"),
            done=total - counts.get("processing", 0) if total else None,
            total=total or None,
            files=(self._results_path(name, batch.get("results_url")),) if ended else (),
        )

    def _results_path(self, name: str, url: object) -> str:
        """Return the path below ``base_url``: the key goes nowhere else, whatever the server says.

        Raises:
            TargetError: the results are said to lie at another server.
        """
        own = urlsplit(self.base_url)
        given = urlsplit(url if isinstance(url, str) else "")
        if given.netloc and (given.scheme, given.netloc) != (own.scheme, own.netloc):
            message = "the results are said to lie at another server, where no key is sent"
            raise TargetError(message, kind="rejected")
        path = given.path.removeprefix(own.path).lstrip("/") if given.path else ""
        return path or f"{_PATH}/{name}/results"

    async def results(self, name: str, state: BatchState) -> AsyncIterator[Result]:
        """Yield the results as they come."""
        del name
        for path in state.files:
            async for line in self._http.lines(path):
                if line.strip():
                    yield _result(line, self._http.clean)

    async def cancel(self, name: str) -> None:
        """Ask the provider to stop."""
        await persistent(lambda: self._http.call("POST", f"{_PATH}/{name}/cancel"))

    async def close(self) -> None:
        """Nothing is kept open."""


def _part(request: BatchRequest) -> bytes:
    part = {"custom_id": request.custom_id, "params": request.body}
    return json.dumps(part, separators=(",", ":")).encode("ascii")


def _name(batch: Mapping[str, Any]) -> str:
    name = batch.get("id")
    # It becomes part of an address.
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
        message = "the batch API answered without a name for the batch"
        raise TargetError(message, kind="server", possibly_paid=True)
    return name


def _counts(batch: Mapping[str, Any]) -> dict[str, int]:
    counts = batch.get("request_counts")
    found = counts.items() if isinstance(counts, dict) else ()
    return {str(name): number for name, number in found if isinstance(number, int)}


def _too_old(batch: Mapping[str, Any], sought: Sought) -> bool:
    try:
        made = datetime.fromisoformat(str(batch.get("created_at")))
    except ValueError:
        return False
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    return made.timestamp() < sought.created - _SLACK_S


def _result(line: bytes, clean: Callable[[str], str]) -> Result:
    try:
        found = json.loads(line)
        custom_id, result = found["custom_id"], found["result"]
        kind = result["type"]
    except (ValueError, RecursionError, KeyError, TypeError):
        custom_id, result, kind = None, {}, ""
    if not isinstance(custom_id, str):
        return Result(None, _unreadable())
    try:
        if kind == "succeeded":
            return Result(custom_id, messages_reply(result["message"]))
        return Result(custom_id, _failed(kind, result, clean))
    except TargetError as error:
        return Result(custom_id, error)
    except (KeyError, TypeError, AttributeError):
        return Result(custom_id, _unreadable())


def _failed(kind: str, result: Mapping[str, Any], clean: Callable[[str], str]) -> TargetError:
    if kind in ("expired", "canceled"):
        said = "cancelled" if kind == "canceled" else kind
        return TargetError(f"the batch {said} before it was its turn", kind="expired")
    if kind != "errored":
        return _unreadable()
    # The body of an ordinary error, one level down.
    error = result["error"].get("error") or result["error"]
    message = clean(str(error.get("message") or "the batch gave no answer"))
    rejected = error.get("type") in _REJECTED
    return TargetError(message, kind="rejected" if rejected else "server")


def _unreadable() -> TargetError:
    message = "a line of the batch's results cannot be read"
    return TargetError(message, kind="server", possibly_paid=True)
