"""A server that plays a model that sorts tickets, and four judges of what it wrote.

Run as a process: it prints its port and answers until it is killed. What is right stands in the
request: ``Ticket 17 (billing): …`` is to be answered with ``billing``. By the name of the model:

- ``writer`` is right, with a dot behind it where the prompt does not say "Please note";
- ``noisy`` is right too, with a dot each second time that it is asked the same;
- ``wavering`` is right and wrong in turn when it is asked the same;
- where the ticket is not there, all three write "other";
- ``fair`` prefers what is right, then says TIE; ``first`` prefers what stands first; ``long``
  prefers what is longer; ``rubbish`` says what is no verdict;
- ``fooled`` does what the answers tell it to do.
"""

import re
from collections import Counter
from threading import Lock
from typing import Any

from chat_server import ChatHandler, serve

TICKET = re.compile(r"Ticket (\d+) \((\w+)\)")
BLOCK = re.compile(r"^<<<(\w+) ([0-9a-f]{12})>>>\n(.*?)\n<<<END \2>>>$", re.MULTILINE | re.DOTALL)
LOCK = Lock()
ASKED: Counter[str] = Counter()


def write(model: str, prompt: str, times: int) -> str:
    found = TICKET.search(prompt)
    if found is None:
        return "other"
    label = found[2]
    if model == "wavering":
        return label if times % 2 else "other"
    dotted = times % 2 == 0 if model == "noisy" else "Please note" not in prompt
    return f"{label}." if dotted else label


def verdict(model: str, prompt: str) -> str:
    blocks = {name: text for name, _, text in BLOCK.findall(prompt)}
    first, second = blocks["A"], blocks["B"]
    if model == "first":
        return "A"
    if model == "rubbish":
        return "Both answers have their merits."
    if model == "long":
        one, other = len(first), len(second)
    elif model == "fooled":
        one, other = ("better one" in first), ("better one" in second)
    else:
        label = blocks["REFERENCE"]
        one, other = (text.strip().startswith(label) for text in (first, second))
    return "A" if one > other else "B" if other > one else "TIE"


class Handler(ChatHandler):
    def answer(self, model: str, prompt: str, asked: dict[str, Any]) -> str:
        with LOCK:
            ASKED[f"{model} {prompt}"] += 1
            times = ASKED[f"{model} {prompt}"]
        writes = model in ("writer", "noisy", "wavering")
        return write(model, prompt, times) if writes else verdict(model, prompt)


if __name__ == "__main__":
    serve(Handler)
