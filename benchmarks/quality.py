"""Quality of prompts at the embedded target: log-likelihoods of the right answers, and answers.

Answers and shortened texts are kept in a folder, so that a run that was stopped goes on where it
was; with another folder, all is measured afresh.
"""

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from arms import Arm
from sets import Row, Set

from costopt.core.protocols import TargetError
from costopt.core.types import GenerationSettings, Message, Request, Score
from costopt.evals.metrics import get as metric
from costopt.evals.metrics.base import best
from costopt.models.client import Client


@dataclass(frozen=True)
class Shortened:
    """What an arm made of a text."""

    text: str
    seconds: float


@dataclass(frozen=True)
class Point:
    """An arm on the rows of a set: one entry a row, ``None`` where it could not be measured."""

    arm: Arm
    before: tuple[int, ...]
    after: tuple[int, ...]
    nats: tuple[float | None, ...]
    scores: tuple[float | None, ...]
    seconds: float

    @property
    def kept(self) -> float:
        """Tokens after / tokens before, of what is compressed."""
        return sum(self.after) / max(sum(self.before), 1)


class Texts:
    """Shortens texts, each once, and remembers what came of it in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def shorten(self, arm: Arm, text: str, question: str) -> Shortened:
        """Return what ``arm`` makes of ``text``."""
        key = json.dumps([arm.method, arm.setting, text, question if arm.asks else None])
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        with suppress(OSError, ValueError, TypeError):
            return Shortened(**json.loads(path.read_text("utf-8")))
        begun = time.perf_counter()
        shorter = arm.shorten(text, question)
        found = Shortened(shorter, time.perf_counter() - begun)
        path.write_text(json.dumps(asdict(found)), "utf-8")
        return found


def _request(prompt: str, cap: int, continuation: str | None = None) -> Request:
    return Request(
        messages=(Message("user", prompt),),
        settings=GenerationSettings(max_output_tokens=cap),
        continuation=continuation,
    )


async def nats(client: Client, row: Row, value: str) -> float | None:
    """Return the best reference's mean log-probability a token, in nats."""
    measure = metric("log_likelihood")
    found = []
    for reference in row.reference:
        with suppress(TargetError):
            answer = await client.ask(_request(row.prompt(value), 1, reference))
            found.append(measure.score_logprobs(answer.logprobs))
    score = best(found) if found else None
    return score.value if isinstance(score, Score) else None


async def scored(client: Client, of: Set, row: Row, value: str) -> float | None:
    """Return the score of the answer that is generated."""
    try:
        answer = await client.ask(_request(row.prompt(value), of.cap))
    except TargetError:
        return None
    score = metric(of.metric).score_text(answer.text, row.gold, labels=of.labels or None)
    return score.value if isinstance(score, Score) else None


def mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of what is there; ``None`` where nothing is."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None
