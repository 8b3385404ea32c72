"""A server that plays two models whose answers hang on marks in the prompt, and counts requests.

Run as a process: it prints its port and answers until it is killed. ``Ticket 17 (billing): …`` is
to be answered with ``billing``. A mark in the prompt makes it answer otherwise:

- ``[wrong 4]``: every fourth ticket is answered with another label;
- ``[wordy]``: a long sentence comes behind the label;
- ``[fails 3]``: every third ticket is refused with status 400;
- ``[odd]``: the model ``weak`` is wrong on every second ticket; any other is right.

``GET /asked`` returns the texts and limits that were asked for, and begins anew.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LABELS = ("billing", "shipping", "returns")
TICKET = re.compile(r"Ticket (\d+) \((\w+)\)")
ASKED: list[dict[str, Any]] = []


def marked(prompt: str, mark: str) -> int:
    found = re.search(rf"\[{mark} (\d+)\]", prompt)
    return int(found[1]) if found else 0


def answer(model: str, prompt: str) -> str:
    found = TICKET.search(prompt)
    if found is None:
        return "other"
    number, label = int(found[1]), found[2]
    every = marked(prompt, "wrong")
    odd = model == "weak" and "[odd]" in prompt and number % 2
    if odd or (every and number % every == 0):
        label = LABELS[(LABELS.index(label) + 1) % len(LABELS)]
    return f"{label} {'and so on ' * 20}" if "[wordy]" in prompt else label


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.reply(200, list(ASKED))
        ASKED.clear()

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(message["content"] for message in asked["messages"])
        limit = asked.get("max_completion_tokens", asked.get("max_tokens"))
        ASKED.append({"text": prompt, "limit": limit, "model": asked["model"]})
        found, every = TICKET.search(prompt), marked(prompt, "fails")
        if found and every and int(found[1]) % every == 0:
            self.reply(400, {"error": {"message": "this ticket is refused"}})
            return
        text = answer(asked["model"], prompt)
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }
        self.reply(
            200,
            {
                "id": "1", "object": "chat.completion", "created": 1, "model": asked["model"],
                "choices": [choice],
                "usage": {**usage, "total_tokens": sum(usage.values())},
            },
        )  # fmt: skip

    def reply(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
