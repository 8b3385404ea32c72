"""A git repository whose prompt changes at known times, and logs of requests made with it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

COSTOPT = Path(sys.executable).with_name("costopt")
PROMPT = "prompts/triage/prompt.md"
FIRST = "Route the ticket to billing, shipping or returns."
SECOND = "Read the ticket with care and name the team that should answer it."


def template(text: str) -> str:
    return f"---\nname: triage\n---\n{text}\n\n{{{{ ticket }}}}\n"


@dataclass
class DatedPrompts:
    """A folder under git; commits have the times that the test gives them."""

    folder: Path

    def git(self, *args: str, at: str = "2026-10-01T00:00:00Z", cwd: Path | None = None) -> str:
        own = {
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": "none",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at,
        }  # fmt: skip
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.folder, capture_output=True, text=True,
            env={**kept, **own}, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")
        return self.put(FIRST)

    def write(self, text: str, name: str = PROMPT) -> Path:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        return file

    def put(self, text: str, at: str = "2026-10-01T00:00:00Z", name: str = PROMPT) -> str:
        """Commit the prompt with this text, and return what requests of then are marked with."""
        self.write(template(text), name)
        return self.commit(at)

    def commit(self, at: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change", at=at)
        return self.mark()

    def mark(self, of: str = "HEAD") -> str:
        return "~" + self.git("rev-parse", of).strip()[:12]

    def log(self, requests: Iterable[Mapping[str, Any]], name: str = "log.jsonl") -> Path:
        rows = [json.dumps({**_USUAL, **one}) for one in requests]
        path = self.folder / name
        path.write_text("".join(row + "\n" for row in rows), "utf-8")
        return path

    def run(
        self, *args: str, status: int = 0, cwd: Path | None = None, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the installed command."""
        done = subprocess.run(
            [COSTOPT, *args], cwd=cwd or self.folder, capture_output=True, text=True,
            check=False, input=stdin,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done


_USUAL = {
    "feature": "help", "provider": "openai", "model": "gpt-4o-mini", "prompt": "triage",
    "input_tokens": 100, "cached_tokens": 0, "output_tokens": 10,
}  # fmt: skip


def every(minutes: float, start: str, days: float, **more: Any) -> list[dict[str, Any]]:
    """Return requests from a time on, so many minutes apart."""
    begin = datetime.fromisoformat(start)
    many = round(days * 1440 / minutes)
    times = (begin + timedelta(minutes=minutes * n) for n in range(many))
    return [{"timestamp": f"{time.isoformat()}Z", **more} for time in times]
