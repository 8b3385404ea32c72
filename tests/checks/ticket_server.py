"""A model that routes tickets, as a process: it prints its port and answers until it is killed.

What is right stands in the ticket: ``Ticket 17 (billing): …``. A prompt that says "guess" gets a
wrong label on every second ticket, one that says "at length" gets long answers, one that says
"SLOW" waits for them. Each request is
written to the file that the command line names, so that a test knows what was asked.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TICKET = re.compile(r"Ticket (\d+) \((\w+)\)")


def answer(prompt: str) -> str:
    found = TICKET.search(prompt)
    if found is None:
        return "none"
    label = found[2]
    if "guess" in prompt.lower() and int(found[1]) % 2:
        label = "neither"
    return label + " because" * 30 if "at length" in prompt.lower() else label


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: Path

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{self.headers['Authorization']}\n")
        prompt = "\n".join(message["content"] for message in asked["messages"])
        text = answer(prompt)
        time.sleep(1 if "SLOW" in prompt else 0)
        read, written = len(prompt.split()), len(text.split())
        body = json.dumps(
            {
                "id": "1", "object": "chat.completion", "created": 1, "model": asked["model"],
                "choices": [{"index": 0, "finish_reason": "stop",
                             "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": read, "completion_tokens": written,
                          "total_tokens": read + written},
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
    Handler.log = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
