"""The HTTP client for other people's servers: bounded, and silent about everything but the key.

Imported only where a request is made: it loads the HTTP library.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Mapping

import httpx2

# At its lowest level the library writes down every header, and a server may say the key there.
logging.getLogger("httpcore2").setLevel(logging.INFO)

LARGEST_RESPONSE = 16 * 1024 * 1024
"""Bytes of one response; a longer one is cut off as an error."""

# What a request needs. SDKs would also send an organisation, a project and custom headers from
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
        b"anthropic-version",
        b"anthropic-beta",
    }
)

REDIRECTED = {"error": {"message": "the server redirects elsewhere: give that address as base_url"}}

# How many requests are under way is decided above; a connection that is closed only because
# others are open would have to be opened again.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=None)


# A pool looks through all its connections for each request, so that many are slow in one pool.
_POOL = 16


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


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """Sends the few headers that are needed, and takes bounded, uncompressed responses.

    Keys are known here only: an SDK above it has nothing to print.

    Args:
        headers: Sent with every request, such as the one that carries the key.
        verify: How certificates are checked; by default as the HTTP library does.
        largest: Bytes of one response.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        verify: ssl.SSLContext | bool = True,
        largest: int | None = None,
    ) -> None:
        super().__init__(limits=_LIMITS, verify=verify)
        self._largest = largest or LARGEST_RESPONSE
        # A small compressed body may be a large one: ask for plain ones, and take no others.
        self._sent = [(b"Accept-Encoding", b"identity")]
        self._sent += [(name.encode(), value.encode()) for name, value in headers.items()]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; a redirect comes back as a refusal."""
        kept = [(name, value) for name, value in request.headers.raw if name.lower() in _HEADERS]
        request.headers = httpx2.Headers([*kept, *self._sent])
        response = await super().handle_async_request(request)
        if response.is_redirect:
            await response.aclose()
            return httpx2.Response(400, json=REDIRECTED, request=request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.ReadError("the server compressed its response unasked")
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Bounded(response.stream, self._largest)
        return response


class _Pools(httpx2.AsyncBaseTransport):
    """As many pools as the requests under way need, filled in order."""

    def __init__(self, headers: Mapping[str, str], largest: int | None) -> None:
        verify = httpx2.create_ssl_context()
        self._make = lambda: BoundedTransport(headers, verify, largest)
        self._pools = [self._make()]
        self._busy = [0]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        index = next((i for i, busy in enumerate(self._busy) if busy < _POOL), len(self._busy))
        if index == len(self._pools):
            self._pools.append(self._make())
            self._busy.append(0)
        self._busy[index] += 1
        try:
            return await self._pools[index].handle_async_request(request)
        finally:
            self._busy[index] -= 1

    async def aclose(self) -> None:
        for pool in self._pools:
            await pool.aclose()


def key_header(key: str | None, header: str = "Authorization") -> dict[str, str]:
    """Return the header that carries a key; in ``Authorization`` it is a bearer token."""
    if key is None:
        return {}
    return {header: f"Bearer {key}" if header == "Authorization" else key}


def bounded_client(
    headers: Mapping[str, str], timeout_s: float, *, largest: int | None = None
) -> httpx2.AsyncClient:
    """Return an HTTP client that sends some headers with every request, the key among them.

    Redirects are errors: the key would go where nobody named it.

    Args:
        headers: Such as those of `key_header`; none for a server without keys.
        timeout_s: Seconds for each read and write; 10 for connecting.
        largest: Bytes of one response; ``None`` for `LARGEST_RESPONSE`.
    """
    timeout = httpx2.Timeout(timeout_s, connect=min(10.0, timeout_s))
    transport = _Pools(headers, largest)
    return httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=False)
