"""A check as JUnit XML: a suite a prompt, a case a gate."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from xml.etree import ElementTree

from ...core.checked import CheckReport, Gate
from ..safe import clean
from .gates import before, place
from .pairs import pairs
from .verdict import DEPTHS, headline

# XML 1.0 has no way to write these, not even as references.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ALL = "all prompts"


def check_to_junit(check: CheckReport) -> str:
    """Return the check as JUnit XML: failed gates are failures, undecided ones are skipped."""
    root = ElementTree.Element("testsuites", {"name": "costopt check", **_counts(check.gates)})
    said = _said(check)
    for name, gates in _suites(check.gates):
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            {"name": name, **_counts(gates), "skipped": str(sum(map(_is_skipped, gates)))},
        )
        _properties(suite, said)
        for gate in gates:
            _case(suite, name, gate)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suites(gates: Sequence[Gate]) -> Iterator[tuple[str, list[Gate]]]:
    """Yield the gates by prompt, in the order of the check."""
    names = dict.fromkeys(gate.prompt for gate in gates)
    for name in names:
        yield _text(name or _ALL), [gate for gate in gates if gate.prompt == name]


def _counts(gates: Sequence[Gate]) -> dict[str, str]:
    failed = sum(gate.outcome == "failed" for gate in gates)
    return {"tests": str(len(gates)), "failures": str(failed), "errors": "0"}


def _is_skipped(gate: Gate) -> bool:
    return gate.outcome in ("inconclusive", "skipped")


def _said(check: CheckReport) -> dict[str, str]:
    return {
        "verdict": headline(check, pairs(check)),
        "base": f"{check.base} ({check.base_commit})",
        "head": check.head,
        "depth": f"{check.depth}: {DEPTHS[check.depth]}",
        "depth_reason": check.depth_reason or "",
    }


def _properties(suite: ElementTree.Element, said: Mapping[str, str]) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in said.items():
        if value:
            ElementTree.SubElement(properties, "property", {"name": name, "value": _text(value)})


def _case(suite: ElementTree.Element, name: str, gate: Gate) -> None:
    at = f" at {gate.target}" if gate.target else ""
    label = _text(f"{gate.gate}{at}{_distinct(gate)}")
    case = ElementTree.SubElement(suite, "testcase", {"classname": name, "name": label})
    if gate.outcome == "passed":
        return
    message = _text(gate.message)
    if gate.outcome == "failed":
        found = ElementTree.SubElement(case, "failure", {"type": _text(gate.gate)})
    else:
        found = ElementTree.SubElement(case, "skipped")
        message = f"not enough data: {message}" if gate.outcome == "inconclusive" else message
    found.set("message", message)
    found.text = "\n".join(_text(part) for part in chain([message], _more(gate)))


def _distinct(gate: Gate) -> str:
    """Tell apart the findings of one prompt, which are cases of one name otherwise."""
    code = f" {gate.limit}" if isinstance(gate.limit, str) else ""
    return f"{code} {gate.line}:{gate.column or 1}" if gate.line is not None else code


def _more(gate: Gate) -> Iterator[str]:
    if was := before(gate):
        yield was
    if where := place(gate):
        yield where


def _text(text: str) -> str:
    return _NOT_XML.sub("", clean(text, 1000))
