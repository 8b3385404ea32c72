"""A fake chat server that injects faults: it answers each request as the script says."""

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def completion(text: str = "fine", **more: Any) -> bytes:
    """Return the body of an ordinary answer; ``more`` replaces its members."""
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "fake-model",
        "choices": [{**choice, "finish_reason": "stop"}],
        "usage": usage,
    }
    return json.dumps({**body, **more}).encode()


@dataclass(frozen=True)
class Fault:
    """One scripted response; ``cut`` closes the connection after that many bytes of body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: int | None = None
    hang: bool = False


OK = Fault(body=completion())


@dataclass
class Seen:
    """One request as it came over the wire."""

    head: str
    body: dict[str, Any]

    def header(self, name: str) -> str | None:
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return None


class FaultServer:
    """Listens on loopback; plays ``script`` in order, then answers well."""

    def __init__(self) -> None:
        self.script: list[Fault] = []
        self.seen: list[Seen] = []
        self._stop = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> "FaultServer":
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _spawn(self, work: Any, *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                seen = self._read(connection)
            except OSError:
                return
            with self._lock:
                self.seen.append(seen)
                fault = self.script.pop(0) if self.script else OK
            if fault.hang:
                self._stop.wait(10)
                return
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(fault.body)),
                "Connection": "close",
                **fault.headers,
            }
            head = f"HTTP/1.1 {fault.status} X\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            try:
                connection.sendall(head.encode() + b"\r\n" + fault.body[: fault.cut])
            except OSError:
                return

    @staticmethod
    def _read(connection: socket.socket) -> Seen:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                raise OSError("closed")
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        seen = Seen(head.decode("latin-1"), {})
        length = int(seen.header("content-length") or 0)
        while len(body) < length:
            body += connection.recv(65536)
        seen.body = json.loads(body) if body else {}
        return seen
