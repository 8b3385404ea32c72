"""The batch server as a process, and runs over it in this one."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds no folder of its own

from batch_runs import BatchServer, Run


@pytest.fixture(scope="session")
def _process() -> Iterator[BatchServer]:
    command = [sys.executable, str(Path(__file__).parent / "batch_server.py")]
    found = BatchServer(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    yield found
    found.stop()


@pytest.fixture
def server(_process: BatchServer) -> BatchServer:
    """The server, with nothing in its memory."""
    _process.script(anew=True)
    return _process


@pytest.fixture
def start(tmp_path: Path, server: BatchServer) -> Iterator[Callable[..., Run]]:
    """Return what starts a run over the same folder and server."""
    runs: list[Run] = []

    def begin(**options: Any) -> Run:
        runs.append(Run(tmp_path / "run", server, **options))
        return runs[-1]

    yield begin
    for run in runs:
        run.close()
