"""HTTP without a client's layers: connections are kept, responses are read whole and bounded."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from costopt.models import lean_http, wire
from costopt.models.lean_http import BrokenConnectionError, LeanClient, NoConnectionError, Response

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def whole(body: bytes = b"fine", status: str = "200 OK", **headers: str) -> bytes:
    given = {"Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class Raw:
    """A server that writes given bytes for each request; after ``None`` it closes."""

    def __init__(self, *replies: bytes | None) -> None:
        self.replies = list(replies)
        self.connections = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.closed = asyncio.Event()
        self._served: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def client(self, path: str, **headers: str) -> AsyncIterator[LeanClient]:
        """Serve, and yield a client of it."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
        client = LeanClient(url, {"Authorization": "Bearer k", **headers})
        try:
            async with asyncio.timeout(20):
                yield client
        finally:
            client.close()
            server.close()
            await asyncio.gather(*self._served)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served += [task for task in (asyncio.current_task(),) if task]
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._one(reader, writer):
                pass
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.closed.set()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length: ")[2].split("\r\n")[0])
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(length))
        reply = self.replies.pop(0) if self.replies else whole()
        if reply is not None:
            writer.write(reply)
        return reply is not None and b"Close-After" not in reply


def with_server(
    work: Callable[[LeanClient, Raw], Awaitable[Any]],
    *replies: bytes | None,
    path: str = "/v1/chat",
    **headers: str,
) -> tuple[Any, Raw]:
    """Do something with a client of a server that replies so; its errors come through."""

    async def run() -> tuple[Any, Raw]:
        raw = Raw(*replies)
        async with raw.client(path, **headers) as client:
            return await work(client, raw), raw

    return asyncio.run(run())


async def thrice(client: LeanClient, raw: Raw) -> list[Response]:
    return [await client.post(b"{}") for _ in range(3)]


async def once(client: LeanClient, raw: Raw) -> Response:
    return await client.post(b'{"a": 1}')


def test_a_connection_is_kept() -> None:
    found, raw = with_server(thrice)
    assert [one.content for one in found] == [b"fine"] * 3
    assert raw.connections == 1


def test_only_the_given_headers_leave() -> None:
    _, raw = with_server(once, path="/v1/a%20b?c=d")
    first, *lines = raw.heads[0].strip().split("\r\n")
    assert first == "POST /v1/a%20b?c=d HTTP/1.1"
    assert {line.split(":")[0].lower() for line in lines} == {
        "host", "user-agent", "accept-encoding", "authorization", "content-length",
    }  # fmt: skip
    assert raw.bodies == [b'{"a": 1}']


@pytest.mark.parametrize(
    ("reply", "connections"),
    [
        (whole(Connection="close"), 3),
        # What follows a response unasked would be taken for the answer to the next request.
        (whole() + whole(b"planted"), 3),
        (b"HTTP/1.0 200 OK\r\nClose-After: now\r\n\r\nfine", 3),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nne\r\n0\r\n\r\n",
            1,
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + whole(), 1),
    ],
    ids=["close", "more than asked for", "ends with the connection", "chunked", "100"],
)
def test_responses_end_as_they_say(reply: bytes, connections: int) -> None:
    found, raw = with_server(thrice, reply, reply, reply)
    assert [one.content for one in found] == [b"fine"] * 3
    assert raw.connections == connections


def test_a_connection_that_the_server_closed_is_not_used() -> None:
    async def apart(client: LeanClient, raw: Raw) -> Response:
        await client.post(b"{}")
        await raw.closed.wait()
        await asyncio.sleep(0.05)  # Until its end has arrived here.
        return await client.post(b"{}")

    found, raw = with_server(apart, whole(Close_After="now"))
    assert (found.content, raw.connections) == (b"fine", 2)


def test_a_connection_that_was_long_idle_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean_http, "_KEPT_S", 0.0)
    assert with_server(thrice)[1].connections == 3


def test_as_many_connections_as_requests_at_a_time() -> None:
    async def together(client: LeanClient, raw: Raw) -> list[Response]:
        for _ in range(2):
            found = await asyncio.gather(*(client.post(b"{}") for _ in range(9)))
        return found

    found, raw = with_server(together)
    assert [one.content for one in found] == [b"fine"] * 9
    assert raw.connections == 9


@pytest.mark.parametrize(
    "reply",
    [
        None,
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nClose-After: now\r\n\r\nfi",
        CHUNKED + b"zz\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"a" * 200_000,
        whole(gzip.compress(b"fine"), Content_Encoding="gzip"),
        whole(b"x" * 2000),
    ],
    ids=["closed", "silent", "nonsense", "cut", "bad chunk", "long head", "compressed", "long"],
)
def test_what_is_no_whole_response(reply: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_RESPONSE", 1000)

    async def impatient(client: LeanClient, raw: Raw) -> Response:
        async with asyncio.timeout(1.0 if reply == b"" else 20):
            return await client.post(b"{}")

    with pytest.raises(TimeoutError if reply == b"" else BrokenConnectionError):
        with_server(impatient, reply)


def test_the_next_request_after_a_broken_one() -> None:
    async def again(client: LeanClient, raw: Raw) -> Response:
        with pytest.raises(BrokenConnectionError):
            await client.post(b"{}")
        return await client.post(b"{}")

    assert with_server(again, None)[0].content == b"fine"


def test_a_redirect_is_a_refusal() -> None:
    found, raw = with_server(once, whole(status="307 X", Location="http://127.0.0.1:9/"))
    assert found.status == 400
    assert b"base_url" in found.content
    assert len(raw.heads) == 1


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/v1", "127.0.0.1/v1", "http://", "http://[::"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(NoConnectionError):
        LeanClient(url, {})


def test_a_header_that_cannot_be_sent() -> None:
    with pytest.raises(NoConnectionError):
        with_server(once, Accept="two\nlines")


def test_a_server_without_tls_is_not_spoken_to_with_it() -> None:
    async def send(client: LeanClient, raw: Raw) -> None:
        url = str(client._url.copy_with(scheme="https"))
        with pytest.raises(NoConnectionError):
            await LeanClient(url, {}).post(b"{}")
        assert raw.heads == []

    with_server(send)
