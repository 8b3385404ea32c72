"""A chat server on loopback that costs as little as may be: what benchmarks of runners ask.

A process of its own, which prints its port. One `asyncio` protocol for each connection reads the
head of a request up to its ``Content-Length``, skips the body unread, and writes the same bytes
for every request: status 200 with a chat completion of about 20 tokens, its usage, and keep-alive.
A latency is a timer of the loop, so that thousands wait at once. There is no HTTP library in it,
no routing and no JSON, so it is never what a runner waits for; nothing about it is a test of how a
request is formed. ``GET /_count`` returns how many requests were answered, which is held against
what a contestant was told to ask, and the seconds from the arrival of the first to the last answer.

    python benchmarks/loopback.py [--latency-ms 50]
"""

import argparse
import asyncio
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from work import ANSWER, MODEL

_COMPLETION = {
    "id": "chatcmpl-0", "object": "chat.completion", "created": 1_700_000_000, "model": MODEL,
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 60, "completion_tokens": 20, "total_tokens": 80},
}  # fmt: skip


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    """One connection: a request at a time, the same reply to each."""

    reply = _response(json.dumps(_COMPLETION, separators=(",", ":")).encode())
    answered = 0
    began_s: float | None = None
    ended_s = 0.0

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._call_later = asyncio.get_running_loop().call_later
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._write = transport.write
        self._closing = transport.is_closing

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(buffer) < end + 4 + length:
            return
        self._buffer = buffer[end + 4 + length :]
        if head.startswith(b"get /_count"):
            self._write(_response(json.dumps(self._told()).encode()))
            return
        if _Connection.began_s is None:
            _Connection.began_s = time.perf_counter()
        if self._latency_s:
            self._call_later(self._latency_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        if not self._closing():
            _Connection.answered += 1
            _Connection.ended_s = time.perf_counter()
            self._write(self.reply)

    def _told(self) -> dict[str, float]:
        """Return what `Counted` holds."""
        began_s = _Connection.began_s
        asking_s = 0.0 if began_s is None else _Connection.ended_s - began_s
        return {"answered": _Connection.answered, "asking_s": asking_s}


async def serve(latency_s: float) -> None:
    """Serve until standard input ends, which it does when whoever started this ends."""
    loop = asyncio.get_running_loop()
    made = partial(_Connection, latency_s)
    server = await loop.create_server(made, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@dataclass(frozen=True)
class Counted:
    """What a server has done since it was started."""

    answered: int
    asking_s: float
    """From the arrival of the first request to the last answer."""


@dataclass(frozen=True)
class Server:
    """A server under way."""

    port: int

    @property
    def url(self) -> str:
        """The base of its addresses, as OpenAI's clients want it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def counted(self) -> Counted:
        """Return what it has done so far."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/_count")
        found = json.loads(connection.getresponse().read())
        connection.close()
        return Counted(**found)


@contextmanager
def running(latency_ms: float) -> Iterator[Server]:
    """Run a server beside this process."""
    command = [sys.executable, __file__, "--latency-ms", str(latency_ms)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the server has no streams")
        yield Server(int(process.stdout.readline()))
        process.stdin.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency-ms", type=float, default=0.0, help="before each answer")
    asyncio.run(serve(parser.parse_args().latency_ms / 1000))
