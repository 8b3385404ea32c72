"""Logs of our own in the form of a public comparison of prompt optimisers on 100 questions.

The questions are multiple choice, and the base is right on 32 of them. What was published of each
optimiser is the share of input tokens that it cuts, its accuracy, and the change of output; the
rows here are made so that they have those figures, and no other likeness.
"""

import json
from dataclasses import dataclass
from pathlib import Path

ROWS, RIGHT = 100, 32
INPUT, OUTPUT = 396, 26
"""Mean tokens of the base, in and out."""


@dataclass(frozen=True)
class Line:
    """An optimiser: what it does to tokens, which rows it gains and loses, what was found."""

    name: str
    cut: float
    output: float
    gained: int
    lost: int
    p: str
    """McNemar's p-value as it was published."""
    realised: tuple[int, int] | None
    """The saving in per cent with output at 1.33 and at 5 times the price of input."""
    formed: int = 98
    """Answers that begin with a letter."""
    named: int = 0
    """Wrong answers that name the right letter, but elsewhere than at the beginning."""

    @property
    def accuracy(self) -> float:
        return (RIGHT + self.gained - self.lost) / ROWS


LINES = (
    Line("punctuation", 0.128, -0.58, 9, 6, "0.61", (16, 24)),
    Line("entropy-0.1", 0.112, 0.14, 11, 15, "0.56", (9, 5), named=5),
    Line("entropy-0.25", 0.265, 0.23, 6, 16, "0.053", (23, 14), named=4),
    Line("entropy-0.5", 0.497, 1.24, 2, 26, "3e-06", (36, 7), formed=24, named=14),
    Line("pulp-0.1", 0.095, 0.24, 7, 14, "0.19", (7, 1), named=10),
    Line("stemmer", -0.059, -0.12, 4, 27, "3e-05", None, named=1),
    Line("names", 0.0113, 0.0, 4, 2, "0.69", (1, 1)),
    Line("lemmas", 0.0101, 0.0, 3, 2, "1.0", (1, 1)),
)
BASE = Line("base", 0.0, 0.0, 0, 0, "1.0", (0, 0))


def answers(line: Line) -> list[tuple[str, str]]:
    """Return the reference and the answer of each row, the answers in the published length."""
    lost, gained = range(line.lost), range(RIGHT, RIGHT + line.gained)
    total = round(4 * OUTPUT * ROWS * (1 + line.output))
    rows: list[tuple[str, str]] = []
    wrong, free = 0, ROWS - line.formed
    for number in range(ROWS):
        reference = "ABCD"[number % 4]
        right = (number < RIGHT and number not in lost) or number in gained
        other = "ABCD"[(number + 1) % 4]
        if right:
            text = f"{reference}. "
        else:
            wrong += 1
            formless = wrong <= max(free, line.named)
            named = reference if wrong <= line.named else other
            text = f"we take {named}. " if formless else f"{other}. "
        length = total * (number + 1) // ROWS - total * number // ROWS
        rows.append((reference, text + "x" * (length - len(text))))
    return rows


def _shares(total: int) -> list[int]:
    return [total * (n + 1) // ROWS - total * n // ROWS for n in range(ROWS)]


def plain_log(folder: Path, line: Line) -> Path:
    """Write one row a line, with scores and token counts."""
    read = _shares(round(INPUT * ROWS * (1 - line.cut)))
    rows = [
        {
            "id": f"q{number}",
            "expected": reference,
            "completion": text,
            "correct": text.startswith(reference),
            "prompt_tokens": read[number],
            "completion_tokens": len(text) / 4,
        }
        for number, (reference, text) in enumerate(answers(line))
    ]
    file = folder / f"{line.name}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def event_log(folder: Path, line: Line) -> Path:
    """Write the events of a run: what it is, then what was asked and whether it was right."""
    read = _shares(round(4 * INPUT * ROWS * (1 - line.cut)))
    events: list[dict[str, object]] = [{"spec": {"completion_fns": ["some-model"]}}]
    for number, (reference, text) in enumerate(answers(line)):
        asked = "q" * (read[number] - 20 - 2)
        prompt = [{"role": "system", "content": "s" * 20}, {"role": "user", "content": asked}]
        said = {"correct": text.startswith(reference), "expected": reference, "sampled": text}
        about = {"run_id": "r", "sample_id": f"dev.{number}"}
        events.append({**about, "type": "sampling", "data": {"prompt": prompt, "sampled": [text]}})
        events.append({**about, "type": "match", "data": said})
    events.append({"final_report": {"accuracy": line.accuracy}})
    file = folder / f"{line.name}-events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return file
