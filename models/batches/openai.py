"""OpenAI's batch API, and every compatible server that has ``/files`` and ``/batches``."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from ...core.protocols import TargetError
from ...core.types import Request
from .answers import chat_reply
from .base import BatchRequest, BatchState, Limits, Result, Sought, Style
from .bodies import chat_body
from .http import Http, HttpError, persistent

_ENDPOINT = "/v1/chat/completions"
_TAG = "costopt"
_PAGE = 100
_MOST_PAGES = 50
_SLACK_S = 3600
_UNRUN = frozenset({"expired", "cancelled"})
_UNRUN_CODES = {"batch_expired": "expired", "batch_cancelled": "cancelled"}


class OpenAIBatches:
    """Batches of chat completions: a file goes up, a batch is made of it, files come down.

    Args:
        base_url: Such as ``https://api.openai.com/v1``.
        model: The model's name there.
        headers: Returns the headers with the key.
        cache_reads: Whether the server's cache hits are billed as such.
    """

    style: Style = "chat"
    limits = Limits(requests=50_000, bytes=200_000_000)

    def __init__(
        self,
        base_url: str,
        model: str,
        headers: Callable[[], Mapping[str, str]],
        *,
        cache_reads: bool,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._model = model
        self._cache_reads = cache_reads
        self._http = Http(base_url, headers)

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body for ``chat/completions``."""
        openai = self.base_url.startswith("https://api.openai.com/")
        return chat_body(request, self._model, openai=openai)

    def size(self, request: BatchRequest) -> int:
        """Return the bytes of the request's line."""
        return len(_line(request))

    async def submit(
        self, tag: str, requests: Sequence[BatchRequest], about_to: Callable[[str], None]
    ) -> str:
        """Upload the requests and make a batch of them; its input file is the reference."""
        data = b"".join(_line(request) for request in requests)
        file = await persistent(lambda: self._upload(tag, data))
        about_to(file)
        batch = await self._http.call(
            "POST",
            "batches",
            json={
                "input_file_id": file,
                "endpoint": _ENDPOINT,
                "completion_window": "24h",
                "metadata": {_TAG: tag},
            },
        )
        return _name(batch, possibly_paid=True)

    async def _upload(self, tag: str, data: bytes) -> str:
        file = ("file", (f"costopt-{tag}.jsonl", data, "application/jsonl"))
        purpose = ("purpose", (None, b"batch"))
        return _name(await self._http.call("POST", "files", files=[purpose, file]))

    async def find(self, sought: Sought) -> str | None:
        """Return the batch with our tag, or of our file: a server may keep no tags."""
        if sought.reference is None:
            return None
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self._http.get("batches", params={"limit": str(_PAGE), **after})
            batches = [found for found in _items(page) if isinstance(found.get("id"), str)]
            for found in batches:
                tagged = (found.get("metadata") or {}).get(_TAG) == sought.tag
                if tagged or found.get("input_file_id") == sought.reference:
                    return str(found["id"])
            if not page.get("has_more") or not batches or _too_old(batches[-1], sought.created):
                return None
            after = {"after": str(batches[-1]["id"])}
        return None

    async def state(self, name: str) -> BatchState:
        """Return how far a batch is."""
        return _state(await self._http.get(f"batches/{name}"), self._http.clean)

    async def results(self, name: str, state: BatchState) -> AsyncIterator[Result]:
        """Yield what the output file and the error file hold."""
        del name
        for file in state.files:
            async for line in self._http.lines(f"files/{file}/content"):
                if line.strip():
                    yield self._result(line)

    def _result(self, line: bytes) -> Result:
        try:
            found = json.loads(line)
            custom_id = found["custom_id"]
        except (ValueError, RecursionError, KeyError, TypeError):
            return _unreadable()
        if not isinstance(custom_id, str):
            return _unreadable()
        response, error = found.get("response"), found.get("error")
        try:
            if isinstance(response, dict) and 200 <= int(response.get("status_code") or 0) < 300:
                return Result(
                    custom_id, chat_reply(response["body"], cache_reads=self._cache_reads)
                )
            return Result(custom_id, _failed(response, error, self._http.clean))
        except TargetError as failed:
            return Result(custom_id, failed)
        except (KeyError, TypeError, ValueError):
            return Result(custom_id, _unreadable().outcome)

    async def cancel(self, name: str) -> None:
        """Ask the provider to stop."""
        await persistent(lambda: self._http.call("POST", f"batches/{name}/cancel"))

    async def close(self) -> None:
        """Nothing is kept open."""


def _line(request: BatchRequest) -> bytes:
    line = {
        "custom_id": request.custom_id,
        "method": "POST",
        "url": _ENDPOINT,
        "body": request.body,
    }
    return json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"


def _name(found: Mapping[str, Any], *, possibly_paid: bool = False) -> str:
    name = found.get("id")
    # It becomes part of an address.
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
        message = "the batch API answered without a name for what it made"
        raise TargetError(message, kind="server", possibly_paid=possibly_paid)
    return name


def _items(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    data = page.get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def _too_old(batch: Mapping[str, Any], created: float) -> bool:
    made = batch.get("created_at")
    return isinstance(made, int | float) and made < created - _SLACK_S


def _state(batch: Mapping[str, Any], clean: Callable[[str], str]) -> BatchState:
    said = str(batch.get("status") or "unknown")
    counts = batch.get("request_counts") or {}
    failed = "refused" if said == "failed" else "running"
    files = (batch.get("output_file_id"), batch.get("error_file_id"))
    total = counts.get("total") or None
    return BatchState(
        status="ended" if said in {"completed", *_UNRUN} else failed,
        said=said,
        done=None if total is None else counts.get("completed", 0) + counts.get("failed", 0),
        total=total,
        unrun=said in _UNRUN,
        message=clean(_message(batch)),
        files=tuple(_name({"id": file}) for file in files if file),
    )


def _message(batch: Mapping[str, Any]) -> str:
    found = (batch.get("errors") or {}).get("data") or ()
    said = [str(error.get("message")) for error in found if isinstance(error, dict)]
    return "; ".join(said[:3])


def _failed(response: object, error: object, clean: Callable[[str], str]) -> TargetError:
    """Return why a request of a batch has no answer."""
    found = error if isinstance(error, dict) else {}
    code = str(found.get("code") or "")
    if code in _UNRUN_CODES:
        return TargetError(f"the batch {_UNRUN_CODES[code]} before it was its turn", kind="expired")
    status = 500
    if isinstance(response, dict):
        status = int(response.get("status_code") or 500)
        body = response.get("body")
        inner = body.get("error", body) if isinstance(body, dict) else body
        found = inner if isinstance(inner, dict) else {"message": str(inner)}
    message = clean(str(found.get("message") or "the batch gave no answer"))
    return HttpError(message, status=status)


def _unreadable() -> Result:
    message = "a line of the batch's results cannot be read"
    return Result(None, TargetError(message, kind="server", possibly_paid=True))
