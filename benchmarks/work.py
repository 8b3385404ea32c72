"""The work that every runner in `runner.py` does, and how it measures itself.

Rows of one prompt are rendered, sent as chat completions of at most 64 tokens at temperature 0,
and each answer is looked through for a word. Needs nothing but Python's library, since the peers
run it in environments of their own.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

MODEL = "loopback"
LIMIT = 64
ANSWER = "The city is Paris, which lies on the river Seine and has been a capital for long."
REFERENCE = "Paris"
PROMPT = (
    "You are asked for a city by somebody who plans a journey and has little time to read. Answer "
    "with the name of the city only, without any introduction, and in one sentence at most.\n\n"
    "Question: {{ question }}"
)


@dataclass(frozen=True)
class Task:
    """What one process is told to do."""

    url: str
    requests: int
    concurrency: int
    folder: str
    """An empty one, of its own."""

    @property
    def numbers(self) -> range:
        """The rows to ask; row 0 is asked before the clock starts."""
        return range(1, self.requests + 1)


@dataclass(frozen=True)
class Taken:
    """How long the requests took, and how much of a processor."""

    wall_s: float
    cpu_s: float


def question(number: int) -> str:
    """Return what a row asks; no two rows ask the same."""
    return f"Which city is number {number} on the list, counted from the north to the south?"


def prompt(number: int) -> str:
    """Return a row's prompt with its question filled in."""
    return PROMPT.replace("{{ question }}", question(number))


def body(number: int) -> bytes:
    """Return the body of a row's request."""
    message = {"role": "user", "content": prompt(number)}
    asked = {"model": MODEL, "messages": [message], "max_tokens": LIMIT, "temperature": 0.0}
    return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode()


def told() -> Task:
    """Return the task that stands on the command line, as JSON."""
    return Task(**json.loads(sys.argv[1]))


def command_line(task: Task) -> str:
    """Return a task as `told` reads it."""
    return json.dumps(asdict(task))


def cpu_s() -> float:
    """Return the processor time of this process, its threads and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def measured() -> Iterator[None]:
    """Measure what is done within, and print it as the last line of this process."""
    cpu, wall = cpu_s(), time.perf_counter()
    yield
    taken = Taken(wall_s=time.perf_counter() - wall, cpu_s=cpu_s() - cpu)
    print(json.dumps(asdict(taken)))
