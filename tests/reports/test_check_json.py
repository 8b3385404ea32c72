"""A check as JSON: the contract's keys, the way back, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sample_check as samples
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.checked import CheckReport, Gate, PromptChange
from costopt.core.errors import CostoptError
from costopt.core.report import Finding
from costopt.reports.checks.json import check_from_json, check_to_json
from costopt.reports.checks.show import show_check
from costopt.reports.json import from_json

FORMATS = ("table", "json", "markdown", "junit", "sarif", "github")

text = st.text(max_size=30)
maybe = st.none() | text
number = st.floats(-1e12, 1e12).filter(lambda x: not x or abs(x) > 1e-12)
value = st.none() | number | st.integers(-(10**12), 10**12) | text
line = st.none() | st.integers(1, 10**6)
money = st.none() | st.decimals(0, 10**6, places=4).map(lambda x: Decimal(str(float(x))))
gate = st.builds(
    Gate, prompt=maybe, gate=text, message=text, limit=value, base=value, head=value, unit=maybe,
    target=maybe, path=maybe, line=line, column=line,
    outcome=st.sampled_from(["passed", "failed", "inconclusive", "skipped"]),
)  # fmt: skip
finding = st.builds(
    Finding, code=text, name=text, line=st.integers(1), column=st.integers(1), message=text,
    tokens=st.integers(0), end_line=line, end_column=line, usd_per_1k=money, usd_per_month=money,
)  # fmt: skip
texts = st.lists(text, max_size=3).map(tuple)
findings = st.lists(finding, max_size=2).map(tuple)
change = st.builds(
    PromptChange, name=text, path=text, old_path=maybe, why=texts, rows=maybe, diff=texts,
    new_findings=findings, gone_findings=findings, notes=texts,
    status=st.sampled_from(["modified", "renamed", "added", "deleted"]),
)  # fmt: skip


@st.composite
def checks(draw: st.DrawFn) -> CheckReport:
    gates = tuple(draw(st.lists(gate, max_size=4)))
    outcomes = {one.outcome for one in gates}
    lacking = 3 if "inconclusive" in outcomes else 0
    return replace(
        samples.sample_check(), base=draw(text), base_commit=draw(text), head=draw(text),
        depth_reason=draw(maybe), gates=gates, notes=draw(texts),
        changes=tuple(draw(st.lists(change, max_size=3))), unchanged=draw(st.integers(0, 999)),
        exit=1 if "failed" in outcomes else draw(st.sampled_from([0, lacking])),
    )  # fmt: skip


@given(checks())
def test_round_trip(check: CheckReport) -> None:
    assert check_from_json(check_to_json(check)) == check


def test_keys_of_the_contract_come_first() -> None:
    data = json.loads(check_to_json(samples.sample_check()))
    assert list(data)[:7] == ["schema", "base", "depth", "passed", "exit", "gates", "report"]
    assert list(data["gates"][0])[:7] == [
        "prompt", "gate", "limit", "base", "head", "passed", "message",
    ]  # fmt: skip
    assert data["schema"] == "costopt.check/1"


def test_the_report_inside_is_one_that_costopt_report_shows() -> None:
    check = samples.sample_check()
    data = json.loads(check_to_json(check))
    assert from_json(json.dumps(data["report"])) == check.report


def changed(edit: Callable[[Any], object]) -> str:
    data = json.loads(check_to_json(samples.sample_check()))
    edit(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda d: d.update(passed=True), "passed does not agree with gates"),
        (lambda d: d["gates"][0].update(passed=True), "gates[0].passed does not agree"),
        (lambda d: d.update(exit=0), "exit does not agree with gates"),
        (lambda d: d.update(exit=2), "exit does not agree with gates"),
        (lambda d: d.update(depth="deep"), 'depth must be "static" or "replay" or "measured"'),
        (lambda d: d["gates"][0].update(outcome="fine"), "gates[0].outcome must be"),
        (lambda d: d["gates"][0].update(limit=[1]), "gates[0].limit must be a number"),
        (lambda d: d["gates"][0].update(line=0), "gates[0].line is too small"),
        (lambda d: d["gates"][0].update(head=10**50), "gates[0].head must be a number"),
        (lambda d: d["gates"][0].pop("message"), "gates[0].message must be there"),
        (lambda d: d["gates"].append("x"), "gates[6] must be an object"),
        (lambda d: d.update(gates={}), "gates must be a list"),
        (lambda d: d.update(unchanged=-1), "unchanged is too small"),
        (lambda d: d.update(report=None), "report must be an object of schema"),
        (lambda d: d["report"].update(schema="x"), "report must be an object of schema"),
        (lambda d: d["report"]["prompts"][0]["variants"][0].pop("text"), "exactly one of"),
        (lambda d: d.update(schema="costopt.report/1"), "of schema costopt.check/1: found"),
        (lambda d: d["changes"][0].update(status="eaten"), "changes[0].status must be"),
    ],
)
def test_what_does_not_agree_is_refused(edit: Callable[[Any], object], said: str) -> None:
    with pytest.raises(CostoptError) as caught:
        check_from_json(changed(edit))
    assert said in caught.value.what


@pytest.mark.parametrize(
    "broken", ["", "[]", "null", '{"schema": 1}', "{", '{"a":' * 5000, '{"x": NaN}', "1" * 5000]
)
def test_what_is_no_check_is_refused(broken: str) -> None:
    with pytest.raises(CostoptError):
        check_from_json(broken)


@pytest.mark.parametrize("many", [600, 900])
def test_what_is_nested_too_deep_is_refused(many: int) -> None:
    nested: Any = {}
    for _ in range(many):
        nested = {"a": nested}
    used = {"name": "x", "side": "input", "safety": "lossy", "params": nested}
    data = json.loads(check_to_json(samples.sample_check()))
    data["report"]["prompts"][0]["variants"][0]["strategies"] = [used]
    with pytest.raises(CostoptError, match=r"nested too deep|broken JSON"):
        check_from_json(json.dumps(data))


def test_a_number_beyond_all_numbers_is_refused_in_free_json_too() -> None:
    text = check_to_json(samples.sample_check())
    text = text.replace('"strategies": []', '"strategies": [{"name": "x", "side": "input", '
        '"safety": "lossy", "params": {"a": 1e999}}]', 1)  # fmt: skip
    with pytest.raises(CostoptError, match="a number must be less"):
        check_from_json(text)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in an object of JSON."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    found = [path]
    for key, one in items:
        deeper = isinstance(one, dict | list)
        found += places(one, (*path, key)) if deeper else [(*path, key)]
    return found


PLACES = places(json.loads(check_to_json(samples.sample_check())))[1:]
JUNK = st.sampled_from([
    None, True, False, 0, -1, 10**30, 10**300, 1e-30, 1e308, -1e20, "", "x", "baseline", "head",
    "::error::x", [], {}, [None], {"a": 1}, "\ud800",
])  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=2))
def test_whatever_is_accepted_can_be_shown(edits: list[tuple[tuple[Any, ...], Any]]) -> None:
    data = json.loads(check_to_json(samples.sample_check()))
    for path, junk in edits:
        found = data
        for key in path[:-1]:
            if not isinstance(found, dict | list) or (isinstance(found, list) and not found):
                break
            found = found.get(key) if isinstance(found, dict) else found[min(key, len(found) - 1)]
        else:
            if isinstance(found, dict):
                found[path[-1]] = junk
    try:
        check = check_from_json(json.dumps(data))
    except CostoptError:
        return
    for format in FORMATS:
        page = show_check(check, format, width=80, colour=False, command=None)
        assert len(page) < 200_000
