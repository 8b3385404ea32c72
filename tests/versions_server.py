"""A server that plays two models whose answers hang on marks in the prompt, and counts requests.

Run as a process: it prints its port and answers until it is killed. ``Ticket 17 (billing): …`` is
to be answered with ``billing``. A mark in the prompt makes it answer otherwise:

- ``[wrong 4]``: every fourth ticket is answered with another label;
- ``[wordy]``: a long sentence comes behind the label;
- ``[fails 3]``: every third ticket is refused with status 400;
- ``[odd]``: the model ``weak`` is wrong on every second ticket; any other is right.

``GET /asked`` returns the texts and limits that were asked for, and begins anew.
"""

import re
from typing import Any

from chat_server import ChatHandler, RefusedError, serve

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


class Handler(ChatHandler):
    def do_GET(self) -> None:  # noqa: N802 (called by that name)
        self.reply(200, list(ASKED))
        ASKED.clear()

    def answer(self, model: str, prompt: str, asked: dict[str, Any]) -> str:
        limit = asked.get("max_completion_tokens", asked.get("max_tokens"))
        ASKED.append({"text": prompt, "limit": limit, "model": model})
        found, every = TICKET.search(prompt), marked(prompt, "fails")
        if found and every and int(found[1]) % every == 0:
            raise RefusedError("this ticket is refused")
        return answer(model, prompt)


if __name__ == "__main__":
    serve(Handler)
