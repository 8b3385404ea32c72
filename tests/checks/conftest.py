"""Git repositories that the tests make, and a server that plays the model."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chat_server import started

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds no folder of its own

from git_repository import GitRepository


@pytest.fixture
def repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> GitRepository:
    """An empty folder, which is the current one; the command keeps its answers beside it."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return GitRepository(folder, capsys)


@dataclass
class Server:
    """The model: where it listens, and what it was asked."""

    port: int
    log: Path
    process: "subprocess.Popen[str]"

    @property
    def requests(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []

    @property
    def config(self) -> str:
        return (
            '[costopt]\ntarget = "mini"\nrun_dir = "../answers"\n[targets.mini]\n'
            f'base_url = "http://127.0.0.1:{self.port}/v1"\nmodel = "mini-1"\n'
            'api_key_env = "TICKETS_KEY"\nprice = { input = 1.0, output = 4.0 }\n'
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    log = tmp_path / "requests.txt"
    with started("ticket_server", log) as (port, process):
        yield Server(port, log, process)
