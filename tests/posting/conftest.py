"""A server that plays GitHub, and clients of it that do not wait."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds no folder of its own

from github_server import BOT_TOKEN, HEAD, REPOSITORY, GitHub

from costopt.core import secrets
from costopt.reports.posting.address import address
from costopt.reports.posting.api import Api


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of one test are not hidden in the texts of another."""
    monkeypatch.setattr(secrets, "_remembered", set())


@pytest.fixture
def github() -> Iterator[GitHub]:
    """The server, with pull request 7."""
    found = GitHub()
    found.add_pull(7, HEAD)
    yield found
    found.close()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that clients would have waited."""
    return []


@pytest.fixture
def connect(github: GitHub, waits: list[float]) -> Iterator[Callable[..., Api]]:
    """Return what makes a client."""
    made: list[Api] = []

    def make(token: str = BOT_TOKEN, repository: str = REPOSITORY) -> Api:
        made.append(Api(address(github.url, repository), token, sleep=waits.append))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def api(connect: Callable[..., Api]) -> Api:
    """A client with the token of a job that may write."""
    return connect()
