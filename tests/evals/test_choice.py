"""Comparisons, finalists and the recommendation."""

from decimal import Decimal

import pytest

from costopt.core.types import (
    Failure,
    FailureKind,
    Message,
    PromptTemplate,
    Sample,
    Score,
    Source,
    Syntax,
    Variant,
)
from costopt.evals.choice import Candidate, assurance, compare, finalists, pareto, recommend
from costopt.evals.metrics import get
from costopt.evals.runner import Outcome, Trial

TEMPLATE = PromptTemplate(
    name="t",
    messages=(Message("user", "{{ x }}"),),
    variables=("x",),
    syntax=Syntax.JINJA,
    source=Source(path="t.md", format="markdown", raw="{{ x }}"),
)


def outcomes(values: list[float | None], name: str = "v") -> list[Outcome]:
    variant = Variant(name=name, template=TEMPLATE)
    failed = Failure(FailureKind.TARGET, "no answer")
    return [
        Outcome(
            trial=Trial(variant=variant, sample=Sample(id=str(i), inputs={}), mode="likelihood"),
            result=failed if value is None else Score(value, ""),
        )
        for i, value in enumerate(values)
    ]


def likelihoods(
    before: list[float | None], after: list[float | None], candidates: int = 1
) -> tuple[str, int]:
    comparison = compare(
        outcomes(before),
        outcomes(after),
        metric=get("log_likelihood"),
        margin=0.1,
        candidates=candidates,
    )
    return comparison.verdict, comparison.failures


def wave(center: float, n: int = 40) -> list[float | None]:
    return [center + (0.05 if i % 2 else -0.05) for i in range(n)]


def test_no_loss_holds_and_a_clear_loss_is_worse() -> None:
    zeros: list[float | None] = [0.0] * 40
    assert likelihoods(zeros, wave(0.0))[0] == "holds"
    assert likelihoods(zeros, wave(-0.5))[0] == "worse"
    assert likelihoods(zeros, wave(0.5))[0] == "better"


def test_a_loss_of_the_margin_is_not_decided() -> None:
    assert likelihoods([0.0] * 40, wave(-0.1))[0] == "not enough data"


def test_more_candidates_widen_the_interval() -> None:
    one = compare(
        outcomes([0.0] * 12), outcomes(wave(0.0, 12)), metric=get("log_likelihood"),
        margin=0.1, candidates=1,
    )  # fmt: skip
    many = compare(
        outcomes([0.0] * 12), outcomes(wave(0.0, 12)), metric=get("log_likelihood"),
        margin=0.1, candidates=20,
    )  # fmt: skip
    assert one.delta is not None
    assert many.delta is not None
    assert many.delta.low < one.delta.low <= one.delta.mean <= one.delta.high < many.delta.high
    assert many.delta.confidence == pytest.approx(1 - 0.05 / 20)


def test_missing_scores_never_become_a_verdict_that_holds() -> None:
    zeros: list[float | None] = [0.0] * 40
    after = [None if i < 3 else value for i, value in enumerate(wave(0.0))]
    verdict, failures = likelihoods(zeros, after)
    assert (verdict, failures) == ("not enough data", 3)


def test_no_common_rows_is_not_measured() -> None:
    assert likelihoods([], [])[0] == "not measured"


def test_drift_never_holds() -> None:
    comparison = compare(
        outcomes([0.0] * 40), outcomes(wave(0.0)), metric=get("drift"), margin=0.1, candidates=1
    )
    assert comparison.verdict == "not enough data"


def test_assurance_falls_with_the_loss_seen() -> None:
    chances = [
        assurance([loss] * 6, margin=0.1, rows=40, alpha=0.05, spread=0.1)
        for loss in (0.0, -0.05, -0.1, -0.3)
    ]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.8
    assert chances[-1] < 0.05


def test_finalists_weigh_saving_by_the_chance_to_hold() -> None:
    rows = {name: outcomes([0.0] * 6) for name in ("base",)}
    comparisons = {
        name: compare(
            rows["base"], outcomes([loss] * 6), metric=get("log_likelihood"), margin=0.1,
            candidates=9,
        )
        for name, loss in {"bold": -1.0, "good": 0.0, "small": 0.0, "dearer": 0.0}.items()
    }  # fmt: skip
    savings = {"bold": 0.6, "good": 0.2, "small": 0.01, "dearer": -0.1}
    assert finalists(comparisons, savings, margin=0.1, rows=40, most=2) == ("good", "small")


def candidate(name: str, cost: str, **changes: object) -> Candidate:
    values: dict[str, object] = {
        "verdict": "holds",
        "confirmed": True,
        "control": False,
        "harm_seen": True,
    }
    return Candidate(name=name, cost=Decimal(cost), **(values | changes))  # type: ignore[arg-type]


def test_the_cheapest_that_holds_is_recommended() -> None:
    name, reason = recommend([candidate("a", "0.8"), candidate("b", "0.7")], Decimal(1))
    assert name == "b"
    assert "30.0 %" in reason


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "worse"},
        {"verdict": "not enough data"},
        {"verdict": "not measured"},
        {"confirmed": False},
        {"control": True},
        {"harm_seen": False},
    ],
)
def test_nothing_less_is_recommended(changes: dict[str, object]) -> None:
    assert recommend([candidate("a", "0.5", **changes)], Decimal(1))[0] == "baseline"


def test_what_saves_nothing_is_not_recommended() -> None:
    assert recommend([candidate("a", "1.2")], Decimal(1))[0] == "baseline"


def test_pareto_keeps_what_nothing_beats() -> None:
    points = {"a": (Decimal(1), 0.0), "b": (Decimal(2), 0.0), "c": (Decimal(3), 1.0)}
    assert pareto(points) == {"a", "c"}
