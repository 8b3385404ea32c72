"""HTTP/1.1 for one address, without the layers of an HTTP client: POST a body, read the response.

An HTTP client's pools, streams, hooks and redirects take most of the processor time of a request
to a chat server. What is left here is a stack of kept connections, each of which speaks through
h11, the protocol library that the HTTP clients themselves use. Responses are bounded and
uncompressed, redirects are refusals, nothing is logged, and only the headers that are given leave.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h11
import httpx2

from . import wire

if TYPE_CHECKING:
    import ssl

_CONNECT_S = 10.0
_KEPT_S = 5.0
"""A connection that was idle for longer may be one that the server is about to close."""

_OTHER_ADDRESS_S = 0.25
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LONGEST_HEAD = 100 * 1024
_DONE = (h11.DONE, h11.DONE)


class NoConnectionError(Exception):
    """There is no connection: nothing was sent."""


class BrokenConnectionError(Exception):
    """Something was sent, and no whole response came back."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """A whole response; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class LeanClient:
    """Sends bodies to one address, over as many connections as there are requests at a time.

    It belongs to the event loop that it is used in.

    Args:
        url: Where to.
        headers: Sent with every request, such as the one that carries the key.

    Raises:
        NoConnectionError: the address is none.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        try:
            self._url = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise NoConnectionError(str(error)) from None
        if self._url.scheme not in ("http", "https") or not self._url.host:
            raise NoConnectionError(
                f'"{self._url.scheme}://{self._url.host}" is no address for HTTP'
            )
        self._tls = _tls() if self._url.scheme == "https" else None
        own = {"Host": self._url.netloc.decode("ascii"), "User-Agent": "costopt"}
        sent = {**own, "Accept-Encoding": "identity", **headers}
        self._headers = [(name.encode(), value.encode()) for name, value in sent.items()]
        self._idle: list[_Connection] = []

    async def post(self, body: bytes) -> Response:
        """Send a body and return the whole response.

        Raises:
            NoConnectionError: nothing was sent.
            BrokenConnectionError: no whole response came.
        """
        connection = self._kept() or await self._connect()
        try:
            response = await connection.post(self._url.raw_path, self._headers, body)
        except BaseException:
            connection.close()
            raise
        if connection.again():
            self._idle.append(connection)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise BrokenConnectionError("the server compressed its response unasked")
        if response.status in _REDIRECTS:
            return Response(status=400, headers={}, content=json.dumps(wire.REDIRECTED).encode())
        return response

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def _kept(self) -> "_Connection | None":
        """Return the connection that was used last, if it is still open."""
        while self._idle:
            connection = self._idle.pop()
            if connection.fresh():
                return connection
            connection.close()
        return None

    async def _connect(self) -> "_Connection":
        port = self._url.port or (80 if self._tls is None else 443)
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, connection = await asyncio.get_running_loop().create_connection(
                    _Connection,
                    self._url.raw_host.decode("ascii"),
                    port,
                    ssl=self._tls,
                    happy_eyeballs_delay=_OTHER_ADDRESS_S,
                )
        except TimeoutError:
            raise NoConnectionError("it took too long") from None
        except OSError as error:  # Those of names and of certificates too.
            raise NoConnectionError(str(error)) from None
        return connection


def _tls() -> "ssl.SSLContext":
    """Return how certificates are checked: as the HTTP library does."""
    context = httpx2.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass
class _Reading:
    """A response as far as it is there."""

    done: "asyncio.Future[Response]"
    largest: int
    head: h11.Response | None = None
    parts: list[bytes] = field(default_factory=list[bytes])
    size: int = 0


class _Connection(asyncio.Protocol):
    """One connection, which carries one request at a time."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        self._loop = asyncio.get_running_loop()
        self._reading: _Reading | None = None
        self._since = 0.0
        self._open = True

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own types differ
        self._transport: asyncio.Transport = transport

    async def post(self, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> Response:
        """Send a request and return the whole response."""
        length = (b"Content-Length", str(len(body)).encode())
        try:
            asked = h11.Request(method="POST", target=path, headers=[*headers, length])
        except h11.LocalProtocolError as error:
            raise NoConnectionError(str(error)) from None
        sent = [asked, h11.Data(data=body), h11.EndOfMessage()]
        data = b"".join(self._http.send(event) or b"" for event in sent)
        if not self._open:
            raise NoConnectionError("the server closed it")
        self._reading = _Reading(self._loop.create_future(), wire.LARGEST_RESPONSE)
        self._transport.write(data)
        return await self._reading.done

    def again(self) -> bool:
        """Get ready for another request, or close where there can be none."""
        self._reading = None
        self._since = self._loop.time()
        # What came after the response would be taken for the next one.
        more = self._http.trailing_data[0]
        ended = (self._http.our_state, self._http.their_state) == _DONE
        if self._open and ended and not more:
            self._http.start_next_cycle()
            return True
        self.close()
        return False

    def fresh(self) -> bool:
        """Say whether it can be used again."""
        return self._open and self._loop.time() - self._since < _KEPT_S

    def close(self) -> None:
        """Close it at once."""
        self._open = False
        self._reading = None
        self._transport.abort()

    # -- what asyncio calls ----------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take in what came; what comes unasked ends the connection."""
        reading = self._reading
        if reading is None or reading.done.done():
            self.close()
            return
        self._http.receive_data(data)
        self._read(reading)

    def eof_received(self) -> None:
        """End a response that ends with its connection."""
        reading, self._open = self._reading, False
        if reading is not None and not reading.done.done():
            self._http.receive_data(b"")
            self._read(reading)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self._open = False
        if self._reading is not None:
            _fail(self._reading, str(exc or "the server closed it without a whole response"))

    def _read(self, reading: _Reading) -> None:
        try:
            while not reading.done.done():
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return
                _take(reading, event)
        except h11.RemoteProtocolError as error:
            _fail(reading, str(error))


def _take(reading: _Reading, event: object) -> None:
    if isinstance(event, h11.Response):
        reading.head = event
    elif isinstance(event, h11.Data):
        reading.size += len(event.data)
        if reading.size > reading.largest:
            _fail(reading, f"the response is longer than {reading.largest} bytes")
        reading.parts.append(bytes(event.data))
    elif isinstance(event, h11.EndOfMessage) and reading.head is not None:
        headers = {name.decode("latin-1"): _text(value) for name, value in reading.head.headers}
        content = b"".join(reading.parts)
        status = reading.head.status_code
        reading.done.set_result(Response(status=status, headers=headers, content=content))
    elif isinstance(event, h11.ConnectionClosed):
        _fail(reading, "the server closed it without a response")


def _text(value: bytes) -> str:
    return value.decode("latin-1").strip()


def _fail(reading: _Reading, why: str) -> None:
    if not reading.done.done():
        reading.done.set_exception(BrokenConnectionError(why))
