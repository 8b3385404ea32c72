"""A server that plays two models: ``large`` is right, ``small`` is cheap and sometimes wrong.

Run as a process: it prints its port and answers until it is killed. What is right stands in the
request: ``Ticket 17 (billing): …`` is to be answered with ``billing``. Whether ``small`` is wrong
hangs on the ticket's number alone, so that every run sees the same answers; where it is, it writes
a sentence about another label, so that its form tells.
"""

import re
from typing import Any

from chat_server import ChatHandler, serve

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


class Handler(ChatHandler):
    def answer(self, model: str, prompt: str, asked: dict[str, Any]) -> str:
        return answer(model, prompt, int(self.args[0]))


if __name__ == "__main__":
    serve(Handler)
