"""Calls to a batch API: bounded, redirects are errors, and errors say what it means for money."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ...core.protocols import TargetError
from ..api_key import without_keys
from ..pacing import LONGEST_WAIT_S
from ..retries import backoff_s
from ..statuses import retry_after_s, said

if TYPE_CHECKING:
    import httpx2

_TIMEOUT_S = 300.0
_LARGEST_RESULTS = 8 * 1024**3
_LONGEST_LINE = 16 * 1024**2
_TRIES = 4
_T = TypeVar("_T")


class HttpError(TargetError):
    """A call that failed with a status."""

    def __init__(self, message: str, *, status: int, retry_after_s: float | None = None) -> None:
        kind = "rate_limit" if status == 429 else "rejected"
        if status >= 500 or status == 408:
            kind = "server"
        super().__init__(message, kind=kind, retry_after_s=retry_after_s)
        self.status = status


class Http:
    """The calls of one batch API.

    Args:
        base_url: Paths are below it.
        headers: Returns the headers with the key; asked anew for each call, kept nowhere.
    """

    def __init__(self, base_url: str, headers: Callable[[], Mapping[str, str]]) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = headers

    def clean(self, text: str) -> str:
        """Return what a provider said as one line of bounded length, without the key."""
        return _clean(text, self._headers())

    async def get(self, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the JSON of a ``GET``; asked again where the server failed."""
        return await persistent(lambda: self.call("GET", path, **options))

    async def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        """Make one call and return its JSON object.

        Raises:
            TargetError: it failed; ``possibly_paid`` where it may have been carried out.
        """
        async with self._response(method, path, **options) as response:
            content = await response.aread()
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            message = "the batch API answered with something that is no JSON object"
            raise TargetError(message, kind="server", possibly_paid=True)
        return found

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """Yield the lines of a results file as they come, without reading it whole.

        Raises:
            TargetError: it failed, or a line is longer than 16 MB.
        """
        rest = b""
        async with self._response("GET", path, largest=_LARGEST_RESULTS) as response:
            async for chunk in response.aiter_bytes():
                # Not `aiter_lines`: it also breaks at characters that JSON may hold as they are.
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield line
                if len(rest) > _LONGEST_LINE:
                    raise TargetError("a line of the results is longer than 16 MB", kind="server")
        if rest:
            yield rest

    @asynccontextmanager
    async def _response(
        self,
        method: str,
        path: str,
        *,
        largest: int | None = None,
        **options: Any,  # noqa: ANN401
    ) -> AsyncGenerator["httpx2.Response"]:
        import httpx2

        from ..wire import bounded_client

        headers = self._headers()
        try:
            async with (
                bounded_client(headers, _TIMEOUT_S, largest=largest) as client,
                client.stream(method, f"{self.base_url}/{path}", **options) as response,
            ):
                if response.status_code >= 400:
                    raise _status_error(response, await response.aread(), headers)
                yield response
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise TargetError(_clean(f"no connection: {error}", headers), kind="server") from error
        except httpx2.HTTPError as error:
            message = _clean(f"the connection was lost: {error}", headers)
            raise TargetError(message, kind="server", possibly_paid=True) from error


async def persistent(action: Callable[[], Awaitable[_T]]) -> _T:
    """Do what may be done twice until it succeeds: up to four times, with growing waits.

    Raises:
        TargetError: it failed in a way that asking again does not help, or too often.
    """
    for tries in range(1, _TRIES + 1):
        try:
            return await action()
        except TargetError as error:
            wait = backoff_s(tries, error.retry_after_s)
            if error.kind == "rejected" or tries == _TRIES or wait > LONGEST_WAIT_S:
                raise
        await asyncio.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _status_error(
    response: "httpx2.Response", content: bytes, headers: Mapping[str, str]
) -> HttpError:
    status = response.status_code
    message = _clean(f"status {status}: {said(content)}", headers)
    return HttpError(message, status=status, retry_after_s=retry_after_s(response.headers))


def _clean(text: str, headers: Mapping[str, str]) -> str:
    return without_keys(text, *(value.removeprefix("Bearer ") for value in headers.values()))
