"""The runners that `runner.py` compares: each is started as a process of its own, and measured.

- The bare loop, costopt and inspect_ai measure themselves, around the run and after one request
  that warms them up: see `ask_bare.py`, `ask_costopt.py` and `ask_inspect.py`.
- promptfoo is measured as a whole command, of which a command with a single request is taken off.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loopback import Server
from work import LIMIT, MODEL, PROMPT, REFERENCE, Taken, Task, command_line, question

HERE = Path(__file__).parent
OURS, BARE = "costopt", "bare httpx2 loop"


@dataclass(frozen=True)
class Contestant:
    """One runner."""

    name: str
    how: str
    """How it is measured, in a few words."""
    ask: Callable[[Task], Taken]
    warm: int = 1
    """Requests that it sends beside those that are measured."""
    peer: bool = True

    def run(self, server: Server, requests: int, concurrency: int) -> Taken:
        """Let it ask; what it asked is counted at the server."""
        before = server.counted().answered
        with tempfile.TemporaryDirectory() as folder:
            taken = self.ask(Task(server.url, requests, concurrency, folder))
        asked = server.counted().answered - before
        if asked != requests + self.warm:
            wanted = requests + self.warm
            sys.exit(f"{self.name}: {asked} requests arrived instead of {wanted}")
        return taken


def ours_and_bare() -> list[Contestant]:
    """Return the two that need nothing but this environment."""
    how = "in its process, around the run"
    return [
        Contestant(BARE, how, _script(sys.executable, "ask_bare.py"), peer=False),
        Contestant(OURS, how, _script(sys.executable, "ask_costopt.py"), peer=False),
    ]


def inspect_ai(python: str) -> Contestant:
    """Return inspect_ai as it is installed beside an interpreter."""
    version = _output([python, "-c", "import inspect_ai; print(inspect_ai.__version__)"])
    how = f"version {version}: in its process, around eval(), with its log"
    return Contestant("inspect_ai", how, _script(python, "ask_inspect.py"))


def promptfoo(path: str) -> Contestant:
    """Return promptfoo; its command is where ``path`` says."""
    version = _output([path, "--version"]).splitlines()[-1]
    how = f"version {version}: its whole command, less one with a single request"
    return Contestant("promptfoo", how, lambda task: _promptfoo(path, task), warm=2)


def _output(command: Sequence[str]) -> str:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(command, capture_output=True, text=True, env=_at_home(home))
    if done.returncode:
        sys.exit(f"{command[0]} does not run: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def _at_home(folder: str) -> dict[str, str]:
    """Return an environment in which a peer's files and telemetry stay out of the way."""
    return {
        **os.environ,
        "HOME": folder,
        "XDG_DATA_HOME": f"{folder}/data",
        "XDG_CACHE_HOME": f"{folder}/cache",
        "PROMPTFOO_CONFIG_DIR": f"{folder}/promptfoo",
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "OPENAI_API_KEY": "none",
    }


def _script(python: str, name: str) -> Callable[[Task], Taken]:
    """Return what starts a script that measures itself."""

    def ask(task: Task) -> Taken:
        own = python == sys.executable
        done = subprocess.run(
            [python, str(HERE / name), command_line(task)],
            capture_output=True,
            text=True,
            env=None if own else _at_home(task.folder),
        )
        if done.returncode:
            sys.exit(f"{name} failed:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
        return Taken(**json.loads(done.stdout.splitlines()[-1]))

    return ask


def whole(
    command: Sequence[str], folder: str, env: Mapping[str, str] | None = None
) -> tuple[Taken, int]:
    """Run a command in a folder; return what it took, and its peak memory in KiB."""
    with Path(folder, "said").open("w+b") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{command[0]} failed:\n{said.read()[-2000:].decode(errors='replace')}")
    kibibytes = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss
    return Taken(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime), kibibytes


def _promptfoo(path: str, task: Task) -> Taken:
    one = _promptfoo_command(path, replace(task, requests=0), "one")
    all_rows = _promptfoo_command(path, task, "all")
    return Taken(wall_s=all_rows.wall_s - one.wall_s, cpu_s=all_rows.cpu_s - one.cpu_s)


def _promptfoo_command(path: str, task: Task, name: str) -> Taken:
    """Evaluate row 0 and the rows of the task, in a home where nothing is cached yet."""
    folder = Path(task.folder) / name
    folder.mkdir()
    rows = [
        {
            "vars": {"question": question(number)},
            "assert": [{"type": "contains", "value": REFERENCE}],
        }
        for number in (0, *task.numbers)
    ]
    settings = {"apiBaseUrl": task.url, "max_tokens": LIMIT, "temperature": 0}
    config = {
        "prompts": [PROMPT],
        "providers": [{"id": f"openai:chat:{MODEL}", "config": settings}],
        "tests": rows,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    command = [path, "eval", "-c", "config.json", "-j", str(task.concurrency)]
    shown = ["--no-table", "--no-progress-bar", "--no-share"]
    taken, _ = whole([*command, *shown], str(folder), _at_home(str(folder)))
    return taken
