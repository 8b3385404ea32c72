"""A git repository with prompts, made by the test, and the command run in it."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from costopt.cli.main import main

PROMPT = """---
name: tickets
metric: accuracy
settings: {max_output_tokens: 64}
---
Route the ticket. Name one label and nothing else: billing, shipping or returns.

{{ ticket }}
"""
STATIC_TARGET = 'target = "openai:gpt-4.1-mini"'
LABELS = ("billing", "shipping", "returns")
_ENV = {
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}  # fmt: skip


def rows(number: int, *, extra: str = "") -> str:
    """Return so many eval rows as JSONL."""
    found = (
        {
            "id": f"t{at}",
            "ticket": f"Ticket {at} ({LABELS[at % 3]}): a customer writes.{extra}",
            "reference": LABELS[at % 3],
        }
        for at in range(number)
    )
    return "".join(f"{json.dumps(one)}\n" for one in found)


@dataclass
class Ran:
    """How the command ended."""

    status: int
    out: str
    err: str

    @property
    def check(self) -> dict[str, Any]:
        return json.loads(self.out)

    def gates(self, name: str) -> list[dict[str, Any]]:
        return [gate for gate in self.check["gates"] if gate["gate"] == name]

    def outcomes(self, name: str) -> list[str]:
        return [gate["outcome"] for gate in self.gates(name)]


@dataclass
class GitRepository:
    """A folder under git, with a branch ``main`` that holds one prompt."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    changes: list[dict[str, Any]] = field(default_factory=list)

    def git(self, *args: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *args], cwd=folder or self.folder, capture_output=True, text=True,
            env={**os.environ, **_ENV}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def read(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new))

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def start(self, config: str = f"[costopt]\n{STATIC_TARGET}\n", number: int = 6) -> None:
        """Commit one prompt with its rows to ``main``, and go on a branch of it."""
        self.git("init", "-q", "-b", "main")
        self.write("costopt.toml", config)
        self.write("prompts/tickets/prompt.md", PROMPT)
        self.write("prompts/tickets/evals.jsonl", rows(number))
        self.commit("base")
        self.git("checkout", "-q", "-b", "change")

    def run(self, *args: str, base: str = "main", format: str = "json") -> Ran:
        """Run the command in this process."""
        words: Sequence[str] = ["check", "--base", base, "--format", format, *args]
        self.capture.readouterr()
        status = main(list(words))
        out, err = self.capture.readouterr()
        return Ran(status, out, err)
