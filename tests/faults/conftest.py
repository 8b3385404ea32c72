"""The fault server, the starter and a bench for every test."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds no folder of its own

from fault_harness import Bench, FaultProcess, Listener, Starter


@pytest.fixture(scope="session")
def server_process() -> Iterator[FaultProcess]:
    process = FaultProcess()
    yield process
    process.stop()


@pytest.fixture
def server(server_process: FaultProcess) -> FaultProcess:
    """The fault server, which answers well until a script is set."""
    server_process.script()
    return server_process


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter | None]:
    """What starts the command quickly; ``None`` where processes cannot be forked safely."""
    if sys.platform != "linux":
        yield None
        return
    process = Starter()
    yield process
    process.close()


@pytest.fixture
def bench(tmp_path: Path, server: FaultProcess, starter: Starter | None) -> Bench:
    found = Bench(tmp_path, server, starter)
    found.target()
    return found


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that nobody should speak to."""
    found = Listener()
    yield found
    found.close()
