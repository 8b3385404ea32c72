"""The real weights, the real embedded model, and a server that fails on purpose."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importmode=importlib adds no folder of its own

from fault_server import FaultServer

from costopt.core.progress import Silent
from costopt.models.embedded import EmbeddedTarget
from costopt.models.weights import pull


@pytest.fixture(scope="session")
def weights() -> Path:
    """The embedded model's weights, fetched once into the user's cache."""
    return pull(Silent())


@pytest.fixture(scope="session")
def embedded(weights: Path) -> Iterator[EmbeddedTarget]:
    target = EmbeddedTarget(weights)
    yield target
    asyncio.run(target.close())


@pytest.fixture
def faults() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server
