"""What the chat servers of tests share: a process that prints its port and answers until killed.

A server is a script beside this one: a subclass of `ChatHandler` that says what is answered, and
`serve`. Tests start it with `started`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

HERE = Path(__file__).parent


class RefusedError(Exception):
    """The request is refused with status 400."""


class ChatHandler(BaseHTTPRequestHandler):
    """Answers chat completions; words count as tokens."""

    protocol_version = "HTTP/1.1"
    args: ClassVar[list[str]] = []
    """What the command line gave."""

    def answer(self, model: str, prompt: str, asked: dict[str, Any]) -> str:
        """Return the text of an answer.

        Raises:
            RefusedError: there is none.
        """
        raise NotImplementedError

    def do_POST(self) -> None:
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = "\n".join(message["content"] for message in asked["messages"])
        try:
            text = self.answer(asked["model"], prompt, asked)
        except RefusedError as error:
            self.reply(400, {"error": {"message": str(error)}})
            return
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self.reply(
            200,
            {
                "id": "1", "object": "chat.completion", "created": 1, "model": asked["model"],
                "choices": [choice],
                "usage": {**usage, "total_tokens": sum(usage.values())},
            },
        )  # fmt: skip

    def reply(self, status: int, value: object) -> None:
        """Send a value as JSON."""
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve(handler: type[ChatHandler]) -> None:
    """Serve until the process is killed."""
    handler.args = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


@contextmanager
def started(name: str, *args: object) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Start a server of this folder; yield its port and its process."""
    command = [sys.executable, str(HERE / f"{name}.py"), *map(str, args)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield int(child.stdout.readline()), child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
