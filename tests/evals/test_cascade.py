"""Cascades: who answers which row, from stored answers alone."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.types import (
    Answer,
    Failure,
    FailureKind,
    Message,
    PromptTemplate,
    Sample,
    Score,
    Source,
    Syntax,
    Usage,
    Variant,
)
from costopt.evals.cascade import (
    blend,
    by_agreement,
    by_format,
    by_likelihood,
    threshold,
    timed,
)
from costopt.evals.metrics import get
from costopt.evals.runner import Outcome, Trial

VARIANT = Variant(
    name="baseline",
    template=PromptTemplate(
        name="p", messages=(Message("user", "x"),), variables=(), syntax=Syntax.NONE,
        source=Source(path="p", format="text", raw="x"),
    ),
)  # fmt: skip


def outcome(row: str, text: str = "x", value: float | None = 1.0, seconds: float = 1.0) -> Outcome:
    answer = Answer(
        text=text, usage=Usage(input=5, output=2), finish_reason="stop", latency_s=seconds,
        model="m", created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    result = Failure(FailureKind.TIMEOUT, "late") if value is None else Score(value, text)
    trial = Trial(variant=VARIANT, sample=Sample(id=row, inputs={}), mode="generate")
    return Outcome(trial=trial, result=result, answers=() if value is None else (answer,))


def outcomes(values: Mapping[str, float | None]) -> dict[str, Outcome]:
    return {row: outcome(row, value=value) for row, value in values.items()}


@given(st.dictionaries(st.text("abc", min_size=1), st.booleans(), min_size=1))
def test_every_row_is_answered_once_by_the_model_that_the_check_says(
    passes: dict[str, bool],
) -> None:
    small, large = outcomes(dict.fromkeys(passes, 0.0)), outcomes(dict.fromkeys(passes, 1.0))
    mixed = blend(small, large, passes, list(passes))
    assert mixed is not None
    assert mixed.escalated == {row for row, passed in passes.items() if not passed}
    assert mixed.share == len(mixed.escalated) / len(passes)
    for row, found in zip(passes, mixed.outcomes, strict=True):
        assert found is (small if passes[row] else large)[row]


def test_what_is_not_stored_is_not_guessed() -> None:
    small, large = outcomes({"a": 1.0, "b": 1.0}), outcomes({"a": 1.0})
    passes = {"a": False, "b": False}
    assert blend(small, large, passes, ["a", "b"]) is None
    assert blend(small, large, {"a": True}, ["a", "b"]) is None
    assert blend(large, small, passes, ["a", "b"]) is None
    kept = blend(small, large, {"a": False, "b": True}, ["a", "b"])
    assert kept is not None
    assert kept.escalated == {"a"}


def test_a_row_that_the_small_model_failed_on_is_a_failure_and_not_dropped() -> None:
    small, large = outcomes({"a": None, "b": 1.0}), outcomes({"a": 1.0, "b": 1.0})
    mixed = blend(small, large, {"b": True}, ["a", "b"])
    assert mixed is not None
    assert isinstance(mixed.outcomes[0].result, Failure)


@pytest.mark.parametrize(
    ("metric", "text", "passed"),
    [
        ("accuracy", "Billing.", True),
        ("accuracy", "It is billing", False),
        ("number_match", "$12", True),
        ("number_match", "12 apples", False),
        ("json_f1", '{"a": 1}', True),
        ("json_f1", 'Here: {"a": 1}', False),
    ],
)
def test_a_format_is_checked_without_the_reference(metric: str, text: str, passed: bool) -> None:
    small = {"a": outcome("a", text)}
    assert by_format(get(metric), VARIANT, small, ["billing", "returns"]) == {"a": passed}


def test_a_metric_without_a_form_has_no_such_check() -> None:
    small = {"a": outcome("a")}
    assert by_format(get("token_f1"), VARIANT, small, ["x"]) is None
    assert by_format(get("accuracy"), VARIANT, small, []) is None


def test_agreement_is_by_what_is_said_and_only_where_it_was_drawn_twice() -> None:
    first = {"a": outcome("a", "Rome."), "b": outcome("b", "Rome"), "c": outcome("c", "Rome")}
    again = {"a": outcome("a", "rome"), "b": outcome("b", "Oslo")}
    assert by_agreement(VARIANT, first, again) == {"a": True, "b": False}


LIKELIHOODS = {"a": -0.1, "b": -0.5, "c": -3.0}


def test_the_least_threshold_that_loses_nothing_is_taken() -> None:
    losses = {"a": 0.0, "b": 0.0, "c": -1.0}

    def loss(passes: Mapping[str, bool]) -> float:
        return sum(losses[row] for row, passed in passes.items() if passed)

    assert threshold(LIKELIHOODS, loss) == -0.5
    assert by_likelihood(LIKELIHOODS, -0.5) == {"a": True, "b": True, "c": False}


def test_where_every_threshold_loses_there_is_none() -> None:
    assert threshold(LIKELIHOODS, lambda passes: -0.1) is None
    assert threshold(LIKELIHOODS, lambda passes: None) is None


def test_an_escalated_row_takes_the_time_and_the_output_of_both_answers() -> None:
    first, second = outcome("a", seconds=1.0).answers[0], outcome("a", seconds=3.0).answers[0]
    both = timed(first, second)
    assert (both.latency_s, both.usage.output) == (4.0, 4)
    assert timed(first, None) is first
