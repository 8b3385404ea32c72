"""A model that routes tickets, as a process: it prints its port and answers until it is killed.

What is right stands in the ticket: ``Ticket 17 (billing): …``. A prompt that says "guess" gets a
wrong label on every second ticket, one that says "at length" gets long answers, one that says
"SLOW" waits for them. Each request is
written to the file that the command line names, so that a test knows what was asked.
"""

import re
import time
from pathlib import Path
from typing import Any

from chat_server import ChatHandler, serve

TICKET = re.compile(r"Ticket (\d+) \((\w+)\)")


def answer(prompt: str) -> str:
    found = TICKET.search(prompt)
    if found is None:
        return "none"
    label = found[2]
    if "guess" in prompt.lower() and int(found[1]) % 2:
        label = "neither"
    return label + " because" * 30 if "at length" in prompt.lower() else label


class Handler(ChatHandler):
    def answer(self, model: str, prompt: str, asked: dict[str, Any]) -> str:
        with Path(self.args[0]).open("a", encoding="utf-8") as log:
            log.write(f"{self.headers['Authorization']}\n")
        time.sleep(1 if "SLOW" in prompt else 0)
        return answer(prompt)


if __name__ == "__main__":
    serve(Handler)
