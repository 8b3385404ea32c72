"""A chat server that fails as it is told, and writes down what it served.

Run it with this interpreter; it prints its port. It keeps connections alive, serves several
thousand requests a second, and listens on loopback only. ``POST /_control`` sets the script (see
`script.Script`) and begins a new ledger; ``GET /_ledger`` returns what came since, one entry a
request; ``GET /_counts`` sums it up. Whatever a test says of "received", "sent again", "attempts"
or "spent" is counted here and not by who is tested.
"""

import asyncio
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from replies import (
    ENDLESS_CHUNK,
    answer_text,
    completion,
    error_body,
    gzip_bomb,
    http,
    not_an_answer,
    prompt_text,
    retry_headers,
    usage_of,
)
from script import Call, Script

Entry = dict[str, Any]


class Book:
    """The script and the ledger of one server."""

    def __init__(self) -> None:
        self.begin(Script())

    def begin(self, script: Script) -> None:
        """Set the script; the ledger starts anew."""
        self.script = script
        self.entries: list[Entry] = []
        self.attempts: Counter[str] = Counter()
        self.numbers = 0
        self.active = 0
        self.most = 0

    def entry(self, path: str, head: str) -> Entry:
        """Open the entry of a request whose head is there."""
        self.numbers += 1
        found: Entry = {
            "number": self.numbers, "sha": None, "attempt": 0, "kind": "", "status": None,
            "came": time.monotonic(), "done": None, "together": 0, "written": False,
            "billed": None, "text": None,
        }  # fmt: skip
        if self.script.record:
            found |= {"path": path, "head": head}
        self.entries.append(found)
        return found

    def counts(self) -> dict[str, Any]:
        """Return the ledger in a few numbers."""
        return {
            "requests": len(self.entries),
            "bodies": len(self.attempts),
            "written": sum(entry["written"] for entry in self.entries),
            "active": self.active,
            "most": self.most,
            "kinds": Counter(entry["kind"] for entry in self.entries),
        }


class Connection(asyncio.Protocol):
    """One connection: a request at a time, one reply each."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = bytearray()
        self._entry: Entry | None = None
        self._whole = False
        self._timer: asyncio.TimerHandle | None = None
        self._begun: tuple[str, str, int, Entry | None] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=0)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._finish(written=False)

    def resume_writing(self) -> None:
        if self._whole:
            self._finish(written=True)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._entry is None and self._step():
            pass

    def _step(self) -> bool:
        """Read a head, or the body after it; return whether there may be more to do."""
        if self._begun is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = self._buffer[:end].decode("latin-1")
            del self._buffer[: end + 4]
            return self._begin(head)
        path, head, length, entry = self._begun
        if len(self._buffer) < length:
            return False
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._begun = None
        if entry is None:
            self._transport.write(control(self._book, path, body))
        else:
            self._serve(entry, path, head, body)
        return True

    def _begin(self, head: str) -> bool:
        path = head.split(" ", 2)[1]
        length = 0
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        if path.startswith("/_"):
            self._begun = (path, head, length, None)
            return True
        entry = self._book.entry(path, head)
        early = self._book.script.early(Call(entry["number"], path))
        if early is not None:
            entry["kind"] = early["kind"]
            self._transport.abort()
            return False
        self._begun = (path, head, length, entry)
        return True

    def _serve(self, entry: Entry, path: str, head: str, body: bytes) -> None:
        book = self._book
        text, sha = prompt_text(body), hashlib.sha256(body).hexdigest()
        book.attempts[sha] += 1
        book.active += 1
        book.most = max(book.most, book.active)
        self._entry, self._whole = entry, False
        entry |= {"sha": sha, "attempt": book.attempts[sha], "together": book.active}
        if book.script.record:
            entry["text"] = text
        do = book.script.choose(Call(entry["number"], path, text, sha, entry["attempt"]))
        entry["kind"] = do["kind"]
        answer = do.get("text") or answer_text(text, sha)
        usage = usage_of(text, answer, body, do)
        work = _KINDS[do["kind"]](self, entry, do, completion(answer, usage), head)
        if do["kind"] in _BILLED:
            entry["billed"] = usage_of(text, answer, body, {**do, "usage": _billed(do)})
        latency_s = do.get("latency_ms", 0) / 1000
        if latency_s:
            self._timer = asyncio.get_running_loop().call_later(latency_s, work)
        else:
            work()

    # -- the kinds of replies: each returns what is done once the latency is over -------------

    def _send(self, status: int, body: bytes, **more: Any) -> Callable[[], None]:
        entry = self._entry
        if entry is not None:
            entry["status"] = status
        return lambda: self._reply(http(status, body, **more))

    def _reply(self, data: bytes) -> None:
        self._whole = True
        self._transport.write(data)
        if self._transport.get_write_buffer_size() == 0:
            self._finish(written=not self._transport.is_closing())

    def _finish(self, *, written: bool) -> None:
        entry = self._entry
        if entry is None:
            return
        entry |= {"written": written, "done": time.monotonic()}
        self._entry = None
        self._book.active -= 1
        while self._entry is None and not self._transport.is_closing() and self._step():
            pass

    def ok(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        return self._send(200, whole, headers=do.get("headers"))

    def status(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        body = error_body(do.get("message", f"scripted {do['status']}"))
        return self._send(do["status"], body, headers=retry_headers(do.get("retry_after")))

    def echo_key(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        sent = [line for line in head.split("\r\n") if line.lower().startswith("authorization:")]
        said = f"Incorrect API key provided: {sent[0].split()[-1] if sent else 'none'}; {sent}"
        headers = {"X-Echo": sent[0]} if sent else {}
        return self._send(do.get("status", 401), error_body(said), headers=headers)

    def redirect(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        return self._send(do.get("status", 307), b"", headers={"Location": do["location"]})

    def close_after_body(
        self, entry: Entry, do: Any, whole: bytes, head: str
    ) -> Callable[[], None]:
        return self._transport.abort

    def cut(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        def half() -> None:
            self._transport.write(http(200, whole[: len(whole) // 2], length=len(whole)))
            self._transport.close()

        return half

    def stall(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        return lambda: None

    def slow_loris(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        return lambda: self._drip(http(200, whole, length=len(whole)), do.get("every_ms", 50))

    def _drip(self, rest: bytes, every_ms: float) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(rest[:1])
        if len(rest) > 1:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(every_ms / 1000, self._drip, rest[1:], every_ms)

    def endless(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        start = b"HTTP/1.1 200 Scripted\r\nContent-Type: application/json\r\n"
        return lambda: self._pour(start + b"Transfer-Encoding: chunked\r\n\r\n")

    def _pour(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() < 4 * len(ENDLESS_CHUNK):
            self._transport.write(data)
            data = ENDLESS_CHUNK
        self._timer = asyncio.get_running_loop().call_later(0.0005, self._pour, data)

    def gzip_bomb(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        return self._send(200, gzip_bomb(), headers={"Content-Encoding": "gzip"})

    def wrong_type(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        return self._send(200, whole, headers={"Content-Type": "image/png"})

    def no_answer(self, entry: Entry, do: Any, whole: bytes, head: str) -> Callable[[], None]:
        body, headers = not_an_answer(do["body"], whole)
        return self._send(200, body, headers=headers)


_BILLED = frozenset({"ok", "close_after_body", "cut", "stall", "slow_loris", "wrong_type"})
_KINDS: dict[str, Any] = {
    name: getattr(Connection, name)
    for name in (
        "ok", "status", "echo_key", "redirect", "close_after_body", "cut", "stall", "slow_loris",
        "endless", "gzip_bomb", "wrong_type", "no_answer",
    )
}  # fmt: skip


def _billed(do: dict[str, Any]) -> str:
    """Return what a provider would bill: what was really made, whatever the reply says."""
    kind = do.get("usage", "computed")
    return kind if kind in ("max", "lying") else "computed"


def control(book: Book, path: str, body: bytes) -> bytes:
    """Answer a request about the server itself."""
    if path == "/_control":
        try:
            book.begin(Script.of(json.loads(body or b"{}")))
        except (TypeError, ValueError, KeyError) as error:
            return http(400, error_body(f"no script: {error}"))
        return http(200, b"{}")
    if path.startswith("/_ledger"):
        return http(200, json.dumps(book.entries).encode())
    if path == "/_counts":
        return http(200, json.dumps(book.counts()).encode())
    return http(404, error_body("no such thing"))


async def main() -> None:
    """Serve until standard input ends, which it does when the test's process does."""
    loop, book = asyncio.get_running_loop(), Book()
    server = await loop.create_server(lambda: Connection(book), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
