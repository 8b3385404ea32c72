"""The examples of the modules behind `costopt compare` are true."""

import doctest
import importlib

import pytest

MODULES = ("evals.mcnemar", "evals.mean_bounds", "evals.letters", "evals.stored_rows",
           "reports.sections", "reports.compared_logs")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"costopt.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
