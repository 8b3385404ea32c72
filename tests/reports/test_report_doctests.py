"""The examples in the docstrings are true."""

import doctest
import importlib

import pytest

MODULES = [
    "core.config", "core.toml_reader", "core.errors", "core.paths",
    "reports.numbers", "reports.pages", "reports.progress", "reports.runtime",
    "reports.safe", "reports.table", "reports.across", "reports.facts", "reports.forecast",
    "reports.suggested", "costs.forecast", "costs.hourly", "costs.suggest", "evals.cascade",
    "evals.crossing", "costs.cache_rules", "costs.hit_rates", "costs.prefix", "costs.request",
    "costs.cost", "evals.caching", "evals.payback", "evals.meter", "reports.money",
    "reports.checks.cells", "reports.checks.diff", "reports.checks.gates", "reports.checks.parts",
    "reports.checks.rule_texts", "reports.checks.verdict",
    "reports.diffs", "reports.findings", "core.file_names", "core.ignores",
    "evals.rules", "evals.rules.base", "evals.rules.pages",
    "evals.racing", "evals.slices", "evals.shelf", "evals.evalset", "evals.plan", "evals.choice",
    "reports.html.changes", "reports.html.check", "reports.html.page", "reports.html.plot",
    "reports.html.verdicts",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"costopt.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
