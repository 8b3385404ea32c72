"""Starts the command in processes of their own, without loading its libraries each time.

It loads what `costopt analyze` loads, then forks for each line of JSON on standard input: the
child gets its folder, environment and streams, and runs the installed command's entry point. Each
run is a process that can be killed, interrupted and measured; only the second of imports is saved,
without which these tests would take an hour. Standard output says ``{"pid"}`` when a child began
and ``{"pid", "status"}`` when it ended.
"""

import contextlib
import gc
import io
import json
import os
import select
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

_POLL_S = 0.01
_ALLOCATOR = "jemalloc_bg_thd"  # pyarrow's; it is made for forks.


def load() -> None:
    """Import what an analysis needs, and load its tokenizer, by a run that asks nobody."""
    import httpx2  # noqa: F401
    import pydantic_ai.profiles.openai  # noqa: F401

    from costopt.cli.main import main

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        prompt = Path(folder) / "warm.md"
        prompt.write_text("Say {{ name }}.", encoding="utf-8")
        prompt.with_name("warm.evals.jsonl").write_text('{"name": "a", "reference": "a"}\n')
        if main(["analyze", str(prompt), "--static", "--quiet"]) != 0:
            raise SystemExit("the command does not run")
    others = set(_threads()) - {Path(sys.executable).name[:15], "python", _ALLOCATOR}
    if others:
        raise SystemExit(f"a process with threads of its own cannot be forked: {others}")
    gc.freeze()


def _threads() -> list[str]:
    """Return the names of this process's threads, as the system knows them."""
    tasks = Path("/proc/self/task").iterdir()
    return [(task / "comm").read_text().strip() for task in tasks]


def become(task: dict[str, Any]) -> None:
    """Turn this child into the command that was asked for."""
    os.setsid()
    for stream, name in ((1, "out"), (2, "err")):
        descriptor = os.open(task[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, stream)
        os.close(descriptor)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.environ.clear()
    os.environ.update(task["env"])
    os.chdir(task["cwd"])
    sys.argv = ["costopt", *task["args"]]


def say(**words: Any) -> None:
    """Write a line for the test."""
    os.write(1, json.dumps(words).encode() + b"\n")


def ended() -> None:
    """Tell of the children that ended."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            say(pid=pid, status=os.waitstatus_to_exitcode(status))


def serve() -> None:
    """Fork as asked; returns in each child, and ends when standard input does."""
    rest = b""
    while True:
        ready, _, _ = select.select([0], [], [], _POLL_S)
        ended()
        if not ready:
            continue
        data = os.read(0, 65536)
        if not data:
            os._exit(0)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            pid = os.fork()
            if pid == 0:
                become(json.loads(line))
                return
            say(pid=pid)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    load()
    say(pid=os.getpid())
    serve()
    from costopt.cli.main import run

    run()
