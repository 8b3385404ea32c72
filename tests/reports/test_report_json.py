"""The hub: keys and order of contract.md, and reading back."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.core.errors import CostoptError
from costopt.core.report import Report, Skipped
from costopt.core.types import Message
from costopt.reports.json import from_json, to_json


def test_golden(sample_report: Report, golden: Callable[[str, str], None]) -> None:
    golden("report.json", to_json(sample_report))


def test_round_trip(sample_report: Report) -> None:
    assert from_json(to_json(sample_report)) == sample_report


def test_keys_and_their_order(sample_report: Report) -> None:
    data = json.loads(to_json(sample_report))
    assert list(data)[:9] == [
        "schema", "costopt_version", "created", "seed", "partial", "targets", "spent", "skipped",
        "prompts",
    ]  # fmt: skip
    assert list(data["targets"][0]) == ["name", "model", "priced_as", "price"]
    assert list(data["targets"][0]["price"]) == [
        "input", "cache_read", "cache_write", "output", "as_of", "source",
    ]  # fmt: skip
    assert list(data["spent"]) == [
        "usd", "requests", "cached_answers", "input_tokens", "output_tokens",
        "unknown_outcome",
    ]  # fmt: skip
    prompt = data["prompts"][0]
    assert list(prompt)[:9] == [
        "name", "path", "format", "feature", "calls_per_month", "eval_set", "findings", "variants",
        "recommended",
    ]  # fmt: skip
    assert list(prompt["variants"][1])[:15] == [
        "target", "name", "strategies", "text", "settings", "dropped", "tokens", "cost", "latency",
        "quality", "delta", "verdict", "samples_needed", "pareto", "rejected",
    ]  # fmt: skip
    assert list(prompt["variants"][1]["tokens"]) == [
        "template", "input_mean", "cache_read_mean", "cache_write_mean", "output_mean",
        "reasoning_mean", "tokenizer", "exact",
    ]  # fmt: skip
    assert list(prompt["variants"][1]["cost"]) == [
        "usd_per_1k", "usd_per_month", "regimes", "evidence",
    ]  # fmt: skip
    assert list(prompt["variants"][1]["delta"]["quality"]) == [
        "mean", "low", "high", "n", "margin", "confidence",
    ]  # fmt: skip


def test_exactly_one_of_text_and_messages(sample_report: Report) -> None:
    data = json.loads(to_json(sample_report))
    plain, chat = data["prompts"][0]["variants"][0], data["prompts"][1]["variants"][0]
    assert plain["text"] == "Say {{ x }}."
    assert "messages" not in plain
    assert [message["role"] for message in chat["messages"]] == ["system", "user"]
    assert "text" not in chat


def test_a_plain_prompt_with_a_second_message_is_written_as_messages(
    sample_report: Report,
) -> None:
    prompt = sample_report.prompts[0]
    two = (Message("system", "Answer concisely."), Message("user", "{{ x }}"))
    changed = replace(prompt.variants[0], messages=two)
    report = replace(sample_report, prompts=(replace(prompt, variants=(changed,)),))
    assert from_json(to_json(report)).prompts[0].variants[0].messages == two


def test_unknown_is_null_and_never_zero(sample_report: Report) -> None:
    variant = json.loads(to_json(sample_report))["prompts"][1]["variants"][0]
    assert variant["cost"]["usd_per_1k"] is None
    assert variant["latency"] is None
    assert json.loads(to_json(sample_report))["prompts"][1]["calls_per_month"] is None


def test_runtime_is_there_and_null_where_nothing_is_shortened(sample_report: Report) -> None:
    variants = json.loads(to_json(sample_report))["prompts"][0]["variants"]
    assert variants[0]["runtime"] is None
    assert list(variants[3]["runtime"].items()) == [
        ("tokens_before_mean", 512.5), ("tokens_after_mean", 301.25), ("seconds_mean", 1.375),
        ("n", 40), ("pays_below_tokens_per_s", 153.6),
    ]  # fmt: skip


def test_reports_without_runtime_are_read(sample_report: Report) -> None:
    data = json.loads(to_json(sample_report))
    for prompt in data["prompts"]:
        for variant in prompt["variants"]:
            variant.pop("runtime")
    prompts = tuple(
        replace(p, variants=tuple(replace(v, runtime=None) for v in p.variants))
        for p in sample_report.prompts
    )
    assert from_json(json.dumps(data)) == replace(sample_report, prompts=prompts)


def test_keys_of_a_later_version_are_left_out(sample_report: Report) -> None:
    data = json.loads(to_json(sample_report))
    data["later"] = data["prompts"][0]["later"] = {"x": [1]}
    assert from_json(json.dumps(data)) == sample_report


@given(st.text(st.characters(codec=None, categories=None), max_size=40))
def test_any_text_survives_as_utf8(text: str) -> None:
    report = _empty(text)
    written = to_json(report)
    written.encode("utf-8")
    assert to_json(from_json(written)) == written


def _empty(text: str) -> Report:
    from costopt.core.report import Spent

    return Report(
        costopt_version="0",
        created="",
        seed=0,
        partial=True,
        targets=(),
        spent=Spent(),
        skipped=(Skipped(path=text, line=None, reason=text),),
        prompts=(),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ('{"schema": NaN}', "broken JSON"),
        ("[]", "schema costopt.report/1: found None"),
        ('{"schema": "costopt.report/9"}', "costopt.report/9"),
        ('{"schema": "costopt.report/1"}', "costopt_version must be there"),
        ('{"schema": "costopt.report/1", "costopt_version": 3}', "costopt_version must be a text"),
    ],
)
def test_what_is_no_report_is_one_error(text: str, said: str) -> None:
    with pytest.raises(CostoptError, match=said):
        from_json(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v.update(verdict="good"), r"variants\[0\].verdict must be \"baseline\" or"),
        (lambda v: v.update(messages=[]), "exactly one"),
        (lambda v: v["tokens"].update(template=1.5), "tokens.template must be a whole number"),
        (lambda v: v["cost"].update(usd_per_1k="1"), "usd_per_1k must be a number"),
        (lambda v: v["tokens"].update(exact=1), "exact must be true or false"),
        (lambda v: v.update(strategies={}), "strategies must be a list"),
    ],
)
def test_a_wrong_value_is_named(
    sample_report: Report, change: Callable[[dict[str, object]], None], said: str
) -> None:
    data = json.loads(to_json(sample_report))
    change(data["prompts"][0]["variants"][0])
    with pytest.raises(CostoptError, match=said):
        from_json(json.dumps(data))


def test_numbers_that_are_not_finite_are_refused(sample_report: Report) -> None:
    prompt = sample_report.prompts[0]
    quality = prompt.variants[0].quality
    assert quality is not None
    bad = replace(prompt.variants[0], quality=replace(quality, mean=float("nan")))
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json(replace(sample_report, prompts=(replace(prompt, variants=(bad,)),)))
