"""The HTTP client for other people's servers: bounded, and silent about everything but the key.

Imported only where a request is made: it loads the HTTP library.
"""

from collections.abc import AsyncIterator, Mapping

import httpx2

LARGEST_RESPONSE = 16 * 1024 * 1024
"""Bytes of one response; a longer one is cut off as an error."""

# What a request needs. The SDK would also send an organisation, a project and custom headers from
# variables that were set for another endpoint.
_HEADERS = frozenset(
    {
        b"host",
        b"accept",
        b"connection",
        b"user-agent",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
    }
)

_REDIRECTED = {
    "error": {"message": "the server redirects elsewhere: give that address as base_url"}
}


class _Bounded(httpx2.AsyncByteStream):
    """A response's bytes, up to a limit."""

    def __init__(self, stream: httpx2.AsyncByteStream, largest: int) -> None:
        self._stream = stream
        self._largest = largest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > self._largest:
                raise httpx2.ReadError(f"the response is longer than {self._largest} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Transport(httpx2.AsyncHTTPTransport):
    """Sends the few headers that are needed, and takes bounded, uncompressed responses."""

    def __init__(self, headers: Mapping[str, str], largest: int) -> None:
        super().__init__()
        self._own = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._largest = largest

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        kept = [(name, value) for name, value in request.headers.raw if name.lower() in _HEADERS]
        # A small compressed body may be a large one: ask for plain ones, and take no others.
        kept.append((b"Accept-Encoding", b"identity"))
        request.headers = httpx2.Headers([*kept, *self._own])
        response = await super().handle_async_request(request)
        if response.is_redirect:
            await response.aclose()
            return httpx2.Response(400, json=_REDIRECTED, request=request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.ReadError("the server compressed its response unasked")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, self._largest)
        return response


def bounded_client(
    key: str | None,
    timeout_s: float,
    *,
    headers: Mapping[str, str] | None = None,
    largest: int | None = None,
) -> httpx2.AsyncClient:
    """Return an HTTP client that sends ``key`` as the bearer token, or no token at all.

    Redirects are errors: the key would go where nobody named it.

    Args:
        key: The token, or ``None`` for a server without keys.
        timeout_s: Seconds for each read and write; 10 for connecting.
        headers: Sent in place of the token, where a provider takes its key in another one.
        largest: Bytes of one response, where it may be longer than `LARGEST_RESPONSE`.
    """
    if headers is None:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    timeout = httpx2.Timeout(timeout_s, connect=min(10.0, timeout_s))
    transport = _Transport(headers, largest or LARGEST_RESPONSE)
    return httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)
