"""The eval sets that `frontier.py` measures on: what is compressed, what is asked, what is right.

Every row has one text that is compressed (a passage, documents, few-shot examples), and a prompt
that it stands in. Nothing else of the prompt is touched.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).resolve().parent.parent / "prompts"
_ASK = "\n\nQuestion: {question}\nAnswer with a few words of the text."
_STEP = re.compile(r"<<[^<>]*>>")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One question.

    Attributes:
        id: Its name in the set.
        cluster: Rows of one cluster share the text that is compressed, or its source.
        value: What is compressed.
        question: What is asked.
        head: What stands before the value in the prompt.
        tail: What stands after it, the question in it.
        gold: Accepted answers, the first of them canonical.
        reference: What the log-likelihood is taken of: the best of these.
    """

    id: str
    cluster: str
    value: str
    question: str
    head: str = ""
    tail: str = ""
    gold: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()

    def prompt(self, value: str) -> str:
        """Return the prompt with ``value`` in the place of the row's own."""
        return f"{self.head}{value}{self.tail}"


@dataclass(frozen=True, kw_only=True)
class Set:
    """A set of rows, and how their answers are scored."""

    name: str
    rows: tuple[Row, ...]
    metric: str
    cap: int
    """Tokens that an answer may have."""
    kind: str
    """``passages``, ``documents`` or ``examples``: what is compressed."""
    labels: tuple[str, ...] = field(default=())


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _asked(row: dict[str, Any], cluster: str) -> Row:
    gold = tuple(dict.fromkeys(row["answers"]))
    return Row(
        id=row["id"], cluster=cluster, value=row["context"], question=row["question"],
        tail=_ASK.format(question=row["question"]), gold=gold, reference=gold[:2],
    )  # fmt: skip


def _squad(data: Path) -> Iterator[Row]:
    for row in _lines(data / "squad_xquad_en/squad.jsonl"):
        yield _asked(row, f"{row['meta']['article']}-{row['meta']['paragraph']}")


def _oracle(data: Path) -> Iterator[Row]:
    for row in _lines(data / "nq_open_oracle/nq_oracle.jsonl"):
        yield _asked(row, row["id"])


def _documents(data: Path) -> Iterator[Row]:
    for row in _lines(data / "nq_multidoc/nq_multidoc20.jsonl"):
        yield _asked(row, row["id"])


def _gsm8k(data: Path) -> Iterator[Row]:
    text = (data / "gsm8k/prompts/cot_8shot_complex.txt").read_text("utf-8")
    shown, mark, _ = text.rpartition("Question: {{question}}")
    if not mark:
        raise ValueError("the few-shot prompt of gsm8k has no place for a question")
    for row in _lines(data / "gsm8k/gsm8k.jsonl"):
        worked = _STEP.sub("", row["meta"]["rationale"]).partition("####")[0].strip()
        yield Row(
            id=row["id"], cluster=row["id"], value=shown.strip(), question=row["question"],
            tail=f"\n\nQuestion: {row['question']}\nLet's think step by step\n",
            gold=tuple(row["answers"]), reference=(f"{worked}\nThe answer is {row['answers'][0]}",),
        )  # fmt: skip


def _bbh(data: Path) -> Iterator[Row]:
    by_task: dict[str, list[dict[str, Any]]] = {}
    for row in _lines(data / "bbh/bbh.jsonl"):
        by_task.setdefault(row["task"].partition("/")[2], []).append(row)
    shown = {task: _demonstrations(data, task) for task in sorted(by_task)}
    for turn in zip(*(by_task[task] for task in sorted(by_task)), strict=False):
        for task, row in zip(sorted(by_task), turn, strict=True):
            head, value = shown[task]
            yield Row(
                id=row["id"], cluster=task, head=head, value=value, question=row["question"],
                tail=f"\n\nQ: {row['question']}\nA:", gold=tuple(row["answers"]),
                reference=(f"So the answer is {row['answers'][0]}.",),
            )  # fmt: skip


def _demonstrations(data: Path, task: str) -> tuple[str, str]:
    """Return the sentence that says what a task is, and its worked examples."""
    text = (data / f"bbh/prompts/cot/{task}.txt").read_text("utf-8")
    told, _, shown = text.partition("-----\n")[2].strip().partition("\n\nQ:")
    return f"{told}\n\n", f"Q:{shown}".strip()


def _banking(data: Path) -> Iterator[Row]:
    text = (data / "banking77/prompts/fewshot_1_per_intent.txt").read_text("utf-8")
    start = text.index("Message:")
    shown = text[start:].rpartition("Message: {{question}}")[0].strip()
    for row in _lines(data / "banking77/banking77.jsonl"):
        gold = tuple(row["answers"])
        yield Row(
            id=row["id"], cluster=row["id"], head=text[:start], value=shown,
            question=row["question"], tail=f"\n\nMessage: {row['question']}\nIntent:",
            gold=gold, reference=gold,
        )  # fmt: skip


def _sample(data: Path) -> Iterator[Row]:
    for row in _lines(data / "passage-qa/evals.jsonl"):
        given = {**row, "context": row["passage"], "answers": [row["reference"]]}
        if isinstance(row["reference"], list):
            given["answers"] = row["reference"]
        yield _asked(given, row["cluster"])


_SETS: dict[str, tuple[Callable[[Path], Iterator[Row]], str, int, str]] = {
    "squad_xquad_en": (_squad, "token_f1", 16, "passages"),
    "nq_open_oracle": (_oracle, "token_f1", 16, "passages"),
    "nq_multidoc": (_documents, "token_f1", 16, "documents"),
    "gsm8k": (_gsm8k, "number_match", 200, "examples"),
    "bbh": (_bbh, "accuracy", 24, "examples"),
    "banking77": (_banking, "accuracy", 20, "examples"),
    "passage-qa": (_sample, "token_f1", 16, "passages"),
}
NAMES = tuple(name for name in _SETS if name != "passage-qa")


def load(name: str, data: Path, count: int) -> Set:
    """Return the first ``count`` rows of a set.

    Args:
        name: One of `NAMES`; ``passage-qa`` is this repository's own sample.
        data: The folder that holds the sets.
        count: How many rows.
    """
    read, metric, cap, kind = _SETS[name]
    rows = tuple(islice(read(data), count))
    labels = tuple(dict.fromkeys(answer for row in rows for answer in row.gold))
    return Set(
        name=name, rows=rows, metric=metric, cap=cap, kind=kind,
        labels=labels if metric == "accuracy" else (),
    )  # fmt: skip


def sizes(text: str, names: Sequence[str]) -> dict[str, int]:
    """Read ``name=rows,name=rows``; a number alone is for all.

    Example:
        >>> sizes("9,bbh=4", ["bbh", "gsm8k"])
        {'bbh': 4, 'gsm8k': 9}
    """
    found = {}
    for part in filter(None, text.split(",")):
        name, equals, number = part.partition("=")
        found.update({name: int(number)} if equals else dict.fromkeys(names, int(name)))
    return {name: found[name] for name in names}
