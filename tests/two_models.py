"""A server that plays two models: ``large`` is right, ``small`` is cheap and sometimes wrong.

Run as a process: it prints its port and answers until it is killed. What is right stands in the
request: ``Ticket 17 (billing): …`` is to be answered with ``billing``. Whether ``small`` is wrong
hangs on the ticket's number alone, so that every run sees the same answers; where it is, it writes
a sentence about another label, so that its form tells.
"""

import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LABELS = ("billing", "shipping", "returns")
TICKET = re.compile(r"Ticket (\d+) \((\w+)\)")


def answer(model: str, prompt: str, wrong_every: int) -> str:
    found = TICKET.search(prompt)
    if found is None:
        return "other"
    number, label = int(found[1]), found[2]
    if model.startswith(("large", "openai:gpt-5.5")) or number % wrong_every:
        return label
    return f"It seems to be about {LABELS[(LABELS.index(label) + 1) % len(LABELS)]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wrong_every = 20

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(message["content"] for message in asked["messages"])
        text = answer(asked["model"], prompt, self.wrong_every)
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }
        body = json.dumps(
            {
                "id": "1", "object": "chat.completion", "created": 1, "model": asked["model"],
                "choices": [choice],
                "usage": {**usage, "total_tokens": sum(usage.values())},
            }
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Handler.wrong_every = int(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
