"""Two reports: what changed, what is new or gone, and that nothing is made of nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest

from costopt.core.report import CostInfo, Quality, Report
from costopt.evals.compared_reports import compare_reports
from costopt.reports.compare import show_comparison

NAMES = ("a.json", "b.json")


def changed(report: Report, variant: str, prompt: int = 0, **parts: object) -> Report:
    """Return the report with a variant of a prompt changed."""
    prompts = list(report.prompts)
    own = prompts[prompt]
    variants = tuple(replace(v, **parts) if v.name == variant else v for v in own.variants)  # type: ignore[arg-type]
    prompts[prompt] = replace(own, variants=variants)
    return replace(report, prompts=tuple(prompts))


def test_the_same_inputs_show_no_change(sample_report: Report) -> None:
    later = replace(sample_report, created="2026-12-01T00:00:00+00:00")
    found = compare_reports(sample_report, later, names=NAMES)
    assert found.same
    assert found.worse == ()
    assert "no change" in show_comparison(found, "table", 80)


def test_what_changed_is_named(sample_report: Report) -> None:
    tokens = sample_report.prompts[0].variants[0].tokens
    head = changed(sample_report, "baseline", tokens=replace(tokens, input_mean=900.0))
    (one,) = [v for v in compare_reports(sample_report, head, names=NAMES).variants if v.changed]
    assert (one.name, one.status, one.changed) == ("baseline", "changed", ("tokens",))
    assert one.head is not None
    assert one.head.input == 900.0


def test_new_and_gone(sample_report: Report) -> None:
    first, second = sample_report.prompts
    old = replace(sample_report, prompts=(first,))
    new = replace(sample_report, prompts=(second,))
    found = compare_reports(old, new, names=NAMES)
    status = {one.prompt: one.status for one in found.variants}
    assert status == {first.name: "gone", second.name: "new"}
    assert found.worse == ()
    shown = show_comparison(found, "table", 80)
    assert "baseline: gone" in shown
    assert "baseline: new" in shown


def test_prompts_of_one_name_are_told_apart_by_their_paths(sample_report: Report) -> None:
    first = sample_report.prompts[0]
    both = replace(sample_report, prompts=(first, replace(first, path="other.md")))
    found = compare_reports(both, both, names=NAMES)
    assert found.same
    assert len(found.variants) == 2 * len([v for v in first.variants if v.rejected is None])


def test_a_verdict_that_became_worse(sample_report: Report) -> None:
    name = next(v.name for v in sample_report.prompts[0].variants if v.verdict == "holds")
    head = changed(sample_report, name, verdict="worse")
    found = compare_reports(sample_report, head, names=NAMES)
    assert len(found.worse) == 1
    assert "holds, now worse" in found.worse[0]


@pytest.mark.parametrize(("fell", "worse"), [(0.04, 0), (0.06, 1)])
def test_a_mean_that_fell_by_more_than_the_margin(
    sample_report: Report, fell: float, worse: int
) -> None:
    was = sample_report.prompts[0].variants[0].quality
    assert isinstance(was, Quality)
    head = changed(sample_report, "baseline", quality=replace(was, mean=was.mean - fell))
    found = compare_reports(sample_report, head, names=NAMES)
    assert len(found.worse) == worse
    assert any("not paired" in note for note in found.notes)


def test_a_dearer_prompt_is_worse_and_a_dearer_candidate_is_not(sample_report: Report) -> None:
    dear = CostInfo(usd_per_1k=Decimal(9))
    candidate = next(v.name for v in sample_report.prompts[0].variants if v.verdict == "holds")
    assert (
        compare_reports(
            sample_report, changed(sample_report, candidate, cost=dear), names=NAMES
        ).worse
        == ()
    )
    (why,) = compare_reports(
        sample_report, changed(sample_report, "baseline", cost=dear), names=NAMES
    ).worse
    assert "baseline at embedded: cost +" in why


def test_other_prices_are_said(sample_report: Report) -> None:
    target = sample_report.targets[0]
    assert target.price is not None
    price = replace(target.price, input=Decimal("0.30"))
    head = replace(sample_report, targets=(replace(target, price=price),))
    found = compare_reports(sample_report, head, names=NAMES)
    assert not found.same
    assert "input $0.30" in found.prices[0]
