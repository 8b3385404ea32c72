"""Bounds, findings and paths, apart from any repository."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.checks.bounds import fraction_bounds
from costopt.checks.cases import surplus
from costopt.checks.features import Feature, Monthly, feature_gates
from costopt.checks.trees import safe
from costopt.core.configured import Config, PromptRule
from costopt.core.errors import CostoptError
from costopt.core.git import check_ref
from costopt.core.report import Finding


@given(st.integers(1, 400), st.data())
def test_bounds_hold_the_mean_and_narrow_with_rows(n: int, data: st.DataObject) -> None:
    mean = data.draw(st.integers(0, n)) / n
    found, more = fraction_bounds(mean, n), fraction_bounds(mean, 4 * n)
    assert found is not None
    assert more is not None
    assert 0 <= found[0] <= more[0] <= mean + 1e-9
    assert mean - 1e-9 <= more[1] <= found[1] <= 1


def test_bounds_are_those_of_chernoff() -> None:
    low, high = fraction_bounds(1.0, 59) or (0, 0)
    assert (low, high) == (pytest.approx(0.05 ** (1 / 59)), 1.0)
    assert fraction_bounds(0.5, 0) is None
    assert fraction_bounds(-0.3, 9) is None


_findings = st.lists(
    st.builds(
        Finding,
        code=st.sampled_from(["CO1", "CO2"]),
        name=st.just("x"),
        line=st.integers(1, 9),
        column=st.just(1),
        message=st.sampled_from("abc"),
        tokens=st.just(0),
    ),
    max_size=6,
).map(tuple)


@given(_findings, _findings)
def test_new_findings_are_as_many_as_the_head_has_more(
    now: tuple[Finding, ...], was: tuple[Finding, ...]
) -> None:
    new = surplus(now, was)
    for code in ("CO1", "CO2"):
        more = sum(f.code == code for f in now) - sum(f.code == code for f in was)
        assert sum(f.code == code for f in new) == max(more, 0)
    assert surplus(now, now) == ()


@pytest.mark.parametrize("name", ["a/../b", "/a", "", ".git/config", "a/.GIT/x", "a\\b", ".."])
def test_paths_that_are_not_written(name: str) -> None:
    assert not safe(name)


@given(st.text(max_size=20))
def test_no_revision_is_an_option(ref: str) -> None:
    try:
        assert check_ref(ref) == ref
    except CostoptError:
        return
    assert not ref.startswith("-")
    assert not any(ord(character) < 33 for character in ref)


def test_rules_by_the_names_of_a_repository_follow_no_link() -> None:
    from pathlib import PurePosixPath

    rule = PromptRule(glob="*.md", max_growth=0.5)
    config = Config(prompts=(rule,), folder=PurePosixPath("app"))
    assert config.rule_for("app/x/a.md").max_growth == 0.5
    below = Config(prompts=(PromptRule(glob="/x/", max_growth=0.1),), folder=PurePosixPath("app"))
    assert below.rule_for("app/x/a.md").max_growth == 0.1
    assert below.rule_for("x/a.md").max_growth == 0.1  # named from elsewhere: as it is


def test_what_is_known_to_be_too_much_fails_whatever_is_not_known() -> None:
    feature = Feature(name="f", limit=Decimal(10), changed=(), others={})
    assert list(feature_gates(feature)) == []
    from costopt.checks.features import _judged

    unknown, cheap = Monthly(usd=None, whole=False), Monthly(usd=Decimal(4), whole=True)
    dear = Monthly(usd=Decimal(11), whole=False)
    assert _judged(feature, [cheap, cheap])[0] == "passed"
    assert _judged(feature, [cheap, unknown])[0] == "skipped"
    assert _judged(feature, [dear, unknown])[0] == "failed"
