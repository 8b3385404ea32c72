"""A whole `costopt analyze` of one prompt with many rows, against the server of `loopback.py`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from work import LIMIT, MODEL, PROMPT, REFERENCE

COMMAND = (
    str(Path(sys.executable).with_name("costopt")), "analyze", "cities", "--target", MODEL,
    "--strategy", "concise", "--run-dir", "run", "--format", "json", "--output", "report.json",
)  # fmt: skip
_HEAD = f"---\nname: cities\nmetric: contains\nsettings: {{max_output_tokens: {LIMIT}}}\n---\n"
_CONFIG = """
[targets.{model}]
model = "{model}"
base_url = "{url}"
price = {{ input = 1, output = 2 }}
"""


def lines(rows: int) -> Iterator[str]:
    """Yield the rows of an eval set, of about 100 bytes."""
    for number in range(rows):
        question = f"Which city is number {number:07} on the list?"
        row = {"id": f"r{number:07}", "question": question, "reference": REFERENCE}
        yield json.dumps(row) + "\n"


def prepare(folder: str, rows: int, url: str) -> None:
    """Write a prompt, its rows and the configuration into a folder."""
    place = Path(folder, "cities")
    place.mkdir()
    (place / "prompt.md").write_text(_HEAD + PROMPT, "utf-8")
    Path(folder, "costopt.toml").write_text(_CONFIG.format(model=MODEL, url=url), "utf-8")
    with (place / "evals.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(lines(rows))
