"""A headless Chromium for the pages; the tests are skipped where there is none."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# importmode=importlib adds no folder of its own; the hostile strings lie with the fault
# tests, logs of requests with those of usage.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "faults"))
sys.path.insert(2, str(Path(__file__).parent.parent / "usage"))

from chromium import Chromium, missing


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    found = Chromium(tmp_path_factory.mktemp("chromium"))
    yield found
    found.close()
