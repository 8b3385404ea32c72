"""What the fault tests share: the fault server, the command, and a prompt with rows to run."""

import http.client
import json
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
COSTOPT = str(Path(sys.executable).parent / "costopt")
VARYING = ("created", "spent")
PROMPT = """---
name: cities
metric: contains
settings: {max_output_tokens: 16}
---
You are asked for a city. Please note that it is very important that you answer in order to help.
Answer with the name of the city only.

Question: {{ question }}
"""
WORDS = ("Paris", "Rome", "Lima", "Oslo", "Cairo", "Quito", "Accra", "Dhaka")


class FaultProcess:
    """The fault server as a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, str(HERE / "server.py")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *rules: Mapping[str, Any], **more: Any) -> None:
        """Set what is done with requests; the ledger begins anew."""
        self._ask("POST", "/_control", {"rules": list(rules), **more})

    def ledger(self) -> list[dict[str, Any]]:
        """Return an entry for each request since the script was set."""
        return self._ask("GET", "/_ledger")

    def counts(self) -> dict[str, Any]:
        """Return the ledger in a few numbers."""
        return self._ask("GET", "/_counts")

    def bodies(self) -> Counter[str]:
        """Return how often each body came."""
        return Counter(entry["sha"] for entry in self.ledger() if entry["sha"])

    def wait_for(self, requests: int, running: "Running", timeout_s: float = 60.0) -> None:
        """Wait until so many requests came, or the run ended."""
        deadline = time.monotonic() + timeout_s
        while self.counts()["requests"] < requests and running.status is None:
            assert time.monotonic() < deadline, self.counts()
            time.sleep(0.01)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body))
            response = connection.getresponse()
            data = response.read()
            assert response.status == 200, data
            return json.loads(data)
        finally:
            connection.close()


class Listener:
    """Another server, which nobody should ever speak to: it counts what it is sent."""

    def __init__(self) -> None:
        self.connections = 0
        self.received = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(0.5)
                self.connections += 1
                try:
                    self.received += connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
                except OSError:
                    continue


@dataclass
class Running:
    """A run of the command that has begun; ``status`` is that of `subprocess`."""

    pid: int
    out_file: Path
    err_file: Path
    starter: "Starter | None" = None
    process: "subprocess.Popen[bytes] | None" = None
    _status: int | None = None

    @property
    def status(self) -> int | None:
        if self._status is None:
            if self.process is not None:
                self._status = self.process.poll()
            elif self.starter is not None:
                self.starter.read(0)
                self._status = self.starter.statuses.pop(self.pid, None)
        return self._status

    def kill(self, with_signal: int = signal.SIGKILL) -> None:
        """Send a signal, where it still runs."""
        if self.status is None:
            os.kill(self.pid, with_signal)

    def wait(self, timeout_s: float = 240.0) -> "Done":
        """Wait for its end; past the time it is killed and the test fails."""
        deadline = time.monotonic() + timeout_s
        while self.status is None:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"still running after {timeout_s} s: {self.err_file}")
            time.sleep(0.01)
        assert self._status is not None
        return Done(self._status, self.out_file.read_bytes(), self.err_file.read_bytes())


@dataclass(frozen=True)
class Done:
    """A run of the command that ended."""

    status: int
    raw_out: bytes
    raw_err: bytes

    @property
    def out(self) -> str:
        return self.raw_out.decode("utf-8")

    @property
    def err(self) -> str:
        return self.raw_err.decode("utf-8")

    @property
    def report(self) -> dict[str, Any]:
        """Its report as JSON; it ended well or was interrupted."""
        assert self.status in (0, 130), (self.status, self.err)
        return json.loads(self.out)


class Starter:
    """The process that forks runs of the command: see ``starter.py``."""

    def __init__(self, **environment: str) -> None:
        self.statuses: dict[int, int] = {}
        self._begun: list[int] = []
        self._rest = b""
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "starter.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", **environment},
        )
        deadline = time.monotonic() + 120
        while not self._begun and self._process.poll() is None and time.monotonic() < deadline:
            self.read(0.1)
        if not self._begun:
            self._process.kill()
            self.close()
            raise RuntimeError("the starter did not come up: its error is above")
        self._begun.clear()

    def start(self, task: Mapping[str, Any]) -> int:
        """Begin a run; return its process id."""
        pipe: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        pipe.write(json.dumps(task).encode() + b"\n")
        pipe.flush()
        while not self._begun:
            self.read(1)
        return self._begun.pop()

    def read(self, timeout_s: float) -> None:
        """Take in what the starter said."""
        pipe: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        ready, _, _ = select.select([pipe], [], [], timeout_s)
        data = os.read(pipe.fileno(), 65536) if ready else b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "status" in said:
                self.statuses[said["pid"]] = said["status"]
            else:
                self._begun.append(said["pid"])

    def close(self) -> None:
        self._process.communicate(timeout=30)


@dataclass
class Bench:
    """A folder with a prompt, its rows and a configuration that names the fault server.

    ``run`` and ``start`` take the arguments of `costopt analyze`. With ``starter`` the process is
    forked from one that has loaded the libraries; without, it is the installed command itself.
    """

    folder: Path
    server: FaultProcess
    starter: Starter | None = None
    env: dict[str, str] = field(default_factory=dict[str, str])
    _runs: int = 0

    def prompt(self, rows: Iterable[Mapping[str, Any]] | int, text: str = PROMPT) -> None:
        """Write the prompt and its rows, or so many ordinary rows."""
        place = self.folder / "cities"
        place.mkdir(exist_ok=True)
        (place / "prompt.md").write_text(text, encoding="utf-8")
        found = [row(n) for n in range(rows)] if isinstance(rows, int) else rows
        lines = "".join(json.dumps(one) + "\n" for one in found)
        (place / "evals.jsonl").write_text(lines, encoding="utf-8")

    def target(self, text: str = "price = { input = 1, output = 2 }", url: str = "") -> None:
        """Write the configuration; ``text`` is what else it says of the target."""
        address = url or self.server.url
        # What a race asks depends on answers, and so on faults: here each run asks for the same.
        config = (
            '[costopt]\nsearch = "exhaustive"\n[targets.fault]\nmodel = "fault-model"\n'
            f'base_url = "{address}"\n{text}\n'
        )
        (self.folder / "costopt.toml").write_text(config, encoding="utf-8")

    @property
    def run_dir(self) -> Path:
        return self.folder / "run"

    def start(self, *more: object, command: str = "analyze", real: bool = False) -> Running:
        """Begin a run in the background; ``real``: by the installed command, libraries and all."""
        self._runs += 1
        given = [str(one) for one in more]
        args = [command, *given]
        if command == "analyze":
            args = [command, "cities", "--target", "fault", *given]
            for option, value in _DEFAULTS.items():
                args += [] if option in given else [option, value]
        out, err = (self.folder / f"{name}-{self._runs}" for name in ("out", "err"))
        if self.starter is None or real:
            return self._start_real(args, out, err)
        task = {
            "args": args, "cwd": str(self.folder), "env": self._env(),
            "out": str(out), "err": str(err),
        }  # fmt: skip
        return Running(self.starter.start(task), out, err, starter=self.starter)

    def run(self, *more: object, command: str = "analyze", real: bool = False) -> Done:
        """Run the command to its end."""
        return self.start(*more, command=command, real=real).wait()

    def _start_real(self, args: Sequence[str], out: Path, err: Path) -> Running:
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                [COSTOPT, *args],
                cwd=self.folder,
                env=self._env(),
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        return Running(process.pid, out, err, process=process)

    def _env(self) -> dict[str, str]:
        return {**os.environ, "PYTHONFAULTHANDLER": "", **self.env}


_DEFAULTS = {
    "--run-dir": "run",
    "--format": "json",
    "--samples": "100000",
    "--strategy": "concise",
    "--concurrency": "16",
}


def row(number: int, **more: Any) -> dict[str, Any]:
    """Return an ordinary row: its answer is in the question; every fifth is got wrong."""
    word = WORDS[number % len(WORDS)]
    said = "no idea" if number % 5 == 4 else word
    question = f"Which city is number {number}? [[{said}]]"
    return {"id": f"row-{number}", "question": question, "reference": word, **more}


def settled(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report without what may differ between two runs of the same answers."""
    kept = {key: value for key, value in report.items() if key not in VARYING}
    for prompt in kept["prompts"]:
        for variant in prompt["variants"]:
            variant.pop("latency", None)
    return kept


def variants(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the variants of the one prompt by name."""
    (prompt,) = report["prompts"]
    return {variant["name"]: variant for variant in prompt["variants"]}


def stored_answers(folder: Path, copy: Path) -> Counter[str]:
    """Return the marks (``#…``) of the answers in a store, each as often as it is there.

    The files are copied first, so that what a crash left is still there for the next run.
    """
    copy.mkdir(parents=True)
    for file in folder.glob("answers.sqlite3*"):
        (copy / file.name).write_bytes(file.read_bytes())
    if not (copy / "answers.sqlite3").exists():
        return Counter()
    connection = sqlite3.connect(copy / "answers.sqlite3")
    try:
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            return Counter()
        found = connection.execute("SELECT answer FROM answers").fetchall()
    finally:
        connection.close()
    return Counter(json.loads(answer)["text"].rpartition("#")[2] for (answer,) in found)


def integrity(folder: Path) -> str:
    """Return what SQLite says of the store's file."""
    connection = sqlite3.connect(folder / "answers.sqlite3")
    try:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    finally:
        connection.close()
