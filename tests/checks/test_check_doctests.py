"""The examples of the modules behind `costopt check` are true."""

import doctest
import importlib

import pytest

MODULES = ("bounds", "cases", "configuration", "lock", "scope", "trees", "words")


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"costopt.checks.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
