"""The bounded client for SDKs that still want the older HTTP library (Groq's)."""

import httpx
import httpx2

from .wire import BoundedTransport, key_header


class _Adapter(httpx.AsyncBaseTransport):
    """Hands requests to the one transport that bounds responses and knows the key."""

    def __init__(self, transport: BoundedTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sent = httpx2.Request(
            request.method,
            str(request.url),
            headers=request.headers.raw,
            content=await request.aread(),
            extensions=request.extensions,
        )
        try:
            found = await self._transport.handle_async_request(sent)
            content = await found.aread()
        except httpx2.TransportError as error:
            # The SDK tells what may have been sent by the error's class; both have the same.
            kind = getattr(httpx, type(error).__name__, httpx.ReadError)
            raise kind(str(error), request=request) from None
        return httpx.Response(
            found.status_code, headers=found.headers.raw, content=content, request=request
        )

    async def aclose(self) -> None:
        await self._transport.aclose()


def httpx_client(key: str | None, timeout_s: float) -> httpx.AsyncClient:
    """Return a client of the older library that sends ``key`` as the bearer token.

    Args:
        key: The key, or ``None`` for a server without keys.
        timeout_s: Seconds for each read and write; 10 for connecting.
    """
    timeout = httpx.Timeout(timeout_s, connect=min(10.0, timeout_s))
    return httpx.AsyncClient(
        transport=_Adapter(BoundedTransport(key_header(key))),
        timeout=timeout,
        follow_redirects=False,
    )
