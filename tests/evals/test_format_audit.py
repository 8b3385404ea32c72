"""The format audit: the same answer read as it stands, and read for what was asked."""

import pytest

from costopt.core.types import Answer, Failure, Sample, Score, Usage
from costopt.evals.metrics import get, names


def scored(metric, text, *references, labels=None):
    answer = Answer(
        text=text, usage=Usage(1, 1), finish_reason="stop", latency_s=0.1, model="m", created="now"
    )
    sample = Sample(id="1", inputs={}, references=references)
    return get(metric).score(answer, sample, labels=labels)


@pytest.mark.parametrize(
    ("metric", "text", "reference", "strict", "value", "tolerant"),
    [
        ("exact_match", "Paris", "Paris", 1, 1, 1),
        ("exact_match", '"paris."', "Paris", 0, 1, 1),
        ("exact_match", "It is Paris, of course.", "Paris", 0, 0, 1),
        ("exact_match", "Lyon", "Paris", 0, 0, 0),
        ("accuracy", "billing", "billing", 1, 1, 1),
        ("accuracy", "Label: billing", "billing", 0, 1, 1),
        ("accuracy", "Not shipping but billing", "billing", 0, 0, 1),
        ("accuracy", "shipping", "billing", 0, 0, 0),
        ("contains", "4 years", "4 years", 1, 1, 1),
        ("contains", "It is valid for 4 years.", "4 years", 0, 1, 1),
        ("contains", "1,200 dollars", "1200", 0, 0, 1),
        ("token_f1", "fabric softener", "fabric softener", 1, 1, 1),
        ("token_f1", "never use any fabric softener here at all", "fabric softener", 0.4, 0.4, 1),
        ("number_match", "$1,200", "1200", 1, 1, 1),
        ("number_match", "The answer is 1200", "1200", 0, 1, 1),
        ("number_match", "1200 in all, or 13 bags", "1200", 0, 0, 1),
        ("json_f1", '{"a": 1}', {"a": 1}, 1, 1, 1),
        ("json_f1", 'Here you are: {"a": 1}', {"a": 1}, 0, 1, 1),
        ("json_f1", '{"Unit-Price": "2"}', {"unit_price": 2}, 0, 0, 1),
        ("json_f1", "none", {"a": 1}, 0, 0, 0),
    ],
)
def test_strict_value_and_tolerant(metric, text, reference, strict, value, tolerant):
    result = scored(
        metric, text, reference, labels=None if metric != "accuracy" else ["billing", "shipping"]
    )
    assert isinstance(result, Score)
    assert (result.strict, result.value, result.tolerant) == pytest.approx(
        (strict, value, tolerant)
    )


@pytest.mark.parametrize("metric", ["exact_match", "accuracy", "contains", "token_f1", "json_f1"])
@pytest.mark.parametrize("text", ["", "  ", "{" * 3000, "\ud800", "a" * 300_000, "null"])
def test_what_is_read_strictly_is_also_read_tolerantly(metric, text):
    result = scored(metric, text, {"a": 1} if metric == "json_f1" else "a b")
    assert isinstance(result, Score)
    assert result.strict is not None
    assert result.strict <= result.tolerant


def test_metrics_without_an_audit_say_so():
    assert scored("rouge_l", "a b", "a b").strict is None
    assert {name for name in names() if get(name).tolerant is None} == {
        "rouge_l", "log_likelihood", "drift", "judge",
    }  # fmt: skip


def test_a_reference_that_cannot_be_read_is_a_failure_still():
    assert isinstance(scored("number_match", "5", "none"), Failure)
