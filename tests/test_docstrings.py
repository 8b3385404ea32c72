"""The examples in the docstrings are true, of every module."""

import doctest
import importlib
import pkgutil

import pytest

import costopt

ROOMS = ("cli", "reports", "usage", "checks", "evals", "compressors", "models", "costs", "core")


def _modules() -> list[str]:
    found = pkgutil.walk_packages(costopt.__path__, "costopt.")
    return [one.name for one in found if one.name.split(".")[1] in ROOMS]


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
