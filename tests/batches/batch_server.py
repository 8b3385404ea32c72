"""A batch server of its own process: OpenAI's and Anthropic's APIs, scripted, with a ledger.

    python batch_server.py

Prints its port, and serves until it is killed. ``POST /script`` takes ``{"batches": [...],
"server": {...}}``: what happens to the batches that are made from then on, one after the other,
and what holds for all; with ``anew`` all else is forgotten. ``GET /ledger`` returns all that it
served.

A batch's script may hold ``polls`` (looks until it ends), ``expire``, ``missing``, ``malformed``
(indices of requests), ``fail`` (index to status), ``strange``, ``reverse``, ``filtered``,
``lose`` (``before`` or ``after`` the batch is made), ``hang`` (seconds until the answer),
``refuse`` (a message), ``status`` (of the answer to its making), ``retry_after`` and ``no_usage``.
"""

import json
import re
import sys
import threading
import time
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CITIES = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Japan": "Tokyo", "Egypt": "Cairo",
    "Peru": "Lima", "Cuba": "Havana", "Norway": "Oslo", "Greece": "Athens", "Kenya": "Nairobi",
    "Austria": "Vienna", "Poland": "Warsaw", "Portugal": "Lisbon", "Ireland": "Dublin",
}  # fmt: skip
KEY = "canary-key-4711"


class World:
    """All that the server remembers."""

    lock = threading.RLock()

    def __init__(self) -> None:
        self.script: list[dict[str, Any]] = []
        self.server: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.live: list[Any] = []
        self.served: list[str] = []


WORLD = World()


def told(messages: list[dict[str, str]]) -> str:
    """The answer: the capital of the country that is asked for."""
    asked = " ".join(message["content"] for message in messages)
    found = re.search(r"capital of (\w+)", asked)
    return CITIES.get(found[1], "unknown") if found else "I do not know."


def chat(body: dict[str, Any], script: dict[str, Any]) -> dict[str, Any]:
    text = told(body["messages"])
    read = sum(len(message["content"]) for message in body["messages"]) // 4
    found = {
        "id": "c1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [{
            "index": 0, "message": {"role": "assistant", "content": text},
            "finish_reason": "content_filter" if script.get("filtered") else "stop",
        }],
        "usage": {"prompt_tokens": read, "completion_tokens": 2, "total_tokens": read + 2},
    }  # fmt: skip
    if script.get("no_usage"):
        del found["usage"]
    return found


def message(body: dict[str, Any], script: dict[str, Any]) -> dict[str, Any]:
    system = [{"content": body["system"]}] if "system" in body else []
    read = sum(len(m["content"]) for m in [*system, *body["messages"]]) // 4
    return {
        "id": "m1", "type": "message", "role": "assistant", "model": body["model"],
        "content": [{"type": "text", "text": told(body["messages"])}],
        "stop_reason": "refusal" if script.get("filtered") else "end_turn",
        "usage": {"input_tokens": read, "output_tokens": 2},
    }  # fmt: skip


def run_chat(batch: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The lines of the output file and of the error file."""
    script, good, bad = batch["script"], [], []
    for index, line in enumerate(WORLD.files[batch["input_file_id"]].splitlines()):
        request = json.loads(line)
        custom_id = request["custom_id"]
        if index in script.get("missing", ()):
            continue
        if index in script.get("malformed", ()):
            good.append('{"custom_id": "' + custom_id + '", "response": {"status')
            continue
        if index in script.get("expire", ()):
            error = {"code": "batch_expired", "message": "This request could not be executed."}
            bad.append(json.dumps({"custom_id": custom_id, "response": None, "error": error}))
            continue
        status = script.get("fail", {}).get(str(index))
        if status:
            body = {"error": {"message": f"no, says the server, to {KEY}"}}
            answer = {"status_code": status, "body": body}
            bad.append(json.dumps({"custom_id": custom_id, "response": answer, "error": None}))
            continue
        WORLD.served.append(custom_id)
        answer = {"status_code": 200, "body": chat(request["body"], script)}
        good.append(json.dumps({"custom_id": custom_id, "response": answer, "error": None}))
    if script.get("strange"):
        good.append(json.dumps({"custom_id": "f" * 64, "response": {"status_code": 200}}))
    return good, bad


def run_messages(batch: dict[str, Any]) -> list[str]:
    """The lines of the results."""
    script, lines = batch["script"], []
    for index, request in enumerate(batch["requests"]):
        custom_id = request["custom_id"]
        if index in script.get("missing", ()):
            continue
        if index in script.get("malformed", ()):
            lines.append('{"custom_id": "' + custom_id + '", "result": {"type')
            continue
        result: dict[str, Any] = {"type": "expired"}
        status = script.get("fail", {}).get(str(index))
        if status:
            kind = "invalid_request_error" if status == 400 else "api_error"
            error = {"type": "error", "error": {"type": kind, "message": f"no to {KEY}"}}
            result = {"type": "errored", "error": error}
        elif index not in script.get("expire", ()):
            WORLD.served.append(custom_id)
            result = {"type": "succeeded", "message": message(request["params"], script)}
        lines.append(json.dumps({"custom_id": custom_id, "result": result}))
    if script.get("strange"):
        lines.append(json.dumps({"custom_id": "f" * 64, "result": {"type": "expired"}}))
    return lines


def finish(batch: dict[str, Any]) -> None:
    """End a batch when it has been looked at often enough."""
    if batch["ended"] or batch.get("looks", 0) < batch["script"].get("polls", 0):
        batch["looks"] = batch.get("looks", 0) + 1
        return
    batch["ended"] = True
    if batch["style"] == "messages":
        batch["lines"] = run_messages(batch)
        return
    if batch["script"].get("refuse"):
        return
    good, bad = run_chat(batch)
    order = -1 if batch["script"].get("reverse") else 1
    for name, lines in (("output_file_id", good[::order]), ("error_file_id", bad)):
        if lines:
            file = batch[name] = f"file-{name[:3]}-{batch['id']}"
            WORLD.files[file] = ("\n".join(lines) + "\n").encode()


def chat_state(batch: dict[str, Any]) -> dict[str, Any]:
    script = batch["script"]
    status = "in_progress"
    if batch["ended"]:
        status = "expired" if script.get("expire") else "completed"
    if batch["ended"] and batch.get("cancelled"):
        status = "cancelled"
    if batch["ended"] and script.get("refuse"):
        status = "failed"
    total = len(WORLD.files[batch["input_file_id"]].splitlines())
    shown = {
        "id": batch["id"], "object": "batch", "endpoint": "/v1/chat/completions",
        "completion_window": "24h", "created_at": batch["created"], "status": status,
        "input_file_id": batch["input_file_id"], "output_file_id": batch.get("output_file_id"),
        "error_file_id": batch.get("error_file_id"), "metadata": batch["metadata"],
        "request_counts": {
            "total": total, "completed": total if batch["ended"] else 0, "failed": 0
        },
    }  # fmt: skip
    if status == "failed":
        error = {"code": "invalid", "message": script["refuse"], "line": None}
        shown["errors"] = {"object": "list", "data": [error]}
    if WORLD.server.get("no_tags"):
        shown["metadata"] = None
    return shown


def messages_state(batch: dict[str, Any], url: str) -> dict[str, Any]:
    total, ended = len(batch["requests"]), batch["ended"]
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    counts["succeeded" if ended else "processing"] = total
    return {
        "id": batch["id"], "type": "message_batch", "request_counts": counts,
        "processing_status": "ended" if ended else "in_progress",
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(batch["created"])),
        "results_url": WORLD.server.get("results_url") or f"{url}/{batch['id']}/results"
        if ended else None,
    }  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._serve("POST", body)

    def _serve(self, method: str, body: bytes) -> None:
        path = self.path.partition("?")[0]
        with WORLD.lock:
            if path == "/ledger":
                made = [
                    {"id": b["id"], "ended": b["ended"], "requests": self._ids(b)}
                    for b in WORLD.batches.values()
                ]
                return self._json(
                    {"calls": WORLD.calls, "live": WORLD.live, "served": WORLD.served,
                     "batches": made}
                )  # fmt: skip
            if path == "/script":
                found = json.loads(body)
                if found.get("anew"):
                    WORLD.__init__()
                WORLD.script = found.get("batches", [])
                WORLD.server = found.get("server", {})
                return self._json({})
            WORLD.calls.append(f"{method} {path}")
            key = self.headers.get("x-api-key") or self.headers.get("Authorization", "")
            if key.removeprefix("Bearer ") != KEY:
                return self._error(401, f"wrong key: {key}")
            if WORLD.server.get("absent"):
                return self._error(404, "no such path")
        return self._api(method, path.removeprefix("/v1/"), body)

    def _api(self, method: str, path: str, body: bytes) -> None:
        parts = path.split("/")
        if method == "POST" and path in ("chat/completions", "messages"):
            with WORLD.lock:
                WORLD.live.append(json.loads(body))
            return self._json((chat if path[0] == "c" else message)(json.loads(body), {}))
        if method == "POST" and path == "files":
            return self._upload(body)
        if parts[0] == "files":
            return self._results(WORLD.files[parts[1]])
        style = "chat" if parts[0] == "batches" else "messages"
        rest = parts[1:] if style == "chat" else parts[2:]
        if not rest:
            return self._make(style, json.loads(body)) if method == "POST" else self._list(style)
        batch = WORLD.batches.get(rest[0])
        if batch is None:
            return self._error(404, "no such batch")
        if rest[1:] == ["results"]:
            return self._results(("\n".join(batch["lines"]) + "\n").encode())
        with WORLD.lock:
            if rest[1:] == ["cancel"]:
                batch["cancelled"] = batch["script"]["polls"] = True
                batch["looks"] = 1
            else:
                finish(batch)
            return self._json(self._state(batch))

    def _upload(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        for part in BytesParser().parsebytes(head + body).get_payload():
            content = part.get_payload(decode=True)
            if part.get_filename():
                with WORLD.lock:
                    name = f"file-{len(WORLD.files)}"
                    WORLD.files[name] = content
            else:
                assert content.strip() == b"batch"
        self._json({"id": name, "object": "file", "purpose": "batch"})

    def _make(self, style: str, body: dict[str, Any]) -> None:
        with WORLD.lock:
            script = WORLD.script.pop(0) if WORLD.script else {}
            if script.get("lose") == "before":
                return self._lose()
            if script.get("status"):
                return self._error(script["status"], "not now", script.get("retry_after"))
            name = f"batch_{len(WORLD.batches)}"
            WORLD.batches[name] = batch = {
                "id": name, "style": style, "created": int(time.time()), "ended": False,
                "script": script, "metadata": body.get("metadata"), **body,
            }  # fmt: skip
        time.sleep(script.get("hang", 0))
        if script.get("lose") == "after":
            return self._lose()
        return self._json(self._state(batch))

    def _list(self, style: str) -> None:
        if WORLD.server.get("no_list"):
            return self._error(404, "no such path")
        with WORLD.lock:
            found = [self._state(b) for b in WORLD.batches.values() if b["style"] == style]
        return self._json({"data": found[::-1], "has_more": False})

    def _state(self, batch: dict[str, Any]) -> dict[str, Any]:
        if batch["style"] == "chat":
            return chat_state(batch)
        return messages_state(batch, f"http://{self.headers['Host']}/v1/messages/batches")

    @staticmethod
    def _ids(batch: dict[str, Any]) -> list[str]:
        if batch["style"] == "messages":
            return [request["custom_id"] for request in batch["requests"]]
        lines = WORLD.files[batch["input_file_id"]].splitlines()
        return [json.loads(line)["custom_id"] for line in lines]

    def _results(self, body: bytes) -> None:
        """Send results; where it is told to ``cut``, it hangs up once after as many bytes."""
        with WORLD.lock:
            cut = WORLD.server.pop("cut", None)
        if cut is None:
            return self._send(200, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        return self._lose()

    def _lose(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _error(self, status: int, said: str, retry_after: str | None = None) -> None:
        self._send(status, json.dumps({"error": {"message": said}}).encode(), retry_after)

    def _json(self, found: dict[str, Any]) -> None:
        self._send(200, json.dumps(found).encode())

    def _send(self, status: int, body: bytes, retry_after: str | None = None) -> None:
        try:
            self.send_response(status)
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
